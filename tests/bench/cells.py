"""What is measured, and one measurement.

NAME
    cells - Cell (server, connections, way, sizes), measure() and Sample

GIVES
    a Sample: rate, CPU milliseconds per message of the whole process tree, latencies, memory
    and whether every message got what it should.
"""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench import proctree
from bench.lab import Lab, bound
from bench.servers import Server

OURS, OURS_SIGN, OURS_300 = "postseal", "postseal-sign", "postseal-ttl300"
CHAIN = ("opendkim-verify", "pyspf-milter", "opendmarc")
PAIR = ("opendkim-verify", "opendmarc-spf")


@dataclass(frozen=True, slots=True)
class Cell:
    """One way to drive one server.  size is a prefix of the corpus's file names, or "mix"."""

    server: str
    connections: int = 8
    kept: bool = False
    size: str = "mix"

    @property
    def name(self) -> str:
        """For the JSON."""
        way = "kept" if self.kept else "new"
        return f"{self.server}/{self.size}/{way}/{self.connections}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """One measurement.  Times of messages in milliseconds, memory in MB."""

    messages: int
    rate: float
    cpu_ms: float
    p50: float
    p99: float
    small_p50: float
    small_p99: float
    memory: float
    errors: int
    unmet: int
    refused: int


def plan(names: Sequence[str], *, quick: bool) -> list[Cell]:
    """All cells of one round, those to be compared next to each other."""
    cells = [Cell(name) for name in names]
    cells += [Cell(name, 64) for name in names]
    for size in ("2k", "5000k"):
        sized = (OURS, OURS_SIGN, "opendkim-verify", "opendkim-sign", "floor-sign")
        cells += [Cell(name, 8, size=size) for name in sized if name in names]
    cells += [Cell(name, 1) for name in names]
    cells += [Cell(name, 512) for name in (OURS, OURS_SIGN) if name in names]
    if not quick:
        for connections in (1, 8, 64):
            cells += [Cell(name, connections, kept=True) for name in names]
    return cells


def measure(lab: Lab, place: Path, tools: Path, server: Server, cell: Cell, scale: float) -> Sample:
    """Drive the server once.  scale: how much longer than usual."""
    command = [str(tools / "load"), "-c", str(cell.connections)]
    command += _amount(server, cell, scale)
    if not cell.kept:
        command.append("-1")
    for pattern in server.expected:
        command += ["-e", pattern]
    command += [str(server.socket), str(place / server.corpus)]
    roots = lab.pids(server)
    with proctree.watched(roots) as peak:
        before = proctree.cpu(roots)
        done = subprocess.run(
            bound(command, lab.processors.others), stdout=subprocess.PIPE, check=True
        )
        time.sleep(0.1)  # connections are still being closed
        used = proctree.cpu(roots) - before
    told = json.loads(done.stdout)
    small = told["small"] if told["small"]["count"] else told["latency"]
    return Sample(
        messages=told["messages"],
        rate=told["rate"],
        cpu_ms=used * 1000 / told["messages"],
        p50=told["latency"]["p50"],
        p99=told["latency"]["p99"],
        small_p50=small["p50"],
        small_p99=small["p99"],
        memory=peak.megabytes,
        errors=told["errors"],
        unmet=told["unmet"],
        refused=told["refused"],
    )


def _amount(server: Server, cell: Cell, scale: float) -> Iterator[str]:
    """Enough messages for a second or two, in whole passes where sizes differ."""
    if cell.size == "mix":
        passes = max(1, round(server.passes * scale))
        if cell.connections > 64:
            passes = max(passes, 10)  # connections come and go
        yield from ("-p", str(passes))
    else:
        each = {"2k": 250, "5000k": 25}[cell.size]
        yield from ("-o", f"{cell.size}-", "-n", str(max(20, round(each * server.passes * scale))))


def as_json(samples: dict[Cell, list[Sample]]) -> dict[str, list[dict[str, object]]]:
    """For the file."""
    return {cell.name: [asdict(sample) for sample in many] for cell, many in samples.items()}
