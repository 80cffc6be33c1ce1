"""Files that hold keys and records: born private, whole or not at all.

NAME
    store - create files exclusively, or replace them when told to

GIVEN
    a directory, and for each file a name, its bytes and perhaps an owner.

GIVES
    all of the files, mode 0600 unless told otherwise, on disk.  Each is written beside its place
    under a random name, flushed, and only then given its name: whoever looks,
    whenever the machine stops, sees the old file, the new one, or none.

DOES NOT
    replace a file unless force is given; follow a symbolic link in the place
    of the file; use a shell.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import pwd
import secrets
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from postseal_keys.console import CANTCREAT, NOPERM, NOUSER, Problem

MODE = 0o600
KEEP = -1  # os.chown's word for "leave as it is"
_REFUSES_LINKS = {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EXDEV}


@dataclass(frozen=True, slots=True)
class Owner:
    """Numeric user and group; KEEP leaves either as it is."""

    uid: int = KEEP
    gid: int = KEEP


@dataclass(frozen=True, slots=True, kw_only=True)
class NewFile:
    """A file to be written: its name inside the directory, and what goes into it."""

    name: str
    data: bytes
    owner: Owner = Owner()
    mode: int = MODE


def find_owner(user: str | None, group: str | None) -> Owner:
    """User and group by name or number.  Raises Problem when there is none of that name."""
    try:
        uid = KEEP if user is None else _number(user, lambda name: pwd.getpwnam(name).pw_uid)
    except KeyError:
        raise Problem(f"there is no user '{user}'", hint="see getent passwd", code=NOUSER) from None
    try:
        gid = KEEP if group is None else _number(group, lambda name: grp.getgrnam(name).gr_gid)
    except KeyError:
        raise Problem(
            f"there is no group '{group}'", hint="see getent group", code=NOUSER
        ) from None
    return Owner(uid, gid)


def _number(text: str, look_up: Callable[[str], int]) -> int:
    return int(text) if text.isascii() and text.isdigit() else look_up(text)


def existing(directory: str, names: Sequence[str]) -> tuple[str, ...]:
    """Which of the names are taken in the directory (a dangling link counts)."""
    return tuple(name for name in names if os.path.lexists(Path(directory, name)))


def refuse_existing(directory: str, names: Sequence[str]) -> None:
    """Raise Problem when one of the names is taken: asked before work that takes long."""
    for name in existing(directory, names):
        raise _exists(_shown(directory, name))


def write(directory: str, files: Sequence[NewFile], *, force: bool = False) -> None:
    """Put all files into the directory; on a Problem none of them was created.

    With force, files that are there are replaced one after the other, each
    at once.  Raises Problem (CANTCREAT, NOPERM).
    """
    with _opened(directory) as where, contextlib.ExitStack() as undo:
        staged = [(file, _stage(where, directory, file, undo)) for file in files]
        placed: list[str] = []
        try:
            for file, temporary in staged:
                _place(where, directory, temporary, file, force)
                placed.append(file.name)
        except BaseException:  # Ctrl-C too
            if not force:
                for name in placed:
                    os.unlink(name, dir_fd=where)
            raise
        os.fsync(where)


@contextlib.contextmanager
def _opened(directory: str) -> Iterator[int]:
    """The directory as a descriptor: what happens to its path meanwhile does not matter."""
    try:
        where = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise Problem(
            f"{directory}: {error.strerror}", hint="make the directory first", code=CANTCREAT
        ) from None
    try:
        yield where
    finally:
        os.close(where)


def _stage(where: int, directory: str, file: NewFile, undo: contextlib.ExitStack) -> str:
    """Write the file under a random name; undo removes that name."""
    temporary = f".{secrets.token_hex(8)}.tmp"
    try:
        fd = os.open(
            temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, MODE, dir_fd=where
        )
    except OSError as error:
        raise _cannot(_shown(directory, file.name), error) from None
    undo.callback(_remove, where, temporary)
    try:
        with os.fdopen(fd, "wb") as out:
            os.fchmod(fd, file.mode)  # whatever the umask was
            if file.owner != Owner():
                os.fchown(fd, file.owner.uid, file.owner.gid)
            out.write(file.data)
            out.flush()
            os.fsync(fd)
    except OSError as error:
        raise _cannot(_shown(directory, file.name), error) from None
    return temporary


def _place(where: int, directory: str, temporary: str, file: NewFile, force: bool) -> None:
    """Give a staged file its name; the temporary name may stay behind."""
    try:
        if force:
            os.rename(temporary, file.name, src_dir_fd=where, dst_dir_fd=where)
        else:
            _link(where, temporary, file)
    except FileExistsError:
        raise _exists(_shown(directory, file.name)) from None
    except OSError as error:
        raise _cannot(_shown(directory, file.name), error) from None


def _link(where: int, temporary: str, file: NewFile) -> None:
    """Take the name only if it is free.  link() does that; where the file system has no
    links, holding the name with an empty file and renaming over it does nearly."""
    try:
        os.link(temporary, file.name, src_dir_fd=where, dst_dir_fd=where, follow_symlinks=False)
    except OSError as error:
        if error.errno not in _REFUSES_LINKS:
            raise
        os.close(os.open(file.name, os.O_WRONLY | os.O_CREAT | os.O_EXCL, MODE, dir_fd=where))
        os.rename(temporary, file.name, src_dir_fd=where, dst_dir_fd=where)


def _remove(where: int, name: str) -> None:
    with contextlib.suppress(FileNotFoundError):
        os.unlink(name, dir_fd=where)


def _shown(directory: str, name: str) -> str:
    """The file as a user would write it."""
    return str(Path(directory, name))


def _exists(name: str) -> Problem:
    return Problem(
        f"{name} exists",
        hint="a key in use must not be replaced: choose another selector, or give --force",
        code=CANTCREAT,
    )


def _cannot(name: str, error: OSError) -> Problem:
    if isinstance(error, PermissionError):
        return Problem(
            f"{name}: {error.strerror}",
            hint="choose a directory of yours, or become the user who may (root for --owner)",
            code=NOPERM,
        )
    hint = _WAYS_OUT.get(error.errno or 0, "choose another directory")
    return Problem(f"{name}: {error.strerror}", hint=hint, code=CANTCREAT)


_WAYS_OUT = {
    errno.ENOSPC: "make room, or choose another directory",
    errno.EDQUOT: "make room, or choose another directory",
    errno.EISDIR: "a directory has that name: remove it, or choose another name",
}
