"""Hostile mail at the largest size through a running daemon.

Each message gets its one field, and other connections are served meanwhile.  How the work grows
is for test_work.py to say, what it costs in milliseconds for tests/bench/bench_hostile.py.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from support.child import wait_until
from support.hostile import CASES, records
from support.receiver import EVERYTHING, FIELD, FORGETFUL, Receiver, receiver

pytestmark = pytest.mark.slow  # the largest messages there can be

KINDS = ("dkim", "dmarc")
CROWDS = {"fields-results"}  # of fields in our name: refused as they are, above some number


@pytest.fixture(scope="module")
def mx(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    place = tmp_path_factory.mktemp("hostile")
    with receiver(place, config=EVERYTHING, dns=FORGETFUL) as running:
        yield running


@pytest.mark.parametrize("name", CASES)
def test_each_is_judged(mx: Receiver, name: str) -> None:
    case = CASES[name]
    mx.dns.records = records(case)
    made = case.make(1.0)
    got = mx.take(made.octets, sender=made.sender, client=made.client)
    if name in CROWDS and got.reply.code == "replycode":
        assert got.reply.text.startswith("550 5.7.1 ")
        return
    assert got.reply.code in ("continue", "accept")
    assert {one.method for one in got.results} >= set(KINDS)


# Those that cost the most, of every kind.
WORST = ("body-blank-tab-letter", "body-ten-limits", "fields", "dkim-h-names", "arc-50-sets")


@pytest.mark.parametrize("name", WORST)
def test_others_are_served_meanwhile(mx: Receiver, name: str) -> None:
    """One worker, two connections: one brings hostile mail without a pause, the other is served.

    Served means that a message comes and is answered while one and the same hostile message is
    under way.  That never happens where one has to be finished before the next is looked at.
    """
    made = CASES[name].make(1.0)
    octets = made.octets
    done = threading.Event()
    moments = 0  # odd while a hostile message is under way

    def bring() -> None:
        nonlocal moments
        with mx.connect(made.client) as mta:
            while not done.is_set():
                moments += 1
                assert mta.message(octets, sender=made.sender).inserted(FIELD)
                moments += 1

    with mx.connect() as other:

        def served() -> bool:
            before = moments
            assert other.message(b"From: a@b.example\n\nx").inserted(FIELD)
            return before % 2 == 1 and before == moments

        bringing = threading.Thread(target=bring)
        bringing.start()
        try:
            wait_until(served, "a message that is answered meanwhile", step=0)
        finally:
            done.set()
            bringing.join(60)
    assert moments % 2 == 0  # the hostile ones were answered, too


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
