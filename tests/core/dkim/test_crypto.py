"""crypto: right signatures are right, and nothing else is, without an exception."""

from __future__ import annotations

import pytest

from postseal.core.dkim import crypto
from support.dkimmail import ED25519, RSA

DIGEST = bytes(range(32))


@pytest.mark.parametrize("private", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_round_trip(private: crypto.PrivateKey) -> None:
    made = crypto.sign(private, DIGEST)
    public = private.public_key()
    assert crypto.is_signed(public, made, DIGEST)
    assert not crypto.is_signed(public, made, DIGEST[::-1])
    flipped = bytes((made[0] ^ 1,)) + made[1:]
    assert not crypto.is_signed(public, flipped, DIGEST)


@pytest.mark.parametrize("private", [RSA, ED25519], ids=["rsa", "ed25519"])
@pytest.mark.parametrize("signature", [b"", b"x", b"\xff" * 128, b"x" * 64, b"x" * 5000])
def test_d11_any_length_is_just_wrong(private: crypto.PrivateKey, signature: bytes) -> None:
    assert crypto.is_signed(private.public_key(), signature, DIGEST) is False


def test_a_digest_of_another_length_is_just_wrong() -> None:
    assert crypto.is_signed(RSA.public_key(), b"x" * 128, b"short") is False
