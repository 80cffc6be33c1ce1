"""The RFC 7208 suite once more, through the real resolver and a server on loopback."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from ipaddress import ip_address

import pytest

from postseal.core import spf
from postseal.daemon.resolver import Resolver, ResolverConfig
from support.dnsserver import DnsServer, Fault
from support.suites import SPF_CASES, SpfCase, spf_cases


def wrong(scenario: list[SpfCase]) -> Iterator[str]:
    """The cases of one zone whose result differs."""
    faults = dict.fromkeys(scenario[0].timeouts, Fault.TIMEOUT)
    with DnsServer(scenario[0].records, kind_faults=faults) as server:
        config = ResolverConfig(nameservers=(server.address,), timeout=0.4, attempts=1)
        resolver = Resolver(config)
        for case in scenario:
            with resolver.session() as dns:
                found = spf.evaluate(
                    client=ip_address(case.client),
                    helo=case.helo,
                    sender=case.sender,
                    resolver=dns,
                )
            if found.status not in case.results:
                yield f"{case.description}/{case.id}: {found} is not {case.results}"


@pytest.mark.usefixtures("still")
def test_rfc_7208_suite_over_the_wire(record_property: Callable[[str, object], None]) -> None:
    cases = spf_cases()
    failed = [
        text
        for _, scenario in itertools.groupby(cases, key=lambda case: case.description)
        for text in wrong(list(scenario))
    ]
    record_property("suite", ("RFC 7208 suite, over UDP", len(cases) - len(failed), len(cases)))
    assert not failed
    assert len(cases) == SPF_CASES
