"""domaincheck, spfcheck, dmarccheck: whole domains, right and wrong."""

from __future__ import annotations

import pytest

from postseal_keys import spflint
from postseal_keys.dnsask import Outcome
from postseal_keys.domaincheck import Checked, check
from postseal_keys.findings import Harm
from postseal_keys.spfrecord import parse
from support.fakeasker import FakeAsker

KEY = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8463 A.2
SPF = "v=spf1 mx -all"
RUA = "rua=mailto:d@d.example"
GOOD = {
    ("d.example", "TXT"): [SPF],
    ("d.example", "MX"): ["10 mx.d.example"],
    ("d.example", "SOA"): ["ns.d.example"],
    ("mx.d.example", "A"): ["192.0.2.1"],
    ("mx.d.example", "AAAA"): ["2001:db8::1"],
    ("_dmarc.d.example", "TXT"): [f"v=DMARC1; p=none; {RUA}"],
    ("s1._domainkey.d.example", "TXT"): [KEY],
}


def checked(changes: dict[tuple[str, str], list[str]], **broken: Outcome) -> Checked:
    asker = FakeAsker(
        {**GOOD, **changes}, broken={k.replace("_d_", ".d."): v for k, v in broken.items()}
    )
    return check("d.example", asker, {"s1": None})


def test_a_good_domain() -> None:
    result = checked({})
    assert result.worst is Harm.GOOD
    assert result.walk is not None and result.walk.lookups == 1
    assert result.dmarc is not None and result.dmarc.organization == "d.example"


TXT = ("d.example", "TXT")
DMARC = ("_dmarc.d.example", "TXT")
CASES = [
    pytest.param({TXT: ["hello"]}, "spf-none", Harm.WARNING, id="spf-none"),
    pytest.param(
        {TXT: ["x"], ("d.example.d.example", "TXT"): [SPF]}, "spf-doubled", Harm.ERROR, id="spf-dbl"
    ),
    pytest.param({TXT: [SPF, "v=spf1 a ~all"]}, "spf-many", Harm.ERROR, id="spf-two"),
    pytest.param({TXT: ["v=spf1, mx -all"]}, "spf-version", Harm.ERROR, id="spf-like"),
    pytest.param({TXT: ['"v=spf1 mx -all"']}, "spf-version", Harm.ERROR, id="spf-quoted"),
    pytest.param({TXT: [SPF, "spf2.0/pra mx"]}, "spf-sender-id", Harm.ADVICE, id="sender-id"),
    pytest.param({TXT: [SPF, "x" * 440]}, "spf-answer-size", Harm.ADVICE, id="3.4-size"),
    pytest.param({("d.example", "SPF"): [SPF]}, "spf-type99", Harm.ADVICE, id="type99"),
    pytest.param({TXT: ["v=spf1 include:x.example"]}, "spf-target-none", Harm.ERROR, id="walked"),
    pytest.param({TXT: ["v=spf1 ip4:1 -all"]}, "spf-syntax", Harm.ERROR, id="spf-syntax"),
    pytest.param({DMARC: ["hello"]}, "dmarc-none", Harm.WARNING, id="dmarc-none"),
    pytest.param({DMARC: ["v=DMARC1", "v=DMARC1"]}, "dmarc-many", Harm.ERROR, id="dmarc-two"),
    pytest.param({DMARC: ["v=dmarc1; p=none"]}, "dmarc-version", Harm.ERROR, id="dmarc-like"),
    pytest.param(
        {DMARC: ["x"], TXT: [SPF, "v=DMARC1; p=none"]}, "dmarc-misplaced", Harm.ERROR, id="at-apex"
    ),
    pytest.param(
        {DMARC: ["x"], ("_dmarc.d.example.d.example", "TXT"): ["v=DMARC1; p=none"]},
        "dmarc-doubled",
        Harm.ERROR,
        id="dmarc-doubled",
    ),
    pytest.param(
        {DMARC: ["x"], ("dmarc.d.example", "TXT"): ["v=DMARC1; p=none"]},
        "dmarc-misplaced",
        Harm.ERROR,
        id="without-underscore",
    ),
    pytest.param({DMARC: [f"p=none; {RUA}"]}, "dmarc-version", Harm.ERROR, id="dmarc-no-version"),
    pytest.param(
        {DMARC: [f"v=DMARC1; p=none; pct=0; {RUA}"]}, "dmarc-obsolete", Harm.WARNING, id="pct"
    ),
    pytest.param(
        {DMARC: ["v=DMARC1; rua=mailto:a@far.example"], ("far.example", "A"): ["192.0.2.9"]},
        "report-not-authorised",
        Harm.ERROR,
        id="external-rua",
    ),
    pytest.param(
        {DMARC: [f"v=DMARC1; p=reject; {RUA}"], ("s1._domainkey.d.example", "TXT"): ["x"]},
        "dmarc-reject-spf-only",
        Harm.ERROR,
        id="7.4-spf-only",
    ),
    pytest.param(
        {("_domainkey.d.example", "TXT"): ["o=~; t=y"]},
        "obsolete-domainkeys",
        Harm.ADVICE,
        id="4870",
    ),
    pytest.param(
        {("_adsp._domainkey.d.example", "TXT"): ["dkim=all"]},
        "obsolete-adsp",
        Harm.ADVICE,
        id="5617",
    ),
    pytest.param(
        {("s1._domainkey.d.example", "TXT"): ["v=DKIM1; p="]}, "key-revoked", Harm.ERROR, id="key"
    ),
    pytest.param(
        {("_dmarc.example", "TXT"): ["v=DMARC1"], DMARC: [f"v=DMARC1; p=none; sp=none; {RUA}"]},
        "dmarc-sp-unused",
        Harm.ADVICE,
        id="4.7-sp-below",
    ),
]


