"""SIGHUP: the new configuration is taken while mail flows; a bad one changes nothing."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from support import results
from support.child import wait_until
from support.daemon import Daemon
from support.mail import message
from support.smtpclient import Pose, Reply
from support.world import BAD_V4, GOOD_V4, World

pytestmark = pytest.mark.e2e

ANN = "ann@good.example"
STRICT = "[dmarc]\nreject = true\n"


@contextmanager
def _changed(daemon: Daemon, text: str) -> Iterator[None]:
    """The configuration with text added at its end, until the with statement ends."""
    before = daemon.config.read_text()
    daemon.config.write_text(before + text)
    try:
        yield
    finally:
        daemon.config.write_text(before)


def _reload(daemon: Daemon) -> None:
    """Reload, and wait for the new workers; old ones stay while they have connections."""
    before = set(daemon.workers())
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: len(set(daemon.workers()) - before) == 2, "new workers")


def _grows(answers: list[Reply], by: int) -> None:
    wanted = len(answers) + by
    wait_until(lambda: len(answers) >= wanted, "mail to flow")


def _forged(world: World) -> Reply:
    return world.send(message(ANN), ANN, Pose(address=BAD_V4), port="fragile")


def test_a_new_configuration_is_obeyed(world: World, fragile: Daemon) -> None:
    assert _forged(world).code == 250
    with _changed(fragile, STRICT):
        fragile.signal(signal.SIGHUP)
        wait_until(lambda: _forged(world).code == 550, "the new configuration")


def test_a_bad_configuration_changes_nothing(world: World, fragile: Daemon) -> None:
    before = fragile.workers()
    with _changed(fragile, STRICT + "no such thing\n"):
        said = len(fragile.log_text())
        fragile.signal(signal.SIGHUP)
        wait_until(lambda: "reload-refused" in fragile.log_text()[said:], "the refusal")
        assert fragile.config.name in fragile.log_text()[said:]
        assert _forged(world).code == 250
    assert fragile.workers() == before


def test_no_mail_is_deferred_by_reloads(world: World, fragile: Daemon) -> None:
    stop = threading.Event()
    answers: list[Reply] = []

    def send() -> None:
        while not stop.is_set():
            answers.append(world.send(message(ANN), ANN, Pose(address=GOOD_V4), port="fragile"))

    senders = [threading.Thread(target=send) for _ in range(3)]
    for one in senders:
        one.start()
    for _ in range(3):
        _reload(fragile)
        _grows(answers, 10)
    stop.set()
    for one in senders:
        one.join(60)
    assert {answer.code for answer in answers} == {250}
    delivered = world.deliver(message(ANN), ANN, Pose(address=GOOD_V4), port="fragile")
    assert results.only(delivered, "dmarc").result == "pass"
