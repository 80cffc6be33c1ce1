"""Has somebody set the clock?

NAME
    clock - Clock.step(): by how much, since it was last asked

WHY
    DKIM signatures are judged by the time of day (RFC 6376 section 3.5, t= and x=): on a host
    whose clock is a day behind, all honest mail is from the future.  Nothing else here goes by
    it, so that the log is the one place where anybody could see why.
"""

from __future__ import annotations

import time

LEAST = 120.0  # seconds; smaller steps harm no signature (clock_skew in [verify])


class Clock:
    """The time of day beside the time since the machine was started, which nobody can set."""

    def __init__(self) -> None:
        self._apart = time.time() - time.monotonic()

    def step(self) -> float:
        """Seconds, negative for back; 0.0 when there was none.  Sleep of the machine is one."""
        apart = time.time() - time.monotonic()
        by = apart - self._apart
        if abs(by) < LEAST:
            return 0.0
        self._apart = apart
        return by
