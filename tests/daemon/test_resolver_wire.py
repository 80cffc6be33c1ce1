"""Packets: what we send, and that the short way of reading agrees with dnspython."""

from __future__ import annotations

import random
from collections.abc import Iterator
from unittest import mock

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest

from postseal.core.resolver import BadName, Kind, question_name
from postseal.daemon import resolver_lean, resolver_wire
from postseal.daemon.resolver_wire import MalformedReply, Query, Reply, question, read

ID = b"\x12\x34"
NAMES = ["example.com", "s._domainkey.example.com", "a", "x" * 63 + ".example", "3com.example"]


def query(name: str = "example.com", kind: Kind = Kind.TXT, *, edns: bool = True) -> Query:
    return Query(kind, ID, question(name, kind), edns)


@pytest.mark.parametrize("edns", [True, False])
@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("name", NAMES)
def test_queries_are_what_dnspython_sends(name: str, kind: Kind, edns: bool) -> None:
    flags = dns.flags.RD | dns.flags.AD
    theirs = dns.message.make_query(
        name, kind.value, use_edns=0 if edns else False, payload=1232, flags=flags, id=0x1234
    )
    assert query(name, kind, edns=edns).packet == theirs.to_wire()


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("Example.COM.", "example.com"),
        ("a b@c.example", "a b@c.example"),  # SPF macros put such things there
        ("x" * 63 + ".example", "x" * 63 + ".example"),
        (".".join(["abcdefg"] * 31) + ".12345", ".".join(["abcdefg"] * 31) + ".12345"),
    ],
)
def test_names_that_can_be_asked(name: str, asked: str) -> None:
    assert question_name(name) == asked
    assert len(question(asked, Kind.A)) <= 255 + 4


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a..b", ".a", "x" * 64, "ü.example", "a\0b", "a\nb", "x." * 127 + "x"],
)
def test_names_that_cannot(name: str) -> None:
    with pytest.raises(BadName):
        question_name(name)


# -- reading -----------------------------------------------------------------------

ANSWERS: dict[str, tuple[str, Kind, list[str]]] = {
    "txt": ("example.com", Kind.TXT, ['example.com. 300 IN TXT "v=spf1 -all"']),
    "txt-strings": ("example.com", Kind.TXT, ['example.com. 300 IN TXT "a" "b" "" "c\\000\\255"']),
    "txt-two": (
        "example.com",
        Kind.TXT,
        ['example.com. 300 IN TXT "a"', 'example.com. 200 IN TXT "b"'],
    ),
    "txt-same": (
        "example.com",
        Kind.TXT,
        ['example.com. 300 IN TXT "ab"', 'example.com. 300 IN TXT "a" "b"'],
    ),
    "a": (
        "example.com",
        Kind.A,
        ["example.com. 1 IN A 192.0.2.1", "example.com. 2 IN A 192.0.2.2"],
    ),
    "aaaa": ("example.com", Kind.AAAA, ["example.com. 1 IN AAAA 2001:db8::1:0:0:1"]),
    "mx": (
        "example.com",
        Kind.MX,
        ["example.com. 1 IN MX 10 MX.Example.com.", "example.com. 1 IN MX 256 mx.other.net."],
    ),
    "mx-null": ("example.com", Kind.MX, ["example.com. 1 IN MX 0 ."]),
    "mx-escaped": ("example.com", Kind.MX, ["example.com. 1 IN MX 0 a\\.b\\032c.example.com."]),
    "ptr": (
        "1.2.0.192.in-addr.arpa",
        Kind.PTR,
        ["1.2.0.192.in-addr.arpa. 1 IN PTR Host.Example.com."],
    ),
    "cname": (
        "www.example.com",
        Kind.A,
        ["www.example.com. 9 IN CNAME Web.Example.net.", "web.example.net. 5 IN A 192.0.2.1"],
    ),
    "cname-two": (
        "a.example.com",
        Kind.TXT,
        [
            "a.example.com. 9 IN CNAME b.example.com.",
            "b.example.com. 2 IN CNAME c.example.org.",
            'c.example.org. 7 IN TXT "x"',
        ],
    ),
    "cname-backwards": (
        "a.example.com",
        Kind.A,
        ["b.example.com. 2 IN A 192.0.2.1", "a.example.com. 9 IN CNAME b.example.com."],
    ),
    "cname-ends": ("a.example.com", Kind.A, ["a.example.com. 9 IN CNAME b.example.org."]),
    "cname-loop": (
        "a.example.com",
        Kind.A,
        ["a.example.com. 9 IN CNAME b.example.com.", "b.example.com. 9 IN CNAME a.example.com."],
    ),
    "stranger": (
        "example.com",
        Kind.A,
        ["evil.example. 9 IN A 192.0.2.66", "example.com. 9 IN A 192.0.2.1"],
    ),
    "stranger-only": ("example.com", Kind.A, ["evil.example. 9 IN A 192.0.2.66"]),
    "other-type": (
        "example.com",
        Kind.A,
        ["example.com. 9 IN TXT x", "example.com. 9 IN A 192.0.2.1"],
    ),
    "dname": (
        "a.old.example",
        Kind.A,
        [
            "old.example. 9 IN DNAME new.example.",
            "a.old.example. 0 IN CNAME a.new.example.",
            "a.new.example. 9 IN A 192.0.2.1",
        ],
    ),
}
SOA = "example.com. 3600 IN SOA ns.example.com. root.example.com. 1 2 3 4 {}"


