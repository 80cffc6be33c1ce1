"""dnsask: answers of every kind over real packets, and servers that misbehave."""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rrset
import pytest

from postseal_keys.dnsask import CHAIN, Address, Network, Outcome, absolute, address

Answer = Callable[[dns.message.Message], bytes | None]


@contextmanager
def server(answer: Answer) -> Iterator[Address]:
    """A UDP server on loopback that answers every packet with answer(query)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.settimeout(0.05)
        stop = threading.Event()

        def serve() -> None:
            while not stop.is_set():
                try:
                    packet, peer = sock.recvfrom(4096)
                except TimeoutError:
                    continue
                reply = answer(dns.message.from_wire(packet))
                if reply is not None:
                    sock.sendto(reply, peer)

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield Address("127.0.0.1", sock.getsockname()[1])
        finally:
            stop.set()
            thread.join()


def respond(
    query: dns.message.Message,
    *answers: str,
    authority: tuple[str, ...] = (),
    rcode: dns.rcode.Rcode = dns.rcode.NOERROR,
    flags: int = dns.flags.AA,
) -> bytes:
    response = dns.message.make_response(query)
    response.flags |= flags
    response.set_rcode(rcode)
    for section, lines in ((response.answer, answers), (response.authority, authority)):
        for line in lines:
            name, ttl, kind, data = line.split(" ", 3)
            section.append(dns.rrset.from_text(name, int(ttl), "IN", kind, data))
    return response.to_wire()


def asked(answer: Answer, name: str = "a.example", kind: str = "TXT") -> tuple[Outcome, object]:
    timeout = 0.3 if answer is silent else 60.0  # who answers has time, on a busy machine too
    with server(answer) as place:
        reply = Network([place], timeout=timeout, tries=1).ask(name, kind)
    return reply.outcome, reply


def endless(query: dns.message.Message) -> bytes:
    names = ["a", *(f"c{number}" for number in range(CHAIN + 3))]
    pairs = itertools.pairwise(names)
    return respond(query, *(f"{one}.example. 1 CNAME {two}.example." for one, two in pairs))


def refusing(rcode: dns.rcode.Rcode) -> Answer:
    return lambda query: respond(query, rcode=rcode)


def silent(_query: dns.message.Message) -> None:
    """No answer."""


def saying(*lines: str) -> Answer:
    return lambda query: respond(query, *lines)


def referring(query: dns.message.Message) -> bytes:
    return respond(query, authority=("example. 60 NS ns.example.",), flags=0)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        pytest.param(saying('a.example. 60 TXT "x"'), Outcome.ANSWER, id="answer"),
        pytest.param(saying(), Outcome.NODATA, id="2308-no-data"),
        pytest.param(refusing(dns.rcode.NXDOMAIN), Outcome.NXDOMAIN, id="2308-no-name"),
        pytest.param(refusing(dns.rcode.SERVFAIL), Outcome.SERVFAIL, id="servfail"),
        pytest.param(refusing(dns.rcode.REFUSED), Outcome.REFUSED, id="refused"),
        pytest.param(refusing(dns.rcode.FORMERR), Outcome.SERVFAIL, id="formerr"),
        pytest.param(referring, Outcome.REFUSED, id="referral"),
        pytest.param(saying('b.example. 60 TXT "x"'), Outcome.NODATA, id="other-name"),
        pytest.param(saying("a.example. 60 A 192.0.2.1"), Outcome.NODATA, id="other-type"),
        pytest.param(lambda _: b"garbage", Outcome.MALFORMED, id="garbage"),
        pytest.param(silent, Outcome.TIMEOUT, id="silence"),
        pytest.param(endless, Outcome.NODATA, id="endless-chain"),
        pytest.param(saying("a.example. 1 CNAME a.example."), Outcome.NODATA, id="own-alias"),
    ],
)
def test_outcomes(answer: Answer, outcome: Outcome) -> None:
    assert asked(answer)[0] is outcome


def test_a_whole_answer() -> None:
    def answer(query: dns.message.Message) -> bytes:
        assert not query.flags & dns.flags.RD
        return respond(
            query,
            "a.example. 10 CNAME B.example.",
            'b.example. 20 TXT "one" "two"',
            flags=dns.flags.AA | dns.flags.AD,
        )

    with server(answer) as place:
        reply = Network([place], recursive=False).ask("A.example", "TXT")
    assert reply.texts == (b"onetwo",)
    assert reply.records == ((b"one", b"two"),)
    assert (reply.name, reply.chain, reply.ttl) == ("a.example", ("b.example",), 20)
    assert reply.authoritative and reply.secure
    assert reply.server == str(place)


def test_the_next_server_is_asked_when_one_is_silent() -> None:
    with (
        server(silent) as mute,
        server(lambda q: respond(q, rcode=dns.rcode.SERVFAIL)) as sick,
        server(lambda q: respond(q, 'a.example. 60 TXT "x"')) as well,
    ):
        network = Network([mute, sick, well], timeout=0.2, tries=50)  # until there was time
        assert network.ask("a.example", "TXT").server == str(well)


def test_a_question_names_what_was_asked() -> None:
    seen: list[str] = []

    def answer(query: dns.message.Message) -> bytes:
        seen.append(query.question[0].name.to_text())
        return respond(query)

    asked(answer, "s1\\.x._domainkey.example")
    assert seen == ["s1\\\\.x._domainkey.example."]


@pytest.mark.parametrize(
    "name", ["a..b", "x" * 64, ".".join(["x" * 60] * 5), "b\u00fccher.example"]
)
def test_names_that_dns_cannot_hold(name: str) -> None:
    assert absolute(name) is None
    assert Network([]).ask(name, "TXT").outcome is Outcome.BAD_NAME


def test_nobody_to_ask() -> None:
    assert Network([]).ask("a.example", "TXT").outcome is Outcome.NETWORK


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("192.0.2.1", Address("192.0.2.1", 53)),
        ("192.0.2.1:5353", Address("192.0.2.1", 5353)),
        ("2001:db8::1", Address("2001:db8::1", 53)),
        ("[2001:db8::1]:5353", Address("2001:db8::1", 5353)),
        ("[2001:db8::1]", Address("2001:db8::1", 53)),
    ],
)
def test_addresses(text: str, place: Address) -> None:
    assert address(text) == place
    assert address(str(place)) == place


@pytest.mark.parametrize(
    "text", ["", "x", "ns.example", "192.0.2.1:x", "192.0.2.1:0", "[::1", "[::1]5"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        address(text)
