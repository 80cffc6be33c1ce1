"""keyrecord: RFC 6376 sections 3.6.1 and 6.1.2, one row per rule."""

from __future__ import annotations

import base64
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from postseal.core.dkim import keyrecord
from postseal.core.dkim.crypto import is_signed
from postseal.core.dkim.keyrecord import KeyFault, KeyRecordError
from support.dkimmail import ED25519_P, ED25519_RECORD, PKCS1, RSA, RSA_P, RSA_RECORD


@pytest.mark.parametrize(
    ("text", "key_type", "bits"),
    [
        pytest.param(RSA_RECORD, "rsa", 1024, id="spki"),
        pytest.param(b"p=" + base64.b64encode(PKCS1), "rsa", 1024, id="pkcs1"),
        pytest.param(b"p=" + RSA_P, "rsa", 1024, id="k-default-rsa"),
        pytest.param(ED25519_RECORD, "ed25519", 256, id="ed25519"),
        pytest.param(b"v=DKIM1; p=" + b" ".join([RSA_P[:60], RSA_P[60:]]), "rsa", 1024, id="p-fws"),
        pytest.param(b"k=rsa; h=sha1 : sha256; p=" + RSA_P, "rsa", 1024, id="h-list"),
        pytest.param(b"s=email:web:fine; p=" + RSA_P, "rsa", 1024, id="d5-s-list"),
        pytest.param(b"s=*; p=" + RSA_P, "rsa", 1024, id="s-star"),
        pytest.param(b"g=*; n=a note; zz=1; p=" + RSA_P, "rsa", 1024, id="unknown-tags"),
        pytest.param(b"v=DKIM1; t=zz; p=" + RSA_P + b";", "rsa", 1024, id="unknown-flag"),
    ],
)
def test_reads(text: bytes, key_type: str, bits: int) -> None:
    record = keyrecord.parse((text,), key_type)
    assert (record.key_type, record.bits) == (key_type, bits)
    assert (record.testing, record.strict) == (False, False)


@pytest.mark.parametrize(
    ("flags", "testing", "strict"),
    [
        pytest.param(b"y", True, False, id="d4-t-y"),
        pytest.param(b"s", False, True, id="d4-t-s"),
        pytest.param(b" y : s ", True, True, id="d4-both"),
        pytest.param(b"", False, False, id="empty"),
    ],
)
def test_flags(flags: bytes, testing: bool, strict: bool) -> None:
    record = keyrecord.parse((b"t=" + flags + b"; p=" + RSA_P,), "rsa")
    assert (record.testing, record.strict) == (testing, strict)


