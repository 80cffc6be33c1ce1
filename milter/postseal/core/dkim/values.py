"""The values of signature tags, read strictly: what DKIM and ARC have in common.

NAME
    values - algorithm, names, numbers, times, base64; and the one exception of a bad one

GIVEN
    one tag's value, without the white space around it.

GIVES
    what it means; or SignatureError with a closed reason.  The detail never repeats
    the value.

SEE ALSO
    signature (DKIM-Signature), core/arc (ARC-Message-Signature and ARC-Seal); RFC 6376
    sections 2.11, 3.2 and 3.5.
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import NamedTuple

from postseal.core import names, taglist

MAX_NAMES = 1000  # entries of h=
MAX_SIGNATURE = 2048  # octets: RSA with 16384 bits
_MAX_DIGITS = 76  # of l= (RFC 6376 section 3.5)
_MAX_TIME_DIGITS = 20  # of t= and x=; 12 are the most that an implementation must read
_HEX = frozenset(b"0123456789ABCDEFabcdef")

ALGORITHMS = {
    b"rsa-sha256": ("rsa", "sha256"),
    b"ed25519-sha256": ("ed25519", "sha256"),
    b"rsa-sha1": ("rsa", "sha1"),
}
_HASH_OCTETS = {"sha256": 32, "sha1": 20}
_FTEXT = bytes(set(range(0x21, 0x7F)) - set(b":;"))
_FORMS = {b"simple": False, b"relaxed": True}


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


class Evidence(NamedTuple):
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


def read_algorithm(value: bytes) -> tuple[str, str, str]:
    """a= in lower case, and the k= and h= of the key that it needs."""
    algorithm = value.lower()
    if algorithm not in ALGORITHMS:
        raise SignatureError(SignatureFault.ALGORITHM, "a= names no known algorithm")
    return (algorithm.decode("ascii"), *ALGORITHMS[algorithm])


def read_body_hash(value: bytes, hash_name: str) -> bytes:
    """bh= decoded, of the length that the hash has."""
    body_hash, _ = read_base64("bh", value)
    if len(body_hash) != _HASH_OCTETS[hash_name]:
        raise SignatureError(SignatureFault.SYNTAX, "bh= has not the length of the hash")
    return body_hash


def require(tags: Mapping[str, bytes], required: Iterable[str]) -> None:
    """Every required tag is there and has a value (RFC 6376 section 6.1.1)."""
    for name in required:
        if not tags.get(name):
            raise SignatureError(SignatureFault.MISSING_TAG, f"{name}= is missing or empty")


def check_query(value: bytes) -> None:
    """q= lists methods; one we know is enough (RFC 6376 section 3.5)."""
    methods = [method.strip(taglist.FWS).lower() for method in value.split(b":")]
    if b"dns/txt" not in methods and b"dns" not in methods:  # "dns": as before RFC 4871
        raise SignatureError(SignatureFault.QUERY, "q= names no known method")


def read_canonicalization(tags: Mapping[str, bytes]) -> tuple[bool, bool]:
    """c=: whether header and body are relaxed.  One word is the header's; simple is the default."""
    value = tags.get("c")
    if value is None:
        return False, False
    header, slash, body = value.lower().partition(b"/")
    try:
        return _FORMS[header], _FORMS[body] if slash else False
    except KeyError:
        raise SignatureError(
            SignatureFault.CANONICALIZATION, "c= names no known canonicalization"
        ) from None


def read_field_names(value: bytes) -> tuple[bytes, ...]:
    """h=: the names in lower case; b"" where nothing stands between two colons."""
    if value.count(b":") >= MAX_NAMES:
        raise SignatureError(SignatureFault.SYNTAX, "h= is too long")
    listed = tuple([name.strip(taglist.FWS) for name in value.lower().split(b":")])
    if b"".join(listed).translate(None, _FTEXT):
        raise SignatureError(SignatureFault.SYNTAX, "h= holds something that is not a field name")
    return listed


def read_name(tag: str, value: bytes) -> str:
    try:
        return names.ascii_domain(value)
    except names.BadDomain as error:
        raise SignatureError(SignatureFault.NAME, f"{tag}= is not a domain name: {error}") from None


def read_query_name(selector: str, domain: str) -> str:
    """Where the key is."""
    query_name = f"{selector}._domainkey.{domain}"
    if len(query_name) > names.MAX_NAME:
        raise SignatureError(SignatureFault.NAME, "s= and d= together are too long for DNS")
    return query_name


def read_limit(tags: Mapping[str, bytes]) -> int | None:
    """l=, None when it is absent."""
    return read_number("l", tags["l"], _MAX_DIGITS) if "l" in tags else None


def unquote(tag: str, value: bytes) -> bytes:
    """dkim-quoted-printable decoded, white space dropped (RFC 6376 section 2.11)."""
    first, *rest = value.translate(None, taglist.FWS).split(b"=")
    pieces = [first]
    for piece in rest:
        if len(piece) < 2 or piece[0] not in _HEX or piece[1] not in _HEX:
            raise SignatureError(SignatureFault.SYNTAX, f"{tag}= has an unfinished =XX")
        pieces += [bytes((int(piece[:2], 16),)), piece[2:]]
    return b"".join(pieces)


def read_times(tags: Mapping[str, bytes]) -> tuple[int | None, int | None]:
    timestamp = read_number("t", tags["t"], _MAX_TIME_DIGITS) if "t" in tags else None
    expires = read_number("x", tags["x"], _MAX_TIME_DIGITS) if "x" in tags else None
    if timestamp is not None and expires is not None and expires <= timestamp:
        raise SignatureError(SignatureFault.TIMES, "x= is not after t=")
    return timestamp, expires


def read_number(tag: str, value: bytes, digits: int) -> int:
    if not value.isdigit() or len(value) > digits:
        raise SignatureError(SignatureFault.SYNTAX, f"{tag}= is not a number")
    return int(value)


def read_base64(tag: str, value: bytes) -> tuple[bytes, bytes]:
    """The octets, and the text without white space.  Padding must be right."""
    text = value.translate(None, taglist.FWS)
    try:
        octets = a2b_base64(text, strict_mode=True)
    except Base64Error:
        raise SignatureError(SignatureFault.SYNTAX, f"{tag}= is not base64") from None
    if not 0 < len(octets) <= MAX_SIGNATURE:
        raise SignatureError(SignatureFault.SYNTAX, f"{tag}= is empty or too long")
    return octets, text
