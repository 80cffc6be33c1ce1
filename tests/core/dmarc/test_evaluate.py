"""dmarc.evaluate: the verdict, one row per rule."""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.core.address import Authors, author_domains
from postseal.core.dmarc import evaluate as dmarc
from postseal.core.dmarc.align import MAX_IDENTIFIERS
from postseal.core.dmarc.evaluate import Disposition, Result, Status, Why, evaluate
from postseal.core.field import Field
from postseal.core.resolver import Kind
from support.fakedns import FakeDns

NONE, QUARANTINE, REJECT = Disposition

RECORDS = {
    "none.example": "v=DMARC1; p=none",
    "quarantine.example": "v=DMARC1; p=quarantine",
    "reject.example": "v=DMARC1; p=reject",
    "strict.example": "v=DMARC1; p=reject; adkim=s; aspf=s",
    "adkim.example": "v=DMARC1; p=reject; adkim=s",
    "aspf.example": "v=DMARC1; p=reject; aspf=s",
    "test.example": "v=DMARC1; p=reject; t=y",
    "testq.example": "v=DMARC1; p=quarantine; t=y",
    "testn.example": "v=DMARC1; p=none; t=y",
    "sp.example": "v=DMARC1; p=reject; sp=none; np=quarantine",
    "np.example": "v=DMARC1; p=none; np=reject",
    "own.np.example": "v=DMARC1; p=quarantine; sp=reject; np=reject",
    "nop.example": "v=DMARC1; rua=mailto:d@nop.example",
    "nonop.example": "v=DMARC1",
    "bad.example": "v=DMARC1; p=bad",
    "badrua.example": "v=DMARC1; p=bad; rua=mailto:d@badrua.example",
    "badsp.example": "v=DMARC1; p=reject; sp=bad",
    "pct.example": "v=DMARC1; p=reject; pct=0",
    "two.example": ("v=DMARC1; p=reject", "v=DMARC1; p=none"),
    "twosub.reject.example": ("v=DMARC1; p=none", "v=DMARC1; p=none"),
    "junk.example": ("v=spf1 -all", "v=DMARC1; p=reject", "hello"),
    "xn--bcher-kva.example": "v=DMARC1; p=reject",
    "bank.example": "v=DMARC1; p=quarantine; sp=reject; psd=y",
    "giant.bank.example": "v=DMARC1; p=reject",
    "upslow.example": "v=DMARC1; p=reject",
    "slownp.example": "v=DMARC1; p=none; np=reject",
}
IP = "192.0.2.1"
OTHERS = ("exists.np.example", "exists.sp.example")
SLOW = {"_dmarc.slow.example", "_dmarc.sub.upslow.example", "gone.slownp.example"}


def world(records: Mapping[str, object] = RECORDS, broken: Set[str] = SLOW) -> FakeDns:
    """These records, and names that exist without any."""
    table: dict[tuple[str, str], list[bytes | str]] = {(name, "A"): [IP] for name in OTHERS}
    for domain, found in records.items():
        values = found if isinstance(found, tuple) else (found,)
        table[f"_dmarc.{domain}", "TXT"] = [str(value).encode() for value in values]
    return FakeDns(table, broken=broken)


def authors(value: str, *more: str) -> Authors:
    return author_domains([Field(b"From", b" " + text.encode()) for text in (value, *more)])


def judge(domain: str, resolver: FakeDns | None = None, **known: Any) -> Result:
    """The Result for `From: a@domain`."""
    return evaluate(authors(f"a@{domain}"), resolver=resolver or world(), **known)


def test_a_name_exists_when_its_dmarc_name_does() -> None:
    """Whatever a server says of the name itself: nothing stands below a name that is not there."""
    records: dict[tuple[str, str], list[bytes]] = {
        ("_dmarc.np.example", "TXT"): [b"v=DMARC1; p=none; np=reject"],
        ("_dmarc.odd.np.example", "TXT"): [b"not a policy"],
    }
    result = judge("odd.np.example", FakeDns(records, missing={"odd.np.example"}))
    assert (result.status, result.published) == (Status.FAIL, NONE)