def rsa_record(e: int, n: int) -> bytes:
    """A record with any numbers, those that no library would load among them."""

    def integer(value: int) -> bytes:
        octets = value.to_bytes(value.bit_length() // 8 + 1, "big")
        return b"\x02" + length(len(octets)) + octets

    def length(n: int) -> bytes:
        if n < 128:
            return bytes((n,))
        octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
        return bytes((0x80 | len(octets),)) + octets

    inner = integer(n) + integer(e)
    return b"p=" + base64.b64encode(b"\x30" + length(len(inner)) + inner)


def loaded(e: int, n: int) -> bytes:
    public = RSAPublicNumbers(e, n).public_key()
    return b"p=" + base64.b64encode(public.public_bytes(Encoding.DER, PublicFormat.PKCS1))


EC = base64.b64encode(
    generate_private_key(SECP256R1())
    .public_key()
    .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
)
N = RSA.public_key().public_numbers().n
SYNTAX = KeyFault.KEY_SYNTAX
UNREADABLE = KeyFault.KEY_UNREADABLE


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(b"v=DKIM1; p=", KeyFault.KEY_REVOKED, id="d6-revoked"),
        pytest.param(b"p=;", KeyFault.KEY_REVOKED, id="d6-revoked-without-v"),
        pytest.param(b"v=DKIM1; n=x", SYNTAX, id="no-p"),
        pytest.param(b"k=rsa", SYNTAX, id="no-p-without-v"),
        pytest.param(b"n=x", KeyFault.NO_KEY, id="other-tag-list"),
        pytest.param(b"v=DKIM1 garbage", KeyFault.KEY_VERSION, id="no-tag-list-but-v"),
        pytest.param(b"v=DKIM1; garbage", SYNTAX, id="not-a-tag-list-without-p"),
        pytest.param(b"garbage; p=x", SYNTAX, id="not-a-tag-list-without-v"),
        pytest.param(b"v=DKIM1; p=" + RSA_P + b"; p=" + RSA_P, SYNTAX, id="k-21-p-twice"),
        pytest.param(b"v=DKIM1; garbage; p=" + RSA_P, SYNTAX, id="not-a-tag-list"),
        pytest.param(b"v=DKIM2; p=" + RSA_P, KeyFault.KEY_VERSION, id="k-26-version"),
        pytest.param(b"k=rsa; v=DKIM1; p=" + RSA_P, KeyFault.KEY_VERSION, id="d7-v-not-first"),
        pytest.param(b"v=dkim1; p=" + RSA_P, KeyFault.KEY_VERSION, id="v-in-lower-case"),
        pytest.param(b"h=sha1; p=" + RSA_P, KeyFault.KEY_HASH, id="d3-h"),
        pytest.param(b"h=; p=" + RSA_P, KeyFault.KEY_HASH, id="d3-h-empty"),
        pytest.param(b"s=other; p=" + RSA_P, KeyFault.KEY_SERVICE, id="d5-s"),
        pytest.param(b"s=tlsrpt; p=" + RSA_P, KeyFault.KEY_SERVICE, id="d5-s-tlsrpt"),
        pytest.param(b"k=dsa; p=" + RSA_P, KeyFault.KEY_TYPE, id="k-26-k-unknown"),
        pytest.param(b"k=ed25519; p=" + ED25519_P, KeyFault.KEY_TYPE, id="d11-k-against-a"),
        pytest.param(b"p=!!!", UNREADABLE, id="p-not-base64"),
        pytest.param(b"p=" + RSA_P[:-2], UNREADABLE, id="p-cut"),
        pytest.param(b"p=" + RSA_P[:100], UNREADABLE, id="p-cut-at-a-string"),
        pytest.param(b"p=" + base64.b64encode(b"\x30" * 200), UNREADABLE, id="d12-asn1-garbage"),
        pytest.param(b"p=" + EC, UNREADABLE, id="p-elliptic-curve"),
        pytest.param(b"v=spf1 -all", KeyFault.NO_KEY, id="k-26-wildcard-spf"),
        pytest.param(b"hello", KeyFault.NO_KEY, id="k-26-wildcard-text"),
        pytest.param(b"", KeyFault.NO_KEY, id="empty"),
        pytest.param(b"v=DKIM1; p=" + RSA_P + b" " * 4096, KeyFault.KEY_TOO_LARGE, id="d2-text"),
        pytest.param(loaded(2**31 + 11, N), None, id="d2-exponent-below-2^32"),
        pytest.param(loaded(2**33 + 9, N), UNREADABLE, id="d2-exponent-above-2^32"),
        pytest.param(rsa_record(N - 2, N), UNREADABLE, id="d2-exponent-as-long-as-n"),
        pytest.param(rsa_record(65536, N), UNREADABLE, id="exponent-even"),
        pytest.param(rsa_record(1, N), UNREADABLE, id="exponent-one"),
        pytest.param(rsa_record(0, N), UNREADABLE, id="exponent-zero"),
        pytest.param(rsa_record(3, 2**1023 + 1), None, id="k-27-1024-bits"),
        pytest.param(rsa_record(3, 2**1022 + 1), KeyFault.KEY_TOO_SMALL, id="k-27-1023-bits"),
        pytest.param(rsa_record(3, 2**511 + 1), KeyFault.KEY_TOO_SMALL, id="k-27-512-bits"),
        pytest.param(rsa_record(3, 2**8191 + 1), None, id="8192-bits"),
        pytest.param(rsa_record(3, 2**8192 + 1), KeyFault.KEY_TOO_LARGE, id="d2-8193-bits"),
        pytest.param(rsa_record(3, 2**20000 + 1), KeyFault.KEY_TOO_LARGE, id="d2-20000-bits"),
    ],
)
def test_rules(text: bytes, why: KeyFault | None) -> None:
    if why is None:
        assert keyrecord.parse((text,), "rsa").key_type == "rsa"
        return
    with pytest.raises(KeyRecordError) as caught:
        keyrecord.parse((text,), "rsa")
    assert caught.value.why is why


