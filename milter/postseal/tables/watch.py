"""Have the files changed that a configuration was made from?

NAME
    watch - Watch: a set of files, and whether to read them again

GIVEN
    the files of a Site, and when reading them began.

GIVES
    poll(): True once for every change that has come to rest.  A file that is still being
    written changes from one poll to the next, and is left alone until it does not.

DOES NOT
    read files, wait, or judge: what is there now may be wrong, and whoever reads it
    then must keep what there was.
"""

from __future__ import annotations

import time
from collections.abc import Iterable
from pathlib import Path

# What changes when a file does: content, another file of that name, its mode, no file.
_Look = tuple[int, ...] | None

COARSE = 10_000_000  # nanoseconds by which the clock of file systems may be behind
_UNSEEN: _Look = ()  # like no file there is


class Watch:
    """The files as they were when last reported."""

    def __init__(self, files: Iterable[str | Path], began: int | None = None) -> None:
        """began: nanoseconds since 1970.  What changed after may have been read half.

        What has changed in the future says that the clock was set back since, and no more:
        it would have been read half until the clock is there again.
        """
        self._files = tuple(dict.fromkeys(files))
        self._latest = self._look()
        self._known = self._latest
        if began is not None:
            late, now = began - COARSE, time.time_ns() + COARSE
            self._known = tuple(
                _UNSEEN if look and late <= look[0] <= now else look for look in self._latest
            )

    @property
    def is_torn(self) -> bool:
        """Whether something changed while it was being read."""
        return _UNSEEN in self._known

    def add(self, files: Iterable[str | Path]) -> None:
        """Look at more files; they count as they are now."""
        more = tuple(one for one in dict.fromkeys(files) if one not in set(self._files))
        looks = tuple(map(_look, more))
        self._files += more
        self._known += looks
        self._latest += looks

    def again(self) -> None:
        """Tell of the files once more, as soon as they are at rest."""
        self._known = (_UNSEEN,) * len(self._files)

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


def _look(path: str | Path) -> _Look:
    try:
        status = Path(path).stat()
    except OSError:
        return None
    # the first one alone moves with owner and mode, which decide whether a key is safe
    return status.st_ctime_ns, status.st_mtime_ns, status.st_size, status.st_ino
