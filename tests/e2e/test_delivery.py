"""Held, deferred, and the milter killed in the middle of a message: once delivered, never twice."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from support import results
from support.child import listens, wait_until
from support.daemon import Daemon
from support.mail import message, unique
from support.smtpclient import Pose, SmtpClient, stuffed
from support.world import BAD_V4, GOOD_V4, World

pytestmark = pytest.mark.e2e

ANN = "ann@good.example"
BIG = b"0123456789\r\n" * 30_000
# Where the milter is killed: how much of the content has been sent, and whether it is all.
MOMENTS = {"in-the-header": 0, "in-the-body": 150_000, "before-the-last-dot": -3}


@pytest.fixture
def deferring(world: World) -> Iterator[Daemon]:
    """The fragile daemon, told to defer what DNS leaves open."""
    daemon = world.daemons["fragile"]
    before = daemon.config.read_text()
    daemon.config.write_text(before + '[dmarc]\nreject = true\ntemperror = "tempfail"\n')
    daemon.start()
    yield daemon
    daemon.stop()
    daemon.config.write_text(before)


def once(world: World, recipient: str) -> None:
    """There is exactly one copy, and it was judged."""
    delivered = world.sink.wait(recipient)
    assert results.only(delivered, "dmarc").result == "pass"
    time.sleep(0.3)
    assert len(world.sink.copies(recipient)) == 1


@pytest.mark.parametrize("whom", ["all", "workers"])
@pytest.mark.parametrize("moment", MOMENTS)
def test_killed_in_the_middle(world: World, fragile: Daemon, moment: str, whom: str) -> None:
    """The client is told to come again, nothing is delivered, and then it is, once."""
    recipient = f"{unique('r')}@rcpt.example"
    content = stuffed(message(ANN, body=BIG)) + b".\r\n"
    with SmtpClient(world.ports["fragile"]) as client:
        client.pose(Pose(address=GOOD_V4))
        for line in (f"MAIL FROM:<{ANN}>", f"RCPT TO:<{recipient}>", "DATA"):
            client.command(line)
        cut = MOMENTS[moment]
        client.send(content[:cut] if cut else b"Subject: x\r\n")
        time.sleep(0.5)  # what was sent has reached the milter
        if whom == "all":
            fragile.kill()
        else:
            for pid in fragile.workers():
                os.kill(pid, signal.SIGKILL)
        client.send(content[cut:] if cut else content)
        answer = client.reply()
    assert 400 <= answer.code < 500, answer
    assert not world.sink.copies(recipient)
    if whom == "all":
        wait_until(lambda: not listens(fragile.port), "the workers to be gone")
        fragile.start()
    wait_until(
        lambda: (
            world.send(
                message(ANN, body=BIG), ANN, Pose(address=GOOD_V4), port="fragile", to=recipient
            ).code
            == 250
        ),
        "the milter to be back",
    )
    once(world, recipient)


def test_what_dns_leaves_open_is_deferred(world: World, deferring: Daemon) -> None:
    recipient = f"{unique('r')}@rcpt.example"
    author = "ann@sick.example"
    pose = Pose(address=BAD_V4)
    answer = world.send(message(author), author, pose, port="fragile", to=recipient)
    assert answer.code == 451 and answer.text.startswith("4.7."), answer
    assert not world.sink.copies(recipient)
    # Others are not.
    assert world.deliver(message(ANN), ANN, Pose(address=GOOD_V4), port="fragile")
    answer = world.send(message(ANN), ANN, pose, port="fragile", to=recipient)
    assert answer.code == 550


def test_what_was_held_is_delivered_when_released(world: World, strict: Daemon) -> None:
    author = f"{unique('a')}@quarantine.example"
    recipient = f"{unique('r')}@rcpt.example"
    content = message(author)
    answer = world.send(content, author, Pose(address=BAD_V4), port="strict", to=recipient)
    assert answer.code == 250
    assert world.postfix.held(author) and not world.sink.copies(recipient)
    world.postfix.release(author)
    delivered = world.sink.wait(recipient, 60)
    assert results.only(delivered, "dmarc").result == "fail"
    assert len(world.sink.copies(recipient)) == 1
