"""Every way a server can misbehave, over real sockets, and what ask() makes of it."""

from __future__ import annotations

import errno
import random
import socket
from collections.abc import Iterator

import pytest

from postseal.core.resolver import Answer, DnsFault, Kind, Record, TemporaryDnsError
from postseal.daemon.resolver import Resolver, ResolverConfig
from postseal.daemon.resolver_servers import Line, Upstream
from support.child import free_port
from support.dnsserver import DnsServer, Fault

pytestmark = pytest.mark.usefixtures("still")  # waiting takes no time, nothing is ever late

TXT = b"v=spf1 -all"
HUGE = b"v=spf1 " + b"ip4:192.0.2.1 " * 4300  # 60 kB
RECORDS: dict[tuple[str, str], tuple[Record, ...]] = {
    ("example.com", "TXT"): (TXT,),
    ("example.com", "A"): ("192.0.2.1",),
    ("example.com", "AAAA"): ("2001:db8::1",),
    ("example.com", "MX"): ((20, "mx2.example.com"), (10, "MX1.example.com")),
    ("1.2.0.192.in-addr.arpa", "PTR"): ("Host.Example.com",),
    ("huge.example.com", "TXT"): (HUGE,),
    ("alias.example.com", "CNAME"): ("example.com",),
    ("dangling.example.com", "CNAME"): ("nowhere.example.org",),
    ("empty.example.com", "CNAME"): ("host.example.com",),
    ("host.example.com", "A"): ("192.0.2.2",),
    ("loop1.example.com", "CNAME"): ("loop2.example.com",),
    ("loop2.example.com", "CNAME"): ("loop1.example.com",),
    ("self.example.com", "CNAME"): ("self.example.com",),
    ("null.example.com", "MX"): ((0, ""),),
    ("void.example.com", "TXT"): (b"",),
    ("odd.example.com", "TXT"): (b"\x00\xff\r\nX: y",),
    **{(f"c{i}.example.com", "CNAME"): (f"c{i + 1}.example.com",) for i in range(30)},
    ("c30.example.com", "TXT"): (b"end",),
    ("many.example.com", "A"): tuple(f"192.0.{i >> 8}.{i & 255}" for i in range(400)),
    **{(f"{fault.value}.example", "TXT"): (TXT,) for fault in Fault},
}


@pytest.fixture(scope="module")
def server() -> Iterator[DnsServer]:
    faults = {f"{fault.value}.example": fault for fault in Fault}
    with DnsServer(RECORDS, faults=faults, secure=True) as running:
        yield running


def resolver(*addresses: str, timeout: float = 0.25, attempts: int = 1) -> Resolver:
    return Resolver(ResolverConfig(nameservers=addresses, timeout=timeout, attempts=attempts))


def ask(server: DnsServer, name: str, kind: Kind = Kind.TXT) -> Answer:
    with resolver(server.address, timeout=2.0).session() as session:
        return session.ask(name, kind)


def fault(server: DnsServer, name: str, kind: Kind = Kind.TXT) -> DnsFault:
    with (
        resolver(server.address).session() as session,
        pytest.raises(TemporaryDnsError) as caught,
    ):
        session.ask(name, kind)
    assert (caught.value.name, caught.value.kind) == (name, kind)
    return caught.value.fault


