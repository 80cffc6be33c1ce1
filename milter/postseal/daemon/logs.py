"""Where log lines go: stderr or the local syslog socket.

NAME
    logs - Log, and open_log() for what the configuration asks

GIVES
    debug(), info(), warning() and error(), each for one finished line (logline.py).
    Never raises, never blocks for long: a log that cannot be written is not worth a message.
    Lines that nobody took are counted, and the next one that is taken tells of them.

DOES NOT
    use the logging package: a record object and a lock per line cost more than the line.

SEE ALSO
    sd-daemon(3) for the <N> prefixes, RFC 3164 for the form of a syslog packet.
"""

from __future__ import annotations

import contextlib
import os
import select
import socket
import sys
import time
from collections.abc import Callable, Mapping
from enum import IntEnum

from postseal.daemon.logline import logline

TAG = "postseal"
SYSLOG_SOCKET = "/dev/log"
RETRY = 5.0  # seconds until a syslog socket that was not there is tried again
PATIENCE = 0.2  # seconds that a line may wait for a full pipe, socket or queue

FACILITIES = {"user": 1, "mail": 2, "daemon": 3, **{f"local{n}": 16 + n for n in range(8)}}


class Level(IntEnum):
    """syslog's severities: smaller is graver."""

    ERROR = 3
    WARNING = 4
    INFO = 6
    DEBUG = 7


Sink = Callable[[Level, str], None]


class Log:
    """Lines of at least one importance, to one sink."""

    __slots__ = ("_sink", "_threshold", "informs")

    def __init__(self, sink: Sink, threshold: Level = Level.INFO) -> None:
        self._sink = sink
        self._threshold = threshold
        self.informs = threshold >= Level.INFO  # whether the line per message is wanted

    def write(self, level: Level, line: str) -> None:
        """Write the line unless its level is below the threshold."""
        if level <= self._threshold:
            self._sink(level, line)

    def debug(self, line: str) -> None:
        self.write(Level.DEBUG, line)

    def info(self, line: str) -> None:
        self.write(Level.INFO, line)

    def warning(self, line: str) -> None:
        self.write(Level.WARNING, line)

    def error(self, line: str) -> None:
        self.write(Level.ERROR, line)


def open_log(target: str, facility: str = "mail", level: str = "info") -> Log:
    """The log that the configuration describes: target is "stderr" or "syslog"."""
    sink: Sink
    if target == "syslog":
        sink = Syslog(FACILITIES[facility])
    elif is_journal(os.environ):
        sink = Journal()
    else:
        sink = Stderr()
    return Log(sink, Level[level.upper()])


def is_journal(environ: Mapping[str, str]) -> bool:
    """Whether stderr is the journal: systemd puts device and inode into JOURNAL_STREAM."""
    try:
        stat = os.fstat(2)
    except OSError:
        return False
    return environ.get("JOURNAL_STREAM") == f"{stat.st_dev}:{stat.st_ino}"


class Stderr:
    """Lines with time, name and process number."""

    def __init__(self) -> None:
        self._second = 0
        self._stamp = ""
        self._lost = 0  # lines since one was taken

    def __call__(self, level: Level, line: str) -> None:
        if not _is_taken(0.0 if self._lost else PATIENCE):
            self._lost += 1
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            told = logline([("event", "log-lines-lost"), ("lines", lost)])
            _put(self._form(Level.WARNING, told))
        _put(self._form(level, line))

    def _form(self, level: Level, line: str) -> str:
        now = int(time.time())
        if now != self._second:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S%z", time.localtime(now))
            self._stamp, self._second = stamp, now
        word = "" if level is Level.INFO else f"{level.name.lower()}: "
        return f"{self._stamp} {TAG}[{os.getpid()}]: {word}{line}\n"


class Journal(Stderr):
    """The journal adds time, name and number itself; the level is a prefix."""

    def _form(self, level: Level, line: str) -> str:
        return f"<{level.value}>{line}\n"


def _is_taken(seconds: float) -> bool:
    """Whether a write to stderr would not block; also when it would fail."""
    try:
        return bool(select.select((), (2,), (), seconds)[1])
    except OSError:
        return True


def _put(text: str) -> None:
    """One write: lines of several workers do not mix."""
    with contextlib.suppress(OSError):
        os.write(2, text.encode("ascii", "backslashreplace"))


class Syslog:
    """Packets to the local syslog daemon; stderr while there is none.

    Looks for it again every RETRY seconds, because syslog daemons are restarted too.
    """

    def __init__(
        self, facility: int, path: str = SYSLOG_SOCKET, patience: float = PATIENCE
    ) -> None:
        """patience: seconds that a line may wait for a full queue."""
        self._facility = facility
        self._path = path
        self._patience = patience
        self._socket: socket.socket | None = None
        self._tried = -RETRY
        self._pid = 0
        self._instead = Stderr()

    def __call__(self, level: Level, line: str) -> None:
        stamp = time.strftime("%b %e %H:%M:%S")
        packet = f"<{self._facility * 8 + level}>{stamp} {TAG}[{os.getpid()}]: {line}"
        if not self._send(packet.encode("ascii", "backslashreplace")):
            self._instead(level, line)

    def _send(self, packet: bytes) -> bool:
        for _ in range(2):  # the second time on a fresh socket
            sender = self._connected()
            if sender is None:
                return False
            try:
                sender.send(packet)
            except (BlockingIOError, TimeoutError):
                return False  # its queue is full: do not hold mail up for that
            except OSError:
                self._forget(sender)
            else:
                return True
        return False

    def _connected(self) -> socket.socket | None:
        if self._socket is not None and self._pid == os.getpid():
            return self._socket
        now = time.monotonic()
        if self._pid == os.getpid() and now - self._tried < RETRY:
            return None
        self._tried, self._pid = now, os.getpid()  # after fork() every worker has its own
        try:
            made = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        except OSError:  # no descriptor is left
            return None
        made.settimeout(self._patience)
        try:
            made.connect(self._path)
        except OSError:
            made.close()
            return None
        self._socket = made
        return made

    def _forget(self, broken: socket.socket) -> None:
        broken.close()
        self._socket = None
        self._tried = -RETRY

    def close(self) -> None:
        """Give the socket back."""
        if self._socket is not None:
            self._forget(self._socket)


def library_warnings(log: Log) -> None:
    """Send what Python itself would print (warnings, uncaught exceptions) through log."""
    from postseal.daemon.guard import fault_of

    def hook(kind: type[BaseException], error: BaseException, _trace: object) -> None:
        fault = fault_of(error)
        pairs = [("event", "uncaught-exception"), ("error", fault.error), ("where", fault.where)]
        log.error(logline(pairs))

    sys.excepthook = hook
