"""Forking workers, and what the supervisor remembers of each.

NAME
    children - Child, fork_worker() and the back-off of a worker that keeps dying

DOES NOT
    decide when to fork; that is supervisor.py.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass, field

from postseal.daemon import worker
from postseal.daemon.app import Application
from postseal.daemon.logs import Log
from postseal.daemon.privileges import Identity
from postseal.daemon.pulse import Pulse

LONG_LIFE = 10.0  # seconds; a worker that lived this long died of something new
LONGEST_WAIT = 30.0  # seconds between two tries of a worker that keeps dying
FORKING = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD, signal.SIGUSR1)


@dataclass(slots=True)
class Child:
    """One worker process.  ready_fd is -1 once it has said READY, or died."""

    pid: int
    slot: int  # which of the workers it is, from 0
    born: float  # monotonic seconds
    ready_fd: int
    pulse: Pulse = field(default_factory=Pulse)
    ready: bool = False
    stuck: bool = False  # and killed for that

    def hear(self) -> None:
        """Read what is in its ready pipe: READY, or end of file when it died before that."""
        if self.ready_fd >= 0:
            self.ready = os.read(self.ready_fd, 1) == worker.READY
            os.close(self.ready_fd)
            self.ready_fd = -1

    def tell(self, signum: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signum)


def pause(failures: int) -> float:
    """Seconds to wait before a worker is started again that died young so many times in a row."""
    return 0.0 if failures == 0 else min(LONGEST_WAIT, 2.0 ** min(failures - 1, 16))


def signal_name(number: int) -> str:
    """SIGKILL for 9; the number itself for real-time signals, most of which have no name."""
    try:
        return signal.Signals(number).name
    except ValueError:
        return str(number)


def fork_worker(
    app: Application,
    log: Log,
    slot: int,
    *,
    listener: int,
    lifeline: int,
    cpu: int | None,
    identity: Identity | None,
    close: Iterable[int],
) -> Child:
    """Start a worker.  close: descriptors of the supervisor that it must not keep.

    Raises OSError when there is no room for another process or pipe.
    """
    pulse = Pulse()
    ready_read, ready_write = os.pipe()
    # a signal that arrives before the child has its own handlers must wait for them
    before = signal.pthread_sigmask(signal.SIG_BLOCK, FORKING)
    try:
        pid = os.fork()
        if pid == 0:
            try:
                signal.set_wakeup_fd(-1)
                for descriptor in (ready_read, *close):
                    os.close(descriptor)
                post = worker.Post(
                    listener=listener,
                    lifeline=lifeline,
                    ready=ready_write,
                    pulse=pulse,
                    cpu=cpu,
                    identity=identity,
                    first=slot == 0,
                )
                worker.run(app, log, post)  # does not return
            finally:
                os._exit(1)  # whatever happens, a child never goes on as a supervisor
    except OSError:
        os.close(ready_read)
        os.close(ready_write)
        raise
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    os.close(ready_write)
    return Child(pid=pid, slot=slot, born=time.monotonic(), ready_fd=ready_read, pulse=pulse)
