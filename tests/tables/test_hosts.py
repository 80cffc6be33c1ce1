"""Host lists: every form of entry, the order, exceptions; and what is refused or re-read."""

from __future__ import annotations

import random
from ipaddress import ip_address, ip_network

import pytest

from postseal.conf.mistake import Severity
from postseal.tables.hosts import MOST_PARENTS, build, texts


@pytest.mark.parametrize(
    ("entries", "address", "name", "listed"),
    [
        pytest.param("127.0.0.1", "127.0.0.1", "", True, id="ipv4"),
        pytest.param("127.0.0.1", "127.0.0.2", "", False, id="ipv4-other"),
        pytest.param("[127.0.0.1]", "127.0.0.1", "", True, id="brackets"),
        pytest.param("[10.0.0.0]/8", "10.1.2.3", "", True, id="brackets-network"),
        pytest.param("192.0.2.0/24", "192.0.2.255", "", True, id="network"),
        pytest.param("192.0.2.0/24", "192.0.3.0", "", False, id="network-border"),
        pytest.param("192.0.2.0/24 !192.0.2.7", "192.0.2.7", "", False, id="address-excepted"),
        pytest.param("!192.0.2.0/24 192.0.2.7", "192.0.2.7", "", True, id="address-in-exception"),
        pytest.param("10.0.0.0/8 !10.1.0.0/16 10.1.1.0/24", "10.1.1.1", "", True, id="nested"),
        pytest.param("10.0.0.0/8 !10.1.0.0/16 10.1.1.0/24", "10.1.2.1", "", False, id="nested-2"),
        pytest.param("!10.0.0.1 10.0.0.1", "10.0.0.1", "", False, id="exception-wins"),
        pytest.param("10.0.0.1 !10.0.0.1", "10.0.0.1", "", False, id="exception-wins-2"),
        pytest.param("0.0.0.0/0", "8.8.8.8", "", True, id="everybody"),
        pytest.param("0.0.0.0/0", "2001:db8::1", "", False, id="everybody-of-ipv4"),
        pytest.param("2001:db8::/32", "2001:db8:1::1", "", True, id="ipv6-network"),
        pytest.param("2001:0DB8:0::0001", "2001:db8::1", "", True, id="ipv6-any-spelling"),
        pytest.param("::1", "::1", "", True, id="ipv6"),
        pytest.param("127.0.0.1", "::ffff:127.0.0.1", "", True, id="mapped-client"),
        pytest.param("::ffff:10.0.0.0/104", "10.1.1.1", "", True, id="mapped-entry"),
        pytest.param("mx.example.org", "192.0.2.1", "MX.Example.ORG", True, id="name"),
        pytest.param("mx.example.org", "192.0.2.1", "a.mx.example.org", False, id="name-only"),
        pytest.param(".example.org", "192.0.2.1", "a.b.example.org", True, id="domain"),
        pytest.param(".example.org", "192.0.2.1", "example.org", False, id="domain-itself"),
        pytest.param(".example.org", "192.0.2.1", "badexample.org", False, id="domain-border"),
        pytest.param(".example.org !.b.example.org", None, "a.b.example.org", False, id="below"),
        pytest.param("!a.example.org .example.org", None, "a.example.org", False, id="but-one"),
        pytest.param("!a.example.org 192.0.2.1", "192.0.2.1", "a.example.org", False, id="final"),
        pytest.param("a.example.org", "192.0.2.1", "", False, id="no-verified-name"),
        pytest.param("bücher.example", None, "xn--bcher-kva.example", True, id="u-label"),
        pytest.param("", "127.0.0.1", "localhost", False, id="empty"),
        pytest.param("127.0.0.1", None, "", False, id="no-address"),
    ],
)  # fmt: skip
def test_matches(entries: str, address: str | None, name: str, listed: bool) -> None:
    made, remarks = build(entries.split())
    assert not [one for one in remarks if one.severity is Severity.ERROR]
    assert made.matches(ip_address(address) if address else None, name) is listed


@pytest.mark.parametrize(
    ("entry", "client"),
    [
        pytest.param("192.168.1.5/24", "192.168.1.77", id="host-bits"),
        pytest.param("192.0.2/24", "192.0.2.9", id="short"),
        pytest.param("10/8", "10.9.9.9", id="very-short"),
        pytest.param("0.0.0.0/0", "192.0.2.1", id="everybody"),
    ],
)
def test_forms_that_opendkim_never_matches_are_read_with_a_note(entry: str, client: str) -> None:
    made, [remark] = build([entry])
    assert remark.severity is Severity.NOTE
    assert made.matches(ip_address(client), "")


@pytest.mark.parametrize(
    "entry", ["192.0.2.0/24", "!0.0.0.0/0", "2001:db8::/32", "[10.0.0.0]/8", "::ffff:10.0.0.0/104"]
)
def test_plain_forms_need_no_note(entry: str) -> None:
    assert build([entry])[1] == ()


@pytest.mark.parametrize(
    "entry",
    ["192.0.2.256", "192.0.2.1/33", "192.0.2.1-9", "192.0.2.0/255.255.255.0", "*.example.org",
     "a b", "", "!", "unknown", "2001:db8::1::2", "10.", "a..b", "192.0.2", "[::1"],
)  # fmt: skip
def test_refused(entry: str) -> None:
    made, [remark] = build([entry])
    assert remark.severity is Severity.ERROR
    assert remark.hint
    assert not len(made)


def test_as_a_plain_search_would_find() -> None:
    """Random networks with exceptions, against the longest one that holds the address."""
    rng = random.Random(32)
    for _ in range(300):
        entries = {}
        for _ in range(6):
            bits = rng.choice((8, 16, 24, 30, 32))
            network = ip_network(
                (f"10.{rng.randrange(2)}.{rng.randrange(2)}.0", bits), strict=False
            )
            entries[network] = rng.random() < 0.6
        made, _ = build(f"{'' if listed else '!'}{one}" for one, listed in entries.items())
        for _ in range(20):
            octets = (rng.randrange(2), rng.randrange(2), rng.randrange(6))
            address = ip_address(".".join(map(str, (10, *octets))))
            around = sorted((one for one in entries if address in one), key=lambda n: n.prefixlen)
            wanted = entries[around[-1]] if around else False
            assert made.matches(address, "") is wanted, (entries, address)


def test_a_long_name_is_asked_for_with_its_nearest_parents_to_the_root_only() -> None:
    found = texts(None, "x." * 40 + "example.org")
    assert len([one for one in found if one.startswith(".")]) == MOST_PARENTS
    assert {".example.org", ".org"} <= set(found)