SMALL = ("00" * 32, "01" + "00" * 31, "ec" + "ff" * 30 + "7f", "ed" + "ff" * 30 + "7f",
         "ee" + "ff" * 30 + "7f",
         "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
         "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05")  # fmt: skip


@pytest.mark.parametrize("sign", [0, 0x80])
@pytest.mark.parametrize("point", SMALL)
def test_ed25519_keys_that_anybody_can_sign_for(point: str, sign: int) -> None:
    """Their order is 8 at most: one signature in so many fits, whoever made it."""
    octets = bytearray.fromhex(point)
    octets[31] |= sign
    with pytest.raises(KeyRecordError) as error:
        keyrecord.parse((b"k=ed25519; p=" + base64.b64encode(octets),), "ed25519")
    assert error.value.why is KeyFault.KEY_UNREADABLE


def test_what_the_neutral_element_signs() -> None:
    """Why those are refused: this signature fits every message."""
    key = Ed25519PublicKey.from_public_bytes(bytes.fromhex(SMALL[1]))
    assert is_signed(key, bytes.fromhex(SMALL[1]) + bytes(32), b"any digest")


@pytest.mark.parametrize(
    "p",
    [
        pytest.param(ED25519_P[:-4], id="31-octets"),
        pytest.param(base64.b64encode(bytes(12) + base64.b64decode(ED25519_P)), id="k-2-spki"),
    ],
)
def test_ed25519_keys_are_32_octets(p: bytes) -> None:
    with pytest.raises(KeyRecordError) as caught:
        keyrecord.parse((b"k=ed25519; p=" + p,), "ed25519")
    assert caught.value.why is UNREADABLE


def test_the_operator_may_ask_for_more_bits_but_not_for_less() -> None:
    with pytest.raises(KeyRecordError) as caught:
        keyrecord.parse((RSA_RECORD,), "rsa", 2048)
    assert caught.value.why is KeyFault.KEY_TOO_SMALL
    with pytest.raises(KeyRecordError):
        keyrecord.parse((rsa_record(3, 2**511 + 1),), "rsa", 512)


JUNK = (b"v=spf1 -all", b"some text", b"v=DMARC1; p=none")


@pytest.mark.parametrize("place", range(4))
def test_junk_beside_the_key_is_skipped_d7(place: int) -> None:
    texts = (*JUNK[:place], RSA_RECORD, *JUNK[place:])
    assert keyrecord.parse(texts, "rsa").bits == 1024


def test_junk_alone_is_no_key() -> None:
    for texts in ((), JUNK[:2]):
        with pytest.raises(KeyRecordError) as caught:
            keyrecord.parse(texts, "rsa")
        assert caught.value.why is KeyFault.NO_KEY


def test_the_fault_of_a_key_record_goes_before_junk() -> None:
    with pytest.raises(KeyRecordError) as caught:
        keyrecord.parse((b"some text", b"v=DKIM1; p=", b"v=spf1 -all"), "rsa")
    assert caught.value.why is KeyFault.KEY_REVOKED


def test_several_keys_are_all_offered_up_to_a_cap() -> None:
    other = rsa_record(3, 2**1030 + 1)
    found = keyrecord.candidates((other, RSA_RECORD, ED25519_RECORD), "rsa")
    assert [record.bits for record in found] == [1031, 1024]
    many = tuple(rsa_record(3, 2**1030 + i) for i in range(1, 41, 2))
    assert len(keyrecord.candidates(many, "rsa")) == keyrecord.MAX_KEYS
    with pytest.raises(KeyRecordError):
        keyrecord.parse((b"x",) * keyrecord.MAX_RECORDS + (RSA_RECORD,), "rsa")


def test_a_key_is_parsed_once() -> None:
    first, second = (keyrecord.parse((RSA_RECORD,), "rsa") for _ in range(2))
    assert first.key is second.key


def test_garbage_gives_a_key_or_one_exception() -> None:
    rng = random.Random(6376)
    read = 0
    for _ in range(3000):
        text = bytearray(RSA_RECORD)
        for _ in range(rng.randrange(1, 3)):
            at = rng.randrange(len(text))
            text[at : at + rng.randrange(2)] = rng.choice([b"=", b";", b" ", b"\xff", b"A"])
        try:
            keyrecord.parse((bytes(text),), "rsa")
            read += 1
        except KeyRecordError as error:
            assert error.detail.isascii()
    assert 0 < read < 3000
