"""dmarc.suffix: the list in place of the walk, and where the two differ."""

from __future__ import annotations

from typing import Any

import pytest

from postseal.core.address import author_domains
from postseal.core.dmarc.evaluate import Result, Status, Why
from postseal.core.dmarc.suffix import Choice, judge
from postseal.core.dmarc.walk import Method
from postseal.core.field import Field
from postseal.core.names import labels
from support.fakedns import FakeDns


class Listed:
    """com, co.uk and everything else of one label are public."""

    def organizational_domain(self, name: str, /) -> str:
        return ".".join(labels(name)[-3 if name.endswith(".co.uk") else -2 :])


RECORDS = {
    "example.com": "v=DMARC1; p=reject",
    "deep.example.com": "v=DMARC1; p=none",
    "brand.co.uk": "v=DMARC1; p=quarantine",
    "own.example.org": "v=DMARC1; p=reject; psd=n",
    "example.org": "v=DMARC1; p=none",
    "top": "v=DMARC1; p=reject",
}


def run(choice: Choice, domain: str, resolver: FakeDns | None = None, **facts: Any) -> Result:
    """The Result for `From: a@domain`."""
    table = {(f"_dmarc.{name}", "TXT"): [text.encode()] for name, text in RECORDS.items()}
    authors = author_domains([Field(b"From", f" a@{domain}".encode())])
    suffixes = None if choice is Choice.TREEWALK else Listed()
    resolver = resolver or FakeDns(table)
    return judge(authors, choice=choice, suffixes=suffixes, resolver=resolver, **facts)


@pytest.mark.parametrize(
    ("domain", "facts", "status", "policy_domain"),
    [
        pytest.param("example.com", {}, Status.FAIL, "example.com", id="own"),
        pytest.param("a.b.example.com", {}, Status.FAIL, "example.com", id="from-the-org"),
        pytest.param("a.deep.example.com", {}, Status.FAIL, "example.com", id="not-the-nearest"),
        pytest.param("x.top", {}, Status.NONE, "", id="never-from-a-suffix"),
        pytest.param("top", {}, Status.FAIL, "top", id="the-suffix-itself"),
        pytest.param("example.com", {"dkim_pass_domains": ["a.example.com"]}, Status.PASS,
                     "example.com", id="relaxed"),
        pytest.param("mail.brand.co.uk", {"spf_pass_domain": "brand.co.uk"}, Status.PASS,
                     "brand.co.uk", id="co.uk"),
        pytest.param("brand.co.uk", {"spf_pass_domain": "other.co.uk"}, Status.FAIL,
                     "brand.co.uk", id="two-registrants"),
        pytest.param("own.example.org", {"spf_pass_domain": "example.org"}, Status.PASS,
                     "own.example.org", id="psd-means-nothing"),
    ],
)  # fmt: skip
def test_by_list(domain: str, facts: dict[str, Any], status: Status, policy_domain: str) -> None:
    result = run(Choice.PSL, domain, **facts)
    assert (result.status, result.policy_domain, result.method) == (
        status,
        policy_domain,
        Method.PSL,
    )
    assert result.difference == ""


def test_questions_by_list() -> None:
    resolver = FakeDns()
    run(Choice.PSL, "a.b.example.com", resolver, spf_pass_domain="c.example.com")
    assert [name for name, _ in resolver.asked] == ["_dmarc.a.b.example.com", "_dmarc.example.com"]


def test_a_fault_by_list() -> None:
    resolver = FakeDns(broken={"_dmarc.example.com"})
    result = run(Choice.PSL, "a.example.com", resolver)
    assert (result.status, result.why) == (Status.TEMPERROR, Why.DNS_POLICY)


@pytest.mark.parametrize(
    ("domain", "facts", "status", "difference"),
    [
        pytest.param("example.com", {}, Status.FAIL, "", id="no-difference"),
        pytest.param("x.top", {}, Status.FAIL, "psl: none", id="record-of-a-suffix"),
        pytest.param("own.example.org", {"spf_pass_domain": "example.org"}, Status.FAIL,
                     "psl: pass (policy none), record at own.example.org", id="psd-n"),
    ],
)  # fmt: skip
def test_both(domain: str, facts: dict[str, Any], status: Status, difference: str) -> None:
    result = run(Choice.BOTH, domain, **facts)
    assert (result.status, result.method) == (status, Method.TREEWALK)
    assert result.difference == difference
    assert result._replace(difference="") == run(Choice.TREEWALK, domain, **facts)


def test_both_share_their_questions() -> None:
    resolver = FakeDns()
    run(Choice.BOTH, "a.example.com", resolver)
    assert [name.removeprefix("_dmarc.") for name, _ in resolver.asked] == [
        "a.example.com", "example.com", "com",
    ]  # fmt: skip


def test_without_a_list_it_is_the_tree_walk() -> None:
    authors = author_domains([Field(b"From", b" a@example.com")])
    result = judge(authors, choice=Choice.BOTH, suffixes=None, resolver=FakeDns())
    assert (result.method, result.difference) == (Method.TREEWALK, "")
