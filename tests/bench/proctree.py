"""What a server costs: processor time and memory of a process and all below it.

NAME
    proctree - CPU seconds (utime and stime, ended children included) and memory from /proc
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_TICK = os.sysconf("SC_CLK_TCK")
_SAMPLE = 0.25  # seconds between two looks at memory


def members(roots: list[int]) -> list[int]:
    """The processes and all that descend from them."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
    found, waiting = [], list(roots)
    while waiting:
        found.append(waiting.pop())
        waiting += children.get(found[-1], [])
    return found


def _stat(pid: int) -> list[str]:
    """Fields of /proc/PID/stat from the third (state) on."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu(roots: list[int]) -> float:
    """Seconds used so far.  The kernel counts exactly and tells hundredths."""
    ticks = 0
    for pid in members(roots):
        with contextlib.suppress(OSError):
            ticks += sum(map(int, _stat(pid)[11:15]))
    return ticks / _TICK


def memory(roots: list[int]) -> float:
    """MB held now: proportional set sizes, so that what fork shares counts once."""
    return _held(roots, "Pss:")


def own(roots: list[int]) -> float:
    """MB that each has written and shares with nobody.

    Unlike memory() it does not depend on who else has the same libraries loaded.
    """
    return _held(roots, "Private_Dirty:")


def _held(roots: list[int], kind: str) -> float:
    total = 0
    for pid in members(roots):
        with contextlib.suppress(OSError):
            for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
                if line.startswith(kind):
                    total += int(line.split()[1])
    return total / 1024


@dataclass
class Peak:
    """The largest memory() seen while watched."""

    megabytes: float = 0.0


@contextlib.contextmanager
def watched(roots: list[int]) -> Iterator[Peak]:
    """Look at the memory now and then, from a thread."""
    peak, over = Peak(), threading.Event()

    def look() -> None:
        while not over.wait(_SAMPLE):
            peak.megabytes = max(peak.megabytes, memory(roots))

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    try:
        yield peak
    finally:
        over.set()
        thread.join()
        peak.megabytes = max(peak.megabytes, memory(roots))