@pytest.mark.parametrize(
    ("domain", "status", "why", "published", "applied"),
    [
        pytest.param("norecord.example", Status.NONE, Why.NO_RECORD, None, None, id="no-record"),
        pytest.param("none.example", Status.FAIL, Why.NO_IDENTIFIER, NONE, NONE, id="p-none"),
        pytest.param("quarantine.example", Status.FAIL, Why.NO_IDENTIFIER, QUARANTINE, QUARANTINE,
                     id="p-quarantine"),
        pytest.param("reject.example", Status.FAIL, Why.NO_IDENTIFIER, REJECT, REJECT,
                     id="p-reject"),
        pytest.param("REJECT.Example", Status.FAIL, Why.NO_IDENTIFIER, REJECT, REJECT, id="case"),
        pytest.param("bücher.example", Status.FAIL, Why.NO_IDENTIFIER, REJECT, REJECT, id="D-29"),
        pytest.param("pct.example", Status.FAIL, Why.NO_IDENTIFIER, REJECT, REJECT, id="D-4-pct"),
        pytest.param("nop.example", Status.FAIL, Why.NO_IDENTIFIER, NONE, NONE, id="D-16-p-absent"),
        pytest.param("nonop.example", Status.FAIL, Why.NO_IDENTIFIER, NONE, NONE,
                     id="D-16-p-absent-no-rua"),
        pytest.param("bad.example", Status.PERMERROR, Why.BAD_POLICY, None, None, id="D-16-bad-p"),
        pytest.param("badrua.example", Status.FAIL, Why.NO_IDENTIFIER, NONE, NONE,
                     id="D-16-bad-p-rua"),
        pytest.param("badsp.example", Status.PERMERROR, Why.BAD_POLICY, None, None,
                     id="D-16-bad-sp"),
        pytest.param("two.example", Status.NONE, Why.NO_RECORD, None, None, id="D-9-two"),
        pytest.param("twosub.reject.example", Status.FAIL, Why.NO_IDENTIFIER, REJECT, REJECT,
                     id="D-9-two-walk-goes-on"),
        pytest.param("junk.example", Status.FAIL, Why.NO_IDENTIFIER, REJECT, REJECT, id="D-9-junk"),
        pytest.param("test.example", Status.FAIL, Why.NO_IDENTIFIER, REJECT, QUARANTINE,
                     id="D-10-reject"),
        pytest.param("testq.example", Status.FAIL, Why.NO_IDENTIFIER, QUARANTINE, NONE,
                     id="D-10-quarantine"),
        pytest.param("testn.example", Status.FAIL, Why.NO_IDENTIFIER, NONE, NONE, id="D-10-none"),
        pytest.param("a.reject.example", Status.FAIL, Why.NO_IDENTIFIER, REJECT, REJECT,
                     id="D-18-p-for-below"),
        pytest.param("exists.sp.example", Status.FAIL, Why.NO_IDENTIFIER, NONE, NONE, id="D-18-sp"),
        pytest.param("gone.sp.example", Status.FAIL, Why.NO_IDENTIFIER, QUARANTINE, QUARANTINE,
                     id="D-18-np"),
        pytest.param("exists.np.example", Status.FAIL, Why.NO_IDENTIFIER, NONE, NONE,
                     id="D-19-exists"),
        pytest.param("gone.np.example", Status.FAIL, Why.NO_IDENTIFIER, REJECT, REJECT,
                     id="D-19-gone"),
        pytest.param("own.np.example", Status.FAIL, Why.NO_IDENTIFIER, QUARANTINE, QUARANTINE,
                     id="D-18-sp-np-of-its-own-record-unused"),
        pytest.param("a.own.np.example", Status.FAIL, Why.NO_IDENTIFIER, REJECT, REJECT,
                     id="D-17-org-not-nearest"),
        pytest.param("small.bank.example", Status.FAIL, Why.NO_IDENTIFIER, REJECT, REJECT,
                     id="D-17-psd"),
        pytest.param("bank.example", Status.FAIL, Why.NO_IDENTIFIER, QUARANTINE, QUARANTINE,
                     id="D-18-the-psd-itself"),
        pytest.param("slow.example", Status.TEMPERROR, Why.DNS_POLICY, None, None,
                     id="D-24-policy"),
        pytest.param("a.slow.example", Status.TEMPERROR, Why.DNS_POLICY, None, None,
                     id="D-24-walk"),
        pytest.param("gone.slownp.example", Status.TEMPERROR, Why.DNS_EXISTENCE, None, None,
                     id="D-24-existence"),
    ],
)  # fmt: skip
def test_nothing_authenticated(
    domain: str,
    status: Status,
    why: Why,
    published: Disposition | None,
    applied: Disposition | None,
) -> None:
    result = judge(domain)
    assert (result.status, result.why) == (status, why)
    assert (result.published, result.applied) == (published, applied)


