"""The examples of RFC 9989, from tests/vectors/dmarc/rfc9989.toml."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from postseal.core.address import author_domains
from postseal.core.dmarc.evaluate import evaluate
from postseal.core.dmarc.walk import Discovery
from postseal.core.field import Field
from support.fakedns import FakeDns
from support.suites import SUITES

FILE = Path(__file__).parents[2] / "vectors" / "dmarc" / "rfc9989.toml"
CASES: list[dict[str, Any]] = tomllib.loads(FILE.read_text("utf-8"))["case"]
KNOWN = {
    "section", "records", "author", "spf", "dkim", "asked", "organizational", "policy_domain",
    "status", "aligned", "applied",
}  # fmt: skip


def world(case: dict[str, Any]) -> FakeDns:
    records = case["records"].items()
    return FakeDns({(f"_dmarc.{name}", "TXT"): [text.encode()] for name, text in records})


def test_the_file_is_whole() -> None:
    assert len(CASES) == SUITES["RFC 9989 appendix B and other examples"].cases
    assert not [key for case in CASES for key in case if key not in KNOWN], "a mistyped key"


@pytest.mark.parametrize("case", CASES, ids=[case["section"] for case in CASES])
def test_example(case: dict[str, Any]) -> None:
    resolver = world(case)
    Discovery(resolver).walk(case["author"])
    if "asked" in case:
        assert [name.removeprefix("_dmarc.") for name, _ in resolver.asked] == case["asked"]
    for domain, organizational in case.get("organizational", {}).items():
        assert Discovery(world(case)).walk(domain).organizational_domain == organizational
    result = evaluate(
        author_domains([Field(b"From", f" a@{case['author']}".encode())]),
        resolver=world(case),
        spf_pass_domain=case.get("spf"),
        dkim_pass_domains=[case["dkim"]] if "dkim" in case else [],
    )
    assert result.status == case["status"]
    for key, found in (
        ("policy_domain", result.policy_domain),
        ("aligned", list(result.aligned_by)),
        ("applied", result.applied),
    ):
        if key in case:
            assert found == case[key]
