"""verify: every result of RFC 6376 section 6, one row per rule."""

from __future__ import annotations

import base64
from collections.abc import Mapping

import pytest

from postseal.core.canon import BodyHashes, BodyKey
from postseal.core.dkim import keyrecord, verify
from postseal.core.dkim.values import SignatureFault
from postseal.core.dkim.verify import Limits, Status, Why
from postseal.core.field import Field, Header
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


# Several signatures


def stack(*tags: Mapping[str, str], base: Mail | None = None) -> Mail:
    """Signatures from the bottom up; `key=ed` signs with Ed25519."""
    what = base or mail(FIELDS)
    for wanted in tags:
        bent = {"h": "from"} | dict(wanted)
        ed = bent.pop("key", "") == "ed"
        what = signed(what, tags=bent, key=ED25519) if ed else signed(what, tags=bent)
    return what


def test_each_signature_has_its_result_in_header_order() -> None:
    what = stack({}, {"key": "ed"}, {"x": "5"}, {"v": "7"})
    assert [r.why for r in check(what, DNS)] == [
        Why.VERSION,
        Why.EXPIRED,
        Why.VERIFIED,
        Why.VERIFIED,
    ]
    assert [r.algorithm for r in check(what, DNS)][2:] == ["ed25519-sha256", "rsa-sha256"]


def test_a_signature_does_not_cover_itself() -> None:
    """h= names DKIM-Signature: the older ones are meant, the own field is not among them."""
    listed = {"h": "from:dkim-signature:dkim-signature"}
    assert [r.status for r in check(stack({}, listed), DNS)] == [Status.PASS, Status.PASS]


def test_the_body_is_hashed_once_for_equal_wants() -> None:
    what = stack({}, {"key": "ed"}, {"c": "relaxed/simple"}, {"l": "2"})
    prepared = verify.prepare(what.header, Limits(), NOW)
    assert prepared.body_keys == {
        BodyKey(relaxed=True),
        BodyKey(relaxed=False),
        BodyKey(relaxed=True, limit=2),
    }
    assert prepared.query_names == ("s1._domainkey.example.com", "ed._domainkey.example.com")


def test_limit_of_signatures_d18() -> None:
    what = stack(*[{"t": str(i)} for i in range(13)])
    dns = FakeDns(KEYS)
    results = check(what, dns)
    assert [r.status for r in results] == [Status.PASS] * 10 + [Status.POLICY] * 3
    assert {r.why for r in results[10:]} == {Why.TOO_MANY}
    assert results[-1].domain == "example.com"


def test_the_limit_may_be_above_what_is_reported() -> None:
    what = stack(*[{"t": str(i)} for i in range(25)])
    results = check(what, DNS, limits=Limits(signatures=25, reported=5))
    assert [r.status for r in results] == [Status.PASS] * 25


def test_limit_of_header_octets_k_28() -> None:
    base = mail([*FIELDS, ("X-Large", " " + "x" * 10000)])
    what = stack(*[{"t": str(i)} for i in range(5)], base=base)
    for octets, verified in ((1, 1), (30_000, 2), (100_000, 5)):
        results = check(what, DNS, limits=Limits(header_octets=octets))
        assert [r.status for r in results].count(Status.PASS) == verified
        assert [r.why for r in results[verified:]] == [Why.TOO_MANY] * (5 - verified)


def test_what_is_unsigned_is_counted() -> None:
    (result,) = check(signed(tags={"l": "2"}), DNS)
    assert result.detail.startswith("3 octets")
    (result,) = check(signed(tags={"l": "9"}), DNS)
    assert "4 octets" in result.detail


def test_those_of_the_author_come_first_k_28() -> None:
    own = [{"t": "1"}, {"t": "2", "d": "mail.example.com"}]
    what = stack(*own, *[{"d": "list.example", "t": str(i)} for i in range(12)])
    dns = FakeDns({S1: (RSA_RECORD,), ("s1._domainkey.mail.example.com", "TXT"): (RSA_RECORD,)})
    limits = Limits(signatures=2)
    results = check(what, dns, limits=limits, prefer=["example.com"])
    assert [r.status for r in results] == [Status.POLICY] * 12 + [Status.PASS] * 2
    results = check(what, dns, limits=limits)
    assert {r.status for r in results[-2:]} == {Status.POLICY}
    # The author's domain may also be below the signer's.
    results = check(what, dns, limits=limits, prefer=["a.mail.example.com"])
    assert [r.status for r in results[-2:]] == [Status.PASS] * 2


