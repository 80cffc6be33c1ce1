"""DMARC policy records: text in, tags out, and back.  (RFC 9989)

NAME
    dmarcrecord - scan, parse and write one DMARC record

GIVES
    scan() every tag with its column; parse() a Record as a receiver understands it;
    str(record) the text again: parse(str(record)) == record.

DOES NOT
    judge (dmarclint does) or ask DNS (treewalk does).

SEE ALSO
    RFC 9989 sections 4.7 (tags), 4.8 (grammar), 4.10.1 (what a bad p= means).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

VERSION = "DMARC1"
POLICIES = ("none", "quarantine", "reject")
TAGS = ("v", "p", "sp", "np", "adkim", "aspf", "t", "psd", "rua", "ruf", "fo")
OBSOLETE = ("pct", "rf", "ri")  # RFC 9989 section 9.3: historic, ignored
TEXT_MAX = 65_535  # octets of RDATA
NAME_MAX = 253

_BLANKS = " \t"
_NAME = re.compile(r"[A-Za-z]+")
_VALUE = re.compile(r"[\x20-\x3a\x3c-\x7e]+")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_URI = re.compile(r"(?:[A-Za-z0-9\-._~:/?#\[\]@$&'()*+;=]|%[0-9A-Fa-f]{2})+")
_SIZE = re.compile(r"![0-9]+[kmgtKMGT]?\Z")
_MAILTO = re.compile(r"(?i:mailto):(?P<local>[^@?/]+)@(?P<host>[A-Za-z0-9_.-]+?)\.?(?:\?.*)?\Z")


class DmarcError(ValueError):
    """A receiver does not take the text for a DMARC record at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tag:
    """One name=value of a record; columns count from 0.  name is in lower case."""

    name: str
    value: str
    column: int
    value_column: int
    equals: bool = True  # False: there was no "="

    @property
    def length(self) -> int:
        """Columns from the name's first to the value's last character."""
        return max(1, self.value_column + len(self.value) - self.column)


