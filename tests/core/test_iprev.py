"""iprev: one row per outcome of RFC 8601 section 2.7.3."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from postseal.core import iprev
from postseal.core.iprev import NAMES_MAX, Result, Status, Why
from postseal.core.resolver import Kind, Record
from support.fakedns import FakeDns

PTR4 = "1.2.0.192.in-addr.arpa"
PTR6 = ip_address("2001:db8::1").reverse_pointer
DNS: dict[tuple[str, str], tuple[Record, ...]] = {
    (PTR4, "PTR"): ("other.example", "host.example"),
    ("other.example", "A"): ("192.0.2.9",),
    ("host.example", "A"): ("192.0.2.2", "192.0.2.1"),
    (PTR6, "PTR"): ("six.example",),
    ("six.example", "AAAA"): ("2001:DB8:0::1",),
    ("3.2.0.192.in-addr.arpa", "PTR"): ("other.example", "nix.example", "a..b", ""),
    ("4.2.0.192.in-addr.arpa", "PTR"): tuple(f"n{n}.example" for n in range(11)),
    ("n10.example", "A"): ("192.0.2.4",),
    ("5.2.0.192.in-addr.arpa", "PTR"): ("",),
}


def check(client: str | None, **dns: object) -> Result:
    resolver = FakeDns(DNS, **dns)  # type: ignore[arg-type]
    return iprev.evaluate(client=ip_address(client) if client else None, resolver=resolver)


@pytest.mark.parametrize(
    ("client", "status", "why", "name"),
    [
        pytest.param("192.0.2.1", Status.PASS, Why.AGREED, "host.example", id="second-name"),
        pytest.param("::ffff:192.0.2.1", Status.PASS, Why.AGREED, "host.example", id="mapped"),
        pytest.param("2001:db8::1", Status.PASS, Why.AGREED, "six.example", id="ipv6"),
        pytest.param("192.0.2.3", Status.FAIL, Why.NOT_AGREED, "other.example", id="none-agrees"),
        pytest.param("192.0.2.4", Status.FAIL, Why.NOT_AGREED, "n0.example", id="ten-names"),
        pytest.param("192.0.2.5", Status.PERMERROR, Why.NO_NAME, "", id="root-is-no-name"),
        pytest.param("192.0.2.8", Status.PERMERROR, Why.NO_NAME, "", id="no-ptr"),
        pytest.param(None, Status.PERMERROR, Why.NO_CLIENT, "", id="no-client"),
    ],
)
def test_outcomes(client: str | None, status: Status, why: Why, name: str) -> None:
    result = check(client)
    assert (result.status, result.why, result.name) == (status, why, name)


def test_dns_failures() -> None:
    assert check("192.0.2.1", broken={PTR4}).status is Status.TEMPERROR
    passed = check("192.0.2.1", broken={"other.example"})  # one name's failure, another agrees
    assert passed.status is Status.PASS
    failed = check("192.0.2.1", broken={"host.example"})
    assert (failed.status, failed.why) == (Status.TEMPERROR, Why.DNS)


def test_names_are_bounded_and_asked_together() -> None:
    dns = FakeDns(DNS)
    client = ip_address("192.0.2.4")
    iprev.prefetch(client=client, resolver=dns)
    iprev.evaluate(client=client, resolver=dns)
    assert dns.questions == 1 + NAMES_MAX
    assert dns.prefetched == dns.asked
    assert dns.prefetched[0] == ("4.2.0.192.in-addr.arpa", Kind.PTR)
