"""A worker that exists but does nothing: stopped, or caught in a fault of ours or a library's.

NAME
    pulse - Pulse of one worker, and Watchdog, which feels it

GIVES
    beat() for the worker's main thread, every BEAT seconds; stuck() for the supervisor: who
    has not beaten for PATIENCE of its rounds.

DOES NOT
    go by the clock: while the whole machine or service is frozen, rounds are, too.

WHY
    The kernel goes on handing connections to such a worker, and Postfix waits on each of them
    until its own patience ends.  The main thread needs Python's lock to beat, so that it falls
    silent when another thread never gives that back.
"""

from __future__ import annotations

import mmap
import time
from collections.abc import Iterable
from typing import Protocol, TypeVar

BEAT = 10.0  # seconds between two beats, and between two rounds
PATIENCE = 6  # rounds in vain; Postfix itself gives up after 30 seconds


class Pulse:
    """One octet that a worker shares with its supervisor.  To be made before fork()."""

    def __init__(self) -> None:
        self._shared = mmap.mmap(-1, 1)
        self._last = 0
        self._silent = 0

    def beat(self) -> None:
        """The worker lives."""
        self._shared[0] = (self._shared[0] + 1) % 256

    def feel(self) -> int:
        """For how many calls of this there was no beat."""
        now = self._shared[0]
        self._silent = self._silent + 1 if now == self._last else 0
        self._last = now
        return self._silent


class Alive(Protocol):
    """What has a pulse."""

    @property
    def pulse(self) -> Pulse: ...


T = TypeVar("T", bound=Alive)


class Watchdog:
    """When the supervisor feels all pulses."""

    def __init__(self) -> None:
        self._next = time.monotonic() + BEAT

    def wait(self) -> float:
        """Seconds until the next round."""
        return max(0.0, self._next - time.monotonic())

    def stuck(self, workers: Iterable[T]) -> list[T]:
        """Those that are given up now.  To be called often: between rounds there are none."""
        if self.wait():
            return []
        self._next = time.monotonic() + BEAT
        return [one for one in workers if one.pulse.feel() == PATIENCE]
