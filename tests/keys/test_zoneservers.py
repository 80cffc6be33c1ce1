"""zoneservers: zone cuts, and servers that cannot be found."""

from __future__ import annotations

from dataclasses import replace

from postseal_keys.dnsask import Address, Asker, Outcome, Reply
from postseal_keys.zoneservers import Server, find, find_below
from support.fakeasker import FakeAsker

WORLD = {
    ("d.example", "SOA"): ["ns1.d.example hostmaster 1 2 3 4 5"],
    ("d.example", "NS"): ["ns2.d.example", "ns1.d.example", "ns3.d.example"],
    ("ns1.d.example", "A"): ["192.0.2.1"],
    ("ns1.d.example", "AAAA"): ["2001:db8::1"],
    ("ns2.d.example", "A"): ["192.0.2.2"],
    ("_domainkey.d.example", "NS"): ["ns1.p.example"],
    ("ns1.p.example", "A"): ["192.0.2.9"],
}


def test_addresses_of_all_servers_and_the_missing_one_named() -> None:
    zone = find("d.example", FakeAsker(WORLD), port=5300)
    assert [str(server) for server in zone.servers] == [
        "ns1.d.example (192.0.2.1:5300)",
        "ns1.d.example ([2001:db8::1]:5300)",
        "ns2.d.example (192.0.2.2:5300)",
    ]
    assert zone.apex == "d.example"
    assert "ns3.d.example" in zone.why


def test_the_zone_above_is_found() -> None:
    assert find("a.b.d.example", FakeAsker(WORLD)).apex == "d.example"


def test_the_authority_section_names_the_zone_at_once() -> None:
    class Owned(FakeAsker):
        def ask(self, name: str, kind: str, /) -> Reply:
            return replace(super().ask(name, kind), owner="d.example")

    asker = Owned({("d.example", "NS"): ["ns1.d.example"], ("ns1.d.example", "A"): ["192.0.2.1"]})
    assert find("a.b.c.d.example", asker).apex == "d.example"
    assert asker.asked[0] == ("a.b.c.d.example", "SOA")
    assert asker.asked[1] == ("d.example", "NS")


def test_no_answer_and_no_zone() -> None:
    silent = FakeAsker({}, broken={"d.example": Outcome.SERVFAIL})
    assert "servfail" in find("d.example", silent).why
    assert find("nowhere.invalid", FakeAsker({})).why


def test_a_zone_cut_below_the_domain_is_followed() -> None:
    class Parent(FakeAsker):
        def ask(self, name: str, kind: str, /) -> Reply:
            reply = super().ask(name, kind)
            return replace(reply, outcome=Outcome.REFUSED, referral="_domainkey.d.example")

    def direct(server: Server) -> Asker:
        return Parent({})

    resolver = FakeAsker(WORLD)
    zone = find_below("d.example", "s1._domainkey.d.example", resolver, direct)
    assert zone.servers == (Server("ns1.p.example", Address("192.0.2.9")),)
    assert not any(name.startswith("s1.") for name, _ in resolver.asked)