def aligned(rule: str, domain: str, *evidence: str, **known: object) -> object:
    return pytest.param(domain, known, Status.PASS, Why.ALIGNED, evidence, id=rule)


def unaligned(rule: str, domain: str, why: Why = Why.NOT_ALIGNED, **known: object) -> object:
    return pytest.param(domain, known, Status.FAIL, why, (), id=rule)


def unknown(rule: str, domain: str, why: Why, **known: object) -> object:
    return pytest.param(domain, known, Status.TEMPERROR, why, (), id=rule)


@pytest.mark.parametrize(
    ("domain", "known", "status", "why", "evidence"),
    [
        aligned("spf", "reject.example", "spf reject.example", spf_pass_domain="reject.example"),
        aligned("dkim", "reject.example", "dkim reject.example",
                dkim_pass_domains=["reject.example"]),
        aligned("both", "reject.example", "spf reject.example", "dkim a.reject.example",
                spf_pass_domain="reject.example", dkim_pass_domains=["a.reject.example"]),
        aligned("D-39-second-signature", "reject.example", "dkim reject.example",
                dkim_pass_domains=["list.example", "reject.example"]),
        aligned("case-and-dot", "reject.example", "dkim reject.example",
                dkim_pass_domains=["Reject.Example."]),
        aligned("D-29-u-label", "bücher.example", "dkim a.xn--bcher-kva.example",
                dkim_pass_domains=["a.bücher.example"]),
        aligned("relaxed-below", "reject.example", "spf b.reject.example",
                spf_pass_domain="b.reject.example"),
        aligned("relaxed-above", "a.reject.example", "spf reject.example",
                spf_pass_domain="reject.example"),
        aligned("relaxed-beside", "a.reject.example", "dkim b.reject.example",
                dkim_pass_domains=["b.reject.example"]),
        aligned("strict-equal", "strict.example", "dkim strict.example",
                dkim_pass_domains=["strict.example"]),
        unaligned("strict-dkim", "strict.example", dkim_pass_domains=["a.strict.example"]),
        unaligned("strict-spf", "strict.example", spf_pass_domain="a.strict.example"),
        aligned("adkim-only-spf-relaxed", "adkim.example", "spf a.adkim.example",
                spf_pass_domain="a.adkim.example", dkim_pass_domains=["a.adkim.example"]),
        aligned("aspf-only-dkim-relaxed", "aspf.example", "dkim a.aspf.example",
                spf_pass_domain="a.aspf.example", dkim_pass_domains=["a.aspf.example"]),
        unaligned("other-domain", "reject.example", dkim_pass_domains=["evil.example"],
                  spf_pass_domain="evil.example"),
        unaligned("suffix", "reject.example", dkim_pass_domains=["notreject.example"]),
        unaligned("tld", "reject.example", dkim_pass_domains=["example"]),
        unaligned("CVE-2020-12272", "reject.example", Why.NO_IDENTIFIER,
                  spf_pass_domain="evil.example(.reject.example"),
        unaligned("nul", "reject.example", Why.NO_IDENTIFIER,
                  dkim_pass_domains=["reject.example\0.evil.example"]),
        unaligned("rfc9989-B.4.3-dkim", "giant.bank.example",
                  dkim_pass_domains=["mail.mega.bank.example"]),
        aligned("rfc9989-B.4.3-spf", "giant.bank.example", "spf mail.giant.bank.example",
                spf_pass_domain="mail.giant.bank.example",
                dkim_pass_domains=["mail.mega.bank.example"]),
        unaligned("two-registrants-of-a-psd", "small.bank.example",
                  spf_pass_domain="giant.bank.example"),
        unknown("D-24-alignment", "upslow.example", Why.DNS_ALIGNMENT,
                spf_pass_domain="sub.upslow.example"),
        aligned("D-25-equal-needs-no-walk", "upslow.example", "dkim upslow.example",
                spf_pass_domain="sub.upslow.example", dkim_pass_domains=["upslow.example"]),
        unknown("5.3.6-spf", "reject.example", Why.DNS_IDENTIFIER,
                spf_temperror_domain="a.reject.example"),
        unknown("5.3.6-dkim", "reject.example", Why.DNS_IDENTIFIER,
                dkim_temperror_domains=["x.example", "reject.example"]),
        unaligned("5.3.6-not-aligned", "reject.example", Why.NO_IDENTIFIER,
                  dkim_temperror_domains=["evil.example"]),
        unaligned("5.3.6-strict", "strict.example", Why.NO_IDENTIFIER,
                  spf_temperror_domain="a.strict.example"),
        aligned("5.3.6-another-passes", "reject.example", "dkim reject.example",
                dkim_pass_domains=["reject.example"], spf_temperror_domain="reject.example"),
        unknown("5.3.6-walk", "upslow.example", Why.DNS_ALIGNMENT,
                spf_temperror_domain="sub.upslow.example"),
    ],
)  # fmt: skip
def test_identifiers(
    domain: str, known: dict[str, Any], status: Status, why: Why, evidence: tuple[str, ...]
) -> None:
    result = judge(domain, **known)
    assert (result.status, result.why, result.aligned_by) == (status, why, evidence)
    if status is Status.PASS:
        assert result.applied is NONE
        assert result.published is REJECT


