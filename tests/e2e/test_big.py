"""Large and nasty messages: memory does not grow with them, and they get what others get."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support import results, verifiers
from support.daemon import Daemon, forget_peak, processor_seconds, resident, resident_peak
from support.mail import header_fields, message
from support.sink import Delivered
from support.smtpclient import Pose
from support.world import GOOD_V4, INSIDE, World

pytestmark = pytest.mark.e2e

ANN = "ann@good.example"
SIZE = 20 << 20
LINE = b"0123456789 abcdefghijklmnopqrstuvwxyz 0123456789 ABCDEFGHIJKLMNOP\r\n"
BIG = LINE * (SIZE // len(LINE))
GROWTH = 2048  # KiB


def _inbound(world: World, body: bytes) -> Delivered:
    content = world.signers["good"].sign(message(ANN, body=body))
    delivered = world.deliver(content, ANN, Pose(address=GOOD_V4))
    assert results.said(delivered, "dkim") == ["pass"]
    return delivered


def _outbound(world: World, body: bytes) -> Delivered:
    author = "ann@sign.example"
    delivered = world.deliver(message(author, body=body), author, Pose(address=INSIDE))
    assert len(header_fields(delivered.content, "DKIM-Signature")) == 2
    return delivered


@pytest.mark.parametrize("way", [_inbound, _outbound])
def test_twenty_megabytes_do_not_stay_nor_pass_through_memory(
    world: World, normal: Daemon, way: Callable[[World, bytes], Delivered]
) -> None:
    """Not even the peak during the message grows: the body is hashed as it comes."""
    for _ in range(20):  # whatever is made on first use is made now, in every worker
        way(world, b"small\r\n")
    workers = normal.workers()
    before = {pid: resident(pid) for pid in workers}
    for pid in workers:
        forget_peak(pid)
    way(world, BIG)
    growth = {pid: resident_peak(pid) - before[pid] for pid in workers}
    assert normal.workers() == workers
    print(f"peak growth in KiB: {growth}")
    assert max(growth.values()) < GROWTH, growth


def test_a_big_signed_message_is_accepted_by_others(world: World, normal: Daemon) -> None:
    delivered = _outbound(world, BIG)
    assert "rsa-sha256=pass" in verifiers.mail_dkim(delivered.content, world.nsd.port)


NASTY = {
    "spaces-in-one-line": b" " * 200_000,
    "spaces-then-text": b" " * 200_000 + b"x\r\n",
    "tabs-and-spaces": b" \t" * 100_000,
    "lines-of-one-space": b" \r\n" * 66_000,
    "empty-lines": b"\r\n" * 100_000,
    "empty-lines-then-text": b"\r\n" * 100_000 + b"x\r\n",
    "words": b"a " * 100_000,
}


@pytest.mark.parametrize("body", NASTY.values(), ids=NASTY.keys())
def test_white_space_is_judged_and_signed(
    world: World,
    normal: Daemon,
    body: bytes,
    record_property: Callable[[str, object], None],
) -> None:
    """What it costs is recorded; that it grows no faster than the size, test_work.py says."""
    before = sum(map(processor_seconds, normal.workers()))
    signed = _outbound(world, body).content
    judged = world.deliver(signed, "ann@sign.example", Pose(address=GOOD_V4))
    assert len(results.said(judged, "dkim")) == 2  # fail where Postfix had to break a line
    spent = sum(map(processor_seconds, normal.workers())) - before
    record_property("processor_seconds", spent)
    print(f"{spent:.2f} s of the processor")
