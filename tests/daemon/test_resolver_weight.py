"""Packets that would keep a full parser busy are refused before it gets them."""

from __future__ import annotations

import struct

import dns.message
import pytest

from postseal.core.resolver import Kind
from postseal.daemon.resolver_weight import is_heavy
from postseal.daemon.resolver_wire import MalformedReply, read
from support.dnspackets import ANSWERS, ID, packet, query

NAME = "example.com"
TYPES = {Kind.TXT: 16, Kind.MX: 15, Kind.PTR: 12, Kind.A: 1}
LONG = b"\1!" * 110  # labels that the short way does not read
HERE = b"\xc0\x0c"  # a pointer to the name of the question


def record(number: int, data: bytes, owner: bytes = HERE) -> bytes:
    return owner + struct.pack(">HHIH", number, 1, 300, len(data)) + data


def reply(kind: Kind, records: list[bytes]) -> bytes:
    counts = struct.pack(">HHHHH", 0x8180, 1, len(records), 0, 0)
    return ID + counts + query(NAME, kind).question + b"".join(records)


def compressed(kind: Kind, count: int, before: bytes = b"") -> bytes:
    """count different names, all but the first label of each in the first record."""
    first = before + b"\4host" + LONG + HERE
    at = 12 + len(query(NAME, kind).question) + 12 + len(before) + 5
    pointer = (0xC000 | at).to_bytes(2, "big")
    others = [before + b"\4%04d" % n + pointer for n in range(count - 1)]
    return reply(kind, [record(TYPES[kind], data) for data in (first, *others)])


HEAVY = {
    "ptr": (Kind.PTR, compressed(Kind.PTR, 3000)),
    "ptr-small-packet": (Kind.PTR, compressed(Kind.PTR, 100)),
    "mx": (Kind.MX, compressed(Kind.MX, 3000, b"\0\1")),
    "owners": (
        Kind.TXT,
        reply(Kind.TXT, [record(16, b"\1a", b"\4%04d" % n + LONG + b"\0") for n in range(100)]),
    ),
    "records": (Kind.A, reply(Kind.A, [record(1, n.to_bytes(4, "big")) for n in range(4000)])),
    "strings": (Kind.TXT, reply(Kind.TXT, [record(16, b"\1a" + b"\0" * 230)] * 260)),
    "cname-loop-of-pointers": (
        Kind.A,
        reply(Kind.A, [record(5, (0xC000 | 12 + 17 + 12).to_bytes(2, "big"))] * 20),
    ),
}


@pytest.mark.parametrize("kind, octets", HEAVY.values(), ids=HEAVY.keys())
def test_what_is_heavy_is_refused_unread(
    kind: Kind, octets: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dns.message, "from_wire", lambda *_, **__: pytest.fail("it was read"))
    with pytest.raises(MalformedReply):
        read(octets, query(NAME, kind))


@pytest.mark.parametrize("case", ANSWERS)
def test_what_everybody_publishes_is_light(case: str) -> None:
    name, kind, lines = ANSWERS[case]
    octets = packet(name, kind, lines)
    start = 12 + len(query(name, kind).question)
    assert not is_heavy(octets, start, len(lines) + 1)


def test_some_hundred_records_are_read() -> None:
    octets = reply(Kind.TXT, [record(16, b"\3%03d" % n) for n in range(400)])
    found = read(octets, query(NAME, Kind.TXT))
    assert found is not None
    assert found.records[:2] == (b"000", b"001")


@pytest.mark.parametrize("end", range(12, 80, 7))
def test_a_cut_packet_is_as_heavy_as_what_there_is(end: int) -> None:
    octets = compressed(Kind.PTR, 3)[:end]
    assert not is_heavy(octets, 12, 65535)