@dataclass(frozen=True, slots=True, kw_only=True)
class Uri:
    """One reporting URI.  host: of a mailto: address; "" for other schemes."""

    text: str  # without the obsolete size suffix
    host: str = ""
    suffix: str = ""  # "!10m": obsolete, ignored
    valid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A record as a receiver understands it, defaults filled in.

    p, sp, np: None when absent or not valid; bad names the tags that are there but whose
    value is none of those allowed.
    """

    p: str | None = None
    sp: str | None = None
    np: str | None = None
    adkim: str = "r"
    aspf: str = "r"
    t: bool = False
    psd: str = "u"
    rua: tuple[str, ...] = ()
    ruf: tuple[str, ...] = ()
    fo: tuple[str, ...] = ("0",)
    bad: tuple[str, ...] = ()

    def __str__(self) -> str:
        pairs = [("v", VERSION)]
        for name in ("p", "sp", "np"):
            value = getattr(self, name)
            if value is not None:
                pairs.append((name, value))
        pairs += [(n, v) for n, v in (("adkim", self.adkim), ("aspf", self.aspf)) if v != "r"]
        if self.t:
            pairs.append(("t", "y"))
        if self.psd != "u":
            pairs.append(("psd", self.psd))
        pairs += [(n, ",".join(v)) for n, v in (("rua", self.rua), ("ruf", self.ruf)) if v]
        if self.fo != ("0",):
            pairs.append(("fo", ":".join(self.fo)))
        return "; ".join(f"{name}={value}" for name, value in pairs)

    @property
    def usable(self) -> bool:
        """False: receivers apply no DMARC because of it (RFC 9989 section 4.10.1)."""
        return not {"p", "sp", "np"} & set(self.bad) or bool(self.rua)

    def asks(self, *, below: bool = False, exists: bool = True) -> str:
        """The policy for the domain itself, or for a name below it; "" when unusable."""
        if {"p", "sp", "np"} & set(self.bad):
            return "none" if self.rua else ""
        policy = self.p or "none"
        if below:
            policy = self.sp or policy
            if not exists:
                policy = self.np or policy
        return policy


def is_dmarc(text: str) -> bool:
    """Would a receiver take this TXT record for DMARC?  (RFC 9989 section 4.7, "v")"""
    tags = scan(text[:TEXT_MAX])
    return bool(tags) and tags[0].name == "v" and tags[0].value == VERSION


def scan(text: str) -> list[Tag]:
    """Every tag of the text, right or wrong, in order; empty pieces are left out."""
    return list(_pieces(text))


def _pieces(text: str) -> Iterator[Tag]:
    start = 0
    for piece in text.split(";"):
        column = start + len(piece) - len(piece.lstrip(_BLANKS))
        start += len(piece) + 1
        stripped = piece.strip(_BLANKS)
        if not stripped:
            continue
        name, equals, value = stripped.partition("=")
        skipped = len(name) + 1 + len(value) - len(value.lstrip(_BLANKS))
        yield Tag(
            name=name.rstrip(_BLANKS).lower(),
            value=value.strip(_BLANKS) if equals else "",
            column=column,
            value_column=column + skipped if equals else column + len(name),
            equals=bool(equals),
        )


def parse(text: str) -> Record:
    """The record as a receiver understands it.  Raises DmarcError, and nothing else.

    Only the version can make it fail: other mistakes fall back to the default.
    """
    if len(text) > TEXT_MAX or not is_dmarc(text):
        raise DmarcError("the text does not begin with v=DMARC1")
    first: dict[str, str] = {}
    for tag in scan(text):
        if tag.equals and tag.name in TAGS:
            first.setdefault(tag.name, tag.value)
    bad = tuple(name for name in first if name != "v" and not valid(name, first[name]))
    good = {name: value for name, value in first.items() if name not in bad}

    def low(name: str, default: str) -> str:
        return good.get(name, default).lower()

    return Record(
        p=low("p", "") or None,
        sp=low("sp", "") or None,
        np=low("np", "") or None,
        adkim=low("adkim", "r"),
        aspf=low("aspf", "r"),
        t=low("t", "n") == "y",
        psd=low("psd", "u"),
        rua=tuple(uri.text for uri in uris(first.get("rua", "")) if uri.valid),
        ruf=tuple(uri.text for uri in uris(first.get("ruf", "")) if uri.valid),
        fo=tuple(word.strip(_BLANKS) for word in low("fo", "0").split(":")),
        bad=bad,
    )


def valid(name: str, value: str) -> bool:
    """Is the value one that RFC 9989 table 2 allows for the tag?"""
    low = value.lower()
    match name:
        case "p" | "sp" | "np":
            return low in POLICIES
        case "adkim" | "aspf":
            return low in ("r", "s")
        case "t":
            return low in ("y", "n")
        case "psd":
            return low in ("y", "n", "u")
        case "fo":
            words = [word.strip(_BLANKS) for word in low.split(":")]
            once = len(set(words)) == len(words)
            return once and set(words) <= set("01ds") and not {"0", "1"} <= set(words)
        case "rua" | "ruf":
            return any(uri.valid for uri in uris(value))
    return bool(_NAME.fullmatch(name)) and bool(_VALUE.fullmatch(value))


def uris(value: str) -> tuple[Uri, ...]:
    """The URIs of rua= or ruf=, in order."""
    return tuple(uri(part.strip(_BLANKS)) for part in value.split(",") if part.strip(_BLANKS))


def uri(text: str) -> Uri:
    """One URI, with its obsolete size suffix taken off (RFC 9989 section 4.8)."""
    size = _SIZE.search(text)
    suffix = size[0] if size else ""
    bare = text.removesuffix(suffix)
    good = bool(_SCHEME.match(bare)) and bool(_URI.fullmatch(bare))
    host = ""
    if bare.lower().startswith("mailto:"):
        match = _MAILTO.match(bare)
        good = good and match is not None and _host(match["host"])
        host = match["host"].lower() if good and match else ""
    return Uri(text=bare, host=host, suffix=suffix, valid=good)


def _host(name: str) -> bool:
    labels = name.split(".")
    return len(name) <= NAME_MAX and len(labels) > 1 and all(0 < len(one) < 64 for one in labels)
