"""DNS replies as octets, written by dnspython: every shape that a reader has to know."""

from __future__ import annotations

import random
from collections.abc import Iterator

import dns.flags
import dns.message
import dns.rcode
import dns.rrset

from postseal.core.resolver import Kind
from postseal.daemon.resolver_wire import Query, question

ID = b"\x12\x34"


def query(name: str = "example.com", kind: Kind = Kind.TXT, *, edns: bool = True) -> Query:
    """The query that packet() answers."""
    return Query(kind, ID, question(name, kind), edns)


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
    "cname-stranger": (
        "a.example.com",
        Kind.A,
        ["a.example.com. 9 IN CNAME b.example.com.", "evil.example. 2 IN A 192.0.2.66"],
    ),
    "cname-ends": ("a.example.com", Kind.A, ["a.example.com. 9 IN CNAME b.example.org."]),
    "cname-loop": (
        "a.example.com",
        Kind.A,
        ["a.example.com. 9 IN CNAME b.example.com.", "b.example.com. 9 IN CNAME a.example.com."],
    ),
    "cname-to-the-root": (
        "a.example.com",
        Kind.TXT,
        ["a.example.com. 9 IN CNAME .", 'a.example.com. 7 IN TXT "x"'],
    ),
    "cname-behind": (
        "a.example.com",
        Kind.A,
        [
            "a.example.com. 2 IN A 192.0.2.1",
            "a.example.com. 9 IN CNAME b.example.com.",
            "b.example.com. 5 IN A 192.0.2.2",
        ],
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
    """A reply to query(name, kind); answers as lines of a zone file, soa the SOA's minimum."""
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


GOOD = packet("example.com", Kind.TXT, ['example.com. 300 IN TXT "v=spf1 -all"'])


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
