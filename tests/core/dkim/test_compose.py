"""compose: what dkimpy hashes is what we gave it, whichever way it folds."""

from __future__ import annotations

from hashlib import sha256

import pytest

from postseal.core import taglist
from postseal.core.dkim import crypto
from postseal.core.dkim.compose import compose
from postseal.core.dkim.headerhash import without_value
from support.dkimmail import ED25519, RSA, canonical_field

SIGNED = b"from:a@example.com\r\nsubject:x\r\n"


@pytest.mark.parametrize("relaxed", [True, False], ids=["relaxed", "simple"])
@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
@pytest.mark.parametrize("length", [*range(1, 140, 7), *range(38, 50), 800])
def test_the_octets_that_are_signed(relaxed: bool, key: crypto.PrivateKey, length: int) -> None:
    """Whatever the length of the line before b=, the folds are the same before and after."""
    tags = b"v=1; a=x;\r\n z=" + b"y" * length
    field = compose(b"DKIM-Signature", tags, SIGNED, relaxed, key)
    own = without_value(field)
    hashed = sha256(SIGNED + canonical_field(own.name, own.value, relaxed)[:-2]).digest()
    made = taglist.parse(field.value)["b"]
    import base64

    octets = base64.b64decode(made.translate(None, taglist.FWS))
    assert crypto.is_signed(key.public_key(), octets, hashed)
    assert not field.value.endswith(b"\r\n")
    assert max(len(line) for line in field.value.split(b"\r\n")[-2:]) <= 78
