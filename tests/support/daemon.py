"""The daemon as a real process, started as an operator would start it.

NAME
    daemon - Daemon, one configuration and the process that runs it

GIVEN
    the lines of a postseal.toml above and below the socket line, which is made here.

DOES NOT
    import postseal: what is tested is the program.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from support.child import LOOPBACK, PATIENCE, Child, NotReady, free_port, listens

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = {"PYTHONPATH": f"{ROOT / 'milter'}:{ROOT / 'keys'}", "PYTHONDONTWRITEBYTECODE": "1"}
WORKERS = 2
READY = "event=ready"


class Daemon:
    """One configuration; start() and stop() as often as a test likes."""

    def __init__(self, directory: Path, name: str, path: Path | None = None) -> None:
        """path: of a unix socket; without one, a loopback port."""
        self.name = name
        self.port = free_port()
        self.path = path
        self.log = directory / f"{name}.log"
        self.config = directory / f"{name}.toml"
        self._child: Child | None = None

    @property
    def milter(self) -> str:
        """The socket as Postfix writes it."""
        return f"unix:{self.path}" if self.path else f"inet:{LOOPBACK}:{self.port}"

    @property
    def socket(self) -> str:
        """The socket as libmilter writes it."""
        return f"unix:{self.path}" if self.path else f"inet:{self.port}@{LOOPBACK}"

    def configure(self, text: str, settings: Mapping[str, str] | None = None) -> None:
        """Write the configuration: settings (TOML values) on top, then text, from its tables on."""
        top = {
            "socket": f'"{self.socket}"',
            **({"socket_group": '"postfix"'} if self.path else {}),
            "workers": str(WORKERS),
            **({"user": '"nobody"'} if os.geteuid() == 0 else {}),
            **(settings or {}),
        }
        lines = "".join(f"{name} = {value}\n" for name, value in top.items())
        self.config.write_text(lines + text, "utf-8")

    def start(
        self, seconds: float = PATIENCE, environment: Mapping[str, str] | None = None
    ) -> Daemon:
        """Start it and wait until it says that it is ready.  Raises NotReady, with its log."""
        said_before = self.log_text().count(READY)
        if listens(self.port):
            raise NotReady(f"port {self.port} is taken")
        argv = [sys.executable, "-m", "postseal.cli.main", "run", "--config", str(self.config)]
        every = {**ENVIRONMENT, **(environment or {})}
        self._child = Child(argv, self.log, env=every, cwd=self.config.parent)
        try:
            self._child.wait_ready(lambda: self.log_text().count(READY) > said_before, seconds)
        except NotReady:
            self._child.kill()
            raise
        return self

    def stop(self) -> int | None:
        """SIGTERM, and its exit status; None when it was not started."""
        return self._child.stop() if self._child else None

    def wait(self, seconds: float) -> int | None:
        """Wait for its own end; None when it still runs after that time."""
        return self._child.wait(seconds) if self._child else None

    def kill(self) -> None:
        """SIGKILL to the supervisor and all workers, as when the power fails."""
        if self._child:
            self._child.kill()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the supervisor alone."""
        if self._child:
            self._child.signal(number)

    @property
    def pid(self) -> int:
        """The supervisor."""
        assert self._child is not None, "not started"
        return self._child.pid

    def workers(self) -> list[int]:
        """The process numbers of its workers."""
        return children_of(self.pid)

    def log_text(self) -> str:
        """All it has logged, over all starts."""
        return self.log.read_text("utf-8", "replace") if self.log.exists() else ""


def children_of(pid: int) -> list[int]:
    """The direct children of a process."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(word) for word in text.split()]


def resident(pid: int) -> int:
    """Resident memory of a process now, in KiB."""
    return _status(pid, "VmRSS")


def resident_peak(pid: int) -> int:
    """The most resident memory since forget_peak(), in KiB."""
    return _status(pid, "VmHWM")


def forget_peak(pid: int) -> None:
    """Start measuring the peak anew."""
    Path(f"/proc/{pid}/clear_refs").write_text("5")


def processor_seconds(pid: int) -> float:
    """Processor time used so far, user and system."""
    words = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def _status(pid: int, name: str) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1])
    raise KeyError(name)
