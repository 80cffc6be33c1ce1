"""Waiting as it is, by the machine's own clock; the other tests of the resolver wait in none."""

from __future__ import annotations

import pytest

from postseal.core.resolver import DnsFault, Kind, TemporaryDnsError
from postseal.daemon.resolver import Resolver, ResolverConfig
from support.child import wait_until
from support.dnsserver import DnsServer, Fault


def test_an_answer_is_waited_for() -> None:
    records = {("late.example", "A"): ("192.0.2.1",)}
    with DnsServer(records, delays={"late.example": 0.1}) as server:
        config = ResolverConfig(nameservers=(server.address,), timeout=60.0)
        with Resolver(config).session(60.0) as session:
            assert session.ask("late.example", Kind.A).records == ("192.0.2.1",)
            assert session.usage.waited >= 0.1


def test_silence_is_waited_for_and_not_for_ever() -> None:
    with DnsServer(faults={"slow.example": Fault.TIMEOUT}) as server:
        config = ResolverConfig(nameservers=(server.address,), timeout=0.1, attempts=2)
        with Resolver(config).session(60.0) as session:
            with pytest.raises(TemporaryDnsError) as caught:
                session.ask("slow.example", Kind.A)
            assert caught.value.fault is DnsFault.TIMEOUT
            assert session.usage.waited >= 0.2
        wait_until(lambda: server.count("slow.example") == 2, "both questions")


def test_names_foreseen_are_asked_again_together() -> None:
    """Or a message would wait for every one of them in turn, and come to the end of its time."""
    names = ["a.example", "b.example", "c.example"]
    with DnsServer(faults=dict.fromkeys(names, Fault.TIMEOUT)) as server:
        config = ResolverConfig(nameservers=(server.address,), timeout=0.2, attempts=2)
        with Resolver(config).session(60.0) as session:
            for name in names:
                session.prefetch(name, Kind.TXT)
            with pytest.raises(TemporaryDnsError):
                session.ask(names[0], Kind.TXT)
            wait_until(lambda: [server.count(name) for name in names] == [2, 2, 2], "them all")


def test_one_that_was_answered_meanwhile_is_kept() -> None:
    records = {("good.example", "A"): ("192.0.2.1",)}
    with DnsServer(records, faults={"slow.example": Fault.TIMEOUT}) as server:
        config = ResolverConfig(nameservers=(server.address,), timeout=0.2, attempts=2)
        resolver = Resolver(config)
        with resolver.session(60.0) as session:
            session.prefetch("good.example", Kind.A)
            with pytest.raises(TemporaryDnsError):
                session.ask("slow.example", Kind.A)
            assert session.ask("good.example", Kind.A).records == ("192.0.2.1",)
            assert session.usage.sent == 2
        assert server.count("good.example") == 1
        assert resolver.in_flight == 0
