"""Is what DNS says the key we sign with?  Judged from one answer.

NAME
    keycheck - findings on the text of a key record, with or without the private key

GIVEN
    the name, the texts of the answer, and the Wanted public key if it is known.

GIVES
    judge(): findings, and among them exactly one whose code begins with "key-ok" when a
    verifier would use the record.  Never raises.

DOES NOT
    ask DNS, or see a private key: Wanted holds the public half.

SEE ALSO
    RFC 6376 sections 3.6.1, 6.1.2; RFC 8301 (sizes); RFC 8463 section 3 (Ed25519).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_public_key,
)

from postseal_keys.findings import Finding, Harm, foremost, zone_line
from postseal_keys.keypair import RSA_ADVISED, RSA_MAX, RSA_MIN, PrivateKey, kind, public_text

KNOWN_TAGS = frozenset("vhknpst")
SAME_START = 24  # characters of base64 beyond the algorithm's own that two keys never share
_SPKI_HEAD = 44  # characters of base64 that all RSA keys of one size begin with
_BLANKS = " \t\r\n"
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}")
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*")  # RFC 6376 section 3.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """The public half of the key that signs.  record: the text to publish for it."""

    kind: str  # "rsa" or "ed25519"
    public: str  # p= as it should be
    other: str = ""  # RSA: the same key as PKCS#1; Ed25519: as SubjectPublicKeyInfo

    @property
    def record(self) -> str:
        """The shortest record that publishes it."""
        return f"v=DKIM1; k={self.kind}; p={self.public}"


def wanted(key: PrivateKey) -> Wanted:
    """The public half of a private key, in both spellings that are found in DNS."""
    public = key.public_key()
    if isinstance(public, RSAPublicKey):
        other = public.public_bytes(Encoding.DER, PublicFormat.PKCS1)
    else:
        other = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return Wanted(
        kind=str(kind(key)), public=public_text(key), other=base64.b64encode(other).decode("ascii")
    )


def judge(name: str, texts: tuple[bytes, ...], want: Wanted | None) -> list[Finding]:
    """Findings on the TXT records at name."""
    publish = (zone_line(name, want.record),) if want else ()
    texts = tuple(sorted(texts))  # servers give them in any order, and all are to say the same
    if not texts:
        found = [_on(Harm.ERROR, "key-missing", "there is no key record", "publish it")]
    elif len(texts) > 1:
        found = [_several(texts, want)]
        right = _right(texts, want)
        publish = (zone_line(name, right.decode("ascii")),) if right else publish
    else:
        found = list(_one(texts[0].decode("latin-1"), want))
    return foremost(
        replace(finding, where=name, publish=publish if _mends(finding) else ())
        for finding in found
    )


def _mends(finding: Finding) -> bool:
    """Whether publishing the wanted record mends it; a revoked selector must not come back."""
    return finding.harm is Harm.ERROR and finding.code != "key-revoked"


def _several(texts: tuple[bytes, ...], want: Wanted | None) -> Finding:
    what = f"there are {len(texts)} TXT records; a verifier may use any of them, or none"
    hint = "keep the one whose key signs, and delete the others"
    if want:
        right = _right(texts, want)
        hint = "none of them is right: delete all, and publish this one"
        if right is not None:
            hint = f"keep the one that ends in {_end(right)}, and delete the others"
    if len(set(texts)) == 1:
        hint = "they are the same: delete all but one"
    return _on(Harm.ERROR, "key-two-records", what, hint)


def _right(texts: tuple[bytes, ...], want: Wanted | None) -> bytes | None:
    """The record with the wanted key."""
    for text in texts:
        if want and any(f.code == "key-ok" for f in _one(text.decode("latin-1"), want)):
            return text
    return None


def _end(text: bytes) -> str:
    """The last characters, enough to tell two keys apart: RSA keys all end in IDAQAB."""
    return "..." + text.decode("ascii").rstrip("; \t")[-16:]


def _one(text: str, want: Wanted | None) -> Iterator[Finding]:
    """Findings on one record's text."""
    outside = re.sub(r"n=[^;]*", "", text)
    if '"' in outside or "\\" in outside:
        yield _quotes(text)
        text = text.replace('"', "").replace("\\", "")
    if not text.isascii() or any(char < " " and char not in _BLANKS for char in text):
        at = next(i for i, char in enumerate(text) if not " " <= char <= "~")
        what = "the record has characters that are not ASCII"
        yield _on(Harm.ERROR, "key-characters", what, "publish it anew", text, at)
        return
    tags, damage = _tags(text)
    if "p" not in tags and "k" not in tags and tags.get("v", "").upper() != "DKIM1":
        hint = "a key record is like v=DKIM1; k=rsa; p=KEY"
        yield _on(Harm.ERROR, "key-not-a-key", "the TXT record is not a key record", hint, text, 0)
        return
    yield from damage
    if any(finding.harm is Harm.ERROR for finding in damage):
        if tags.get("v", "").upper() == "DKIM1" and tags.get("p"):  # capitals lost there too?
            yield from (f for f in _key(text, tags, want) if f.code == "key-case")
        return
    if "p" not in tags:
        what = "the record ends before p=: there is no key in it"
        hint = "in a zone file the text needs quotation marks: a bare ; starts a comment"
        yield _on(Harm.ERROR, "key-no-p", what, hint, text, len(text))
        return
    yield from _limits(text, tags)
    yield from _key(text, tags, want)