@pytest.mark.parametrize(
    ("record", "better"),
    [
        pytest.param("v=spf1 mx include:x.example -all", "v=spf1 mx -all", id="no-such-target"),
        pytest.param("v=spf1 mx a:x.example. mx ?all", "v=spf1 mx ~all", id="dead-and-more"),
        pytest.param(
            "v=spf1 mx ip:192.0.2.1 a:x.example", "v=spf1 mx ip4:192.0.2.1 ~all", id="all"
        ),
        pytest.param("v=spf1 include:d.example mx -all", "v=spf1 mx -all", id="loop"),
        pytest.param("v=spf1 include:x.example -all", "", id="nobody-would-be-left"),
        pytest.param("v=spf1 mx include:a.example,b.example -all", "", id="two-in-one-term"),
        pytest.param("v=spf1 mx include:open.example -all", "", id="whom-it-was-for-is-unknown"),
        pytest.param(
            "v=spf1 mx ip:192.0.2.1 " + "exists:%{i}.x.example " * 9 + "a:mx.d.example ?all",
            "v=spf1 mx ip4:192.0.2.1 exists:%{i}.x.example a:mx.d.example ~all",
            id="twice-is-once",
        ),
    ],
)
def test_there_is_one_line_that_mends_the_spf_record(record: str, better: str) -> None:
    """Not one for each finding that undoes what another one mends."""
    changes = {TXT: [record], ("open.example", "TXT"): ["v=spf1 +all"]}
    found = [f for f in checked(changes).findings if f.code.startswith("spf")]
    lines = {line for f in found for line in f.publish}
    assert lines == ({f'd.example. IN TXT "{better}"'} if better else set())


@pytest.mark.parametrize(
    ("strings", "better"),
    [
        pytest.param(
            ("v=spf1 mx", "include:d.example", "-all"), "v=spf1 mx include:d.example -all", id="3"
        ),
        pytest.param(
            ("v=spf1 mx ip4:192.0.2.1", "ip4:192.0.2.2 -all"),
            "v=spf1 mx ip4:192.0.2.1 ip4:192.0.2.2 -all",
            id="2",
        ),
        pytest.param(("v=spf1 include:exam", "ple ip4:192.0.2.1 -all"), "", id="cut-inside-a-name"),
    ],
)
def test_strings_that_were_cut_between_terms(strings: tuple[str, ...], better: str) -> None:
    lengths = tuple(map(len, strings))
    found = spflint.lint("d.example", "".join(strings), strings=lengths)
    lines = {line for f in found for line in f.publish}
    assert lines == ({f'd.example. IN TXT "{better}"'} if better else set())


