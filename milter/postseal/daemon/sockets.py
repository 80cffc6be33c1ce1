"""The listening socket, and its file's safety.

NAME
    sockets - Endpoint, and listen()

GIVEN
    a socket as the configuration has it.

GIVES
    a descriptor on which libmilter listens; mode and group of a unix socket are set before
    anybody can connect.

DOES NOT
    accept connections; libmilter does.

SEE ALSO
    conf/kinds.py reads the spellings of a socket, conf/sockets.py writes Postfix's.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import socket
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from postseal.conf import kinds
from postseal.daemon import libmilter

BACKLOG = 1024  # many smtpd processes may connect at once; the kernel caps it at somaxconn

PATIENCE = 2.0  # seconds that a socket in use is given to become free


class SocketError(Exception):
    """The socket cannot be had.  what says why, hint what to do."""

    def __init__(self, what: str, hint: str = "") -> None:
        self.what = what
        self.hint = hint
        super().__init__(what)


class InUse(SocketError):
    """Somebody else listens there now."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where to listen.  path is set for unix sockets, host ("" for all) and port otherwise."""

    family: str  # "inet", "inet6" or "unix"
    host: str = ""
    port: int = 0
    path: str = ""

    @classmethod
    def parse(cls, text: str) -> Endpoint:
        """Read any spelling that the configuration may have.  Raises SocketError."""
        try:
            family, _, rest = kinds.socket(text).partition(":")
        except ValueError as error:
            hint = "write inet:PORT@HOST, inet6:PORT@HOST, unix:/PATH or inet:HOST:PORT"
            raise SocketError(f"socket: {error}", hint) from None
        if family == "unix":
            return cls("unix", path=rest)
        port, _, host = rest.partition("@")
        return cls(family, host, int(port))

    @property
    def libmilter(self) -> str:
        """As smfi_setconn() reads it."""
        if self.family == "unix":
            return f"unix:{self.path}"
        return f"{self.family}:{self.port}" + (f"@{self.host}" if self.host else "")


def listen(endpoint: Endpoint, mode: int = 0o660, group: str = "") -> int:
    """Make libmilter listen there, and give the descriptor.  Raises SocketError.

    The descriptor does not block: several workers wait for the same connection, and those
    that come too late must go on waiting where they can be told to stop.
    """
    gid = _gid(group) if endpoint.family == "unix" and group else -1
    if endpoint.family == "unix":
        _check_folder(endpoint.path)
    _until_free(endpoint)
    before = set(_listening())
    try:
        with _umask(0o777 if endpoint.family == "unix" else None):
            libmilter.open_socket(endpoint.libmilter, BACKLOG)
    except libmilter.Error as error:
        raise SocketError(
            f"libmilter cannot listen on {endpoint.libmilter}: {error}",
            "look at the space on the disk, and at who may write there",
        ) from None
    if endpoint.family == "unix":
        _hand_over(endpoint.path, mode, gid)
    (descriptor,) = set(_listening()) - before
    os.set_blocking(descriptor, False)
    if endpoint.family != "unix":
        _without_delay(descriptor)
    return descriptor


def _check_folder(path: str) -> None:
    """libmilter says only that it failed; this is what it mostly failed at.  Raises SocketError."""
    what, folder = f"cannot listen on unix:{path}", Path(path).parent
    if not folder.is_dir():
        there = "is not a directory" if os.path.lexists(folder) else "does not exist"
        raise SocketError(f"{what}: {folder} {there}", "make it, or name another place")
    if not os.access(folder, os.W_OK | os.X_OK):
        raise SocketError(
            f"{what}: this user may not write to {folder}",
            "start as root, give the directory to this user, or name another place",
        )


def _hand_over(path: str, mode: int, gid: int) -> None:
    """Group first, then mode.  Raises SocketError."""
    try:
        os.chown(path, -1, gid)
        Path(path).chmod(mode)
    except OSError as error:
        raise SocketError(
            f"{path}: its group or mode cannot be set: {error.strerror}",
            "socket_group must be a group of the user that starts the daemon, unless that is root",
        ) from None


def _without_delay(descriptor: int) -> None:
    """Accepted connections inherit TCP_NODELAY (tcp(7)).

    libmilter writes every edit and the reply by itself; with Nagle's algorithm the second
    would wait up to 40 ms for the MTA's delayed acknowledgement of the first.
    """
    with socket.socket(fileno=os.dup(descriptor)) as held:
        held.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _until_free(endpoint: Endpoint) -> None:
    """Wait a little for the workers of a supervisor that was killed.  Raises SocketError."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if endpoint.family == "unix":
                remove_stale(endpoint.path)
            else:
                _try_bind(endpoint)
        except InUse:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)
        else:
            return


def remove_stale(path: str) -> None:
    """Remove a socket nobody listens on.  Raises SocketError when it is no socket, or InUse."""
    try:
        is_socket = stat.S_ISSOCK(os.lstat(path).st_mode)
    except FileNotFoundError:
        return
    except OSError as error:
        raise SocketError(f"{path}: {error.strerror}") from None
    if not is_socket:
        raise SocketError(f"{path} is there and is not a socket", "name another socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1)
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            Path(path).unlink(missing_ok=True)
            return
        except OSError as error:
            raise SocketError(f"{path}: {error.strerror}") from None
    raise InUse(f"another process listens on {path}", "stop it, or name another socket")


def _gid(group: str) -> int:
    try:
        return grp.getgrnam(group).gr_gid
    except KeyError:
        raise SocketError(
            f"there is no group {group!r} for the socket", "set socket_group to one that exists"
        ) from None


def _try_bind(endpoint: Endpoint) -> None:
    """Bind for a moment: libmilter would not say why it failed."""
    family = socket.AF_INET6 if endpoint.family == "inet6" else socket.AF_INET
    where = endpoint.libmilter
    try:
        found = socket.getaddrinfo(
            endpoint.host or None, endpoint.port, family, socket.SOCK_STREAM, 0, socket.AI_PASSIVE
        )
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(found[0][4])
            probe.listen(1)
    except socket.gaierror as error:
        raise SocketError(f"{where}: {error.strerror}", "use an address of this host") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise InUse(
                f"cannot listen on {where}: {error.strerror}",
                "another process listens there: stop it, or choose another port",
            ) from None
        hint = {
            errno.EACCES: "ports below 1024 need root",
            errno.EADDRNOTAVAIL: "use an address of this host",
        }.get(error.errno or 0, "")
        raise SocketError(f"cannot listen on {where}: {error.strerror}", hint) from None


def _listening() -> Iterator[int]:
    """The descriptors of this process that are listening sockets."""
    for entry in list(Path("/proc/self/fd").iterdir()):
        descriptor = int(entry.name)
        with contextlib.suppress(OSError):
            if not stat.S_ISSOCK(os.fstat(descriptor).st_mode):
                continue
            with socket.socket(fileno=os.dup(descriptor)) as held:
                if held.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
                    yield descriptor


@contextlib.contextmanager
def _umask(mask: int | None) -> Iterator[None]:
    """A unix socket is born closed to everybody; mode and group come before the first client."""
    old = os.umask(mask) if mask is not None else None
    try:
        yield
    finally:
        if old is not None:
            os.umask(old)
