"""A clock that was set is noticed, once."""

from __future__ import annotations

import time

import pytest

from postseal.daemon.clock import LEAST, Clock


class Times:
    day = 1_000_000.0
    since_start = 100.0


@pytest.fixture
def times(monkeypatch: pytest.MonkeyPatch) -> Times:
    found = Times()
    monkeypatch.setattr(time, "time", lambda: found.day)
    monkeypatch.setattr(time, "monotonic", lambda: found.since_start)
    return found


def test_time_that_passes_is_no_step(times: Times) -> None:
    clock = Clock()
    times.day += 86400
    times.since_start += 86400
    assert clock.step() == 0.0


@pytest.mark.parametrize("by", [86400.0, -86400.0, LEAST])
def test_a_step_is_told_once(times: Times, by: float) -> None:
    clock = Clock()
    times.day += by
    assert clock.step() == by
    assert clock.step() == 0.0


def test_small_steps_add_up(times: Times) -> None:
    clock = Clock()
    times.day += LEAST - 1
    assert clock.step() == 0.0
    times.day += 1
    assert clock.step() == LEAST
