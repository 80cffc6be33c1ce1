"""The RFC 7208 suite through our SPF module, its DNS as a value."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from postseal.core import spf
from postseal.core.resolver import DnsFault
from support.fakedns import FakeDns
from support.suites import SPF_CASES, SpfCase, spf_cases


def verdict(case: SpfCase) -> spf.Result:
    dns = FakeDns(case.records, broken_kinds=dict.fromkeys(case.timeouts, DnsFault.TIMEOUT))
    return spf.evaluate(
        client=ip_address(case.client), helo=case.helo, sender=case.sender, resolver=dns
    )


def test_rfc_7208_suite(record_property: Callable[[str, object], None]) -> None:
    cases = spf_cases()
    wrong = [
        f"{case.description}/{case.id}: {found} is not {case.results}"
        for case in cases
        if (found := verdict(case)).status not in case.results
    ]
    record_property("suite", ("RFC 7208 suite", len(cases) - len(wrong), len(cases)))
    assert not wrong
    assert len(cases) == SPF_CASES
