"""publication: what verifiers find at a key's name."""

from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from postseal.core.dkim.publication import State, compare
from support.dkimmail import ED25519, ED25519_RECORD, RSA, RSA_RECORD

PKCS1 = base64.b64encode(RSA.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1))
OTHER = base64.b64encode(
    generate_private_key(65537, 1024)
    .public_key()
    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
)


@pytest.mark.parametrize(
    ("texts", "state"),
    [
        pytest.param((RSA_RECORD,), State.PUBLISHED, id="published"),
        pytest.param((b"p=" + PKCS1,), State.PUBLISHED, id="in-pkcs1-form"),
        pytest.param((b"v=spf1 -all", RSA_RECORD), State.PUBLISHED, id="beside-another-record"),
        pytest.param((b"p=" + OTHER, RSA_RECORD), State.PUBLISHED, id="one-of-two-keys"),
        pytest.param((), State.MISSING, id="no-record"),
        pytest.param((b"v=spf1 -all",), State.MISSING, id="no-key-record"),
        pytest.param((b"v=DKIM1; p=",), State.REVOKED, id="revoked"),
        pytest.param((b"v=DKIM1; p=" + OTHER,), State.DIFFERENT, id="another-key"),
        pytest.param((ED25519_RECORD,), State.UNUSABLE, id="of-another-type"),
        pytest.param((b"v=DKIM1; p=!",), State.UNUSABLE, id="not-base64"),
        pytest.param((RSA_RECORD + b"; h=sha1",), State.UNUSABLE, id="sha-1-only"),
        pytest.param((RSA_RECORD + b"; s=other",), State.UNUSABLE, id="not-for-mail"),
    ],
)
def test_states(texts: tuple[bytes, ...], state: State) -> None:
    found, why = compare(RSA.public_key(), texts)
    assert found is state
    assert bool(why) is state.is_bad


def test_ed25519() -> None:
    assert compare(ED25519.public_key(), (ED25519_RECORD,))[0] is State.PUBLISHED
    assert compare(ED25519.public_key(), (RSA_RECORD,))[0] is State.UNUSABLE


def test_not_known_is_not_bad() -> None:
    assert [state for state in State if not state.is_bad] == [State.UNKNOWN, State.PUBLISHED]
