"""Postseal beside its peers: what one message costs.

    sh contrib/bench.sh [--quick] [--only NAME,...] [--rounds N] [--out DIR]

NAME
    run - interleaved rounds over all servers, then tables, a JSON file and a chart

GIVES
    results.json, results.md and chart.svg in --out; the table on standard output.
    Exit status 0 when everything could be measured and we treated every message right.
    Times decide nothing.

SEE ALSO
    README.md here; cells.py for what is measured, servers.py for how they are configured.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path

from bench import cells, chart, corpus, tables
from bench.lab import Lab, Processors, build
from bench.servers import Place, Server, all_servers

PACKAGES = ("opendkim", "opendmarc", "pyspf-milter", "dkimpy-milter", "rspamd", "unbound")


def main() -> int:
    """Measure, write, tell."""
    options = _options()
    processors = Processors.found()
    out: Path = options.out
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="postseal-bench-") as name:
        directory = Path(name)
        directory.chmod(0o755)
        build(directory)
        say("making the corpus")
        made = corpus.make(directory / "corpus", options.messages)
        place = Place(directory=directory, corpus=made, tools=directory)
        with Lab(directory, processors) as lab:
            lab.serve_dns(made.records)
            servers = _started(lab, all_servers(place), options.only)
            samples = _rounds(lab, place, servers, options)
    wrong = _write(out, samples, options, processors)
    if wrong:
        say(
            f"error: {wrong} of our messages were not treated as they should be;"
            f" see {out}/results.md"
        )
    return 1 if wrong else 0


def say(text: str) -> None:
    """To people, not into the table."""
    print(text, file=sys.stderr, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bench.sh", description="Measure Postseal beside peers.")
    parser.add_argument("--quick", action="store_true", help="new connections only, two rounds")
    parser.add_argument("--only", default="", help="servers whose names begin so, by commas")
    parser.add_argument("--rounds", type=int, default=0, help="default: 5, with --quick 2")
    parser.add_argument("--scale", type=float, default=1.0, help="longer or shorter runs")
    parser.add_argument("--messages", type=int, default=200, help="in the corpus")
    parser.add_argument("--cells", default="", help="only cells with one of these in their name")
    parser.add_argument("--out", type=Path, default=Path("state/bench"), help="where results go")
    options = parser.parse_args()
    options.rounds = options.rounds or (2 if options.quick else 5)
    options.only = tuple(filter(None, options.only.split(",")))
    options.cells = tuple(filter(None, options.cells.split(",")))
    return options


def _started(lab: Lab, servers: Iterable[Server], only: tuple[str, ...]) -> dict[str, Server]:
    """Those that are wanted, there, and answer."""
    found: dict[str, Server] = {}
    for server in servers:
        if only and not server.name.startswith(only):
            continue
        if not server.there:
            say(f"not measured: {server.name} is not installed")
            continue
        if server.argv:
            lab.start(server)
        found[server.name] = server
    return found


def _rounds(
    lab: Lab, place: Place, servers: dict[str, Server], options: argparse.Namespace
) -> tables.Samples:
    """Every cell once in each round, so that what else goes on meets all alike."""
    plan = [
        cell
        for cell in cells.plan(list(servers), quick=options.quick)
        if (servers[cell.server].kept or not cell.kept)
        and (not options.cells or any(part in cell.name for part in options.cells))
    ]
    samples: tables.Samples = {cell: [] for cell in plan}
    for server in servers.values():  # warm: keys read, memory grown
        cells.measure(lab, place.corpus.directory, place.tools, server, cells.Cell(server.name), 0)
    for number in range(options.rounds):
        began = time.monotonic()
        for cell in plan:
            server = servers[cell.server]
            samples[cell].append(
                cells.measure(lab, place.corpus.directory, place.tools, server, cell, options.scale)
            )
            last = samples[cell][-1]
            if os.isatty(2):
                say(f"  {cell.name}: {last.cpu_ms:.3f} ms")
            if last.errors + last.unmet + last.refused:
                say(f"warning: {cell.name}: {last}")
        say(f"round {number + 1} of {options.rounds}: {time.monotonic() - began:.0f} s")
    return samples


def _write(
    out: Path, samples: tables.Samples, options: argparse.Namespace, processors: Processors
) -> int:
    """Files and the table; gives how many of our messages went wrong."""
    rows = tables.targets(samples)
    about = _about(options, processors)
    summary = tables.markdown(rows)
    text = f"{about}\n\n{summary}\n\n{tables.everything(samples)}\n"
    (out / "results.md").write_text(text)
    (out / "chart.svg").write_text(chart.svg(samples))
    document = {
        "about": about,
        "targets": [
            {"work": row.work, "against": row.against, "value": row.value, "limit": row.limit,
             "at_least": row.at_least, "reached": row.reached, "note": row.note}
            for row in rows
        ],
        "cells": cells.as_json(samples),
    }  # fmt: skip
    (out / "results.json").write_text(json.dumps(document, indent=1) + "\n")
    print(text)
    return sum(
        one.errors + one.unmet + one.refused
        for cell, many in samples.items()
        for one in many
        if cell.server.startswith(cells.OURS)
    )


def _about(options: argparse.Namespace, processors: Processors) -> str:
    """The circumstances, in a sentence each."""
    model = next(
        (
            line.partition(":")[2].strip()
            for line in Path("/proc/cpuinfo").read_text().splitlines()
            if line.startswith("model name")
        ),
        platform.machine(),
    )
    versions = [f"{name} {_version(name)}" for name in PACKAGES]
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    return (
        f"{time.strftime('%Y-%m-%d %H:%M UTC', time.gmtime())}; {os.cpu_count()} processors"
        f" ({model}); {processors}; load average {load}.\n"
        f"Python {platform.python_version()}; {', '.join(versions)}.\n"
        f"{options.rounds} rounds, corpus of {options.messages} messages; medians."
    )


def _version(package: str) -> str:
    done = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Version}", package], capture_output=True, text=True
    )
    return done.stdout or "absent"


if __name__ == "__main__":
    sys.exit(main())
