"""Is a key of ours published as it should be?

NAME
    publication - compare() one key with the TXT records at its name

GIVEN
    the public half, and the texts that DNS has.

GIVES
    State, and why in words.

DOES NOT
    ask DNS.  No answer is no state: the caller keeps what it knew.
"""

from __future__ import annotations

from enum import StrEnum

from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from postseal.core.dkim.crypto import PublicKey
from postseal.core.dkim.keyrecord import KeyFault, KeyRecordError, candidates


class State(StrEnum):
    """Closed list: what verifiers find."""

    UNKNOWN = "unknown"  # not asked yet, or never answered
    PUBLISHED = "published"
    MISSING = "missing"  # no such name, or no key record there
    REVOKED = "revoked"  # p= is empty
    DIFFERENT = "different"  # another key
    UNUSABLE = "unusable"  # a record that verifiers must refuse

    @property
    def is_bad(self) -> bool:
        """Whether a signature by the key fails everywhere."""
        return self not in (State.UNKNOWN, State.PUBLISHED)


_STATES = {KeyFault.NO_KEY: State.MISSING, KeyFault.KEY_REVOKED: State.REVOKED}


def compare(key: PublicKey, texts: tuple[bytes, ...]) -> tuple[State, str]:
    """What a verifier makes of the records, for this key."""
    kind = "rsa" if isinstance(key, RSAPublicKey) else "ed25519"
    try:
        found = candidates(texts, kind)
    except KeyRecordError as error:
        return _STATES.get(error.why, State.UNUSABLE), error.detail
    octets = _octets(key)
    if any(_octets(record.key) == octets for record in found):
        return State.PUBLISHED, ""
    return State.DIFFERENT, "another key is published"


def _octets(key: PublicKey) -> bytes:
    return key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