@pytest.mark.parametrize(
    ("domain", "policy_domain", "organizational"),
    [
        pytest.param("reject.example", "reject.example", "", id="own-record-no-walk"),
        pytest.param("a.reject.example", "reject.example", "reject.example", id="from-above"),
        pytest.param("a.small.bank.example", "bank.example", "small.bank.example", id="psd"),
        pytest.param("norecord.example", "", "norecord.example", id="none"),
    ],
)
def test_where_the_record_is(domain: str, policy_domain: str, organizational: str) -> None:
    result = judge(domain)
    assert (result.policy_domain, result.organizational_domain) == (policy_domain, organizational)


EVIL: dict[str, Any] = {"spf_pass_domain": "evil.example", "dkim_pass_domains": ["evil.example"]}
BOTH: dict[str, Any] = {"dkim_pass_domains": ["reject.example", "evil.example"]}
EVIL_RECORDS = RECORDS | {"evil.example": "v=DMARC1; p=none"}


@pytest.mark.parametrize(
    ("given", "known", "status", "why", "author", "applied"),
    [
        pytest.param((), EVIL, Status.PERMERROR, Why.NO_AUTHOR, "", None, id="D-26-missing"),
        pytest.param(("Team:;",), EVIL, Status.PERMERROR, Why.NO_AUTHOR, "", None, id="D-30-group"),
        pytest.param(("a@[192.0.2.1]",), EVIL, Status.PERMERROR, Why.NO_AUTHOR, "", None,
                     id="D-31-literal"),
        pytest.param(("(((",), EVIL, Status.PERMERROR, Why.NO_AUTHOR, "", None, id="unparsable"),
        pytest.param(("a@evil.example, b@reject.example",), EVIL, Status.FAIL, Why.NOT_ALIGNED,
                     "reject.example", REJECT, id="D-27-strictest"),
        pytest.param(("b@reject.example, a@evil.example",), EVIL, Status.FAIL, Why.NOT_ALIGNED,
                     "reject.example", REJECT, id="D-27-order-does-not-matter"),
        pytest.param(("b@none.example, c@quarantine.example, d@testq.example",), EVIL, Status.FAIL,
                     Why.NOT_ALIGNED, "quarantine.example", QUARANTINE,
                     id="D-27-strictest-of-three"),
        pytest.param(("a@evil.example, b@reject.example",), BOTH, Status.PASS, Why.ALIGNED,
                     "evil.example", NONE, id="D-27-all-pass"),
        pytest.param(("a@evil.example, b@norecord.example",), EVIL, Status.NONE, Why.NO_RECORD,
                     "norecord.example", None, id="one-without-a-record"),
        pytest.param(("a@evil.example, b@none.example",), EVIL, Status.FAIL, Why.NOT_ALIGNED,
                     "none.example", NONE, id="one-fails-mildly"),
        pytest.param(("a@evil.example, b@slow.example",), EVIL, Status.TEMPERROR, Why.DNS_POLICY,
                     "slow.example", None, id="one-unknown"),
        pytest.param(("a@slow.example, b@reject.example",), EVIL, Status.FAIL, Why.NOT_ALIGNED,
                     "reject.example", REJECT, id="enforced-beats-unknown"),
        pytest.param(("a@slow.example, b@none.example",), EVIL, Status.TEMPERROR, Why.DNS_POLICY,
                     "slow.example", None, id="unknown-beats-mild"),
        pytest.param(("a@bad.example, b@evil.example",), EVIL, Status.PERMERROR, Why.BAD_POLICY,
                     "bad.example", None, id="one-bad-record"),
        pytest.param(("a@evil.example", "b@reject.example"), EVIL, Status.FAIL, Why.NOT_ALIGNED,
                     "reject.example", REJECT, id="CVE-2019-16378-two-fields"),
        pytest.param(("a@evil.example", "b@evil.example"), EVIL, Status.PERMERROR,
                     Why.UNSURE_AUTHOR, "evil.example", None, id="D-26-two-fields-one-domain"),
        pytest.param(("a@evil.example", "b@norecord.example"), EVIL, Status.PERMERROR,
                     Why.UNSURE_AUTHOR, "evil.example", None, id="D-26-two-fields-no-record"),
        pytest.param(("<a@evil.example>b@reject.example",), EVIL, Status.FAIL, Why.NOT_ALIGNED,
                     "reject.example", REJECT, id="A19-unparsable"),
        pytest.param(("<a@evil.example>b@reject.example",), BOTH, Status.PERMERROR,
                     Why.UNSURE_AUTHOR, "evil.example", None, id="unparsable-never-passes"),
        pytest.param(("=?utf-8?B?YWRtaW4=?=,<a@evil.example>",), EVIL, Status.PERMERROR,
                     Why.UNSURE_AUTHOR, "evil.example", None, id="A15-hidden-address"),
        pytest.param(("a@evil.example, b@[192.0.2.1]",), EVIL, Status.PERMERROR,
                     Why.UNSURE_AUTHOR, "evil.example", None, id="bad-domain-beside"),
        pytest.param(("a@evil.example" + "".join(f", {n}@{n}.evil.example" for n in "abcdef"),),
                     EVIL, Status.PERMERROR, Why.TOO_MANY_AUTHORS, "evil.example", None,
                     id="D-27-cap"),
        pytest.param(("a@none.example" + "".join(f", {n}@{n}.none.example" for n in "abcdef"),),
                     EVIL, Status.PERMERROR, Why.TOO_MANY_AUTHORS, "none.example", None,
                     id="D-27-cap-mild-failures"),
        pytest.param(("a@reject.example" + "".join(f", {n}@{n}.evil.example" for n in "abcdef"),),
                     EVIL, Status.FAIL, Why.NOT_ALIGNED, "reject.example", REJECT,
                     id="D-27-cap-enforced"),
    ],
)  # fmt: skip
def test_not_exactly_one_author(
    given: tuple[str, ...],
    known: dict[str, Any],
    status: Status,
    why: Why,
    author: str,
    applied: Disposition | None,
) -> None:
    who = authors(*given) if given else author_domains([])
    result = evaluate(who, resolver=world(EVIL_RECORDS), **known)
    assert (result.status, result.why) == (status, why)
    assert (result.author_domain, result.applied) == (author, applied)
    assert len(result.domains) == len(result.each) == min(len(who.domains), dmarc.MAX_DOMAINS)
    assert who.why in result.detail


