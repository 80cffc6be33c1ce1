"""The fake must answer as DNS does, or every test that stands on it is worth nothing."""

from __future__ import annotations

import pytest

from postseal.core.resolver import BadName, DnsFault, Kind, Resolver, TemporaryDnsError
from support.fakedns import FakeDns

DNS = FakeDns(
    records={
        ("Example.com", "TXT"): (b"v=spf1 -all",),
        ("a.b.example.com", "A"): ("192.0.2.1",),
        ("alias.example.com", "CNAME"): ("example.com",),
        ("loop.example.com", "CNAME"): ("loop.example.com",),
        ("late.example.com", "CNAME"): ("sick.example",),
    },
    broken={"slow.example": DnsFault.TIMEOUT, "sick.example": DnsFault.SERVFAIL},
    missing={"gone.example.com"},
)


def test_is_a_resolver() -> None:
    resolver: Resolver = DNS
    assert resolver.ask("EXAMPLE.com.", Kind.TXT).texts == (b"v=spf1 -all",)


@pytest.mark.parametrize(
    ("name", "kind", "records", "exists"),
    [
        pytest.param("example.com", Kind.TXT, (b"v=spf1 -all",), True, id="data"),
        pytest.param("example.com", Kind.A, (), True, id="nodata"),
        pytest.param("b.example.com", Kind.A, (), True, id="empty-non-terminal"),
        pytest.param("c.example.com", Kind.A, (), False, id="nxdomain"),
        pytest.param("gone.example.com", Kind.A, (), False, id="missing"),
        pytest.param("alias.example.com", Kind.TXT, (b"v=spf1 -all",), True, id="cname"),
    ],
)
def test_answers(name: str, kind: Kind, records: tuple[object, ...], exists: bool) -> None:
    answer = DNS.ask(name, kind)
    assert (answer.records, answer.exists, answer.name) == (records, exists, name)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        pytest.param("slow.example", DnsFault.TIMEOUT, id="timeout"),
        pytest.param("sick.example", DnsFault.SERVFAIL, id="servfail"),
        pytest.param("late.example.com", DnsFault.SERVFAIL, id="behind-cname"),
        pytest.param("loop.example.com", DnsFault.MALFORMED, id="cname-loop"),
    ],
)
def test_faults(name: str, fault: DnsFault) -> None:
    with pytest.raises(TemporaryDnsError) as caught:
        DNS.ask(name, Kind.TXT)
    assert caught.value.fault is fault


@pytest.mark.parametrize("name", ["", "a..b", "x" * 64 + ".example", "bücher.example", "a." * 130])
def test_bad_names(name: str) -> None:
    with pytest.raises(BadName):
        DNS.ask(name, Kind.TXT)


def test_counts_and_limit() -> None:
    dns = FakeDns({("example.com", "A"): ("192.0.2.1",)}, limit=2)
    dns.prefetch("example.com", Kind.A)
    dns.ask("example.com", Kind.A)
    dns.ask("example.com", Kind.A)
    with pytest.raises(TemporaryDnsError) as caught:
        dns.ask("example.com", Kind.A)
    assert caught.value.fault is DnsFault.BUDGET
    assert (dns.questions, dns.prefetched) == (3, [("example.com", Kind.A)])
