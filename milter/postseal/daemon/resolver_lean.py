"""The usual DNS replies, read without a DNS library.

NAME
    resolver_lean - records behind the name that was asked, or one SOA that denies them

GIVEN
    a packet whose header and question have been checked, and where the rest starts.

GIVES
    the records and their time to live, or None for every shape but the plainest,
    well-formed one: a full parser reads those again from the start.

DOES NOT
    raise, or judge.  Why it is here at all: a full parse costs ten
    times as much, and a message asks five to ten questions.

SEE ALSO
    RFC 1035 section 4, RFC 2308 section 5.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from socket import AF_INET6, inet_ntoa, inet_ntop

from postseal.core.resolver import Kind, Record

MAX_RECORDS = 256  # of one answer; what comes after is not looked at
MAX_CHAIN = 10  # CNAMEs followed for one question
TTL_MAX = 0x7FFFFFFF  # RFC 2181 section 8: larger means 0
_TYPES = {Kind.TXT: 16, Kind.A: 1, Kind.AAAA: 28, Kind.MX: 15, Kind.PTR: 12}
TAILS = {kind: struct.pack(">HH", number, 1) for kind, number in _TYPES.items()}  # with the class

_RR = struct.Struct(">HHIH")
_rr: Callable[[bytes, int], tuple[int, int, int, int]] = _RR.unpack_from
# A record whose owner is a pointer: that with type and class; time to live; size of the data
_start: Callable[[bytes, int], tuple[bytes, int, int]] = struct.Struct(">6sIH").unpack_from
_OWNER = b"\xc0\x0c"  # a pointer to the name of the question
_SOA = 6
_CNAME = b"\0\5\0\1"
_PLAIN = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-_.")


class _Unusual(Exception):
    """Left to the full parser."""


_NOT_OURS = (_Unusual, IndexError, struct.error, UnicodeDecodeError)


def records(
    packet: bytes, pos: int, kind: Kind, count: int
) -> tuple[tuple[Record, ...], int, int] | None:
    """The count records at pos, each once; the shortest time to live; CNAMEs before them.

    A chain of CNAMEs is read when it stands in order in front of its records, as
    every resolver writes it.
    """
    if count != 1:
        return _several(packet, pos, kind, count)
    try:  # most answers are one record
        start, ttl, size = _start(packet, pos)
        if start != _OWNER + TAILS[kind] or ttl > TTL_MAX:
            return None
        return (_READERS[kind](packet, pos + 12, size),), ttl, 0
    except _NOT_OURS:
        return None


def _several(
    packet: bytes, pos: int, kind: Kind, count: int
) -> tuple[tuple[Record, ...], int, int] | None:
    if count > MAX_RECORDS:
        return None
    read = _READERS[kind]
    owner = _OWNER
    wanted = owner + TAILS[kind]
    found: list[Record] = []
    shortest = TTL_MAX
    chain = 0
    try:
        for _ in range(count):
            start, ttl, size = _start(packet, pos)
            pos += 12
            if ttl > TTL_MAX:
                return None
            if start == wanted:
                found.append(read(packet, pos, size))
            elif start == owner + _CNAME and not found and chain < MAX_CHAIN:
                owner = _owner_after(packet, pos, size)
                wanted = owner + TAILS[kind]
                chain += 1
            else:
                return None
            pos += size
            if ttl < shortest:
                shortest = ttl
    except _NOT_OURS:
        return None
    if not found:
        return None
    if len(found) > 1:  # an RRset holds no record twice (RFC 2181 section 5)
        found = list(dict.fromkeys(found))
    return tuple(found), shortest, chain


def _owner_after(packet: bytes, pos: int, size: int) -> bytes:
    """The pointer that follows a CNAME's data at pos: to the name in that, or one like it."""
    end = pos + size
    if _name(packet, end) != (_host(packet, pos, size), end + 2):
        raise _Unusual
    return packet[end : end + 2]


def denial_ttl(packet: bytes, pos: int) -> int | None:
    """How long the SOA at pos says that its denial holds (RFC 2308 section 5)."""
    try:
        _, pos = _name(packet, pos)
        number, klass, ttl, size = _rr(packet, pos)
    except _NOT_OURS:
        return None
    end = pos + _RR.size + size
    if number != _SOA or klass != 1 or end > len(packet) or size < 22 or ttl > TTL_MAX:
        return None
    minimum = int.from_bytes(packet[end - 4 : end], "big")
    return ttl if ttl < minimum else minimum


def _name(packet: bytes, pos: int) -> tuple[str, int]:
    """The name at pos in lower case without the final dot, and what follows it.

    Only plain names: anything that text would have to escape is _Unusual.  Pointers
    must point backwards, which also bounds them.
    """
    labels: list[str] = []
    after = 0
    lowest = pos
    total = 0
    while size := packet[pos]:
        if size >= 0xC0:
            after = after or pos + 2
            pos = (size & 0x3F) << 8 | packet[pos + 1]
            if pos >= lowest:
                raise _Unusual
            lowest = pos
            continue
        label = packet[pos + 1 : pos + 1 + size]
        total += size + 1
        if size > 63 or len(label) < size or total > 254:
            raise _Unusual
        labels.append(label.decode("ascii").lower())
        pos += 1 + size
    name = ".".join(labels)
    # A name of printable characters whose dots are all ours, and no backslash
    if name.count(".") != max(0, len(labels) - 1) or not _PLAIN.issuperset(name):
        raise _Unusual
    return name, after or pos + 1


def _text(packet: bytes, pos: int, size: int) -> bytes:
    """The character-strings of a TXT record, joined."""
    end = pos + size
    if end > len(packet):
        raise _Unusual
    first = packet[pos] if size else 0
    if first + 1 == size:  # one string, the usual case
        return packet[pos + 1 : end]
    parts = []
    while pos < end:
        following = pos + 1 + packet[pos]
        parts.append(packet[pos + 1 : following])
        pos = following
    if pos != end:
        raise _Unusual
    return b"".join(parts)


def _ipv4(packet: bytes, pos: int, size: int) -> str:
    if size != 4 or pos + 4 > len(packet):
        raise _Unusual
    return inet_ntoa(packet[pos : pos + 4])


def _ipv6(packet: bytes, pos: int, size: int) -> str:
    if size != 16 or pos + 16 > len(packet):
        raise _Unusual
    return inet_ntop(AF_INET6, packet[pos : pos + 16])


def _host(packet: bytes, pos: int, size: int) -> str:
    name, end = _name(packet, pos)
    if end != pos + size:
        raise _Unusual
    return name


def _exchange(packet: bytes, pos: int, size: int) -> tuple[int, str]:
    if size < 3:
        raise _Unusual
    return packet[pos] << 8 | packet[pos + 1], _host(packet, pos + 2, size - 2)


_READERS: dict[Kind, Callable[[bytes, int, int], Record]] = {
    Kind.TXT: _text,
    Kind.A: _ipv4,
    Kind.AAAA: _ipv6,
    Kind.MX: _exchange,
    Kind.PTR: _host,
}