def _quotes(text: str) -> Finding:
    at = min(place for place in (text.find('"'), text.find("\\")) if place >= 0)
    what = "quotation marks or backslashes have got into the data"
    hint = "web panels want the value without quotes, and ; without a backslash"
    return _on(Harm.ERROR, "key-quotes", what, hint, text, at)


def _tags(text: str) -> tuple[dict[str, str], list[Finding]]:
    """The tag list, and what is wrong with it as a list (RFC 6376 section 3.2)."""
    tags: dict[str, str] = {}
    found: list[Finding] = []
    place = 0
    for piece in text.split(";"):
        at = place + len(piece) - len(piece.lstrip(_BLANKS))
        place += len(piece) + 1
        name, equals, value = piece.strip(_BLANKS).partition("=")
        name = name.strip(_BLANKS)
        if not name and not equals:
            if place <= len(text):  # the list may end in one semicolon, and not in two
                what = "a semicolon without a tag before it: verifiers refuse the whole record"
                hint = "leave it out; the last tag may have one, and no more"
                found.append(_on(Harm.ERROR, "key-syntax", what, hint, text, place - 1))
            continue
        if not equals or not _NAME.fullmatch(name):
            what = f"{name[:30]!r} is not " + ("a tag's name" if equals else "name=value")
            hint = "between two semicolons stands one name=value"
            found.append(_on(Harm.ERROR, "key-syntax", what, hint, text, at, len(name) or 1))
        elif name in tags:
            what = f"{name}= is there twice: verifiers refuse the whole record"
            found.append(_on(Harm.ERROR, "key-tag-twice", what, "keep one", text, at, len(name)))
        elif name not in KNOWN_TAGS:
            old = name == "g"
            what = f"{name[:30]}= is {'obsolete' if old else 'unknown'} and ignored"
            hint = "leave it out"
            found.append(_on(Harm.ADVICE, "key-tag-unknown", what, hint, text, at, len(name)))
        tags.setdefault(name, value.strip(_BLANKS))
    if tags.get("v", "DKIM1") != "DKIM1" or ("v" in tags and next(iter(tags)) != "v"):
        what = "v= is not DKIM1, or not the first tag: verifiers ignore the record"
        hint = "begin the record with v=DKIM1;"
        found.append(_on(Harm.ERROR, "key-version", what, hint, text, max(0, text.find("v"))))
    return tags, found


def _limits(text: str, tags: dict[str, str]) -> Iterator[Finding]:
    """h=, s= and t=: what the record allows the key to be used for."""
    at = {name: _place(text, name) for name in tags}
    words = {
        name: [w.strip(_BLANKS).lower() for w in value.split(":")] for name, value in tags.items()
    }
    for name, code in (("k", "key-kind"), ("h", "key-hash"), ("s", "key-service")):
        if name in tags and tags[name] != tags[name].lower():
            what = f"{name}={tags[name][:30]} has capitals: some verifiers know only small letters"
            yield _on(Harm.WARNING, code, what, f"{name}={tags[name].lower()}", text, at[name])
    if "h" in tags and "sha256" not in words["h"]:
        what = f"h={tags['h']} allows no hash that is still accepted"
        yield _on(Harm.ERROR, "key-hash", what, "h=sha256, or leave h= out", text, at["h"])
    if "s" in tags and not {"*", "email"} & set(words["s"]):
        what = f"s={tags['s']} does not allow the key for e-mail"
        yield _on(Harm.ERROR, "key-service", what, "s=email, or leave s= out", text, at["s"])
    if "t" in tags and "y" in words["t"]:
        what = "t=y: verifiers treat mail signed with this key as not signed"
        hint = "leave t=y out when you are done testing"
        yield _on(Harm.WARNING, "key-testing", what, hint, text, at["t"])


def _place(text: str, name: str) -> int:
    """Where the tag of that name begins; 0 when it cannot be found."""
    match = re.search(rf"(?:^|;)\s*({re.escape(name)})\s*=", text)
    return match.start(1) if match else 0


