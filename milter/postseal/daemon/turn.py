"""One thread that does what all others ask it to, one after another.

NAME
    turn - OneThread, in which a worker signs

GIVEN
    functions, from any thread.

GIVES
    what the function gives or raises, to who asked, who waits for it.

DOES NOT
    start its thread before it is asked for the first time, so that it may be made before
    fork().

WHY
    OpenSSL (3.6 and later) keeps with an RSA key what blinds it in each thread that has ever
    signed, until the key is freed: 1.3 kB, and half a millisecond to make.  libmilter's threads
    come and go with hundreds of different numbers, so that 1000 keys would take half a gigabyte.
    And of several threads only one can sign at a time anyway: see core/outbound.py.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")


class _Job(Generic[T]):
    """A function, and later what came of it."""

    __slots__ = ("_done", "_error", "_made", "_work")

    def __init__(self, work: Callable[[], T]) -> None:
        self._work = work
        self._made: T
        self._error: BaseException | None = None
        self._done = threading.Lock()
        self._done.acquire()

    def run(self) -> None:
        """Do it.  Never raises."""
        try:
            self._made = self._work()
        except BaseException as error:
            self._error = error
        finally:
            self._done.release()

    def wait(self) -> T:
        """Its result, or its exception."""
        self._done.acquire()
        error, self._error = self._error, None
        if error is None:
            return self._made
        try:
            raise error
        finally:
            del error  # its traceback holds this frame: the message would be a cycle


class OneThread:
    """Call it with a function.  It is a process's own: after fork() it has a new thread."""

    __slots__ = ("_jobs", "_lock", "_pid")

    def __init__(self) -> None:
        self._jobs: SimpleQueue[_Job[Any]] = SimpleQueue()
        self._lock = threading.Lock()
        self._pid = 0  # whose thread it is

    def __call__(self, work: Callable[[], T]) -> T:
        """What work() gives.  Raises what it raises, and RuntimeError without a thread."""
        if self._pid != os.getpid():
            self._start()
        job = _Job(work)
        self._jobs.put(job)
        return job.wait()

    def _start(self) -> None:
        with self._lock:
            if self._pid != os.getpid():
                threading.Thread(target=_serve, args=(self._jobs,), daemon=True).start()
                self._pid = os.getpid()


def _serve(jobs: SimpleQueue[_Job[Any]]) -> None:
    while True:
        jobs.get().run()  # without a name: a message must not stay until the next one comes
