"""A limit in time and number for questions to libraries that know none.

NAME
    asking - Asker: work in a thread that nobody waits for too long

GIVEN
    work that may block: connecting to a host that is gone, or asking a server that is
    stopped.  Most libraries have timeouts for one of them only.

GIVES
    the work's value, or TableUnavailable after so many seconds.  The thread is left behind
    then, and counts as busy until the library gives up by itself.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from postseal.tables.store import TableUnavailable

T = TypeVar("T")


class _Work(Generic[T]):
    """One piece of work, and what became of it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._ended = threading.Event()
        self._value: list[T] = []
        self._error: BaseException | None = None

    def run(self) -> None:
        try:
            self._value.append(self._work())
        except BaseException as error:  # carried over to who waits
            self._error = error

    def end(self) -> None:
        self._ended.set()

    def result(self, seconds: float) -> T:
        """What work gave or raised.  Raises TimeoutError."""
        if not self._ended.wait(seconds):
            raise TimeoutError
        if self._error is not None:
            raise self._error
        return self._value[0]


class Asker:
    """At most `most` pieces of work at a time, of `seconds` each.

    Threads are started when they are needed, after fork(), and stay.
    """

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self.seconds = seconds
        self._free = threading.Semaphore(most)
        self._lock = threading.Lock()
        self._threads = 0
        self._idle = 0
        self._queue: queue.SimpleQueue[_Work[Any] | None] = queue.SimpleQueue()

    def ask(self, work: Callable[[], T]) -> T:
        """What work gives or raises; TableUnavailable when it is late."""
        until = time.monotonic() + self.seconds
        if not self._free.acquire(timeout=self.seconds):
            raise TableUnavailable(f"all {self._most} connections are busy")
        piece = _Work(work)
        with self._lock:
            needed = not self._idle
            self._idle -= not needed
            self._threads += needed
        if needed:
            threading.Thread(target=self._serve, daemon=True).start()
        self._queue.put(piece)
        try:
            return piece.result(max(0.0, until - time.monotonic()))
        except TimeoutError:
            raise TableUnavailable(f"no answer within {self.seconds:g} seconds") from None

    def _serve(self) -> None:
        """A thread's life."""
        while (piece := self._queue.get()) is not None:
            piece.run()
            with self._lock:
                self._idle += 1
            self._free.release()
            piece.end()

    def close(self) -> None:
        """Have the threads end when they are done."""
        with self._lock:
            for _ in range(self._threads):
                self._queue.put(None)
            self._threads = self._idle = 0
