"""Which servers are asked."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from postseal.daemon import resolver_servers
from postseal.daemon.resolver_servers import (
    Plan,
    Server,
    ServerError,
    Upstream,
    parse_resolv_conf,
    parse_server,
)


class Clock:
    """Seconds that pass when told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("text", "server"),
    [
        ("192.0.2.1", Server("192.0.2.1", 53)),
        ("192.0.2.1:5353", Server("192.0.2.1", 5353)),
        ("2001:db8::1", Server("2001:db8::1", 53)),
        ("[2001:db8::1]", Server("2001:db8::1", 53)),
        ("[2001:DB8::1]:5353", Server("2001:db8::1", 5353)),
        ("fe80::1%1", Server("fe80::1%1", 53)),
        ("::ffff:192.0.2.1", Server("192.0.2.1", 53)),
        (" 192.0.2.1 ", Server("192.0.2.1", 53)),
    ],
)
def test_forms(text: str, server: Server) -> None:
    assert parse_server(text) == server
    assert parse_server(str(server)) == server


@pytest.mark.parametrize(
    "text",
    [
        "",
        "dns.example",
        "192.0.2.1:",
        "192.0.2.1:0",
        "192.0.2.1:65536",
        "192.0.2.1:x",
        "192.0.2.1/24",
        "192.0.2.300",
        "[192.0.2.1",
        "2001:db8::1:99999",
        "192.0.2.1:٥٣",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(ServerError):
        parse_server(text)


def test_addresses_for_connect() -> None:
    assert parse_server("fe80::1%7").address == ("fe80::1", 53, 0, 7)
    assert parse_server("fe80::1%no-such").address == ("fe80::1", 53, 0, 0)
    assert parse_server("192.0.2.1").address == ("192.0.2.1", 53)


@pytest.mark.parametrize(
    ("text", "plan"),
    [
        pytest.param("", Plan((Server("127.0.0.1"),)), id="empty-is-localhost"),
        pytest.param(
            "# c\n; c\nsearch a b\ndomain c\nnameserver 192.0.2.1\nnameserver 2001:db8::1 # x\n",
            Plan((Server("192.0.2.1"), Server("2001:db8::1"))),
            id="the-lines-that-count",
        ),
        pytest.param(
            "options timeout:1 attempts:3 ndots:5 edns0\nnameserver 192.0.2.1",
            Plan((Server("192.0.2.1"),), 1.0, 3),
            id="options",
        ),
        pytest.param(
            "options timeout:999 attempts:0\noptions timeout:x attempts:-1 timeout\n",
            Plan((Server("127.0.0.1"),), 10.0, 1),
            id="bounded",
        ),
        pytest.param(
            "nameserver\nnameserver nonsense\nnameserver 192.0.2.1\0",
            Plan((Server("127.0.0.1"),)),
            id="unreadable",
        ),
    ],
)
def test_resolv_conf(text: str, plan: Plan) -> None:
    assert parse_resolv_conf(text) == plan


def test_resolv_conf_is_bounded() -> None:
    text = "".join(f"nameserver 192.0.2.{n}\n" for n in range(99))
    assert len(parse_resolv_conf(text).servers) == 8


def test_settings_go_before_resolv_conf(tmp_path: Path) -> None:
    conf = tmp_path / "resolv.conf"
    conf.write_text("nameserver 192.0.2.1\noptions timeout:4 attempts:4\n")
    assert Upstream((), conf).plan() == Plan((Server("192.0.2.1"),), 4.0, 4)
    fixed = Upstream(("192.0.2.9:5353",), conf, timeout=0.5, attempts=1)
    assert fixed.plan() == Plan((Server("192.0.2.9", 5353),), 0.5, 1)
    with pytest.raises(ServerError):
        Upstream(("nonsense",), conf)


def test_resolv_conf_is_read_again_when_it_changes(tmp_path: Path) -> None:
    conf = tmp_path / "resolv.conf"
    clock = Clock()
    upstream = Upstream((), conf, clock=clock)

    def servers(now: float) -> tuple[Server, ...]:
        clock.now = now
        return upstream.plan().servers

    assert servers(0.0) == (Server("127.0.0.1"),)
    conf.write_text("nameserver 192.0.2.1\n")
    assert servers(4.0) == (Server("127.0.0.1"),)
    assert servers(5.0) == (Server("192.0.2.1"),)
    conf.write_text("nameserver 192.0.2.2\n")
    os.utime(conf, (1, 1))
    assert servers(10.0) == (Server("192.0.2.2"),)
    conf.unlink()
    assert servers(15.0) == (Server("192.0.2.2"),)


def test_silent_servers_come_last_for_a_while(tmp_path: Path) -> None:
    one, two = Server("192.0.2.1"), Server("192.0.2.2")
    clock = Clock()
    upstream = Upstream((str(one), str(two)), tmp_path / "none", clock=clock)
    upstream.silent(one)
    clock.now = 29.9
    assert upstream.plan().servers == (two, one)
    clock.now = 30.0
    assert upstream.plan().servers == (one, two)
    upstream.silent(one)
    upstream.answered(one)
    assert upstream.plan().servers == (one, two)


def test_a_socket_comes_back_from_a_server_that_answers(tmp_path: Path) -> None:
    one, two = Server("127.0.0.1"), Server("127.0.0.2")
    upstream = Upstream((str(one), str(two)), tmp_path / "none")
    upstream.silent(one)
    assert upstream.plan().servers == (two, one)
    upstream.keep(upstream.line(one))
    assert upstream.plan().servers == (one, two)


def test_a_socket_asks_again_for_some_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that has heard its answer is used again, 32 times and for 5 seconds at most."""
    now = 100.0
    monkeypatch.setattr(resolver_servers, "monotonic", lambda: now)
    upstream = Upstream(["127.0.0.1:9"])
    server = upstream.plan().servers[0]
    first = upstream.line(server)
    uses = 1
    line = first
    while True:
        upstream.keep(line)
        line = upstream.line(server)
        if line.sock is not first.sock:
            break
        uses += 1
    assert uses == 32
    assert first.sock.fileno() == -1  # closed
    upstream.keep(line)
    now += 5.1
    late = upstream.line(server)
    assert late.sock is not line.sock
    assert line.sock.fileno() == -1
    late.sock.close()


def test_sockets_that_nobody_needs_are_not_hoarded() -> None:
    """After a burst 32 to a server are kept, and the others closed."""
    upstream = Upstream(["127.0.0.1:9"])
    server = upstream.plan().servers[0]
    lines = [upstream.line(server) for _ in range(40)]
    for line in lines:
        upstream.keep(line)
    assert [line.sock.fileno() < 0 for line in lines] == [False] * 32 + [True] * 8


def test_identities_are_not_repeated_by_the_buffer() -> None:
    upstream = Upstream(["127.0.0.1"])
    found = [upstream.identity() for _ in range(2000)]
    assert all(len(one) == 2 for one in found)
    assert len(set(found)) > 1800  # of 65536: 2000 random ones meet about 30 times
