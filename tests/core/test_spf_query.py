"""The seams to pyspf, and what comes out of an evaluation."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from postseal.core.resolver import DnsFault
from postseal.core.spf_query import Identity, Outcome, Query
from postseal.core.spf_record import Limits
from support.barespf import pyspf
from support.fakedns import FakeDns

WHO = Identity("mailfrom", "user", "example.com", "mail.example.com")


def run(record: str, dns: FakeDns | None = None) -> Outcome:
    return Query(ip_address("192.0.2.1"), WHO, dns or FakeDns(), Limits()).run(record)


def test_outcomes() -> None:
    assert run("v=spf1 ip4:192.0.2.1 -all") == Outcome(
        word="pass", matched=True, mechanism="ip4:192.0.2.1"
    )
    assert run("v=spf1") == Outcome(word="neutral")
    void = run("v=spf1 a:a.example a:b.example a:c.example -all")
    assert (void.word, void.why, void.lookups, void.voids) == ("permerror", "void-limit", 3, 3)
    sick = FakeDns(broken={"a.example": DnsFault.REFUSED})
    failed = run("v=spf1 a:a.example -all", sick)
    assert (failed.word, failed.dns) == ("temperror", DnsFault.REFUSED)


@pytest.mark.parametrize(
    ("term", "matches"),
    [
        ("ip4:192.0.2.0/24", True),
        ("ip4:192.0.3.0/23", True),
        ("ip4:192.0.3.0/24", False),
        ("ip4:0.0.0.0/0", True),
        ("ip4:192.0.2.1/32", True),
        ("ip6:::ffff:192.0.2.1", False),
    ],
)
def test_networks(term: str, matches: bool) -> None:
    assert run(f"v=spf1 {term} -all").word == ("pass" if matches else "fail")


@pytest.mark.parametrize(
    "term",
    ["ip4:192.0.2.0/33", "ip4:192.0.2.0/024", "ip4:192.0.2", "ip4:192.0.2.256", "ip4:192.0.2.01",
     "ip4:192.0.2.1/", "ip4:192.0.2.1/ ", "ip4:192.0.2.1//24", "ip4:192.0.2.\u0661", "ip4:",
     "=ip4:192.0.2.1", "ip4:192.0.2.1\n"],
)  # fmt: skip
def test_what_is_no_plain_network_is_left_to_pyspf(term: str) -> None:
    query = Query(ip_address("192.0.2.1"), WHO, FakeDns(), Limits())
    assert query.run(f"v=spf1 {term} -all").word == "permerror"


@pytest.mark.parametrize("sign", ["", "+", "-", "~", "?"])
@pytest.mark.parametrize("text", ["ip4:192.0.2.1", "ip4:0.0.0.0/0", "ip4:255.255.255.255/32"])
def test_the_short_way_reads_as_pyspf_does(sign: str, text: str) -> None:
    query = Query(ip_address("192.0.2.1"), WHO, FakeDns(), Limits())
    ours = query.validate_mechanism(sign + text)
    theirs = pyspf.query.validate_mechanism(query, sign + text)
    assert ours == theirs


def test_ipv6_networks() -> None:
    query = Query(ip_address("2001:db8::1"), WHO, FakeDns(), Limits())
    assert query.run("v=spf1 ip6:2001:db8::/32 -all").word == "pass"
    assert query.run("v=spf1 ip6:2001:db9::/32 -all").word == "fail"
    assert query.run("v=spf1 ip6:2001:db9::/31 -all").word == "pass"
    assert query.run("v=spf1 ip4:0.0.0.0/0 -all").word == "fail"
