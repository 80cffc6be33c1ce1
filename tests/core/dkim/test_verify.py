"""verify: every result of RFC 6376 section 6, one row per rule."""

from __future__ import annotations

import base64

import pytest

from postseal.core.dkim import keyrecord, verify
from postseal.core.dkim.values import SignatureFault
from postseal.core.dkim.verify import Limits, Status, Why
from postseal.core.resolver import DnsFault
from support.dkimmail import (
    ED25519,
    ED25519_RECORD,
    FIELDS,
    KEYS,
    NOW,
    PKCS1,
    RSA_P,
    RSA_RECORD,
    Mail,
    check,
    mail,
    signed,
)
from support.fakedns import FakeDns

DNS = FakeDns(KEYS)
S1 = ("s1._domainkey.example.com", "TXT")


def zone(record: bytes, *more: bytes) -> FakeDns:
    return FakeDns({S1: (record, *more)})


def one(what: Mail, dns: FakeDns = DNS, limits: Limits | None = None) -> tuple[Status, Why]:
    (result,) = check(what, dns, limits=limits)
    return result.status, result.why


PASS = (Status.PASS, Why.VERIFIED)


@pytest.mark.parametrize("c", ["simple/simple", "simple/relaxed", "relaxed/simple"])
@pytest.mark.parametrize("key", ["rsa", "ed25519"])
def test_passes(c: str, key: str) -> None:
    what = signed(tags={"c": c}) if key == "rsa" else signed(tags={"c": c}, key=ED25519)
    assert one(what) == PASS


def test_evidence_of_a_pass() -> None:
    what = signed(tags={"i": "Ann@sub.example.com"})
    (result,) = check(what, DNS)
    b = what.fields[0][1].rpartition(b"b=")[2][:8].decode()
    assert result == verify.Result(
        status=Status.PASS,
        why=Why.VERIFIED,
        domain="example.com",
        selector="s1",
        identity="Ann@sub.example.com",
        algorithm="rsa-sha256",
        b=b,
        key_bits=1024,
    )


def test_unsigned() -> None:
    (result,) = check(mail(FIELDS), FakeDns())
    assert (result.status, result.why, result.domain) == (Status.NONE, Why.NOT_SIGNED, "")


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(signed(body=b""), id="empty-body"),
        pytest.param(signed(body=b"", tags={"c": "simple/simple"}), id="empty-body-simple"),
        pytest.param(signed(body=b"no end"), id="no-final-crlf"),
        pytest.param(signed(body=b"a\nb\r\n"), id="bare-lf"),
        pytest.param(signed([*FIELDS, ("Date   ", " now")]), id="d13-blank-before-colon"),
        pytest.param(
            signed([*FIELDS, ("Subj\xe9ct", " x")], tags={"h": "from"}), id="d13-8-bit-name"
        ),
        pytest.param(signed([*FIELDS, (b"X-A", b" caf\xe9")]), id="8-bit-value"),
        pytest.param(signed([*FIELDS, ("X-A", " a\r\n\t b \r\n c ")]), id="folded"),
        pytest.param(signed([*FIELDS, ("X-A", "")]), id="empty-value"),
        pytest.param(signed([*FIELDS, ("X-A", " a\x0b\x0c ")]), id="d16-vt-ff"),
        pytest.param(signed([*FIELDS, ("X-A", " a\rb")]), id="bare-cr-in-header"),
        pytest.param(signed(tags={"h": "from:from:to:cc"}), id="k-5-oversigned"),
        pytest.param(signed([("X-A", "1"), *FIELDS, ("X-A", "2")]), id="k-4-bottom-up"),
        pytest.param(signed([*FIELDS, ("From", " b@example.com")]), id="two-from-both-signed"),
        pytest.param(signed(name=b"dkim-signature"), id="field-in-lower-case"),
        pytest.param(signed(name=b"DKIM-Signature "), id="field-with-blank"),
        pytest.param(signed(extra=b"; zz=top"), id="tag-after-b"),
        pytest.param(signed(extra=b" \r\n\t;"), id="fws-after-b"),
        pytest.param(signed(tags={"l": "5"}), id="d14-l-equal"),
        pytest.param(signed(tags={"x": str(NOW - 300)}), id="k-24-x-within-skew"),
        pytest.param(signed(tags={"t": str(NOW + 300)}), id="k-24-t-within-skew"),
        pytest.param(signed(tags={"i": "=41@example.com"}), id="d15-i-qp"),
    ],
)
def test_passes_all_the_same(what: Mail) -> None:
    assert one(what) == PASS


