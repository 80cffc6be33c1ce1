"""A file whose name is taken by one daemon after the other: PID file, unix socket.

NAME
    ownfile - OwnFile: remember which file was made, remove that one and no other

DOES NOT
    remove what somebody else has put in its place meanwhile.  A daemon that is ending may still
    wait for a message when the next one has started: without its files nobody would find that.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path


class OwnFile:
    """The file that stands there now."""

    def __init__(self, path: str | Path) -> None:
        """Raises OSError when there is none."""
        self._path = Path(path)
        self._made = self._look()

    def remove(self) -> None:
        """Unless it is another one, or gone."""
        with contextlib.suppress(OSError):
            if self._look() == self._made:
                self._path.unlink()

    def _look(self) -> tuple[int, int, int]:
        status = self._path.lstat()
        # numbers are given again at once, times are not
        return status.st_dev, status.st_ino, status.st_mtime_ns


def write_pid(path: Path) -> OwnFile:
    """Write this process's number.  Raises OSError.

    Made anew, never written through: the directory may be the workers' user's, and a link in
    it would lead a root's pen anywhere.  The mode is the same whatever the umask: who may write
    to the file chooses whom root sends signals to.
    """
    path.unlink(missing_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with os.fdopen(os.open(path, flags, 0o644), "w") as file:
        file.write(f"{os.getpid()}\n")
    return OwnFile(path)