@pytest.mark.parametrize(
    ("domain", "known", "names"),
    [
        pytest.param("reject.example", {}, "_dmarc.reject.example", id="own-record"),
        pytest.param("reject.example", {"dkim_pass_domains": ["reject.example"]},
                     "_dmarc.reject.example", id="D-21-equal"),
        pytest.param("strict.example", {"dkim_pass_domains": ["a.strict.example"]},
                     "_dmarc.strict.example", id="D-21-strict"),
        pytest.param("norecord.example", {"dkim_pass_domains": ["a.norecord.example"]},
                     "_dmarc.norecord.example _dmarc.example", id="D-21-no-record"),
        pytest.param("reject.example", {"dkim_pass_domains": ["a.reject.example"]},
                     "_dmarc.reject.example _dmarc.example _dmarc.a.reject.example", id="relaxed"),
        pytest.param("gone.np.example", {},
                     "_dmarc.gone.np.example _dmarc.np.example _dmarc.example gone.np.example",
                     id="D-19-asked-once"),
        pytest.param("gone.np.example", {"dkim_pass_domains": ["np.example"]},
                     "_dmarc.gone.np.example _dmarc.np.example _dmarc.example",
                     id="D-19-not-for-a-pass"),
        pytest.param("a.reject.example", {},
                     "_dmarc.a.reject.example _dmarc.reject.example _dmarc.example",
                     id="D-19-not-without-np"),
    ],
)  # fmt: skip
def test_questions(domain: str, known: dict[str, Any], names: str) -> None:
    resolver = world()
    evaluate(authors(f"a@{domain}"), resolver=resolver, **known)
    assert [name for name, _ in resolver.asked] == names.split()


