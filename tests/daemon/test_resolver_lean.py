"""The short way of reading replies agrees with dnspython, and leaves it what is not usual."""

from __future__ import annotations

import random
from unittest import mock

import pytest
from hypothesis import settings

from postseal.core.resolver import Answer, Kind
from postseal.daemon import resolver_lean, resolver_wire
from postseal.daemon.resolver_wire import MalformedReply, Query, Reply, read, usual
from support.dnspackets import ANSWERS, GOOD, garbage, packet, query


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


def as_read(octets: bytes, asked: Query, name: str) -> Answer | None:
    """What usual() may say: the records that read() finds."""
    reply = read(octets, asked)
    if reply is None or not reply.records:
        return None
    return Answer(name, asked.kind, reply.records, True, reply.ttl, reply.secure)


@pytest.mark.parametrize("secure", [False, True])
@pytest.mark.parametrize("case", ["txt", "txt-two", "a", "aaaa", "mx", "ptr", "cname", "cname-two"])
def test_usual_answers_are_what_read_finds(case: str, secure: bool) -> None:
    name, kind, lines = ANSWERS[case]
    asked = query(name, kind)
    octets = packet(name, kind, lines, secure=secure)
    for whole in (octets, octets[:2] + bytes([octets[2] | 4]) + octets[3:]):  # with AA, too
        answer = usual(whole, asked, name)
        assert answer is not None
        assert answer == as_read(octets, asked, name)
        assert answer.secure is secure


def test_usual_answers_are_what_read_finds_in_garbage() -> None:
    asked = query()
    compared = 0
    for octets in garbage(random.Random(1036), 10 * settings().max_examples):
        answer = usual(octets, asked, "example.com")
        if answer is not None:
            assert answer == as_read(octets, asked, "example.com")
            compared += 1
    assert compared > 0.5 * settings().max_examples


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


def test_what_the_short_way_reads_dnspython_reads_alike() -> None:
    """On garbage too, where dnspython can read it at all."""
    asked = query()
    compared = 0
    for octets in garbage(random.Random(1034), 10 * settings().max_examples):
        short = outcome(octets, asked)
        full = outcome(octets, asked, full=True)
        if isinstance(short, Reply) and isinstance(full, Reply):
            if full.rcode != octets[3] & 15:
                continue  # noise in the OPT record, which only the full way looks at
            assert short == full
            compared += 1
    assert compared > 2.5 * settings().max_examples


def test_pointers_cannot_loop() -> None:
    head = GOOD[:2] + b"\x81\x83\0\1\0\0\0\1\0\0" + query().question
    for name in (b"\xc0\x1d", b"\x01a\xc0\x1d", b"\xc0\xff", b"\xc0"):
        with pytest.raises(MalformedReply):
            read(head + name + b"\0\6\0\1\0\0\0\1\0\x16" + b"\0" * 22, query())
