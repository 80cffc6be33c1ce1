"""DKIM-Signature: what a signature claims, read strictly.

NAME
    signature - parse one DKIM-Signature field

GIVEN
    a Field, octets as they came.

GIVES
    Signature: every claim checked for syntax, names in A-labels; or SignatureError
    with a closed reason and whatever could be read for the report.

DOES NOT
    look at the message, the clock or DNS.  `a=rsa-sha1` is read and refused later, by
    verify, so that the report can name it.

SEE ALSO
    RFC 6376 sections 3.5 and 6.1.1; RFC 8301 (algorithms); RFC 8463 (Ed25519);
    RFC 8616 section 4 (names and local parts in UTF-8).
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum

from postseal.core import names, taglist
from postseal.core.canon import BodyKey
from postseal.core.field import Field

MAX_NAMES = 1000  # entries of h=
MAX_SIGNATURE = 2048  # octets: RSA with 16384 bits
MAX_IDENTITY = 1024  # octets of i=, more than any address may have
_MAX_DIGITS = 76  # of l= (RFC 6376 section 3.5)
_MAX_TIME_DIGITS = 20  # of t= and x=; 12 are the most that an implementation must read

_REQUIRED = ("v", "a", "b", "bh", "d", "h", "s")
_FTEXT = bytes(set(range(0x21, 0x7F)) - set(b":;"))
_HEX = frozenset(b"0123456789ABCDEFabcdef")


class SignatureFault(StrEnum):
    """Closed list: why a field is not a usable signature."""

    SYNTAX = "syntax"  # not a tag list, or a value that its tag cannot have
    MISSING_TAG = "missing-tag"  # a required tag is absent or empty
    VERSION = "version"  # v= is not 1
    ALGORITHM = "algorithm"  # a= is none that we know
    CANONICALIZATION = "canonicalization"
    QUERY = "query-method"
    FROM_NOT_SIGNED = "from-not-signed"
    IDENTITY = "identity"  # i= is neither at nor below d=
    NAME = "bad-name"  # d=, s= or the domain of i= is not a domain name
    TIMES = "times"  # x= is not after t=


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a report may say of a signature, readable or not.  Names in A-labels or empty."""

    domain: str = ""
    selector: str = ""
    identity: str = ""
    algorithm: str = ""
    b: str = ""  # base64 without white space


