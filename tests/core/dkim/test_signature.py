"""signature: RFC 6376 sections 3.5 and 6.1.1, one row per rule."""

from __future__ import annotations

import base64
import random
from typing import Any

import pytest

from postseal.core.canon import BodyKey
from postseal.core.dkim import signature
from postseal.core.dkim.values import SignatureError, SignatureFault
from postseal.core.field import Field

BH = base64.b64encode(b"h" * 32).decode()
B = base64.b64encode(b"b" * 128).decode()
GOOD: dict[str, str | bytes | None] = {
    "v": "1",
    "a": "rsa-sha256",
    "c": "relaxed/simple",
    "d": "example.com",
    "s": "s1",
    "h": "From:To",
    "bh": BH,
    "b": B,
}


def field(**tags: str | bytes | None) -> Field:
    text = b""
    for name, value in (GOOD | tags).items():
        if value is not None:
            raw = value.encode() if isinstance(value, str) else value
            text += b" " + name.encode() + b"=" + raw + b";"
    return Field(b"DKIM-Signature", text)


def test_reads_a_whole_signature() -> None:
    read = signature.parse(field(l="12", t="100", x="200", i="Jo@sub.example.com", q="dns/txt"))
    assert read.domain == "example.com"
    assert read.query_name == "s1._domainkey.example.com"
    assert read.names == (b"from", b"to")
    assert (read.header_relaxed, read.body_key) == (True, BodyKey(relaxed=False, limit=12))
    assert (read.body_hash, read.value) == (b"h" * 32, b"b" * 128)
    assert (read.timestamp, read.expires) == (100, 200)
    assert (read.key_type, read.hash_name) == ("rsa", "sha256")
    assert (read.evidence.identity, read.identity_domain) == (
        "Jo@sub.example.com",
        "sub.example.com",
    )
    assert read.evidence.b == B


def attributes(**tags: str | bytes | None) -> dict[str, Any]:
    read = signature.parse(field(**tags))
    return {
        "domain": read.domain,
        "selector": read.evidence.selector,
        "identity": read.evidence.identity,
        "header": read.header_relaxed,
        "body": read.body_key.relaxed,
        "limit": read.body_key.limit,
        "names": read.names,
        "key_type": read.key_type,
        "hash": read.hash_name,
        "b": read.evidence.b,
    }


@pytest.mark.parametrize(
    ("tags", "wanted"),
    [
        pytest.param({"c": None}, {"header": False, "body": False}, id="c-default"),
        pytest.param({"c": "relaxed"}, {"header": True, "body": False}, id="c-one-word"),
        pytest.param({"c": "Relaxed/RELAXED"}, {"header": True, "body": True}, id="d15-c-case"),
        pytest.param({"a": "RSA-SHA256"}, {"key_type": "rsa"}, id="d15-a-case"),
        pytest.param({"a": "ed25519-sha256"}, {"key_type": "ed25519"}, id="a-ed25519"),
        pytest.param(
            {"a": "rsa-sha1", "bh": base64.b64encode(b"1" * 20)}, {"hash": "sha1"}, id="a-sha1-read"
        ),
        pytest.param({"q": "dns/txt"}, {}, id="q"),
        pytest.param({"q": "http : DNS/TXT"}, {}, id="d15-q-list"),
        pytest.param({"d": "EXAMPLE.com"}, {"domain": "example.com"}, id="d-case"),
        pytest.param({"d": "bücher.example"}, {"domain": "xn--bcher-kva.example"}, id="e-1-d"),
        pytest.param({"s": "grün"}, {"selector": "xn--grn-ioa"}, id="e-1-s"),
        pytest.param({"s": "2024.a_b"}, {"selector": "2024.a_b"}, id="s-several-labels"),
        pytest.param({"i": None}, {"identity": "@example.com"}, id="k-23-default-i"),
        pytest.param({"i": "@example.com"}, {"identity": "@example.com"}, id="i-no-local"),
        pytest.param({"i": "=41=20b@Example.com"}, {"identity": "A b@example.com"}, id="d15-i-qp"),
        pytest.param({"i": "a b@example.com"}, {"identity": "ab@example.com"}, id="i-fws-dropped"),
        pytest.param({"i": "ü@example.com"}, {"identity": "ü@example.com"}, id="e-1-i-utf8"),
        pytest.param({"i": "a@b@example.com"}, {"identity": "a@b@example.com"}, id="i-last-at"),
        pytest.param(
            {"i": "a@ü.example.com"}, {"identity": "a@xn--tda.example.com"}, id="e-1-i-domain"
        ),
        pytest.param({"l": "0"}, {"limit": 0}, id="l-zero"),
        pytest.param({"l": "9" * 76}, {"limit": int("9" * 76)}, id="l-76-digits"),
        pytest.param({"h": " From :\r\n To "}, {"names": (b"from", b"to")}, id="h-fws"),
        pytest.param({"h": "from:from:x-a"}, {"names": (b"from", b"from", b"x-a")}, id="h-twice"),
        pytest.param({"b": "\r\n ".join((B[:60], B[60:]))}, {"b": B}, id="b-folded"),
        pytest.param({"zz": "1", "n_1": ""}, {}, id="unknown-tags"),
        pytest.param({"z": "From:x|To:y"}, {}, id="z-ignored"),
        pytest.param({"x": "9" * 20}, {}, id="x-long"),
        pytest.param({"i": "a" * 1012 + "@example.com"}, {}, id="i-longest"),
        pytest.param({"b": base64.b64encode(b"b" * 2048)}, {}, id="b-longest"),
        pytest.param({"h": "from:" + ":".join("a" * 999)}, {}, id="h-longest"),
        pytest.param({"h": "from:!x~"}, {"names": (b"from", b"!x~")}, id="h-first-and-last"),
    ],
)
def test_accepts(tags: dict[str, str], wanted: dict[str, Any]) -> None:
    got = attributes(**tags)
    assert {key: got[key] for key in wanted} == wanted


