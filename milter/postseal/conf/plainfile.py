"""Reading a file that somebody else may have put there.

NAME
    plainfile - read(): so many octets of a file, without waiting for ever

DOES NOT
    wait for somebody to write to a FIFO in the file's place: whoever reads a configuration
    again must go on looking after its workers.  A pipe that has a writer, such as /dev/stdin
    or a shell's <(command), is read to its end.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from pathlib import Path


def read(path: Path, most: int) -> bytes:
    """The first octets of the file.  Raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        begun = b""
        if stat.S_ISFIFO(os.fstat(descriptor).st_mode):
            with contextlib.suppress(BlockingIOError):  # there is a writer, who is slow
                begun = os.read(descriptor, most)
                if not begun:
                    raise OSError(errno.EPIPE, "a FIFO that nobody writes to", str(path))
        os.set_blocking(descriptor, True)
        return begun + file.read(most - len(begun))