def altered(what: Mail, name: bytes, value: bytes) -> Mail:
    fields = tuple((n, value if n == name else v) for n, v in what.fields)
    assert fields != what.fields
    return Mail(fields, what.body)


GOOD = signed()


@pytest.mark.parametrize(
    ("what", "status", "why"),
    [
        pytest.param(
            Mail(GOOD.fields, b"Ho.\r\n"), Status.FAIL, Why.BODY_CHANGED, id="body-changed"
        ),
        pytest.param(
            altered(GOOD, b"Subject", b" Hallo"),
            Status.FAIL,
            Why.HEADER_CHANGED,
            id="header-changed",
        ),
        pytest.param(
            Mail((*signed(tags={"h": "from:cc"}).fields, (b"Cc", b" x")), b"Hi.\r\n"),
            Status.FAIL,
            Why.HEADER_CHANGED,
            id="oversigned-added",
        ),
        pytest.param(
            signed(tags={"b": base64.b64encode(b"x" * 128)}),
            Status.FAIL,
            Why.HEADER_CHANGED,
            id="b",
        ),
        pytest.param(
            signed(tags={"b": "YQ=="}), Status.FAIL, Why.HEADER_CHANGED, id="d11-b-short-rsa"
        ),
        pytest.param(
            signed(tags={"b": "YQ=="}, key=ED25519),
            Status.FAIL,
            Why.HEADER_CHANGED,
            id="d11-b-short",
        ),
        pytest.param(signed(tags={"x": str(NOW - 301)}), Status.FAIL, Why.EXPIRED, id="d9-x-past"),
        pytest.param(
            signed(tags={"t": str(NOW + 301)}), Status.NEUTRAL, Why.FUTURE, id="d9-t-future"
        ),
        pytest.param(signed(tags={"a": "rsa-sha1"}), Status.POLICY, Why.SHA1, id="d8-sha1"),
        pytest.param(
            signed(tags={"l": "2"}), Status.POLICY, Why.PARTIAL_BODY, id="d14-l-shorter-k-8"
        ),
        pytest.param(signed(tags={"l": "0"}), Status.POLICY, Why.PARTIAL_BODY, id="d14-l-zero"),
        pytest.param(
            signed(tags={"l": "99999"}), Status.PERMERROR, Why.BODY_SHORT, id="d14-l-longer"
        ),
        pytest.param(
            altered(signed(tags={"l": "2"}), b"Subject", b" y"),
            Status.FAIL,
            Why.HEADER_CHANGED,
            id="l-and-header-changed",
        ),
        pytest.param(
            Mail(((b"From", b" eve@example.net"), *GOOD.fields), GOOD.body),
            Status.POLICY,
            Why.EXTRA_FROM,
            id="8.15-extra-from",
        ),
        pytest.param(
            signed(tags={"h": "to:subject"}), Status.PERMERROR, Why.FROM_NOT_SIGNED, id="d1-from"
        ),
        pytest.param(signed(tags={"v": "2"}), Status.PERMERROR, Why.VERSION, id="v"),
        pytest.param(
            signed(tags={"i": "@evil.example"}), Status.PERMERROR, Why.IDENTITY, id="i-elsewhere"
        ),
        pytest.param(signed(extra=b"; d=evil.example"), Status.PERMERROR, Why.SYNTAX, id="d-twice"),
        pytest.param(signed(tags={"s": "none"}), Status.PERMERROR, Why.NO_KEY, id="d6-no-key"),
        pytest.param(
            signed(tags={"d": "example"}), Status.PERMERROR, Why.NO_KEY, id="k-25-single-label"
        ),
    ],
)
def test_does_not_pass(what: Mail, status: Status, why: Why) -> None:
    assert one(what) == (status, why)