@pytest.mark.parametrize(
    ("name", "kind", "records"),
    [
        pytest.param("EXAMPLE.com.", Kind.TXT, (TXT,), id="txt"),
        pytest.param("example.com", Kind.A, ("192.0.2.1",), id="a"),
        pytest.param("example.com", Kind.AAAA, ("2001:db8::1",), id="aaaa"),
        pytest.param(
            "example.com",
            Kind.MX,
            ((20, "mx2.example.com"), (10, "mx1.example.com")),
            id="mx-lower-case",
        ),
        pytest.param("null.example.com", Kind.MX, ((0, ""),), id="null-mx"),
        pytest.param(
            "1.2.0.192.in-addr.arpa", Kind.PTR, ("host.example.com",), id="ptr-lower-case"
        ),
        pytest.param("alias.example.com", Kind.TXT, (TXT,), id="cname"),
        pytest.param("void.example.com", Kind.TXT, (b"",), id="empty-string"),
        pytest.param("odd.example.com", Kind.TXT, (b"\x00\xff\r\nX: y",), id="any-octets"),
        pytest.param("huge.example.com", Kind.TXT, (HUGE,), id="60-kB-over-tcp"),
        pytest.param("truncate.example", Kind.TXT, (TXT,), id="truncated-then-tcp"),
        pytest.param("no-edns.example", Kind.TXT, (TXT,), id="server-without-edns"),
        pytest.param("lies-first.example", Kind.TXT, (TXT,), id="lies-before-the-truth"),
        pytest.param("other-case.example", Kind.TXT, (TXT,), id="question-in-capitals"),
        pytest.param("extra.example", Kind.TXT, (TXT,), id="records-of-other-names"),
        pytest.param("c20.example.com", Kind.TXT, (b"end",), id="chain-at-limit"),
    ],
)
def test_answers(server: DnsServer, name: str, kind: Kind, records: tuple[Record, ...]) -> None:
    answer = ask(server, name, kind)
    assert sorted(answer.records, key=str) == sorted(records, key=str)  # any order on the wire
    assert (answer.exists, answer.secure) == (True, True)
    assert answer.name == name.lower().removesuffix(".")
    assert answer.ttl == 300


@pytest.mark.parametrize(
    ("name", "kind", "exists", "ttl"),
    [
        pytest.param("nowhere.example.com", Kind.TXT, False, 60, id="nxdomain"),
        pytest.param("host.example.com", Kind.TXT, True, 60, id="nodata"),
        pytest.param("empty.example.com", Kind.TXT, True, 60, id="cname-to-nodata"),
        pytest.param("dangling.example.com", Kind.TXT, False, 60, id="cname-to-nxdomain"),
        pytest.param("no-soa.example", Kind.TXT, False, 0, id="denial-without-soa-holds-not"),
    ],
)
def test_denials(server: DnsServer, name: str, kind: Kind, exists: bool, ttl: int) -> None:
    answer = ask(server, name, kind)
    assert (answer.records, answer.exists, answer.ttl) == ((), exists, ttl)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        pytest.param("timeout.example", DnsFault.TIMEOUT, id="silence"),
        pytest.param("servfail.example", DnsFault.SERVFAIL, id="servfail"),
        pytest.param("refused.example", DnsFault.REFUSED, id="refused"),
        pytest.param("notimp.example", DnsFault.REFUSED, id="notimp"),
        pytest.param("referral.example", DnsFault.REFUSED, id="server-that-does-not-recurse"),
        pytest.param("formerr.example", DnsFault.MALFORMED, id="formerr"),
        pytest.param("garbage.example", DnsFault.MALFORMED, id="garbage"),
        pytest.param("short.example", DnsFault.TIMEOUT, id="short-packet-ignored"),
        pytest.param("query-back.example", DnsFault.TIMEOUT, id="our-own-query-ignored"),
        pytest.param("wrong-id.example", DnsFault.TIMEOUT, id="wrong-id-not-believed"),
        pytest.param("wrong-question.example", DnsFault.TIMEOUT, id="wrong-question-not-believed"),
        pytest.param("wrong-source.example", DnsFault.TIMEOUT, id="wrong-source-not-believed"),
        pytest.param("truncate-deaf.example", DnsFault.TIMEOUT, id="tcp-closed"),
        pytest.param("truncate-mute.example", DnsFault.TIMEOUT, id="tcp-silent"),
        pytest.param("loop1.example.com", DnsFault.MALFORMED, id="cname-loop"),
        pytest.param("self.example.com", DnsFault.MALFORMED, id="cname-to-itself"),
        pytest.param("c19.example.com", DnsFault.MALFORMED, id="chain-over-limit"),
    ],
)
def test_faults(server: DnsServer, name: str, expected: DnsFault) -> None:
    assert fault(server, name) is expected


def test_records_are_bounded(server: DnsServer) -> None:
    assert len(ask(server, "many.example.com", Kind.A).records) == 256