def test_what_a_word_processor_made_of_a_record_is_seen_in_dns_too() -> None:
    served = "v=spf1 mx \N{EN DASH}all".encode().decode("latin-1")  # as the table encodes it
    (found,) = (f for f in checked({TXT: [served]}).findings if f.code == "spf-syntax")
    assert "U+2013" in found.what and found.publish == ('d.example. IN TXT "v=spf1 mx -all"',)


def test_of_two_dmarc_records_the_mildest_is_offered() -> None:
    """Whatever their order in the answer: today none of them counts, and nothing is rejected."""
    mild, strict = f"v=DMARC1; p=none; {RUA}", "v=DMARC1; p=reject"
    for texts in ([strict, mild], [mild, strict], [strict, "v=DMARC1; p=none", mild]):
        found = checked({DMARC: texts}).findings
        (publish,) = (f.publish for f in found if f.code == "dmarc-many")
        assert publish == (f'_dmarc.d.example. IN TXT "{mild}"',)


@pytest.mark.parametrize(("changes", "code", "harm"), CASES)
def test_every_finding_says_what_to_do(
    changes: dict[tuple[str, str], list[str]], code: str, harm: Harm
) -> None:
    """A hint, or the line to publish instead."""
    for finding in checked(changes).findings:
        assert finding.harm is Harm.GOOD or finding.hint or finding.publish, finding.what


@pytest.mark.parametrize(("changes", "code", "harm"), CASES)
def test_each_fault_is_found(
    changes: dict[tuple[str, str], list[str]], code: str, harm: Harm
) -> None:
    result = checked(changes)
    assert (code, harm) in {(f.code, f.harm) for f in result.findings}
    assert result.worst is harm


def test_findings_come_in_order_of_harm() -> None:
    result = checked(
        {
            TXT: ["v=spf1 mx a:x..y ptr"],
            DMARC: [f"v=DMARC1; p=none; rf=afrf; {RUA}"],
            ("_adsp._domainkey.d.example", "TXT"): ["dkim=all"],
        }
    )
    harms = [finding.harm for finding in result.findings]
    assert harms == sorted(harms, reverse=True)
    assert harms[0] is Harm.ERROR and Harm.ADVICE in harms


def test_a_silent_server_is_not_an_absent_record() -> None:
    result = check(
        "d.example",
        FakeAsker(
            GOOD, broken={"d.example": Outcome.TIMEOUT, "_dmarc.d.example": Outcome.SERVFAIL}
        ),
        {},
    )
    codes = {f.code for f in result.findings}
    assert "dns" in codes
    assert not codes & {"spf-none", "dmarc-none"}
    assert result.worst is Harm.UNKNOWN


def test_the_policy_from_above_is_named() -> None:
    world = {**GOOD, ("sub.d.example", "TXT"): ["v=spf1 -all"], ("sub.d.example", "SOA"): ["x"]}
    result = check("sub.d.example", FakeAsker(world), {})
    (finding,) = (f for f in result.findings if f.code == "dmarc-inherited")
    assert "d.example" in finding.what and "none" in finding.what


def test_two_records_are_merged() -> None:
    result = checked({TXT: ["v=spf1 mx -all", "v=spf1 include:x.example mx ~all"]})
    (finding,) = (f for f in result.findings if f.code == "spf-many")
    assert finding.publish == ('d.example. IN TXT "v=spf1 mx include:x.example ~all"',)


def test_what_is_to_be_published_for_a_record_over_the_limit() -> None:
    hosts = {
        (f"h{n}.example", kind): [value]
        for n in range(11)
        for kind, value in (("A", f"192.0.2.{n + 1}"), ("AAAA", f"2001:db8::{n + 1:x}"))
    }
    record = "v=spf1 " + " ".join(f"a:h{n}.example" for n in range(11)) + " -all"
    result = checked({TXT: [record], **hosts})
    (finding,) = (f for f in result.findings if f.code == "spf-lookups")
    assert "up to date" in finding.hint
    (line,) = finding.publish
    text = "".join(line.split('"')[1::2])
    assert len(parse(text).terms) == 23


def test_no_selector_is_said() -> None:
    result = check("d.example", FakeAsker(GOOD), {})
    assert [f.code for f in result.findings] == ["keys-not-checked"]


def test_a_name_that_cannot_be() -> None:
    assert check("a..b", FakeAsker({}), {}).worst is Harm.ERROR
