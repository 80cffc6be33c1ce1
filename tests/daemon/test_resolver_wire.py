"""Packets: what we send, what we believe, and what the records in them are."""

from __future__ import annotations

import random

import dns.flags
import dns.message
import pytest

from postseal.core.resolver import Kind
from postseal.daemon import resolver_lean
from postseal.daemon.resolver_wire import MalformedReply, read, usual
from support.dnspackets import ANSWERS, GOOD, garbage, packet, query

NAMES = ["example.com", "s._domainkey.example.com", "a", "x" * 63 + ".example", "3com.example"]


@pytest.mark.parametrize("edns", [True, False])
@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("name", NAMES)
def test_queries_are_what_dnspython_sends(name: str, kind: Kind, edns: bool) -> None:
    flags = dns.flags.RD | dns.flags.AD
    theirs = dns.message.make_query(
        name, kind.value, use_edns=0 if edns else False, payload=1232, flags=flags, id=0x1234
    )
    assert query(name, kind, edns=edns).packet == theirs.to_wire()


# -- reading -----------------------------------------------------------------------


def test_values() -> None:
    def records(case: str) -> object:
        name, kind, lines = ANSWERS[case]
        reply = read(packet(name, kind, lines), query(name, kind))
        assert reply is not None
        return reply.records, reply.ttl, reply.chain

    assert records("txt-strings") == ((b"abc\x00\xff",), 300, 0)
    assert records("txt-two")[1] == 200  # type: ignore[index]
    assert records("txt-same") == ((b"ab",), 300, 0)
    assert records("cname") == (("192.0.2.1",), 5, 1)
    assert records("cname-two") == ((b"x",), 2, 2)
    assert records("cname-backwards") == (("192.0.2.1",), 2, 1)
    assert records("stranger") == (("192.0.2.1",), 9, 0)
    assert records("stranger-only") == ((), 0, 0)
    assert records("dname") == (("192.0.2.1",), 0, 1)
    assert records("mx-escaped") == (((0, "a\\.b\\032c.example.com"),), 1, 0)


def test_a_chain_that_ends_names_what_to_ask_next() -> None:
    name, kind, lines = ANSWERS["cname-ends"]
    reply = read(packet(name, kind, lines), query(name, kind))
    assert reply is not None
    assert reply.alias == b"\1b\7example\3org\0"
    denied = read(packet(name, kind, lines, soa=60), query(name, kind))
    assert denied is not None
    assert (denied.alias, denied.ttl) == (b"", 9)


@pytest.mark.parametrize("others", [0, 1])
def test_a_ttl_with_the_top_bit_is_0(others: int) -> None:
    lines = ["example.com. 300 IN A 192.0.2.1", "example.com. 200 IN A 192.0.2.2"]
    octets = bytearray(packet("example.com", Kind.A, lines[: 1 + others]))
    at = octets.index(b"\0\0\x01\x2c")
    octets[at : at + 4] = b"\xff\0\0\0"
    reply = read(bytes(octets), query("example.com", Kind.A))
    assert reply is not None
    assert reply.ttl == 0


@pytest.mark.parametrize(
    "octets",
    [
        pytest.param(b"", id="empty"),
        pytest.param(GOOD[:11], id="shorter-than-a-header"),
        pytest.param(b"\x12\x35" + GOOD[2:], id="wrong-id"),
        pytest.param(GOOD[:2] + b"\x01\x80" + GOOD[4:], id="a-query"),
        pytest.param(GOOD[:2] + b"\xa9\x80" + GOOD[4:], id="another-opcode"),
        pytest.param(GOOD[:4] + b"\0\2" + GOOD[6:], id="two-questions"),
        pytest.param(GOOD[:4] + b"\0\0" + GOOD[6:], id="no-question"),
        pytest.param(GOOD.replace(b"\7example", b"\7examplf", 1), id="another-name"),
        pytest.param(GOOD.replace(b"\0\x10\0\1", b"\0\1\0\1", 1), id="another-type"),
        pytest.param(GOOD.replace(b"\0\x10\0\1", b"\0\x10\0\3", 1), id="another-class"),
        pytest.param(GOOD[:20], id="cut-in-the-question"),
    ],
)
def test_strays_are_not_believed(octets: bytes) -> None:
    assert read(octets, query()) is None
    assert usual(octets, query(), "example.com") is None


@pytest.mark.parametrize(
    "flags",
    [
        pytest.param(b"\x83\x80", id="cut"),
        pytest.param(b"\x81\x82", id="servfail"),
        pytest.param(b"\x81\x83", id="nxdomain"),
        pytest.param(b"\x81\x00", id="server-that-does-not-recurse"),
    ],
)
def test_what_the_flags_say_is_not_passed_over(flags: bytes) -> None:
    assert usual(GOOD, query(), "example.com") is not None
    assert usual(GOOD[:2] + flags + GOOD[4:], query(), "example.com") is None


def test_garbage_gives_a_reply_or_nothing_or_malformed() -> None:
    seen: set[str] = set()
    asked = query()
    for octets in garbage(random.Random(1035), 6000):
        try:
            reply = read(octets, asked)
        except MalformedReply:
            seen.add("malformed")
            continue
        seen.add("stray" if reply is None else "reply")
        if reply is not None:
            assert all(isinstance(record, bytes) for record in reply.records)
            assert 0 <= reply.ttl <= resolver_lean.TTL_MAX
    assert seen == {"malformed", "stray", "reply"}
