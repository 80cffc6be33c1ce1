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

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from postseal.tables.store import TableUnavailable

T = TypeVar("T")


class _Work(Generic[T]):
    """One piece of work, and what became of it."""

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self.ended = threading.Event()
        self.value: list[T] = []
        self.error: BaseException | None = None

    def run(self, free: threading.Semaphore) -> None:
        try:
            self.value.append(self._work())
        except BaseException as error:  # carried over to who waits
            self.error = error
        finally:
            free.release()
            self.ended.set()


class Asker:
    """At most `most` pieces of work at a time, of `seconds` each."""

    def __init__(self, most: int, seconds: float) -> None:
        self._most = most
        self._free = threading.Semaphore(most)
        self._seconds = seconds

    def ask(self, work: Callable[[], T]) -> T:
        """What work gives or raises; TableUnavailable when it is late."""
        until = time.monotonic() + self._seconds
        if not self._free.acquire(timeout=self._seconds):
            raise TableUnavailable(f"all {self._most} connections are busy")
        piece = _Work(work)
        threading.Thread(target=piece.run, args=(self._free,), daemon=True).start()
        if not piece.ended.wait(max(0.0, until - time.monotonic())):
            raise TableUnavailable(f"no answer within {self._seconds:g} seconds")
        if piece.error is not None:
            raise piece.error
        return piece.value[0]