@pytest.mark.parametrize(
    ("record", "status", "why"),
    [
        pytest.param(b"v=DKIM1; p=", Status.PERMERROR, Why.KEY_REVOKED, id="d6-revoked"),
        pytest.param(b"h=sha1; p=" + RSA_P, Status.PERMERROR, Why.KEY_HASH, id="d3-h"),
        pytest.param(b"s=x; p=" + RSA_P, Status.PERMERROR, Why.KEY_SERVICE, id="d5-s"),
        pytest.param(ED25519_RECORD, Status.PERMERROR, Why.KEY_TYPE, id="d11-k-against-a"),
        pytest.param(b"v=spf1 -all", Status.PERMERROR, Why.NO_KEY, id="k-26-junk"),
        pytest.param(b"p=x", Status.PERMERROR, Why.KEY_UNREADABLE, id="unreadable"),
        pytest.param(b"p=" + base64.b64encode(PKCS1), *PASS, id="pkcs1"),
        pytest.param(b"t=s; p=" + RSA_P, *PASS, id="d4-t-s-and-i-equal"),
    ],
)
def test_key_records(record: bytes, status: Status, why: Why) -> None:
    assert one(signed(), zone(record)) == (status, why)


def test_key_strict_forbids_sub_domains_d4() -> None:
    dns = zone(b"t=s; p=" + RSA_P)
    assert one(signed(tags={"i": "@sub.example.com"}), dns) == (Status.PERMERROR, Why.KEY_STRICT)
    assert one(signed(tags={"i": "x@example.com"}), dns) == PASS


def test_small_keys_are_policy_k_27() -> None:
    limits = Limits(min_rsa_bits=2048)
    assert one(signed(), limits=limits) == (Status.POLICY, Why.KEY_TOO_SMALL)


def test_test_mode_is_flagged_and_its_failures_excused_d4() -> None:
    dns = zone(b"t=y; p=" + RSA_P)
    (result,) = check(signed(), dns)
    assert (result.status, result.testing) == (Status.PASS, True)
    for what, why in (
        (Mail(GOOD.fields, b"x"), Why.BODY_CHANGED),
        (altered(GOOD, b"To", b" x"), Why.HEADER_CHANGED),
    ):
        (result,) = check(what, dns)
        assert (result.status, result.why, result.testing) == (Status.NEUTRAL, why, True)


def test_every_key_at_the_name_is_tried_d7() -> None:
    other = b"v=DKIM1; p=" + base64.b64encode(PKCS1[:60] + b"\x01" + PKCS1[61:])
    assert one(signed(), zone(b"v=spf1 -all", other, RSA_RECORD)) == PASS


@pytest.mark.parametrize("fault", DnsFault)
def test_dns_faults_are_temporary(fault: DnsFault) -> None:
    dns = FakeDns(KEYS, broken={S1[0]: fault})
    assert one(signed(), dns) == (Status.TEMPERROR, Why.DNS)
    assert one(Mail(GOOD.fields, b"x"), dns) == (Status.FAIL, Why.BODY_CHANGED)


def test_no_question_for_what_cannot_pass() -> None:
    dns = FakeDns(KEYS)
    for tags in ({"h": "to"}, {"x": "1"}, {"v": "3"}):
        check(signed(tags=tags), dns)
    assert dns.questions == 0


def test_without_the_body_nothing_is_said() -> None:
    prepared = verify.prepare(signed().header, Limits(), NOW)
    (result,) = prepared.finish({}, DNS)
    assert (result.status, result.why) == (Status.NEUTRAL, Why.BODY_UNSEEN)


def test_every_fault_of_signature_and_key_is_a_why() -> None:
    """verify turns them into Why by their value."""
    known = {why.value for why in Why}
    assert {fault.value for fault in SignatureFault} <= known
    assert {fault.value for fault in keyrecord.KeyFault} <= known
