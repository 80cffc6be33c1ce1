"""How often each override has decided, over all workers.

NAME
    hits - Hits: counters that all processes forked after it share

GIVEN
    the reasons of the rows, in their order.

GIVES
    hit(), for any thread of any process; totals(), and the pairs of the log lines that
    tell them.

DOES NOT
    outlive the configuration it was made for: every reload starts from nothing.

NOTES
    The lock is the kernel's, on a file without a name, so that a worker that dies holding
    it cannot stop the others.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
from collections.abc import Iterator, Sequence

from postseal.daemon.logline import Value

_COUNT = struct.Struct("=Q")


class Hits:
    """One counter per row.  Make it before fork()."""

    def __init__(self, reasons: Sequence[str]) -> None:
        self._reasons = tuple(reasons)
        self._file = os.memfd_create("postseal-overrides")
        size = _COUNT.size * max(1, len(self._reasons))
        os.ftruncate(self._file, size)
        self._counts = mmap.mmap(self._file, size)
        self._lock = threading.Lock()  # the file's lock does not hold between threads

    def __del__(self) -> None:
        if (file := getattr(self, "_file", -1)) >= 0:
            os.close(file)

    def hit(self, row: int) -> None:
        """Count one for that row, the first being 1."""
        at = (row - 1) * _COUNT.size
        with self._lock:
            fcntl.lockf(self._file, fcntl.LOCK_EX)
            try:
                (count,) = _COUNT.unpack_from(self._counts, at)
                _COUNT.pack_into(self._counts, at, count + 1)
            finally:
                fcntl.lockf(self._file, fcntl.LOCK_UN)

    def totals(self) -> tuple[int, ...]:
        """The counts, row by row."""
        size = _COUNT.size * len(self._reasons)
        return tuple(count for (count,) in _COUNT.iter_unpack(self._counts[:size]))

    def lines(self) -> Iterator[list[tuple[str, Value]]]:
        """One line for each row that decided anything, and one for all that did not."""
        totals = self.totals()
        for row, (count, why) in enumerate(zip(totals, self._reasons, strict=True), 1):
            if count:
                yield [("event", "override-total"), ("row", row), ("hits", count), ("why", why)]
        unused = [str(row) for row, count in enumerate(totals, 1) if not count]
        if unused:
            yield [("event", "overrides-unused"), ("rows", ",".join(unused))]
