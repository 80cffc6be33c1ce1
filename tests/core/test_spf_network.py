"""What is read here must be what ipaddress and RFC 7208 section 5.6 read."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.core.spf_network import NETWORK, ipv4, ipv6


@given(st.ip_addresses(v=4))
def test_ipv4(address: IPv4Address) -> None:
    assert ipv4(str(address)) == int(address)


@given(st.ip_addresses(v=6))
def test_ipv6(address: IPv6Address) -> None:
    assert ipv6(str(address)) == int(address)


@given(st.from_regex(r"[0-9.]{1,16}", fullmatch=True))
def test_what_is_no_address_is_refused_as_ipaddress_does(text: str) -> None:
    try:
        wanted = int(IPv4Address(text))
    except AddressValueError:
        with pytest.raises(ValueError, match="not an IPv4 address"):
            ipv4(text)
    else:
        assert ipv4(text) == wanted


@pytest.mark.parametrize("text", ["192.0.2.1\n", "192.0.2.\u0661", "192.0.2.01", "", "1.2.3"])
def test_no_ipv4(text: str) -> None:
    with pytest.raises(ValueError, match="not an IPv4 address"):
        ipv4(text)


@pytest.mark.parametrize(
    ("term", "groups"),
    [
        pytest.param("ip4:192.0.2.1", ("", "192.0.2.1", None), id="address"),
        pytest.param("-ip4:192.0.2.0/24", ("-", "192.0.2.0", "24"), id="network"),
        pytest.param("?ip4:0.0.0.0/0", ("?", "0.0.0.0", "0"), id="everything"),
        pytest.param("ip4:192.0.2.1/32", ("", "192.0.2.1", "32"), id="longest-prefix"),
        pytest.param("ip4:192.0.2.0/33", None, id="prefix-too-long"),
        pytest.param("ip4:192.0.2.0/024", None, id="leading-zero"),
        pytest.param("ip4:192.0.2.256", None, id="octet-too-large"),
        pytest.param("ip4:192.0.2.1\n", None, id="line-break"),
        pytest.param("!ip4:192.0.2.1", None, id="no-qualifier"),
    ],
)
def test_network(term: str, groups: tuple[str | None, ...] | None) -> None:
    found = NETWORK.fullmatch(term)
    assert (found.groups() if found else None) == groups