def test_a_flood_of_signatures_is_cut_and_summed_up() -> None:
    bad = (b"DKIM-Signature", b" v=1")
    fields = [bad] * 300 + list(signed().fields)
    results = check(Mail(tuple(fields), b"Hi.\r\n"), DNS)
    assert len(results) == 21
    assert [r.why for r in results[:20]] == [Why.MISSING_TAG] * 20
    assert (results[20].status, results[20].why) == (Status.POLICY, Why.TOO_MANY)
    assert "281" in results[20].detail


def test_header_b_tells_signatures_apart_rfc_6008() -> None:
    def result_b(*texts: bytes) -> list[str]:
        fields = []
        for text in texts:
            value = signed(tags={"b": base64.b64encode(text)}).fields[0]
            fields.append(value)
        return [r.b for r in check(Mail((*fields, *mail(FIELDS).fields), b"Hi.\r\n"), DNS)]

    assert result_b(b"x" * 90) == ["eHh4eHh4"]
    assert result_b(b"x" * 90, b"y" * 90) == ["eHh4eHh4", "eXl5eXl5"]
    near = result_b(b"x" * 9 + b"a" * 9, b"x" * 9 + b"b" * 9)
    assert near == ["eHh4eHh4eHh4YW", "eHh4eHh4eHh4Ym"]
    same = result_b(b"x" * 90, b"x" * 90)
    assert same == ["eHh4eHh4", "eHh4eHh4"]
    long = result_b(b"x" * 80 + b"a", b"x" * 80 + b"b")
    assert {len(text) for text in long} == {64}


def test_without_the_body_nothing_is_said() -> None:
    prepared = verify.prepare(signed().header, Limits(), NOW)
    (result,) = prepared.finish({}, DNS)
    assert (result.status, result.why) == (Status.NEUTRAL, Why.BODY_UNSEEN)


def test_every_fault_of_signature_and_key_is_a_why() -> None:
    """verify turns them into Why by their value."""
    known = {why.value for why in Why}
    assert {fault.value for fault in SignatureFault} <= known
    assert {fault.value for fault in keyrecord.KeyFault} <= known


# Linear work: what is done is counted, not timed.


class Counting(Field):
    """A field that counts how often it was made canonical."""

    made = 0

    @property
    def relaxed(self) -> bytes:
        if self._relaxed is None:
            type(self).made += 1
        return super().relaxed


def test_each_field_is_made_canonical_once_for_all_signatures() -> None:
    base = mail([*FIELDS, *[(f"X-{i}", "x") for i in range(50)]])
    what = base
    for i in range(10):
        names = ":".join(n.decode() for n, _ in base.fields)
        what = signed(what, tags={"h": names, "t": str(i)})
    Counting.made = 0
    header = Header([Counting(n, v) for n, v in what.fields])
    prepared = verify.prepare(header, Limits(), NOW)
    hashes = BodyHashes(prepared.body_keys)
    hashes.update(what.body)
    assert {r.status for r in prepared.finish(hashes.digests(), DNS)} == {Status.PASS}
    assert Counting.made == len(base.fields)


class Touched(Header):
    """A header that counts the fields it hands out."""

    handed = 0

    def all(self, key: bytes) -> tuple[Field, ...]:
        found = super().all(key)
        type(self).handed += max(1, len(found))
        return found


@pytest.mark.parametrize("shape", ["distinct-names", "one-name"])
def test_selection_is_linear_in_names_and_fields(shape: str) -> None:
    """n names of h= over n fields: dkimpy looks at n * n."""

    def handed(n: int) -> int:
        names = [f"x-{i if shape == 'distinct-names' else 0}" for i in range(n)]
        fields = [("From", "a@example.com"), *[(name, "v") for name in names]]
        text = signed(mail(fields), tags={"h": ":".join(["from", *names])})
        Touched.handed = 0
        header = Touched([Field(*f) for f in text.fields])
        prepared = verify.prepare(header, Limits(), NOW)
        hashes = BodyHashes(prepared.body_keys)
        hashes.update(text.body)
        (result,) = prepared.finish(hashes.digests(), DNS)
        assert result.status is Status.PASS
        return Touched.handed

    assert handed(400) <= 2 * handed(200) + 10