def test_cname_that_leaves_the_answer_is_asked_for() -> None:
    with DnsServer(RECORDS, follow=False) as server:
        answer = ask(server, "alias.example.com")
        assert (answer.records, answer.name) == ((TXT,), "alias.example.com")
        assert [name for name, _, _ in server.seen] == ["alias.example.com", "example.com"]
        assert fault(server, "loop1.example.com") is DnsFault.MALFORMED
        assert (server.count("loop1.example.com"), server.count("loop2.example.com")) == (1, 1)
        assert fault(server, "c5.example.com") is DnsFault.MALFORMED
        assert server.count("c15.example.com") == 1
        assert server.count("c16.example.com") == 0


def test_a_chain_is_as_secure_as_its_weakest_answer() -> None:
    with DnsServer(RECORDS, follow=False, secure=True) as server:
        assert ask(server, "alias.example.com").secure
        for name in ("alias.example.com", "example.com"):
            server.insecure = {name}
            assert not ask(server, "alias.example.com").secure


@pytest.mark.parametrize("short", ["alias.example.com", "example.com"])
def test_a_chain_lasts_as_long_as_its_shortest_answer(short: str) -> None:
    with DnsServer(RECORDS, follow=False, ttls={short: 7}) as server:
        assert ask(server, "alias.example.com").ttl == 7


def test_a_server_that_has_spoken_is_not_asked_again() -> None:
    with DnsServer(faults={"example.com": Fault.SERVFAIL}) as server:
        session = resolver(server.address, attempts=3).session()
        with pytest.raises(TemporaryDnsError):
            session.ask("example.com", Kind.TXT)
        assert len(server.seen) == 1


def test_questions_behind_cnames_are_charged() -> None:
    with DnsServer(RECORDS, follow=False) as server:
        session = resolver(server.address).session(questions=2)
        session.ask("alias.example.com", Kind.TXT)
        assert session.usage.sent == 2
        with pytest.raises(TemporaryDnsError) as caught:
            session.ask("host.example.com", Kind.A)
        assert caught.value.fault is DnsFault.BUDGET


def test_ipv6_server() -> None:
    with DnsServer(RECORDS, host="::1") as server:
        assert ask(server, "example.com").texts == (TXT,)


def test_a_silent_server_is_passed_over_and_comes_last() -> None:
    with DnsServer(faults={"example.com": Fault.TIMEOUT}) as dead, DnsServer(RECORDS) as alive:
        dns = resolver(dead.address, alive.address)
        assert dns.session().ask("example.com", Kind.TXT).texts == (TXT,)
        assert (len(dead.seen), len(alive.seen)) == (1, 1)
        assert dns.session().ask("host.example.com", Kind.A).records == ("192.0.2.2",)
        assert (len(dead.seen), len(alive.seen)) == (1, 2)


@pytest.mark.parametrize("first", [Fault.SERVFAIL, Fault.REFUSED, Fault.GARBAGE])
def test_a_server_that_cannot_is_passed_over(first: Fault) -> None:
    with DnsServer(faults={"example.com": first}) as sick, DnsServer(RECORDS) as alive:
        dns = resolver(sick.address, alive.address, timeout=5.0)  # no waiting: it has spoken
        assert dns.session().ask("example.com", Kind.TXT).texts == (TXT,)


def test_nobody_listens() -> None:
    port = free_port()
    dns = resolver(f"127.0.0.1:{port}", timeout=5.0)
    with pytest.raises(TemporaryDnsError) as caught:
        dns.session().ask("example.com", Kind.TXT)
    assert caught.value.fault is DnsFault.NETWORK
    with DnsServer(RECORDS) as alive:
        dns = resolver(f"127.0.0.1:{port}", alive.address, timeout=5.0)
        assert dns.session().ask("example.com", Kind.TXT).texts == (TXT,)


def test_a_late_answer_counts_while_the_next_server_is_asked() -> None:
    with (
        DnsServer(RECORDS, delays={"example.com": 0.4}) as late,
        DnsServer(faults={"example.com": Fault.TIMEOUT}) as dead,
    ):
        dns = resolver(late.address, dead.address, timeout=0.3)
        assert dns.session().ask("example.com", Kind.TXT).texts == (TXT,)
        assert (len(late.seen), len(dead.seen)) == (1, 1)


def test_a_late_answer_counts_though_the_next_server_fails() -> None:
    with (
        DnsServer(RECORDS, delays={"example.com": 0.4}) as late,
        DnsServer(faults={"example.com": Fault.SERVFAIL}) as sick,
    ):
        dns = resolver(late.address, sick.address, timeout=0.3)
        assert dns.session().ask("example.com", Kind.TXT).texts == (TXT,)
        assert len(sick.seen) == 1


