"""Hostile mail at the largest size through a running daemon.

What it costs in milliseconds is for tests/bench/bench_hostile.py to say.  Here: each message
gets its one field, the work grows with the size and not with its square, and other connections
are served meanwhile.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from support.hostile import CASES, records
from support.receiver import EVERYTHING, FIELD, FORGETFUL, Receiver, receiver

pytestmark = pytest.mark.slow  # the largest messages there can be

LESS = 1 / 8
# Linear work grows by 8, quadratic by 64; the rest is room for a busy machine.
MOST = 24
SLACK = 0.02  # seconds: what any message may cost, whatever its size
KINDS = ("dkim", "dmarc")
SIZED = [name for name, case in CASES.items() if not case.records]


@pytest.fixture(scope="module")
def mx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    place = tmp_path_factory.mktemp("hostile")
    with receiver(place, config=EVERYTHING, dns=FORGETFUL) as running:
        running.take(b"From: a@b.example\n\nx")  # what is made on first use is made now
        yield running


def spent(mx: Receiver, name: str, share: float) -> float:
    """Processor seconds of one message, which must have been judged."""
    case = CASES[name]
    mx.dns.records = records(case)
    made = case.make(share)
    octets = made.octets
    before = mx.processor_seconds()
    got = mx.take(octets, sender=made.sender, client=made.client)
    after = mx.processor_seconds()
    assert got.reply.code in ("continue", "accept")
    assert {one.method for one in got.results} >= set(KINDS)
    return after - before


@pytest.mark.parametrize("name", SIZED)
def test_work_is_linear(mx: Receiver, name: str) -> None:
    few = min(spent(mx, name, LESS) for _ in range(2))
    many = min(spent(mx, name, 1.0) for _ in range(2))
    assert many < MOST * few + SLACK


@pytest.mark.parametrize("name", [name for name in CASES if name not in SIZED])
def test_dns_of_any_size(mx: Receiver, name: str) -> None:
    """Less than what ten ordinary megabytes may cost; the peers' library takes up to 69 s."""
    assert spent(mx, name, 1.0) < 1.0


# Those that cost the most, of every kind.
WORST = ("body-blank-tab-letter", "body-ten-limits", "fields", "dkim-h-names", "arc-50-sets")


@pytest.mark.parametrize("name", WORST)
def test_others_are_served_meanwhile(mx: Receiver, name: str) -> None:
    """One worker, two connections: one brings hostile mail without a pause, the other is served.

    Twenty messages must not have to wait for twenty hostile ones, as they would if one had to
    be finished before the next connection is looked at.
    """
    made = CASES[name].make(1.0)
    octets = made.octets
    done = threading.Event()
    busy = threading.Semaphore(0)
    brought = 0

    def bring() -> None:
        nonlocal brought
        with mx.connect(made.client) as mta:
            busy.release()
            while not done.is_set():
                assert mta.message(octets, sender=made.sender).inserted(FIELD)
                brought += 1

    bringing = threading.Thread(target=bring)
    bringing.start()
    try:
        busy.acquire()
        with mx.connect() as other:
            for _ in range(20):
                assert other.message(b"From: a@b.example\n\nx").inserted(FIELD)
            before = brought
    finally:
        done.set()
        bringing.join(60)
    assert before < 20


def test_a_header_beyond_all_bounds(mx: Receiver) -> None:
    """Refused with a word, its memory given back, the connection still good."""
    with mx.connect() as mta:
        mta.mail()
        mta.rcpt()
        for _ in range(40_000):
            mta.header("X", " y")
        mta.end_of_header()
        mta.body(b"x")
        reply = mta.end()
        assert (reply.code, reply.text) == ("replycode", "552 5.3.4 message header too large")
        assert mta.message(b"From: a@b.example\n\nx").inserted(FIELD)
