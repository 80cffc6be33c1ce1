"""A bug of ours must not reach libmilter: what is left of it is one log line.

NAME
    guard - Fault: an unforeseen exception as one log line

GIVES
    fault_of(error): what happened and where, short enough for a line.

SEE ALSO
    adapter.py, which catches everything in every callback and keeps the Fault until
    the queue id is known; worker.py, supervisor.py and published.py, whose loops must go on
    or end in a word.
"""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from pathlib import PurePath

FRAMES = 6  # innermost calls named; more says little and makes the line unreadable


@dataclass(frozen=True, slots=True)
class Fault:
    """An exception nobody foresaw: its type and text, and the calls, innermost first."""

    error: str
    where: str


def fault_of(error: BaseException) -> Fault:
    """The exception as text.  Never raises, even when the exception's own str() does."""
    try:
        text = f"{type(error).__name__}: {error}"
    except Exception:
        text = type(error).__name__
    return Fault(error=text, where=_where(error))


def _where(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__, limit=-FRAMES)
    return " < ".join(
        f"{PurePath(frame.filename).name}:{frame.lineno} {frame.name}" for frame in reversed(frames)
    )
