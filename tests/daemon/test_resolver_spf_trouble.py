"""SPF through the real resolver against a server in every kind of trouble."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

import pytest

from postseal.core import iprev, spf
from postseal.core.resolver import Record
from postseal.core.spf import Status, Why
from postseal.daemon.resolver import Resolver, ResolverConfig
from support.dnsserver import DnsServer, Fault
from support.stilltime import StillTime

pytestmark = pytest.mark.usefixtures("still")  # waiting takes no time, nothing is ever late

PASS = b"v=spf1 ip4:192.0.2.1 -all"
RECORDS: dict[tuple[str, str], tuple[Record, ...]] = {
    **{(f"{fault.value}.example", "TXT"): (PASS,) for fault in Fault},
    **{(f"mx.{fault.value}.example", "TXT"): (b"v=spf1 mx -all",) for fault in Fault},
    **{(f"mx.{fault.value}.example", "MX"): ((1, f"{fault.value}.example"),) for fault in Fault},
    ("huge.example", "TXT"): (b"v=spf1 " + b"ip4:192.0.2.1 " * 4300,),
    ("huge-neighbour.example", "TXT"): (b"x" * 60_000, PASS),
    ("loop.example", "CNAME"): ("loop2.example",),
    ("loop2.example", "CNAME"): ("loop.example",),
    ("alias.example", "CNAME"): ("sound.example",),
    ("sound.example", "TXT"): (PASS,),
}
TRUTH = (Status.PASS, Why.MATCHED)
SILENT = (Status.TEMPERROR, Why.DNS_TIMEOUT)
SICK = (Status.TEMPERROR, Why.DNS_FAILURE)
EXPECTED = {
    Fault.TIMEOUT: SILENT,
    Fault.SERVFAIL: SICK,
    Fault.REFUSED: SICK,
    Fault.FORMERR: SICK,
    Fault.NO_EDNS: TRUTH,
    Fault.NOTIMP: SICK,
    Fault.TRUNCATE: TRUTH,
    Fault.TRUNCATE_DEAF: SILENT,
    Fault.TRUNCATE_MUTE: SILENT,
    Fault.WRONG_ID: SILENT,
    Fault.WRONG_QUESTION: SILENT,
    Fault.WRONG_SOURCE: SILENT,
    Fault.LIES_FIRST: TRUTH,
    Fault.QUERY_BACK: SILENT,
    Fault.GARBAGE: SICK,
    Fault.SHORT: SILENT,
    Fault.REFERRAL: SICK,
    Fault.NO_SOA: (Status.NONE, Why.NO_SUCH_DOMAIN),
    Fault.OTHER_CASE: TRUTH,
    Fault.EXTRA: TRUTH,
}


@pytest.fixture(scope="module")
def server() -> Iterator[DnsServer]:
    faults = {f"{fault.value}.example": fault for fault in Fault}
    with DnsServer(RECORDS, faults=faults) as running:
        yield running


def check(server: DnsServer, domain: str, seconds: float = 20.0) -> spf.Result:
    config = ResolverConfig(nameservers=(server.address,), timeout=0.3, attempts=1)
    with Resolver(config).session(seconds) as dns:
        return spf.evaluate(
            client=ip_address("192.0.2.1"), helo="h.example", sender=f"a@{domain}", resolver=dns
        )


@pytest.mark.parametrize("fault", list(Fault))
def test_at_the_record(server: DnsServer, fault: Fault) -> None:
    result = check(server, f"{fault.value}.example")
    assert (result.status, result.why) == EXPECTED[fault]


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.SERVFAIL, Fault.WRONG_SOURCE])
def test_below_the_record(server: DnsServer, fault: Fault) -> None:
    result = check(server, f"mx.{fault.value}.example")
    assert (result.status, result.why) == EXPECTED[fault]


@pytest.mark.parametrize(
    ("domain", "status", "why"),
    [
        pytest.param("huge.example", Status.PERMERROR, Why.TOO_LONG, id="60-kB-record"),
        pytest.param("huge-neighbour.example", Status.PASS, Why.MATCHED, id="beside-60-kB"),
        pytest.param("loop.example", Status.TEMPERROR, Why.DNS_FAILURE, id="cname-loop"),
        pytest.param("alias.example", Status.PASS, Why.MATCHED, id="cname"),
        pytest.param("nowhere.example", Status.NONE, Why.NO_SUCH_DOMAIN, id="nxdomain"),
    ],
)
def test_records(server: DnsServer, domain: str, status: Status, why: Why) -> None:
    result = check(server, domain)
    assert (result.status, result.why) == (status, why)


def test_the_message_is_answered_within_its_budget(still: StillTime) -> None:
    """Ten includes that never answer, and a message that may take half a second."""
    names = [f"d{number}.slow{number}.test" for number in range(10)]
    records: dict[tuple[str, str], tuple[Record, ...]] = {
        ("example.com", "TXT"): (f"v=spf1 {' '.join(f'exists:{n}' for n in names)} -all".encode(),)
    }
    with DnsServer(records, faults=dict.fromkeys(names, Fault.TIMEOUT)) as server:
        began = still.now
        config = ResolverConfig(nameservers=(server.address,), timeout=30.0)
        with Resolver(config).session(0.5) as dns:
            result = spf.evaluate(
                client=ip_address("192.0.2.1"), helo="h.x", sender="a@example.com", resolver=dns
            )
        assert (result.status, result.why) == (Status.TEMPERROR, Why.DNS_BUDGET)
        assert still.now - began == pytest.approx(0.5, abs=0.01)  # not the 30 s of a single try


def test_iprev_takes_the_same_way(server: DnsServer) -> None:
    config = ResolverConfig(nameservers=(server.address,), timeout=0.3, attempts=1)
    with Resolver(config).session() as dns:
        result = iprev.evaluate(client=ip_address("192.0.2.1"), resolver=dns)
    assert result.status is iprev.Status.PERMERROR
