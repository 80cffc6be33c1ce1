"""Programs that tests start: each with its log, ended by its own number, never waited for long.

NAME
    child - Child, one started program; free_port; wait_until

GIVES
    Child, whose log is a file that a failed test shows; NotReady when something did not
    come up, with the end of that log.

DOES NOT
    end anything it did not start.
"""

from __future__ import annotations

import os
import random
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

LOOPBACK = "127.0.0.1"
PORTS = (10_000, 32_768)  # Linux takes those of outgoing connections from above
PATIENCE = 60.0  # seconds; no measure of speed, but what a busy machine may need


class NotReady(AssertionError):
    """Something that was waited for did not come about in time."""


def free_port() -> int:
    """A port that was free a moment ago, and that the kernel gives to nobody unasked.

    Free for TCP and UDP at every address: name servers want both, and not all are at LOOPBACK.
    """
    while True:
        port = random.SystemRandom().randrange(*PORTS)  # whoever has seeded random
        with (
            socket.socket(socket.AF_INET, socket.SOCK_STREAM) as stream,
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams,
            suppress(OSError),
        ):
            stream.bind(("", port))
            datagrams.bind(("", port))
            return port


def wait_until(
    condition: Callable[[], object], what: str, seconds: float = PATIENCE, step: float = 0.02
) -> None:
    """Return as soon as condition() is true.  Raises NotReady naming what."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise NotReady(f"waited {seconds:.0f} s for {what}")
        time.sleep(step)


def listens(port: int, host: str = LOOPBACK) -> bool:
    """Whether a connection to port is accepted."""
    try:
        socket.create_connection((host, port), timeout=1).close()
    except OSError:
        return False
    return True


# A test run that is killed cannot end what it started; the kernel does it then.
ENDS_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")


class Child:
    """One program in a session of its own, so that its own children end with it."""

    def __init__(
        self,
        argv: Sequence[str | Path],
        log: Path,
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> None:
        self.name = Path(argv[0]).name
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                [*ENDS_WITH_US, *(str(word) for word in argv)],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=None if env is None else {**os.environ, **env},
                cwd=cwd,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its process number, which is also its process group's."""
        return self._process.pid

    @property
    def status(self) -> int | None:
        """Its exit status; None while it runs; negative when a signal ended it."""
        return self._process.poll()

    def log_text(self) -> str:
        """All it has written so far."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""

    def wait_ready(self, ready: Callable[[], object], seconds: float = PATIENCE) -> None:
        """Wait for ready().  Raises NotReady, also when the program ended instead."""
        try:
            wait_until(
                lambda: self.status is not None or ready(), f"{self.name} to be ready", seconds
            )
        except NotReady as late:
            raise NotReady(f"{late}\n{self.log_text()[-4000:]}") from None
        if self.status is not None:
            raise NotReady(f"{self.name} ended with {self.status}\n{self.log_text()[-4000:]}")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program alone."""
        if self.status is None:
            self._process.send_signal(number)

    def wait(self, seconds: float) -> int | None:
        """Wait for its end; None when it still runs after that time."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def stop(self, seconds: float = PATIENCE) -> int:
        """Ask it to end, insist after a while, and return its exit status."""
        self.signal(signal.SIGTERM)
        if self.wait(seconds) is None:
            self.kill()
        return self._process.wait()

    def kill(self) -> None:
        """End it and its own children at once."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