class SignatureError(ValueError):
    """Not a usable signature: why, detail in words (free of sender's text), and evidence."""

    def __init__(self, why: SignatureFault, detail: str) -> None:
        self.why = why
        self.detail = detail
        self.evidence = Evidence()
        super().__init__(f"{why}: {detail}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signature:
    """One signature's claims.  Times in seconds since 1970."""

    field: Field
    evidence: Evidence
    key_type: str  # "rsa" or "ed25519": what k= of the key must say
    hash_name: str  # "sha256" or "sha1"
    names: tuple[bytes, ...]  # h=, lower case
    header_relaxed: bool
    body_key: BodyKey
    body_hash: bytes
    value: bytes  # b= decoded
    timestamp: int | None
    expires: int | None
    query_name: str
    identity_domain: str

    @property
    def domain(self) -> str:
        """d=, the name that the signature vouches with."""
        return self.evidence.domain


_ALGORITHMS = {
    b"rsa-sha256": ("rsa", "sha256"),
    b"ed25519-sha256": ("ed25519", "sha256"),
    b"rsa-sha1": ("rsa", "sha1"),
}
_HASH_OCTETS = {"sha256": 32, "sha1": 20}
_FORMS = {b"simple": False, b"relaxed": True}


def parse(field: Field) -> Signature:
    """Read the field.  Raises SignatureError, and nothing else."""
    try:
        tags = taglist.parse(field.value)
    except taglist.TagListError as error:
        raise SignatureError(SignatureFault.SYNTAX, str(error)) from None
    try:
        return _signature(field, tags)
    except SignatureError as error:
        error.evidence = _evidence(tags)
        raise


def _signature(field: Field, tags: Mapping[str, bytes]) -> Signature:
    for name in _REQUIRED:
        if not tags.get(name):
            raise SignatureError(SignatureFault.MISSING_TAG, f"{name}= is missing or empty")
    if tags["v"] != b"1":
        raise SignatureError(SignatureFault.VERSION, "v= is not 1")
    algorithm = tags["a"].lower()
    if algorithm not in _ALGORITHMS:
        raise SignatureError(SignatureFault.ALGORITHM, "a= names no known algorithm")
    key_type, hash_name = _ALGORITHMS[algorithm]
    if "q" in tags:
        _check_query(tags["q"])
    header_relaxed, body_relaxed = _canonicalization(tags["c"]) if "c" in tags else (False, False)
    domain = _name("d", tags["d"])
    selector = _name("s", tags["s"])
    query_name = f"{selector}._domainkey.{domain}"
    if len(query_name) > names.MAX_NAME:
        raise SignatureError(SignatureFault.NAME, "s= and d= together are too long for DNS")
    identity, identity_domain = _identity(tags["i"], domain) if "i" in tags else ("", domain)
    timestamp, expires = _times(tags)
    value, text = _base64("b", tags["b"])
    body_hash, _ = _base64("bh", tags["bh"])
    if len(body_hash) != _HASH_OCTETS[hash_name]:
        raise SignatureError(SignatureFault.SYNTAX, "bh= has not the length of the hash")
    limit = _number("l", tags["l"], _MAX_DIGITS) if "l" in tags else None
    return Signature(
        field=field,
        evidence=Evidence(
            domain=domain,
            selector=selector,
            identity=identity or f"@{domain}",
            algorithm=algorithm.decode("ascii"),
            b=text.decode("ascii"),
        ),
        key_type=key_type,
        hash_name=hash_name,
        names=signed_names(tags["h"]),
        header_relaxed=header_relaxed,
        body_key=BodyKey(body_relaxed, limit),
        body_hash=body_hash,
        value=value,
        timestamp=timestamp,
        expires=expires,
        query_name=query_name,
        identity_domain=identity_domain,
    )


def _evidence(tags: Mapping[str, bytes]) -> Evidence:
    """What a report can say of a signature that could not be used."""
    found: dict[str, str] = {}
    for tag, key in (("d", "domain"), ("s", "selector")):
        with suppress(names.BadDomain):
            found[key] = names.ascii_domain(tags.get(tag, b""))
    algorithm = tags.get("a", b"").lower()
    if algorithm in _ALGORITHMS:
        found["algorithm"] = algorithm.decode("ascii")
    with suppress(SignatureError):
        found["b"] = _base64("b", tags.get("b", b""))[1].decode("ascii")
    return Evidence(**found)


def _check_query(value: bytes) -> None:
    """q= lists methods; one we know is enough (RFC 6376 section 3.5)."""
    methods = [method.strip(taglist.FWS).lower() for method in value.split(b":")]
    if b"dns/txt" not in methods and b"dns" not in methods:  # "dns": as before RFC 4871
        raise SignatureError(SignatureFault.QUERY, "q= names no known method")


def _canonicalization(value: bytes) -> tuple[bool, bool]:
    """Whether header and body are relaxed.  One word is the header's (RFC 6376 section 3.5)."""
    header, slash, body = value.lower().partition(b"/")
    try:
        return _FORMS[header], _FORMS[body] if slash else False
    except KeyError:
        raise SignatureError(
            SignatureFault.CANONICALIZATION, "c= names no known canonicalization"
        ) from None


def _name(tag: str, value: bytes) -> str:
    try:
        return names.ascii_domain(value)
    except names.BadDomain as error:
        raise SignatureError(SignatureFault.NAME, f"{tag}= is not a domain name: {error}") from None


def _identity(value: bytes, domain: str) -> tuple[str, str]:
    """i= as `local@domain`, and its domain, which must be d= or below it."""
    if len(value) > MAX_IDENTITY:
        raise SignatureError(SignatureFault.SYNTAX, "i= is too long")
    text = _unquote(value)
    local, at, host = text.rpartition(b"@")
    if not at:
        raise SignatureError(SignatureFault.IDENTITY, "i= has no @")
    below = _name("i", host)
    if not names.is_at_or_below(below, domain):
        raise SignatureError(SignatureFault.IDENTITY, "i= is neither at nor below d=")
    try:
        return f"{local.decode('utf-8')}@{below}", below
    except UnicodeDecodeError:
        raise SignatureError(SignatureFault.SYNTAX, "i= is not UTF-8") from None


def _unquote(value: bytes) -> bytes:
    """dkim-quoted-printable decoded, white space dropped (RFC 6376 section 2.11)."""
    first, *rest = value.translate(None, taglist.FWS).split(b"=")
    pieces = [first]
    for piece in rest:
        if len(piece) < 2 or piece[0] not in _HEX or piece[1] not in _HEX:
            raise SignatureError(SignatureFault.SYNTAX, "i= has an unfinished =XX")
        pieces += [bytes((int(piece[:2], 16),)), piece[2:]]
    return b"".join(pieces)


def _times(tags: Mapping[str, bytes]) -> tuple[int | None, int | None]:
    timestamp = _number("t", tags["t"], _MAX_TIME_DIGITS) if "t" in tags else None
    expires = _number("x", tags["x"], _MAX_TIME_DIGITS) if "x" in tags else None
    if timestamp is not None and expires is not None and expires <= timestamp:
        raise SignatureError(SignatureFault.TIMES, "x= is not after t=")
    return timestamp, expires


def _number(tag: str, value: bytes, digits: int) -> int:
    if not value.isdigit() or len(value) > digits:
        raise SignatureError(SignatureFault.SYNTAX, f"{tag}= is not a number")
    return int(value)


def _base64(tag: str, value: bytes) -> tuple[bytes, bytes]:
    """The octets, and the text without white space.  Padding must be right."""
    text = value.translate(None, taglist.FWS)
    try:
        octets = a2b_base64(text, strict_mode=True)
    except Base64Error:
        raise SignatureError(SignatureFault.SYNTAX, f"{tag}= is not base64") from None
    if not 0 < len(octets) <= MAX_SIGNATURE:
        raise SignatureError(SignatureFault.SYNTAX, f"{tag}= is empty or too long")
    return octets, text


def signed_names(value: bytes) -> tuple[bytes, ...]:
    """The names in h=, lower case.  From must be among them (RFC 6376 section 5.4)."""
    if value.count(b":") >= MAX_NAMES:
        raise SignatureError(SignatureFault.SYNTAX, "h= is too long")
    listed = tuple([name.strip(taglist.FWS) for name in value.lower().split(b":")])
    if b"" in listed or b"".join(listed).translate(None, _FTEXT):
        raise SignatureError(SignatureFault.SYNTAX, "h= holds something that is not a field name")
    if b"from" not in listed:
        raise SignatureError(SignatureFault.FROM_NOT_SIGNED, "h= does not name From")
    return listed