def test_a_crowd_of_identifiers_is_capped() -> None:
    resolver = world()
    crowd = [f"{n}.reject.example" for n in range(1000)]
    result = judge(
        "reject.example", resolver, dkim_pass_domains=crowd, dkim_temperror_domains=crowd
    )
    assert result.status is Status.PASS
    slow = world(broken={f"_dmarc.{name}" for name in crowd})
    assert judge("reject.example", slow, dkim_pass_domains=crowd).status is Status.TEMPERROR
    assert len(slow.asked) <= MAX_IDENTIFIERS + 4


@pytest.mark.parametrize(
    ("value", "identifiers", "names"),
    [
        pytest.param("a@x.example", (), "x.example", id="two-labels"),
        pytest.param("a@m.x.example", (), "m.x.example x.example", id="three-labels"),
        pytest.param("a@x.example", ("x.example", "y.example"), "x.example", id="equal-or-other"),
        pytest.param("a@x.example", ("b.x.example",), "x.example b.x.example example", id="near"),
        pytest.param("a@m.x.example", ("x.example",), "m.x.example x.example example", id="above"),
        pytest.param("(((", ("b.x.example",), "", id="nobody"),
        pytest.param("a@x.example, a@y.example", ("b.y.example",),
                     "x.example example y.example b.y.example", id="near-the-second"),
        pytest.param(", ".join(f"a@{n}.example" for n in range(9)), (),
                     "0.example example 1.example 2.example 3.example 4.example", id="D-27-cap"),
        pytest.param("a@o.m.x.example", (), "o.m.x.example m.x.example x.example example",
                     id="a-long-walk"),
        pytest.param("a@9.8.7.6.5.4.3.2.x.example", (), "9.8.7.6.5.4.3.2.x.example"
                     " 6.5.4.3.2.x.example 5.4.3.2.x.example 4.3.2.x.example 3.2.x.example"
                     " 2.x.example x.example example", id="the-longest"),
        pytest.param("a@m.evil.example, a@m.x.example", (),
                     "m.evil.example evil.example example m.x.example x.example",
                     id="one-of-several-walks"),
    ],
)  # fmt: skip
def test_prefetch(value: str, identifiers: tuple[str, ...], names: str) -> None:
    resolver = world()
    dmarc.prefetch(authors(value), resolver, iter(identifiers))
    assert resolver.prefetched == [(f"_dmarc.{name}", Kind.TXT) for name in names.split()]
    assert not resolver.asked


def test_testing_and_notes_are_told() -> None:
    assert judge("test.example").testing
    assert not judge("reject.example").testing
    assert judge("two.example").notes == ("2 DMARC records at two.example, none of them counts",)
    assert judge("badrua.example").notes == ("p: invalid value",)


NAMES = st.sampled_from([*RECORDS, "a.reject.example", "evil.example", "slow.example", "", "b..c"])


@given(
    st.lists(NAMES, max_size=7),
    st.fixed_dictionaries(
        {
            "spf_pass_domain": st.none() | NAMES,
            "dkim_pass_domains": st.lists(NAMES, max_size=4),
            "spf_temperror_domain": st.none() | NAMES,
            "dkim_temperror_domains": st.lists(NAMES, max_size=4),
        }
    ),
    st.booleans(),
)
def test_every_combination_is_a_defined_result(
    names: list[str], known: dict[str, Any], parted: bool
) -> None:
    values = [f"a@{name}" for name in names]
    who = authors(*values) if parted and values else authors(", ".join(values))
    result = evaluate(who, resolver=world(), **known)
    assert result.status in Status
    if result.status is Status.PASS:
        assert result.aligned_by
        assert who.why in ("one", "several-domains")
        nobody = known | {"spf_pass_domain": None, "dkim_pass_domains": ()}
        assert evaluate(who, resolver=world(), **nobody).status is not Status.PASS
    assert (result.applied is not None) == (result.status in (Status.PASS, Status.FAIL))
    assert result.author_domain in (*who.domains, "")
