"""Key records: the public half of a signature, as a TXT record publishes it.

NAME
    keyrecord - parse the records at `selector._domainkey.domain`

GIVEN
    the TXT records of one name, the strings of each joined, and what the signature says
    about the key.

GIVES
    the records that could have made the signature, as KeyRecord with a ready
    key object, cached by the text of the record; or KeyRecordError.

DOES NOT
    ask DNS, or check a signature.  Limits come before arithmetic: a key of a
    size that nobody uses is refused and not tried.

SEE ALSO
    RFC 6376 sections 3.6.1 and 6.1.2; RFC 8301 section 3.2 (key sizes); RFC 8463
    section 4 (Ed25519 keys are 32 bare octets).
"""

from __future__ import annotations

from binascii import Error as Base64Error
from binascii import a2b_base64
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_der_public_key

from postseal.core import taglist

MAX_TEXT = 4096  # octets of one record: 8192 bits need 1500
MAX_RECORDS = 20  # records looked at
MAX_KEYS = 3  # keys tried when one name has several
MIN_BITS = 1024  # RFC 8301 section 3.2
MAX_BITS = 8192
MAX_EXPONENT = 2**32  # a long exponent is only there to cost time
_CACHED = 512

PublicKey = RSAPublicKey | Ed25519PublicKey

