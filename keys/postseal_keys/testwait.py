"""Ask about many keys at once, and again until all is well or the time is over.

NAME
    testwait - rounds of keyreport, with the state shown on a terminal

GIVES
    until_all(): the last Report of every job, in the order of the jobs.

DOES NOT
    ask again about a key that was right.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TextIO

from postseal_keys import durations
from postseal_keys.findings import Harm
from postseal_keys.keyreport import Job, Report, World, report
from postseal_keys.zoneservers import Zone

AT_ONCE = 16  # keys looked for at the same time


@dataclass(frozen=True, slots=True, kw_only=True)
class Wait:
    """How long (seconds; 0: one round) and how often."""

    longest: int = 0
    interval: int = 10


def until_all(
    jobs: Sequence[Job],
    world: World,
    wait: Wait,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], object] = time.sleep,
    screen: TextIO | None = None,
) -> list[Report]:
    """Rounds until every key is right, or until wait.longest is over."""
    out = sys.stderr if screen is None else screen
    shows = wait.longest > 0 and _moves_cursor(out)
    start = clock()
    reports: dict[Job, Report] = {}
    open_jobs = list(dict.fromkeys(jobs))
    while True:
        with ThreadPoolExecutor(AT_ONCE) as pool:
            for one in pool.map(lambda job: _settled(job, world), open_jobs):
                reports[one.job] = one
        open_jobs = [job for job in open_jobs if not reports[job].ok]
        spent = clock() - start
        hopeless = all(_hopeless(reports[job]) for job in open_jobs)
        if not open_jobs or hopeless or spent + wait.interval > wait.longest:
            if shows:
                print("\r\x1b[K", end="", file=out, flush=True)
            return [reports[job] for job in jobs]
        if shows:
            _show(out, [reports[job] for job in dict.fromkeys(jobs)], spent, wait.longest)
        sleep(wait.interval)


def _moves_cursor(out: TextIO | None) -> bool:
    """Whether a line there can be written over; None: standard error is closed."""
    return out is not None and out.isatty() and os.environ.get("TERM") != "dumb"


def _settled(job: Job, world: World) -> Report:
    """A job that failed before DNS was asked needs no questions."""
    if _unasked(job):
        return Report(job=job, zone=Zone(), notes=job.notes)
    return report(job, world)


def _unasked(job: Job) -> bool:
    return any(note.harm >= Harm.UNKNOWN for note in job.notes)


def _hopeless(one: Report) -> bool:
    """Waiting cannot mend a key file."""
    return _unasked(one.job)


def _show(out: TextIO, reports: Sequence[Report], spent: float, longest: int) -> None:
    good = sum(one.ok for one in reports)
    servers = sum(one.agreed for one in reports)
    asked = sum(len(one.looks) for one in reports)
    text = (
        f"{good} of {len(reports)} keys, {servers} of {asked} answers right;"
        f" {durations.shown(spent)} of {durations.shown(longest)}"
    )
    print(f"\r\x1b[K{text[:78]}", end="", file=out, flush=True)