def _key(text: str, tags: dict[str, str], want: Wanted | None) -> Iterator[Finding]:
    """p= itself."""
    raw = tags["p"]
    public = "".join(raw.split())
    at = text.find(raw, _place(text, "p")) if raw else -1
    algorithm = tags.get("k", "rsa").lower()
    if not public:
        what = "the key is revoked: p= is empty"
        yield _on(Harm.ERROR, "key-revoked", what, "sign with another selector")
        return
    if len(public) != len(raw):
        blank = at + next(i for i, char in enumerate(raw) if char in _BLANKS)
        what = "there are blanks inside p=; verifiers must skip them, not all do"
        yield _on(Harm.WARNING, "key-blanks", what, "publish it without", text, blank)
    if not _BASE64.fullmatch(public):
        bad = next(i for i, char in enumerate(raw) if not re.match(r"[A-Za-z0-9+/=\s]", char))
        what = f"{raw[bad]!r} cannot stand in p="
        yield _on(Harm.ERROR, "key-base64", what, "publish it anew", text, at + bad)
        return
    if want is None:
        yield from _strength(public, algorithm)
    else:
        yield from _compare(public, algorithm, want, text, at)


def _compare(public: str, algorithm: str, want: Wanted, text: str, at: int) -> Iterator[Finding]:
    """Published against wanted.  public has no blanks."""
    same = next(
        (i for i, (a, b) in enumerate(zip(public, want.public, strict=False)) if a != b),
        min(len(public), len(want.public)),
    )
    where = (text, at + same) if at >= 0 and text[at : at + len(public)] == public else ("", -1)
    if public == want.public:
        if algorithm != want.kind:
            what = f"k={algorithm}, but the key is {want.kind}"
            yield _on(Harm.ERROR, "key-kind", what, f"write k={want.kind}")
        else:
            yield _on(Harm.GOOD, "key-ok", "the record has the key")
    elif public == want.other and want.kind == "rsa":
        what = "the record has the key without its algorithm (PKCS#1); not all verifiers read that"
        yield _on(Harm.WARNING, "key-ok", what, "publish it as SubjectPublicKeyInfo")
    elif public == want.other:
        what = "an Ed25519 key is published as its bare 32 octets, not as SubjectPublicKeyInfo"
        yield _on(Harm.ERROR, "key-ed25519-spki", what, "44 characters, not 60")
    elif want.public.startswith(public):
        strings = " (a string ends at 255)" if len(text) in (254, 255) else ""
        what = f"p= is cut off after {len(public)} of {len(want.public)} characters{strings}"
        hint = "a longer text goes into several strings of one record"
        yield _on(Harm.ERROR, "key-cut", what, hint, *where)
    elif public.lower() == want.public.lower():
        what = "upper and lower case of p= were mixed up"
        yield _on(Harm.ERROR, "key-case", what, "publish it anew", *where)
    elif same >= _SPKI_HEAD + SAME_START:
        what = f"p= is damaged from character {same + 1} of {len(want.public)} on"
        yield _on(Harm.ERROR, "key-damaged", what, "publish it anew", *where)
    else:
        what = "the record has another key than the one that signs"
        yield _on(Harm.ERROR, "key-other", what, "publish this one, or sign with that one")


def _strength(public: str, algorithm: str) -> Iterator[Finding]:
    """Without a private key: would a verifier load it, and accept its size?"""
    size = _size(public, algorithm)
    if size is None:
        what = f"p= is not a whole {algorithm} key: a verifier cannot use it"
        hint = "compare it with what postseal-testkey finds"
        yield _on(Harm.ERROR, "key-unusable", what, hint)
    elif algorithm == "rsa" and size < RSA_MIN:
        what = f"the RSA key has {size} bits: verifiers refuse less than {RSA_MIN}"
        yield _on(Harm.ERROR, "key-short", what, f"make one of {RSA_ADVISED} bits")
    elif algorithm == "rsa" and size < RSA_ADVISED:
        what = f"the RSA key has {size} bits"
        yield _on(Harm.WARNING, "key-ok-short", what, f"make one of {RSA_ADVISED} bits")
    elif algorithm == "rsa" and size > RSA_MAX:
        what = f"the RSA key has {size} bits: verifiers need not accept more than {RSA_MAX}"
        yield _on(Harm.WARNING, "key-ok-long", what, f"make one of {RSA_ADVISED} bits")
    else:
        shown = f"{size} bits" if algorithm == "rsa" else "32 octets"
        yield _on(Harm.GOOD, "key-ok", f"an {algorithm} key of {shown}")


def _size(public: str, algorithm: str) -> int | None:
    """Bits of the key; None when it cannot be loaded as what k= says."""
    try:
        octets = base64.b64decode(public, validate=True)
        if algorithm == "ed25519":
            Ed25519PublicKey.from_public_bytes(octets)
            return 256
        if algorithm != "rsa":
            return None
        key = load_der_public_key(octets)  # reads PKCS#1 too
        return key.key_size if isinstance(key, RSAPublicKey) else None
    except (binascii.Error, ValueError, UnsupportedAlgorithm):
        return None


def _on(
    harm: Harm,
    code: str,
    what: str,
    hint: str = "",
    record: str = "",
    column: int = -1,
    length: int = 1,
) -> Finding:
    return Finding(
        harm=harm,
        code=code,
        where="",
        what=what,
        hint=hint,
        record=record,
        column=column,
        length=length,
    )