def test_a_socket_on_which_something_may_still_come_is_not_used_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    kept: list[Line] = []
    monkeypatch.setattr(Upstream, "keep", lambda _, line: kept.append(line))
    with DnsServer(RECORDS, delays={"example.com": 0.4}) as late:
        dns = resolver(late.address, timeout=0.3, attempts=2)
        assert dns.session().ask("example.com", Kind.TXT).texts == (TXT,)
        assert sum(late.handled.values()) == 2
    assert not kept


class Brimful(DnsServer):
    """Over UDP it fills all the room there is."""

    def _answers(self, packet: bytes, by: str) -> Iterator[tuple[bytes, bool]]:
        for answer, honest in super()._answers(packet, by):
            yield answer.ljust(4096, b"\0") if by == "udp" else answer, honest


def test_a_datagram_that_fills_the_room_was_cut() -> None:
    with Brimful(RECORDS) as server:
        assert ask(server, "example.com").texts == (TXT,)
        assert [by for _, _, by in server.seen] == ["udp", "tcp"]


def failure(dns: Resolver) -> DnsFault:
    with dns.session() as session, pytest.raises(TemporaryDnsError) as caught:
        session.ask("example.com", Kind.TXT)
    return caught.value.fault


def test_a_server_that_cannot_be_sent_to() -> None:
    nowhere = "255.255.255.255"  # connect() refuses a broadcast address
    assert failure(resolver(nowhere, timeout=5.0)) is DnsFault.NETWORK
    with DnsServer(RECORDS) as alive:
        dns = resolver(nowhere, alive.address, timeout=5.0)
        assert dns.session().ask("example.com", Kind.TXT).texts == (TXT,)


def test_silence_weighs_more_than_a_refused_connection() -> None:
    """Only a timeout is remembered against a zone; a dead neighbour must not hide it."""
    closed = f"127.0.0.1:{free_port()}"
    with DnsServer(faults={"example.com": Fault.TIMEOUT}) as silent:
        assert failure(resolver(closed, silent.address)) is DnsFault.TIMEOUT


def test_no_sockets_left(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_left(*_: object) -> None:
        raise OSError(errno.EMFILE, "too many open files")

    dns = resolver("127.0.0.1:5353")
    monkeypatch.setattr("postseal.daemon.resolver_servers.socket.socket", none_left)
    assert failure(dns) is DnsFault.NETWORK


def test_ids_and_ports_differ() -> None:
    sources: set[int] = set()
    ids: set[bytes] = set()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind(("127.0.0.1", 0))
        dns = resolver(f"127.0.0.1:{listener.getsockname()[1]}")
        session = dns.session()
        for number in range(30):
            session.prefetch(f"n{number}.example.com", Kind.A)
            packet, (_, port) = listener.recvfrom(512)
            sources.add(port)
            ids.add(packet[:2])
        session.close()
    assert len(sources) > 25
    assert len(ids) > 25


class Noise(DnsServer):
    """Answers with a true reply, broken at random places."""

    rng = random.Random(1035)

    def _answers(self, packet: bytes, by: str) -> Iterator[tuple[bytes, bool]]:
        for answer, honest in super()._answers(packet, by):
            octets = bytearray(answer)
            for _ in range(self.rng.randrange(1, 6)):
                octets[self.rng.randrange(2, len(octets))] = self.rng.randrange(256)
            yield bytes(octets[: self.rng.randrange(12, len(octets) + 1)]), honest


def test_noise_never_raises_anything_else() -> None:
    names = [name for name, _ in RECORDS if name.endswith("example.com")]
    outcomes: set[str] = set()
    with Noise(RECORDS) as server:
        for number in range(200):
            dns = resolver(server.address, timeout=0.02)
            with dns.session() as session:
                try:
                    session.ask(names[number % len(names)], list(Kind)[number % 5])
                    outcomes.add("answer")
                except TemporaryDnsError as caught:
                    outcomes.add(caught.fault)
    assert {"answer", DnsFault.TIMEOUT, DnsFault.MALFORMED} <= outcomes
