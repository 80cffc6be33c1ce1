"""Have the files changed that a configuration was made from?

NAME
    watch - Watch: a set of files, and whether to read them again

GIVEN
    the files of a Site.

GIVES
    poll(): True once for every change that has come to rest.  A file that is still being
    written changes from one poll to the next, and is left alone until it does not.

DOES NOT
    read files, wait, or judge: what is there now may be wrong, and whoever reads it
    then must keep what there was.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

# What changes when a file does: content, another file of that name, no file.
_Look = tuple[int, int, int] | None


class Watch:
    """The files as they were when last reported."""

    def __init__(self, files: Iterable[Path]) -> None:
        self._files = tuple(dict.fromkeys(files))
        self._known = self._look()
        self._latest = self._known

    def __len__(self) -> int:
        return len(self._files)

    def poll(self) -> bool:
        """Whether something is different from what was last reported, and has come to rest."""
        before, self._latest = self._latest, self._look()
        if self._latest == self._known or self._latest != before:
            return False
        self._known = self._latest
        return True

    def _look(self) -> tuple[_Look, ...]:
        return tuple(map(_look, self._files))


def _look(path: Path) -> _Look:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size, status.st_ino
