"""treewalk and reportauth: RFC 9989's and 9990's own examples, and every way to fail."""

from __future__ import annotations

import pytest

from postseal_keys.dnsask import Outcome
from postseal_keys.findings import Harm
from postseal_keys.reportauth import check, name
from postseal_keys.treewalk import targets, walk
from support.fakeasker import FakeAsker


@pytest.mark.parametrize(
    ("domain", "asked"),
    [
        pytest.param("example.com", "example.com com", id="two"),
        pytest.param("com", "com", id="one"),
        pytest.param(
            "a.b.c.d.e.f.g.h.i.j.mail.example.com",
            "a.b.c.d.e.f.g.h.i.j.mail.example.com g.h.i.j.mail.example.com h.i.j.mail.example.com"
            " i.j.mail.example.com j.mail.example.com mail.example.com example.com com",
            id="4.10-example",
        ),
        pytest.param(
            "mail.a.b.c.d.e.f.g.example.com",
            "mail.a.b.c.d.e.f.g.example.com c.d.e.f.g.example.com d.e.f.g.example.com"
            " e.f.g.example.com f.g.example.com g.example.com example.com com",
            id="5.1.8-example",
        ),
        pytest.param(
            "a.b.c.d.e.f.g.com",
            "a.b.c.d.e.f.g.com b.c.d.e.f.g.com c.d.e.f.g.com d.e.f.g.com e.f.g.com f.g.com"
            " g.com com",
            id="eight-labels",
        ),
    ],
)
def test_targets(domain: str, asked: str) -> None:
    assert targets(domain) == tuple(asked.split())
    assert len(targets(domain)) <= 8


def world(**records: str) -> FakeAsker:
    return FakeAsker(
        {(f"_dmarc.{domain.replace('_', '.')}", "TXT"): [r] for domain, r in records.items()}
    )


@pytest.mark.parametrize(
    ("domain", "records", "organization", "policy_domain"),
    [
        pytest.param(
            "a.mail.example.com",
            {"mail_example_com": "v=DMARC1", "example_com": "v=DMARC1"},
            "example.com",
            "example.com",
            id="4.10.2-fewest-labels",
        ),
        pytest.param(
            "a.mail.example.com",
            {"mail_example_com": "v=DMARC1; psd=n", "example_com": "v=DMARC1"},
            "mail.example.com",
            "mail.example.com",
            id="4.10.2-psd-n",
        ),
        pytest.param(
            "a.mail.example.com",
            {"com": "v=DMARC1; psd=y"},
            "example.com",
            "com",
            id="4.10.2-psd-y",
        ),
        pytest.param(
            "giant.bank.example",
            {"giant_bank_example": "v=DMARC1; p=reject", "bank_example": "v=DMARC1; psd=y"},
            "giant.bank.example",
            "giant.bank.example",
            id="B.4.3",
        ),
        pytest.param("bank.example", {"bank_example": "v=DMARC1; psd=y"}, "bank.example",
                     "bank.example", id="psd-y-at-start"),
        pytest.param("a.example", {}, "a.example", "", id="nothing"),
    ],
)  # fmt: skip
def test_organization_and_policy(
    domain: str, records: dict[str, str], organization: str, policy_domain: str
) -> None:
    found = walk(domain, world(**records))
    assert (found.organization, found.policy_domain) == (organization, policy_domain)


def test_two_records_at_one_name_count_as_none() -> None:
    asker = FakeAsker(
        {
            ("_dmarc.a.example", "TXT"): ["v=DMARC1; p=none", "v=DMARC1; p=reject"],
            ("_dmarc.example", "TXT"): ["v=DMARC1; p=quarantine"],
        }
    )
    found = walk("a.example", asker)
    assert found.policy_domain == "example"
    assert len(found.texts["a.example"]) == 2


def test_no_answer_is_not_no_record() -> None:
    asker = FakeAsker({}, broken={"_dmarc.a.example": Outcome.SERVFAIL})
    assert [reply.name for reply in walk("a.example", asker).unknown] == ["_dmarc.a.example"]


REPORTS = {
    ("_dmarc.blue.example.com", "TXT"): ["v=DMARC1; p=none; rua=mailto:reports@red.example.net"],
    ("_dmarc.example.com", "TXT"): ["v=DMARC1; p=none"],
    ("red.example.net", "MX"): ["10 mx.red.example.net"],
    ("mail.example.com", "A"): ["192.0.2.1"],
    ("null.example.net", "MX"): ["0 "],
    ("text.example.net", "TXT"): ["hello"],
}
PLACE = "blue.example.com._report._dmarc.red.example.net"


@pytest.mark.parametrize(
    ("record", "address", "codes"),
    [
        pytest.param(None, "a@red.example.net", ["report-not-authorised"], id="9990-4-step-7"),
        pytest.param("v=DMARC1", "a@red.example.net", [], id="9990-4-step-8"),
        pytest.param("v=DMARC1;", "a@red.example.net", [], id="9990-4-final-separator"),
        pytest.param("hello", "a@red.example.net", ["report-not-authorised"], id="9990-4-step-6"),
        pytest.param(
            "v=DMARC1; rua=mailto:b@red.example.net", "a@red.example.net", [], id="9990-4-step-9"
        ),
        pytest.param(
            "v=DMARC1; rua=mailto:b@other.example",
            "a@red.example.net",
            ["report-override-host"],
            id="9990-4-other-host",
        ),
        pytest.param(None, "a@mail.example.com", [], id="9990-4-same-organization"),
        pytest.param(
            None, "a@gone.invalid", ["report-no-host", "report-not-authorised"], id="gone"
        ),
        pytest.param(
            None, "a@null.example.net", ["report-no-host", "report-not-authorised"], id="null-mx"
        ),
        pytest.param(
            None, "a@text.example.net", ["report-no-host", "report-not-authorised"], id="no-mx-no-a"
        ),
    ],
)
def test_report_authorisation(record: str | None, address: str, codes: list[str]) -> None:
    records = {**REPORTS, (PLACE, "TXT"): [record]} if record else REPORTS
    found = check("blue.example.com", [f"mailto:{address}"], FakeAsker(records))
    assert [finding.code for finding in found] == codes


def test_the_line_its_operator_has_to_publish() -> None:
    (finding,) = check("blue.example.com", ["mailto:a@red.example.net"], FakeAsker(REPORTS))
    assert finding.publish == (f'{PLACE}. IN TXT "v=DMARC1"',)


def test_a_temporary_error_is_not_a_no() -> None:
    asker = FakeAsker(REPORTS, broken={PLACE: Outcome.TIMEOUT})
    (finding,) = check("blue.example.com", ["mailto:a@red.example.net"], asker)
    assert finding.harm is Harm.UNKNOWN


def test_a_name_too_long_for_dns() -> None:
    long = ".".join(["a" * 60] * 3) + ".example"
    host = "b" * 60 + ".example.org"
    found = check(long, [f"mailto:a@{host}"], FakeAsker({(host, "MX"): ["10 mx.example.org"]}))
    assert [finding.code for finding in found] == ["report-name-long"]
    assert len(name(long, host)) > 253