REQUIRED = ("v", "a", "b", "bh", "d", "h", "s")
MISSING = SignatureFault.MISSING_TAG
SYNTAX = SignatureFault.SYNTAX


@pytest.mark.parametrize(
    ("tags", "why"),
    [
        *[pytest.param({t: None}, MISSING, id=f"k-20-no-{t}") for t in REQUIRED],
        *[pytest.param({t: " "}, MISSING, id=f"k-20-empty-{t}") for t in REQUIRED],
        pytest.param({"v": "2"}, SignatureFault.VERSION, id="k-20-v-2"),
        pytest.param({"v": "1.0"}, SignatureFault.VERSION, id="k-20-v-text"),
        pytest.param({"a": "rsa-sha512"}, SignatureFault.ALGORITHM, id="a-unknown"),
        pytest.param({"a": "dsa-sha256"}, SignatureFault.ALGORITHM, id="a-unknown-key"),
        pytest.param({"c": "nofws"}, SignatureFault.CANONICALIZATION, id="c-unknown"),
        pytest.param({"c": "relaxed/"}, SignatureFault.CANONICALIZATION, id="c-empty-body"),
        pytest.param({"c": ""}, SignatureFault.CANONICALIZATION, id="c-empty"),
        pytest.param({"c": "simple/simple/x"}, SignatureFault.CANONICALIZATION, id="c-three"),
        pytest.param({"q": "http"}, SignatureFault.QUERY, id="q-unknown"),
        pytest.param({"h": "To:Subject"}, SignatureFault.FROM_NOT_SIGNED, id="d1-no-from"),
        pytest.param({"h": "x-from:fro m"}, SYNTAX, id="h-blank-in-name"),
        pytest.param({"h": "from::to"}, SYNTAX, id="h-empty-name"),
        pytest.param({"h": "from:"}, SYNTAX, id="h-empty-at-the-end"),
        pytest.param({"h": "from:" + ":".join("a" * 1000)}, SYNTAX, id="h-too-many"),
        pytest.param({"t": "9" * 21}, SYNTAX, id="t-21-digits"),
        pytest.param({"b": base64.b64encode(b"b" * 2049)}, SYNTAX, id="b-2049-octets"),
        pytest.param({"i": "a" * 1013 + "@example.com"}, SYNTAX, id="i-1025-octets"),
        pytest.param({"h": "from:ü"}, SYNTAX, id="h-not-ascii"),
        pytest.param({"d": ""}, MISSING, id="d17-d-empty"),
        pytest.param({"d": "a..b"}, SignatureFault.NAME, id="d17-d-empty-label"),
        pytest.param({"d": "x" * 64 + ".example"}, SignatureFault.NAME, id="d17-d-long-label"),
        pytest.param({"d": "example.net(.example.com"}, SignatureFault.NAME, id="cve-2020-12272"),
        pytest.param({"d": "a b.example"}, SignatureFault.NAME, id="d-blank"),
        pytest.param({"d": b"\x01.example"}, SYNTAX, id="d-control"),
        pytest.param({"d": b"\xff.example"}, SignatureFault.NAME, id="d-not-utf8"),
        pytest.param({"s": "x" * 64}, SignatureFault.NAME, id="d17-s-long-label"),
        pytest.param({"s": "a/b"}, SignatureFault.NAME, id="s-slash"),
        pytest.param({"s": ".".join(["a" * 60] * 4)}, SignatureFault.NAME, id="s-and-d-too-long"),
        pytest.param({"i": "a"}, SignatureFault.IDENTITY, id="i-no-at"),
        pytest.param({"i": ""}, SignatureFault.IDENTITY, id="i-empty"),
        pytest.param({"i": "@example.net"}, SignatureFault.IDENTITY, id="k-23-i-elsewhere"),
        pytest.param({"i": "@notexample.com"}, SignatureFault.IDENTITY, id="k-23-i-suffix-trick"),
        pytest.param({"i": "@com"}, SignatureFault.IDENTITY, id="k-23-i-above"),
        pytest.param({"i": "a=4@example.com"}, SYNTAX, id="i-qp-unfinished"),
        pytest.param({"i": "a=@example.com"}, SYNTAX, id="i-qp-nothing"),
        pytest.param({"i": b"\xff@example.com"}, SYNTAX, id="i-not-utf8"),
        pytest.param({"i": "a=0D=0AX:y@example.com"}, SYNTAX, id="i-line-end-in-qp"),
        pytest.param({"i": "a=00@example.com"}, SYNTAX, id="i-nul-in-qp"),
        pytest.param({"i": "a=E2=80=A8@example.com"}, SYNTAX, id="i-line-separator-in-qp"),
        pytest.param({"i": "a" * 1024 + "@example.com"}, SYNTAX, id="i-too-long"),
        pytest.param({"bh": B}, SYNTAX, id="bh-wrong-length"),
        pytest.param({"bh": BH.rstrip("=")}, SYNTAX, id="d10-bh-no-padding"),
        pytest.param({"bh": "A===" + BH}, SYNTAX, id="d10-bh-bad-padding"),
        pytest.param({"b": "!" + B}, SYNTAX, id="b-not-base64"),
        pytest.param({"b": B[:-1]}, SYNTAX, id="b-no-padding"),
        pytest.param({"b": "A" * 4000}, SYNTAX, id="b-too-long"),
        pytest.param({"l": ""}, SYNTAX, id="d14-l-empty"),
        pytest.param({"l": "-1"}, SYNTAX, id="l-negative"),
        pytest.param({"l": "1x"}, SYNTAX, id="l-text"),
        pytest.param({"l": "9" * 77}, SYNTAX, id="l-77-digits"),
        pytest.param({"l": "٣"}, SYNTAX, id="l-other-digits"),
        pytest.param({"t": "9" * 4301}, SYNTAX, id="d12-t-digits"),
        pytest.param({"x": "9" * 4301}, SYNTAX, id="d12-x-digits"),
        pytest.param({"t": "2", "x": "1"}, SignatureFault.TIMES, id="x-before-t"),
        pytest.param({"t": "2", "x": "2"}, SignatureFault.TIMES, id="x-equals-t"),
    ],
)
def test_refuses(tags: dict[str, str | bytes | None], why: SignatureFault) -> None:
    with pytest.raises(SignatureError) as caught:
        signature.parse(field(**tags))
    assert caught.value.why is why


