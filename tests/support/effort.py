"""How much work a call is, counted instead of timed: the same on every machine, at any load.

    with Effort() as effort:
        work()
    effort.steps      # lines run, functions called, of Python and of C
    effort.octets     # octets and characters that methods of strings had to go over

NAME
    effort - Effort and TooMuch

GIVES
    two numbers that grow as the work does.  A loop within a loop shows in steps; the same text
    searched, copied or split again and again in octets: each call of a method of bytes, bytearray
    or str counts as the length of what it belongs to.

DOES NOT
    see into one call: a regular expression that goes back is one step.  Whoever cares makes the
    input so large that it would never come to an end.

TooMuch is raised inside the work when the limit is passed, so that quadratic work ends too.  It
may be caught there: whoever set the limit compares it with steps.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType, TracebackType
from typing import Any, Self

TEXT = (bytes, bytearray, str)
# These look at one place, or give a part: their cost is not the whole.
LOCAL = {"startswith", "endswith", "append", "extend", "isascii", "__len__", "__getitem__"}


class TooMuch(BaseException):
    """The limit is passed."""


class Effort:
    """Counts what this thread does inside the block.  limit: steps that are too many."""

    def __init__(self, limit: float = float("inf")) -> None:
        self.limit = limit
        self.steps = 0
        self.octets = 0
        self._before: tuple[Any, Any] = (None, None)

    def __enter__(self) -> Self:
        gc.collect()
        gc.disable()  # what it calls is none of this work
        self._before = sys.gettrace(), sys.getprofile()
        sys.setprofile(self._called)
        sys.settrace(self._ran)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        sys.settrace(self._before[0])
        sys.setprofile(self._before[1])
        gc.enable()

    def _step(self) -> None:
        self.steps += 1
        if self.steps > self.limit:
            self.limit = float("inf")  # raised once
            raise TooMuch

    def _ran(self, _frame: FrameType, event: str, _argument: Any) -> Callable[..., Any]:
        if event == "line":
            self._step()
        return self._ran

    def _called(self, _frame: FrameType, event: str, argument: Any) -> None:
        if event == "call":
            self._step()
        elif event == "c_call":
            owner = getattr(argument, "__self__", None)
            if isinstance(owner, TEXT) and argument.__name__ not in LOCAL:
                self.octets += len(owner)
            self._step()
