"""Octets that every worker can read and none of them holds.

NAME
    vault - Vault: put() and get()

GIVEN
    the contents of key files, before workers are forked.

GIVES
    the same octets, later, in any of the processes.

HOW
    They stand in a file that has no name and no disk (memfd_create(2)), once for all
    workers.  As Python objects they would be copied into each worker, page by page, as it
    counts references: 10,000 RSA keys took 17 MB of every one.  Where the system has no
    such files, or a sandbox forbids them, they are kept as objects.

SEE ALSO
    tables/keyring.py.
"""

from __future__ import annotations

import os
import weakref
from contextlib import suppress

Place = tuple[int, int]  # offset and length


class Vault:
    """Add in one process, before fork(); read in several, from several threads."""

    def __init__(self) -> None:
        self._end = 0
        self._objects: dict[Place, bytes] = {}
        self._file = -1
        with suppress(AttributeError, OSError):  # no such files, or forbidden
            self._file = os.memfd_create("postseal-keys")
        if self._file >= 0:
            weakref.finalize(self, os.close, self._file).atexit = False

    def put(self, data: bytes) -> Place:
        """Keep data; its place is what get() wants."""
        place = self._end, len(data)
        if self._file < 0:
            self._objects[place] = data
        elif os.pwrite(self._file, data, self._end) != len(data):
            raise MemoryError("no room for keys")
        self._end += max(1, len(data))  # places differ, even those of nothing
        return place

    def get(self, place: Place) -> bytes:
        """What was put there."""
        if self._file < 0:
            return self._objects[place]
        offset, length = place
        return os.pread(self._file, length, offset)