# The points of Ed25519 whose order is 8 or less, without the sign of x, in each of their
# forms: 0, 1, -1, the two of order 8, and 0 and 1 with p added.
_SMALL_ORDER = frozenset(
    bytes.fromhex(point)
    for point in (
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)


class KeyFault(StrEnum):
    """Closed list: why there is no key."""

    NO_KEY = "no-key"  # no such name, no TXT record, or none that is a key record
    KEY_SYNTAX = "key-syntax"
    KEY_VERSION = "key-version"  # v= is not DKIM1, or not the first tag
    KEY_REVOKED = "key-revoked"  # p= is empty
    KEY_TYPE = "key-type"  # k= is not what the signature needs
    KEY_HASH = "key-hash"  # h= does not allow SHA-256
    KEY_SERVICE = "key-service"  # s= is not for mail
    KEY_UNREADABLE = "key-unreadable"  # p= holds no key
    KEY_TOO_SMALL = "key-too-small"
    KEY_TOO_LARGE = "key-too-large"


class KeyRecordError(ValueError):
    """No usable key: why, and detail in words (free of the record's text)."""

    def __init__(self, why: KeyFault, detail: str) -> None:
        self.why = why
        self.detail = detail
        super().__init__(f"{why}: {detail}")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRecord:
    """One published key.  bits is 256 for Ed25519."""

    key_type: str
    key: PublicKey
    bits: int
    testing: bool  # t=y: the domain tests DKIM
    strict: bool  # t=s: i= may not be in a sub-domain of d=


def parse(texts: tuple[bytes, ...], key_type: str, min_bits: int = MIN_BITS) -> KeyRecord:
    """The key, when the name has one.  Raises KeyRecordError, and nothing else."""
    return candidates(texts, key_type, min_bits)[0]


def candidates(
    texts: tuple[bytes, ...], key_type: str, min_bits: int = MIN_BITS
) -> tuple[KeyRecord, ...]:
    """The keys worth trying: at least one, at most MAX_KEYS.  Raises KeyRecordError.

    Several records at one name are undefined (RFC 6376 section 3.6.2.2); a
    wildcard's SPF record beside the key is the usual case.
    """
    found: list[KeyRecord] = []
    fault: KeyRecordError | None = None
    for text in texts[:MAX_RECORDS]:
        read = _read(text)
        if isinstance(read, KeyRecord):
            read = _fits(read, key_type, min_bits)
        if isinstance(read, KeyRecord):
            found.append(read)
        elif fault is None or fault.why is KeyFault.NO_KEY:
            fault = KeyRecordError(*read)
    if found:
        return tuple(found[:MAX_KEYS])
    raise fault or KeyRecordError(KeyFault.NO_KEY, "no key is published")


_Refusal = tuple[KeyFault, str]


def _fits(record: KeyRecord, key_type: str, min_bits: int) -> KeyRecord | _Refusal:
    """The record, if a signature of that type may use it."""
    if record.key_type != key_type:
        return KeyFault.KEY_TYPE, f"the key is for {record.key_type}, the signature for {key_type}"
    if record.key_type == "rsa" and record.bits < max(min_bits, MIN_BITS):
        return KeyFault.KEY_TOO_SMALL, f"the key has only {record.bits} bits"
    return record


@lru_cache(maxsize=_CACHED)
def _read(text: bytes) -> KeyRecord | _Refusal:
    """One record.  A pure function of its text, so that a key is parsed once."""
    if len(text) > MAX_TEXT:
        return KeyFault.KEY_TOO_LARGE, f"the key record has more than {MAX_TEXT} octets"
    try:
        tags = taglist.parse(text)
    except taglist.TagListError as error:
        if text.startswith(b"v=DKIM1") or b"p=" in text:
            return KeyFault.KEY_SYNTAX, f"the key record is malformed: {error}"
        return KeyFault.NO_KEY, "the TXT record is no key record"
    if "v" in tags and tags["v"] != b"DKIM1":
        if tags["v"].upper().startswith(b"DKIM"):
            return KeyFault.KEY_VERSION, "v= of the key record is not DKIM1"
        return KeyFault.NO_KEY, "the TXT record is no key record"  # v=spf1 and the like
    if "p" not in tags:
        if "v" in tags or "k" in tags:
            return KeyFault.KEY_SYNTAX, "the key record has no p="
        return KeyFault.NO_KEY, "the TXT record is no key record"
    if "v" in tags and next(iter(tags)) != "v":
        return KeyFault.KEY_VERSION, "v= of the key record is not its first tag"
    return _check(tags)


def _check(tags: dict[str, bytes]) -> KeyRecord | _Refusal:
    """A record that has p= and the right version (RFC 6376 section 3.6.1)."""
    if not tags["p"]:
        return KeyFault.KEY_REVOKED, "the key is revoked"
    if "h" in tags and b"sha256" not in _words(tags["h"]):
        return KeyFault.KEY_HASH, "h= of the key record does not allow sha256"
    if "s" in tags and not _words(tags["s"]) & {b"*", b"email"}:
        return KeyFault.KEY_SERVICE, "s= of the key record is not for mail"
    flags = _words(tags.get("t", b""))
    key = _key(tags.get("k", b"rsa").lower(), tags["p"])
    if isinstance(key, tuple):
        return key
    return KeyRecord(
        key_type="rsa" if isinstance(key, RSAPublicKey) else "ed25519",
        key=key,
        bits=key.key_size if isinstance(key, RSAPublicKey) else 256,
        testing=b"y" in flags,
        strict=b"s" in flags,
    )


def _words(value: bytes) -> set[bytes]:
    return {word.strip(taglist.FWS).lower() for word in value.split(b":")}


def _key(key_type: bytes, value: bytes) -> PublicKey | _Refusal:
    if key_type not in (b"rsa", b"ed25519"):
        return KeyFault.KEY_TYPE, "k= of the key record is unknown"
    try:
        octets = a2b_base64(value.translate(None, taglist.FWS), strict_mode=True)
    except Base64Error:
        return KeyFault.KEY_UNREADABLE, "p= of the key record is not base64"
    if key_type == b"rsa":
        return _rsa(octets)
    if len(octets) != 32:
        return KeyFault.KEY_UNREADABLE, "p= of an Ed25519 key is not 32 octets"
    if octets[:31] + bytes((octets[31] & 0x7F,)) in _SMALL_ORDER:  # all zero, for example
        return KeyFault.KEY_UNREADABLE, "p= of an Ed25519 key is one that anybody can sign for"
    return Ed25519PublicKey.from_public_bytes(octets)


def _rsa(der: bytes) -> PublicKey | _Refusal:
    """SubjectPublicKeyInfo or, as RFC 6376 says, RSAPublicKey: the loader knows both."""
    try:
        key = load_der_public_key(der)
    except Exception:  # whatever a library thinks of octets from DNS, they are no key
        return KeyFault.KEY_UNREADABLE, "p= of the key record holds no RSA key"
    if not isinstance(key, RSAPublicKey):
        return KeyFault.KEY_UNREADABLE, "p= of the key record holds no RSA key"
    if key.key_size > MAX_BITS:
        return KeyFault.KEY_TOO_LARGE, f"the key has {key.key_size} bits"
    exponent = key.public_numbers().e
    if exponent >= MAX_EXPONENT or exponent < 3 or exponent % 2 == 0:
        return KeyFault.KEY_UNREADABLE, "the key's exponent is not usable"
    return key
