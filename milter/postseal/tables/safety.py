"""May nobody else read or replace this key file?

NAME
    safety - owner and mode of a file and of every directory above it

GIVEN
    a path, and the user that will run the daemon.

GIVES
    a Fault for each path that lets others in, with the command that mends it.

DOES NOT
    read the file, or follow what access control lists say beyond the mode.

SEE ALSO
    opendkim.conf(5), RequireSafeKeys.  One difference: a directory that all may write
    to is accepted with the sticky bit, because there others cannot rename what is ours.
"""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Fault:
    """One path, what is wrong with it, and a command for a shell."""

    path: Path
    what: str
    mend: str


class Inspector:
    """Looks at paths for one user; directories that many keys share are looked at once."""

    def __init__(self, uid: int) -> None:
        self._uid = uid
        self._seen: dict[Path, tuple[Fault | None, bool]] = {}
        self._others: dict[int, str] = {}
        self._folders: dict[Path, Path] = {}
        self._chains: dict[Path, tuple[Path, ...]] = {}

    def inspect(self, path: Path) -> Fault | None:
        """The first fault on the way from / to the file.  Raises OSError."""
        real = self._real(path)
        for folder in self._above(real.parent):
            fault, closed = self._folder(folder)
            if fault is not None:
                return fault
            if closed:  # nobody else comes any further
                break
        # The file's own mode counts all the same: it outlives a directory that is opened,
        # and goes with the file into a copy or a backup.
        return self._file(real)

    def _real(self, path: Path) -> Path:
        """The path without symbolic links; a directory is followed once only."""
        folder = path.parent
        if folder not in self._folders:
            self._folders[folder] = folder.resolve(strict=True)
        near = self._folders[folder] / path.name
        if path.name in ("", "..") or stat.S_ISLNK(near.lstat().st_mode):
            return path.resolve(strict=True)
        return near

    def _above(self, folder: Path) -> tuple[Path, ...]:
        """The directories from / to folder."""
        if folder not in self._chains:
            self._chains[folder] = (*reversed(folder.parents), folder)
        return self._chains[folder]

    def _folder(self, path: Path) -> tuple[Fault | None, bool]:
        """The fault of a directory, and whether only its owner can pass through it."""
        if path not in self._seen:
            status = path.stat()
            self._seen[path] = self._judge(path, status), not status.st_mode & 0o011
        return self._seen[path]

    def _judge(self, path: Path, status: os.stat_result) -> Fault | None:
        mode, sticky = status.st_mode, bool(status.st_mode & stat.S_ISVTX)
        if mode & stat.S_IWUSR and status.st_uid not in (0, self._uid):
            return self._fault(path, f"belongs to {user_name(status.st_uid)}", "chown root")
        if mode & stat.S_IWOTH and not sticky:
            return self._fault(path, "can be written to by every user", "chmod o-w")
        if mode & stat.S_IWGRP and not sticky and (who := self.others_in(status.st_gid)):
            return self._fault(path, f"can be written to by {who}", "chmod g-w")
        return None

    def _file(self, path: Path) -> Fault | None:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return self._fault(path, "is not a regular file", "ls -ld")
        if status.st_uid not in (0, self._uid):
            owner = shlex.quote(user_name(self._uid))
            return self._fault(path, f"belongs to {user_name(status.st_uid)}", f"chown {owner}")
        if status.st_mode & 0o006:
            return self._fault(path, "can be read or written by every user", "chmod o-rwx")
        if status.st_mode & 0o060 and (who := self.others_in(status.st_gid)):
            return self._fault(path, f"can be read or written by {who}", "chmod g-rwx")
        return None

    @staticmethod
    def _fault(path: Path, what: str, command: str) -> Fault:
        return Fault(path, what, f"{command} {shlex.quote(str(path))}")

    def others_in(self, gid: int) -> str:
        """Who else is in a group: "bob (group staff)"; "" when it is only root and the daemon."""
        if gid not in self._others:
            self._others[gid] = self._look_up(gid)
        return self._others[gid]

    def _look_up(self, gid: int) -> str:
        fine = {0, self._uid}
        names = [one.pw_name for one in pwd.getpwall() if one.pw_gid == gid]
        try:
            group = grp.getgrgid(gid)
            names, called = names + group.gr_mem, group.gr_name
        except KeyError:
            called = str(gid)
        for name in names:
            if user_id(name) not in fine:
                return f"{name} (group {called})"
        return ""


def user_name(uid: int) -> str:
    """The name of a user; the number where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def user_id(name: str) -> int | None:
    """The number of a user; None where there is no such user."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None
