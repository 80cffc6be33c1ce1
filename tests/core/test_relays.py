"""Trusted relays are skipped; what a client could have written is not believed."""

from __future__ import annotations

import random
from ipaddress import ip_address, ip_network

import pytest

from postseal.core.field import Field, Header
from postseal.core.relays import HOPS_MAX, Hop, Why, parse, true_client
from postseal.core.transaction import Address, Client

RELAY = "192.0.2.25"
OUT = "198.51.100.7"


class Trusted:
    """Hosts of 192.0.2.0/24, and whoever is called relay.example."""

    def matches(self, address: Address | None, name: str, /) -> bool:
        inside = address is not None and address in ip_network("192.0.2.0/24")
        return inside or name == "relay.example"


def client(address: str = RELAY, helo: str = "relay.example", name: str = "") -> Client:
    return Client(address=ip_address(address), helo=helo, name=name)


def header(*received: str) -> Header:
    fields = [Field(b"Received", b" " + text.encode()) for text in received]
    return Header([*fields, Field(b"From", b" a@example.com")])


def postfix(address: str, helo: str = "out.example") -> str:
    return (
        f"from {helo} (unknown [{address}])\r\n\tby relay.example (Postfix) with ESMTPS id 1\r\n"
        "\tfor <a@example.com>; Fri, 20 Nov 2026 12:00:00 +0000 (UTC)"
    )


@pytest.mark.parametrize(
    ("value", "address", "helo"),
    [
        pytest.param(postfix(OUT), OUT, "out.example", id="postfix"),
        pytest.param(
            "from mail.example (mail.example [IPv6:2001:db8::1]) by x", "2001:db8::1",
            "mail.example", id="postfix-ipv6",
        ),
        pytest.param(
            "from h (localhost [127.0.0.1]) (using TLSv1.3 with cipher X (256/256 bits)) by x",
            "127.0.0.1", "h", id="postfix-tls",
        ),
        pytest.param(
            "from [10.9.9.9] (rdns.example [198.51.100.7]) by x", OUT, "[10.9.9.9]",
            id="postfix-literal-helo",
        ),
        pytest.param(
            "from h.example (rdns.example [198.51.100.7] (may be forged))\r\n\tby x",
            OUT, "h.example", id="sendmail",
        ),
        pytest.param(
            "from rdns.example ([198.51.100.7] helo=h.example) by x", OUT, "h.example", id="exim"
        ),
        pytest.param(
            "from rdns.example ([198.51.100.7]:1234 helo=[10.9.9.9]) by x", OUT, "[10.9.9.9]",
            id="exim-literal-helo",
        ),
        pytest.param(
            "from [198.51.100.7] (helo=h.example) by x", OUT, "h.example", id="exim-no-name"
        ),
        pytest.param(
            "from [198.51.100.7]:99 (port=99 helo=[10.9.9.9]) by x", OUT, "[10.9.9.9]",
            id="exim-no-name-port",
        ),
        pytest.param(
            "from A.outlook.example (2603:10a6::1) by B.outlook.example (2603:10a6::2) with",
            "2603:10a6::1", "A.outlook.example", id="exchange",
        ),
        pytest.param(
            "from mail.example (mail.example. [198.51.100.7])\r\n        by mx.google.example",
            OUT, "mail.example", id="google",
        ),
        pytest.param(
            "from unknown (HELO h.example) (198.51.100.7) by x", OUT, "h.example", id="qmail"
        ),
        pytest.param(
            "from unknown (HELO [10.9.9.9]) (198.51.100.7) by x", OUT, "[10.9.9.9]",
            id="qmail-literal-helo",
        ),
        pytest.param("from h (x [::ffff:198.51.100.7]) by x", OUT, "h", id="mapped"),
    ],
)  # fmt: skip
def test_forms(value: str, address: str, helo: str) -> None:
    assert parse(value.encode()) == Hop(ip_address(address), helo)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nonsense",
        "from",
        "from h by x",
        "from [198.51.100.7] by x",
        "from h (unknown) by x",
        "from h (unknown [999.1.1.1]) by x",
        "from h by relay.example ([198.51.100.7]) with SMTP",
        "from h (unclosed [198.51.100.7] by x",
        "from h (a (b (c [198.51.100.7]))) by x",
        "from h (good.example [198.51.100.7]) (unknown [203.0.113.66]) by relay.example",
        'from h (unknown [203.0.113.66]) (Client CN "x [198.51.100.7]", Issuer "y") by x',
    ],
)
def test_unreadable(value: str) -> None:
    assert parse(value.encode()).address is None
    assert true_client(client(), header(value), Trusted()).address is None


def test_a_client_that_is_no_relay_is_the_client() -> None:
    found = true_client(client(OUT, "h.example"), header(postfix("203.0.113.9")), Trusted())
    assert (found.address, found.helo, found.why, found.hops) == (
        ip_address(OUT), "h.example", Why.DIRECT, 0,
    )  # fmt: skip


def test_a_relay_is_skipped_by_address_or_verified_name() -> None:
    for relay in (client(), client("203.0.113.1", name="relay.example")):
        found = true_client(relay, header(postfix(OUT), postfix("203.0.113.9")), Trusted())
        assert (found.address, found.helo) == (ip_address(OUT), "out.example")
        assert (found.why, found.hops) == (Why.RELAYED, 1)


def test_several_relays_are_skipped() -> None:
    chain = header(postfix("192.0.2.26"), postfix("192.0.2.27"), postfix(OUT), postfix("8.8.8.8"))
    found = true_client(client(), chain, Trusted())
    assert (found.address, found.hops) == (ip_address(OUT), 3)


def test_a_name_in_a_field_makes_no_host_trusted() -> None:
    forged = f"from relay.example (relay.example [{OUT}]) by relay.example"
    found = true_client(client(), header(forged, postfix("203.0.113.9")), Trusted())
    assert found.address == ip_address(OUT)


def test_mail_of_the_relay_itself() -> None:
    own = "by relay.example (Postfix, from userid 0)\r\n\tid 1; Fri, 20 Nov 2026 12:00:00 +0000"
    found = true_client(client(), header(own), Trusted())
    assert (found.address, found.why) == (ip_address(RELAY), Why.LOCAL)


def test_a_relay_without_its_field() -> None:
    found = true_client(client(), header(), Trusted())
    assert (found.address, found.why) == (None, Why.UNREADABLE)


def test_hops_are_bounded() -> None:
    endless = header(*[postfix("192.0.2.26")] * (HOPS_MAX + 5))
    found = true_client(client(), endless, Trusted())
    assert (found.address, found.why, found.hops) == (None, Why.TOO_MANY, HOPS_MAX)


def test_garbage_is_read_or_not() -> None:
    rng = random.Random(5321)
    pieces = ["from ", "by ", "(", ")", "[", "]", "198.51.100.7", "IPv6:", "::1", "helo=", "HELO ",
              "h.example", " ", "\r\n\t", "ü", "unknown", ";", "\0"]  # fmt: skip
    read = 0
    for _ in range(10_000):
        start = rng.choice(["", "from h.example ("])
        hop = parse((start + "".join(rng.choices(pieces, k=rng.randrange(15)))).encode())
        read += hop.address is not None
        assert len(hop.helo) <= 255
    assert read > 5
    for hostile in ("(" * 50_000, "from " + "(" * 50_000, "from h " + "()" * 50_000,
                    "from h (" + "()" * 50_000, "from " + "a" * 50_000, " " * 50_000):  # fmt: skip
        assert parse(hostile.encode()).address is None
