"""A worker that is alive is told from one that only exists."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import pytest

from postseal.daemon import pulse
from postseal.daemon.pulse import PATIENCE, Pulse, Watchdog


@dataclass(eq=False)
class Worker:
    pulse: Pulse = field(default_factory=Pulse)


@pytest.fixture
def watchdog(monkeypatch: pytest.MonkeyPatch) -> Watchdog:
    """One whose rounds follow each other at once."""
    monkeypatch.setattr(pulse, "BEAT", 0.0)
    return Watchdog()


def test_a_worker_that_beats_is_left_alone(watchdog: Watchdog) -> None:
    worker = Worker()
    for _ in range(600):  # more than the octet holds
        worker.pulse.beat()
        assert watchdog.stuck([worker]) == []


def test_a_silent_worker_is_given_up_once(watchdog: Watchdog) -> None:
    silent, alive = Worker(), Worker()
    silent.pulse.beat()
    found = []
    for _ in range(PATIENCE + 5):
        alive.pulse.beat()
        found.append(watchdog.stuck([silent, alive]))
    assert found == [[]] * PATIENCE + [[silent]] + [[]] * 4


def test_a_late_beat_is_one(watchdog: Watchdog) -> None:
    worker = Worker()
    for _ in range(3):
        for _ in range(PATIENCE - 1):
            assert watchdog.stuck([worker]) == []
        worker.pulse.beat()
        assert watchdog.stuck([worker]) == []


def test_between_rounds_nobody_is_felt() -> None:
    """Otherwise the supervisor's own busy time would count against the workers."""
    watchdog, worker = Watchdog(), Worker()
    assert 0 < watchdog.wait() <= pulse.BEAT
    for _ in range(PATIENCE + 1):
        assert watchdog.stuck([worker]) == []


def test_a_beat_is_felt_across_fork() -> None:
    worker = Worker()
    assert worker.pulse.feel() == 1
    pid = os.fork()
    if pid == 0:
        worker.pulse.beat()
        os._exit(0)
    os.waitpid(pid, 0)
    assert worker.pulse.feel() == 0
