"""treewalk: RFC 9989's own examples, and every way to fail."""

from __future__ import annotations

import pytest

from postseal_keys.dnsask import Outcome
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
            ("_dmarc.a.example", "TXT"): ["v=DMARC1; psd=n", "v=DMARC1; psd=n; p=none"],
            ("_dmarc.example", "TXT"): ["v=DMARC1; p=quarantine"],
        }
    )
    found = walk("a.example", asker)
    assert found.organization == found.policy_domain == "example"
    assert len(found.texts["a.example"]) == 2


def test_no_answer_is_not_no_record() -> None:
    asker = FakeAsker({}, broken={"_dmarc.a.example": Outcome.SERVFAIL})
    assert [reply.name for reply in walk("a.example", asker).unknown] == ["_dmarc.a.example"]
