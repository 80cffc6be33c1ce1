"""Answers of a table, remembered; and what happens while it gives none.

NAME
    cached - Cached: a bounded memory in front of a store, with a breaker

GIVEN
    a function that asks, and how long its answers are good for.

GIVES
    get(): from memory while an answer is fresh; otherwise asked anew by one thread, while
    the others go on with the old answer.  When the table is out, it is tried once in
    retry seconds and nobody else waits: old answers serve until they are stale, then
    TableUnavailable.  The start and the end of an outage are told, messages are not.

DOES NOT
    know the store, or what the answers mean.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from postseal.tables.store import TableUnavailable

T = TypeVar("T")

# Takes a level of the log ("info", "warning", ...) and pairs for a line of it.
Tell = Callable[[str, list[tuple[str, str]]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """All in seconds, but entries."""

    entries: int = 20_000
    fresh: float = 300.0
    negative: float = 60.0
    stale: float = 3600.0  # on top of fresh or negative
    retry: float = 5.0


@dataclass(slots=True)
class _Entry(Generic[T]):
    value: T
    fresh: float  # until when it is used without a question
    stale: float  # until when it is used in an outage


class Cached(Generic[T]):
    """Answers by key.  Used by several threads of one process."""

    def __init__(
        self,
        name: str,
        ask: Callable[[str], T],
        limits: Limits,
        tell: Tell,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._ask = ask
        self._limits = limits
        self._tell = tell
        self._clock = clock
        self._entries: OrderedDict[str, _Entry[T]] = OrderedDict()
        self._lock = threading.Lock()
        self._down: TableUnavailable | None = None
        self._since = 0.0
        self._next = 0.0

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: str) -> T:
        """The answer for key.  Raises TableUnavailable when none can be had."""
        now = self._clock()
        entry = self._entries.get(key)
        if entry is not None and now < entry.fresh:
            return entry.value
        if not self._may_ask(now):
            return self._instead(entry, now)
        if entry is not None:  # the others need not ask as well
            entry.fresh = min(now + self._limits.retry, entry.stale)
        try:
            value = self._ask(key)
        except TableUnavailable as error:
            self._fails(error)
            return self._instead(entry, now)
        self._works()
        self._keep(key, value)
        return value

    def _may_ask(self, now: float) -> bool:
        """Whether the table is up, or it is this caller's turn to try."""
        if self._down is None:
            return True
        with self._lock:
            if now < self._next:
                return False
            self._next = now + self._limits.retry
            return True

    def _instead(self, entry: _Entry[T] | None, now: float) -> T:
        """The old answer, while there is one that may be used."""
        if entry is not None and now < entry.stale:
            return entry.value
        down = self._down
        raise TableUnavailable(
            f"table {self.name} does not answer: {down.what if down else 'no reason known'}",
            down.hint if down else "",
        )

    def _keep(self, key: str, value: T) -> None:
        now, limits = self._clock(), self._limits
        fresh = now + (limits.fresh if value else limits.negative)
        with self._lock:
            self._entries[key] = _Entry(value, fresh, fresh + limits.stale)
            self._entries.move_to_end(key)
            while len(self._entries) > limits.entries:
                self._entries.popitem(last=False)

    def _fails(self, error: TableUnavailable) -> None:
        now = self._clock()
        with self._lock:
            first = self._down is None
            self._down = error
            self._next = now + self._limits.retry
            if first:
                self._since = now
        if first:
            pairs = [("event", "table-down"), ("table", self.name), ("error", error.what)]
            self._tell("error", pairs + ([("hint", error.hint)] if error.hint else []))

    def _works(self) -> None:
        if self._down is None:
            return
        with self._lock:
            ended, self._down = self._down is not None, None
            lasted = self._clock() - self._since
        if ended:
            pairs = [("event", "table-up"), ("table", self.name), ("after", f"{lasted:.1f}s")]
            self._tell("warning", pairs)
