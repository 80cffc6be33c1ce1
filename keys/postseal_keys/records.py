"""DKIM key records: the text below SELECTOR._domainkey.DOMAIN.

NAME
    records - the tags of a key record as values, and as the text DNS carries

GIVEN
    values, or the text of a TXT record with its character-strings joined.

GIVES
    KeyRecord: str(record) is the text, parse(text) the reverse, and
    parse(str(record)) == record.

DOES NOT
    look at the key inside p=; quote for any file format (formats does).

SEE ALSO
    RFC 6376 sections 3.2 (tag lists), 3.6.1 (the tags), 2.11 (qp-section is
    that of RFC 2045 section 6.7); RFC 8463 (k=ed25519).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from postseal_keys.console import DATAERR, Problem

STRING_MAX = 255  # octets in one character-string, RFC 1035 section 3.3
TEXT_MAX = 65535  # octets in a record's data; nothing longer can come from DNS

_WORD = re.compile(r"[A-Za-z](?:[A-Za-z0-9-]*[A-Za-z0-9])?\Z")  # hyphenated-word
_TAG_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*\Z")
_VALUE = re.compile(r"[\x21-\x3a\x3c-\x7e \t\r\n]*\Z")
_BLANKS = " \t\r\n"
_NO_BLANKS = {ord(c): None for c in _BLANKS}


class RecordError(Problem):
    """The text is not a key record; message says which rule it breaks."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, code=DATAERR)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """One key record.  public is base64 without blanks; empty means revoked."""

    public: str
    kind: str = "rsa"  # k=
    hashes: tuple[str, ...] = ()  # h=; empty: all
    flags: tuple[str, ...] = ()  # t=: "y" testing, "s" no subdomains
    services: tuple[str, ...] = ()  # s=; empty: "*", all
    note: str = ""  # n=, decoded

    def __post_init__(self) -> None:
        _check_words("k", (self.kind,))
        _check_words("h", self.hashes)
        _check_words("t", self.flags)
        _check_words("s", tuple(word for word in self.services if word != "*"))
        _check_base64(self.public)

    def __str__(self) -> str:
        return "; ".join(f"{name}={value}" for name, value in self.tags())

    def tags(self) -> tuple[tuple[str, str], ...]:
        """Name and encoded value of every tag that is written, in opendkim-genkey's order."""
        optional = (
            ("n", encode_note(self.note)),
            ("h", ":".join(self.hashes)),
            ("k", self.kind),
            ("t", ":".join(self.flags)),
            ("s", ":".join(self.services)),
        )
        return (("v", "DKIM1"), *((n, v) for n, v in optional if v), ("p", self.public))


def parse(text: str) -> KeyRecord:
    """Parse one record's text (RFC 6376 section 3.6.1).  Raises RecordError, nothing else.

    Tags we do not know are ignored, as the RFC asks.
    """
    tags = parse_tags(text)
    if "v" in tags and (tags["v"] != "DKIM1" or next(iter(tags)) != "v"):
        raise RecordError("the record does not begin with v=DKIM1")
    if "p" not in tags:
        raise RecordError("there is no p= tag", hint="p= carries the public key")
    return KeyRecord(
        public=tags["p"].translate(_NO_BLANKS),
        kind=tags.get("k", "rsa"),
        hashes=_words(tags.get("h", "")),
        flags=_words(tags.get("t", "")),
        services=_words(tags.get("s", "")),
        note=decode_note(tags.get("n", "")),
    )


def parse_tags(text: str) -> dict[str, str]:
    """A tag list as name -> value, blanks around values gone (RFC 6376 section 3.2).

    Raises RecordError for a name given twice and for what is not name=value.
    """
    if len(text) > TEXT_MAX:
        raise RecordError(f"the record has {len(text)} characters")
    parts = text.split(";")
    if not parts[-1].strip(_BLANKS):
        parts.pop()  # one ";" at the end is allowed
    tags: dict[str, str] = {}
    for part in parts:
        name, equals, value = part.partition("=")
        name, value = name.strip(_BLANKS), value.strip(_BLANKS)
        if not equals or not _TAG_NAME.match(name):
            raise RecordError(f"'{part.strip(_BLANKS)[:40]}' is not name=value")
        if name in tags:
            raise RecordError(f"the tag {name}= is there twice")
        if not _VALUE.match(value):
            raise RecordError(f"the value of {name}= has characters that are not allowed")
        tags[name] = value
    return tags


def encode_note(text: str) -> str:
    """Free text as a qp-section that can stand in a tag list.

    Beyond what RFC 6376 asks (";", "=", what is not ASCII), quotes and
    backslashes are encoded too: web panels and zone files mangle them.
    """
    octets = text.encode("utf-8", "surrogateescape")
    last = len(octets) - 1
    return "".join(
        chr(octet) if _plain(octet) or (octet == 0x20 and 0 < at < last) else f"={octet:02X}"
        for at, octet in enumerate(octets)
    )


def _plain(octet: int) -> bool:
    return 0x21 <= octet <= 0x7E and octet not in b';="\\'


def decode_note(value: str) -> str:
    """The reverse of encode_note, forgiving: a stray "=" stands for itself."""
    octets = re.sub(
        rb"=([0-9A-Fa-f]{2})",
        lambda match: bytes.fromhex(match[1].decode("ascii")),
        value.encode("ascii"),
    )
    return octets.decode("utf-8", "surrogateescape")


def split(text: str, size: int = STRING_MAX) -> tuple[str, ...]:
    """The text cut into character-strings of at most size octets, none of them empty."""
    if not text.isascii():
        raise ValueError("key records are ASCII")
    return tuple(text[at : at + size] for at in range(0, len(text), size)) or ("",)


def _words(value: str) -> tuple[str, ...]:
    return tuple(word.strip(_BLANKS) for word in value.split(":")) if value else ()


def _check_words(tag: str, words: tuple[str, ...]) -> None:
    for word in words:
        if not _WORD.match(word):
            raise RecordError(
                f"'{word[:40]}' is not possible in {tag}=",
                hint=f"{tag}= takes words of letters, digits and hyphens",
            )


def _check_base64(value: str) -> None:
    try:
        base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise RecordError("p= is not base64") from None