def packet(
    name: str,
    kind: Kind,
    answers: list[str],
    *,
    soa: int | None = None,
    rcode: str = "NOERROR",
    secure: bool = False,
) -> bytes:
    message = dns.message.make_response(
        dns.message.make_query(name, kind.value, use_edns=0, id=0x1234), recursion_available=True
    )
    message.set_rcode(dns.rcode.from_text(rcode))
    if secure:
        message.flags |= dns.flags.AD
    for line in answers:
        owner, ttl, klass, rdtype, text = line.split(" ", 4)
        message.answer.append(dns.rrset.from_text(owner, int(ttl), klass, rdtype, text))
    if soa is not None:
        owner, ttl, klass, rdtype, text = SOA.format(soa).split(" ", 4)
        message.authority.append(dns.rrset.from_text(owner, int(ttl), klass, rdtype, text))
    return message.to_wire()


def read_in_full(octets: bytes, asked: Query) -> Reply | None:
    """The same without the short way."""
    with (
        mock.patch.object(resolver_lean, "records", return_value=None),
        mock.patch.object(resolver_lean, "denial_ttl", return_value=None),
    ):
        return read(octets, asked)


def outcome(octets: bytes, asked: Query, *, full: bool = False) -> object:
    try:
        return (read_in_full if full else read)(octets, asked)
    except MalformedReply:
        return "malformed"


@pytest.mark.parametrize("case", ANSWERS)
def test_both_ways_read_the_same(case: str) -> None:
    name, kind, lines = ANSWERS[case]
    octets = packet(name, kind, lines, secure=True)
    asked = query(name, kind)
    assert outcome(octets, asked) == outcome(octets, asked, full=True)


@pytest.mark.parametrize("rcode", ["NOERROR", "NXDOMAIN"])
@pytest.mark.parametrize("minimum", [0, 60, 7200])
def test_denials_are_read_the_same(rcode: str, minimum: int) -> None:
    octets = packet("nix.example.com", Kind.A, [], soa=minimum, rcode=rcode)
    asked = query("nix.example.com", Kind.A)
    reply = read(octets, asked)
    assert reply == read_in_full(octets, asked)
    assert reply is not None
    assert (reply.rcode == resolver_wire.NXDOMAIN) is (rcode == "NXDOMAIN")
    assert reply.ttl == min(minimum, 3600)


@pytest.mark.parametrize(
    "case",
    ["txt", "txt-strings", "txt-two", "a", "aaaa", "mx", "mx-null", "ptr", "cname", "cname-two"],
)
def test_the_usual_replies_take_the_short_way(case: str) -> None:
    name, kind, lines = ANSWERS[case]
    with mock.patch.object(resolver_wire, "_read_any", side_effect=AssertionError):
        assert read(packet(name, kind, lines), query(name, kind))


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


def test_a_ttl_with_the_top_bit_is_0() -> None:
    octets = bytearray(packet("example.com", Kind.A, ["example.com. 300 IN A 192.0.2.1"]))
    at = octets.index(b"\0\0\x01\x2c")
    octets[at : at + 4] = b"\xff\0\0\0"
    reply = read(bytes(octets), query("example.com", Kind.A))
    assert reply is not None
    assert reply.ttl == 0


GOOD = packet("example.com", Kind.TXT, ['example.com. 300 IN TXT "v=spf1 -all"'])


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


def garbage(rng: random.Random, count: int) -> Iterator[bytes]:
    """Replies to query(), whole or broken, and noise behind a true header."""
    whole = [
        packet("example.com", Kind.TXT, ANSWERS["txt-strings"][2]),
        packet("example.com", Kind.TXT, [], soa=60, rcode="NXDOMAIN"),
        packet("example.com", Kind.TXT, ["example.com. 9 IN CNAME b.example.com."], soa=60),
    ]
    for _ in range(count):
        octets = bytearray(rng.choice(whole))
        for _ in range(rng.randrange(4)):
            octets[rng.randrange(2, len(octets))] = rng.randrange(256)
        if rng.random() < 0.3:
            del octets[rng.randrange(12, len(octets)) :]
        if rng.random() < 0.2:
            octets[29 + rng.randrange(10) :] = rng.randbytes(rng.randrange(60))
        yield bytes(octets)


def test_garbage_gives_a_reply_or_nothing_or_malformed() -> None:
    seen: set[str] = set()
    asked = query()
    for octets in garbage(random.Random(1035), 20_000):
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


def test_what_the_short_way_reads_dnspython_reads_alike() -> None:
    """On garbage too, where dnspython can read it at all."""
    asked = query()
    compared = 0
    for octets in garbage(random.Random(1034), 2000):
        short = outcome(octets, asked)
        full = outcome(octets, asked, full=True)
        if isinstance(short, Reply) and isinstance(full, Reply):
            if full.rcode != octets[3] & 15:
                continue  # noise in the OPT record, which only the full way looks at
            assert short == full
            compared += 1
    assert compared > 500


def test_pointers_cannot_loop() -> None:
    head = GOOD[:2] + b"\x81\x83\0\1\0\0\0\1\0\0" + query().question
    for name in (b"\xc0\x1d", b"\x01a\xc0\x1d", b"\xc0\xff", b"\xc0"):
        with pytest.raises(MalformedReply):
            read(head + name + b"\0\6\0\1\0\0\0\1\0\x16" + b"\0" * 22, query())
