"""verify: several signatures on one message, the limits, and work that stays linear."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence

import pytest

from postseal.core.canon import BodyHashes, BodyKey
from postseal.core.dkim import headerhash, verify
from postseal.core.dkim.verify import Limits, Status, Why
from postseal.core.field import Field, Header, PlainField
from support.dkimmail import (
    ED25519,
    FIELDS,
    KEYS,
    NOW,
    RSA_RECORD,
    Mail,
    check,
    mail,
    signed,
)
from support.fakedns import FakeDns

DNS = FakeDns(KEYS)
S1 = ("s1._domainkey.example.com", "TXT")


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


def test_no_key_of_others_is_waited_for_before_the_authors() -> None:
    """Else a forger's own slow name servers make a temporary error of a forged signature."""
    what = stack({"t": "1"}, *[{"d": f"evil{n}.example", "t": "1"} for n in range(4)])
    dns = FakeDns({S1: (RSA_RECORD,)}, limit=1)
    results = check(what, dns, prefer=["example.com"])
    assert [r.status for r in results] == [Status.TEMPERROR] * 4 + [Status.PASS]
    assert results[-1].domain == "example.com"
    assert dns.asked[0][0] == "s1._domainkey.example.com"


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


# Linear work: what is done is counted, not timed.


class Counting(PlainField):
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

    def all(self, key: bytes) -> Sequence[Field]:
        found = super().all(key)
        type(self).handed += max(1, len(found))
        return found


@pytest.mark.parametrize("shape", ["distinct-names", "one-name"])
def test_selection_is_linear_in_names_and_fields(
    shape: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """n names of h= over n fields: dkimpy looks at n * n."""
    monkeypatch.setattr(headerhash, "octets", headerhash.plain_octets)

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

    assert 200 < handed(400) <= 2 * handed(200) + 10