def test_a_tag_that_occurs_twice_makes_it_unreadable_k_21() -> None:
    text = field().value + b" d=evil.example"
    with pytest.raises(SignatureError) as caught:
        signature.parse(Field(b"DKIM-Signature", text))
    assert caught.value.why is SYNTAX
    assert caught.value.evidence.domain == ""


def test_evidence_of_an_unusable_signature_is_clean() -> None:
    with pytest.raises(SignatureError) as caught:
        signature.parse(field(v="2", s="a b", a="x"))
    evidence = caught.value.evidence
    assert (evidence.domain, evidence.selector, evidence.algorithm) == ("example.com", "", "")
    assert evidence.b == B


@pytest.mark.parametrize(("length", "fits"), [(230, True), (231, False)])
def test_the_key_must_have_a_name_in_dns(length: int, fits: bool) -> None:
    """With "._domainkey.example.com" 253 octets are the most."""
    selector = ".".join(["a" * 50] * 4 + ["b" * (length - 204)])
    if fits:
        assert len(signature.parse(field(s=selector)).query_name) == 253
        return
    with pytest.raises(SignatureError) as caught:
        signature.parse(field(s=selector))
    assert caught.value.why is SignatureFault.NAME


def test_evidence_names_a_known_algorithm() -> None:
    with pytest.raises(SignatureError) as caught:
        signature.parse(field(v="2", a="RSA-sha256"))
    assert caught.value.evidence.algorithm == "rsa-sha256"


def test_garbage_gives_a_signature_or_one_exception() -> None:
    rng = random.Random(6376)
    whole = field(i="a=41@example.com", l="1", t="1", x="2", q="dns/txt").value
    read = 0
    for _ in range(5000):
        text = bytearray(whole)
        for _ in range(rng.randrange(1, 4)):
            at = rng.randrange(len(text))
            text[at : at + rng.randrange(2)] = rng.choice([b"=", b";", b" ", b"\xc3", b"0", b":"])
        try:
            signature.parse(Field(b"DKIM-Signature", bytes(text)))
            read += 1
        except SignatureError as error:
            assert error.detail.isascii()
    assert 0 < read < 5000
