"""From samples to the tables that people read.

NAME
    tables - medians, ratios within each round, and which targets are reached

GIVEN
    samples by cell, in the order of the rounds.

DOES NOT
    assert: a target that is missed is shown as missed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from statistics import median

from bench.cells import CHAIN, OURS, OURS_300, OURS_SIGN, PAIR, Cell, Sample

Samples = dict[Cell, list[Sample]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One comparison.  limit is the most that value may be, or with at_least the least."""

    work: str
    against: str
    value: float | None
    limit: float
    at_least: bool = False
    unit: str = ""
    note: str = ""

    @property
    def reached(self) -> bool | None:
        """None when it was not measured."""
        if self.value is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit


class Reader:
    """Questions to the samples."""

    def __init__(self, samples: Samples) -> None:
        self._samples = samples

    def cpu(self, cell: Cell) -> list[float]:
        """CPU ms per message, by round; empty when not measured."""
        return [sample.cpu_ms for sample in self._samples.get(cell, [])]

    def middle(self, cell: Cell, what: Callable[[Sample], float]) -> float | None:
        """The median of something."""
        found = self._samples.get(cell)
        return median(map(what, found)) if found else None

    def added(self, cells: Iterable[Cell], what: Callable[[Sample], float]) -> list[float]:
        """By round, the sum over a chain; empty unless all of it was measured."""
        legs = [[what(sample) for sample in self._samples.get(cell, [])] for cell in cells]
        return [sum(leg) for leg in zip(*legs, strict=True)] if all(legs) else []

    def ratio(self, ours: Sequence[float], theirs: Sequence[float]) -> tuple[float | None, str]:
        """The median of the ratios within each round, and both medians in words."""
        pairs = [(a, b) for a, b in zip(ours, theirs, strict=False) if b]
        if not pairs:
            return None, "not measured"
        note = f"{median(ours):.2f} / {median(theirs):.2f} ms"
        return median(a / b for a, b in pairs), note


def _cpu(sample: Sample) -> float:
    return sample.cpu_ms


def targets(samples: Samples) -> list[Row]:
    """What has to be reached, and what was."""
    read = Reader(samples)
    return [*_against_peers(read), *_against_ourselves(read), *_speed(read), *_memory(samples)]


def _row(
    read: Reader, work: str, against: str, ours: Cell, theirs: Sequence[Cell], limit: float
) -> Row:
    value, note = read.ratio(read.cpu(ours), read.added(theirs, _cpu))
    return Row(work=work, against=against, value=value, limit=limit, note=note)


def _against_peers(read: Reader) -> Iterator[Row]:
    everything = "DKIM + SPF + DMARC, header, log"
    ours, signing = Cell(OURS), Cell(OURS_SIGN)
    chain, pair = [Cell(name) for name in CHAIN], [Cell(name) for name in PAIR]
    yield _row(read, everything, "opendkim + pyspf-milter + opendmarc", ours, chain, 0.25)
    yield _row(read, everything, "opendkim + opendmarc with its SPF", ours, pair, 0.55)
    yield _row(read, everything, "rspamd, cut down", ours, [Cell("rspamd")], 0.75)
    yield _row(read, "sign RSA-2048", "opendkim", signing, [Cell("opendkim-sign")], 0.40)
    for work, name, peer in (
        ("sign 5 MB", OURS_SIGN, "opendkim-sign"),
        ("verify 5 MB (with SPF, DMARC)", OURS, "opendkim-verify"),
    ):
        ours, theirs = Cell(name, size="5000k"), [Cell(peer, size="5000k")]
        yield _row(read, work, "opendkim", ours, theirs, 0.30)
    floor = [Cell("floor-sign", size="2k")]
    yield _row(read, "sign 2 KB", "the floor", Cell(OURS_SIGN, size="2k"), floor, 1.8)


def _against_ourselves(read: Reader) -> Iterator[Row]:
    for name, work in ((OURS, "verify"), (OURS_SIGN, "sign")):
        for many in (64, 512):
            limit = 1.2
            text = f"{work}, {many} connections"
            yield _row(read, text, "ourselves at 8", Cell(name, many), [Cell(name)], limit)
    text = "verify, answers with TTL 300"
    yield _row(read, text, "ourselves with TTL 0", Cell(OURS_300), [Cell(OURS)], 0.85)


def _speed(read: Reader) -> Iterator[Row]:
    """Rates at 64 connections, and the slowest small messages at every concurrency."""
    for work, name, peer in (
        ("verify", OURS, "opendkim-verify"),
        ("sign", OURS_SIGN, "opendkim-sign"),
    ):
        mine = read.middle(Cell(name, 64), lambda one: one.rate)
        theirs = read.middle(Cell(peer, 64), lambda one: one.rate)
        yield Row(
            work=f"{work}, messages/s at 64",
            against="opendkim",
            value=mine / theirs if mine and theirs else None,
            limit=2.0,
            at_least=True,
            note=f"{mine:.0f} / {theirs:.0f}" if mine and theirs else "not measured",
        )
    for many in (1, 8, 64):
        legs = [read.middle(Cell(name, many), lambda one: one.small_p99) for name in CHAIN]
        mine = read.middle(Cell(OURS, many), lambda one: one.small_p99)
        chain = sum(leg or 0.0 for leg in legs)
        yield Row(
            work=f"verify, p99 of small messages at {many}",
            against="the chain, its legs added",
            value=mine / chain if mine and all(legs) else None,
            limit=1.0,
            note=f"{mine:.1f} / {chain:.1f} ms" if mine and all(legs) else "not measured",
        )


def _memory(samples: Samples) -> Iterator[Row]:
    ours = [one.memory for cell, many in samples.items() if cell.server == OURS for one in many]
    yield Row(
        work="peak memory, all workers",
        against="150 MB",
        value=max(ours, default=None),
        limit=150.0,
        unit=" MB",
        note="sum of proportional set sizes, all cells",
    )


def markdown(rows: Iterable[Row]) -> str:
    """The targets as a table."""
    lines = ["| work | against | median | target | reached | ours / theirs |"]
    lines.append("|---|---|---|---|---|---|")
    for row in rows:
        value = "-" if row.value is None else f"{row.value:.2f}{row.unit}"
        sign = "≥" if row.at_least else "≤"
        word = {True: "yes", False: "**no**", None: "not measured"}[row.reached]
        lines.append(
            f"| {row.work} | {row.against} | {value} | {sign} {row.limit:g}{row.unit} | {word}"
            f" | {row.note} |"
        )
    return "\n".join(lines)


def everything(samples: Samples) -> str:
    """All medians, a line for each cell."""
    lines = [
        "| server | messages | connections | CPU ms/message | (least - most) | messages/s | p50 ms"
        " | p99 ms | small p99 | peak MB | wrong |",
        "|---" * 11 + "|",
    ]
    for cell, many in samples.items():
        cpu = sorted(sample.cpu_ms for sample in many)
        wrong = sum(sample.errors + sample.unmet + sample.refused for sample in many)
        way = "kept" if cell.kept else "anew"
        size = {"mix": "mixed", "2k": "2 KB", "5000k": "5 MB"}[cell.size]
        lines.append(
            f"| {cell.server} | {size} | {cell.connections} {way} | {median(cpu):.3f}"
            f" | {cpu[0]:.2f} - {cpu[-1]:.2f} | {median(s.rate for s in many):.0f}"
            f" | {median(s.p50 for s in many):.2f} | {median(s.p99 for s in many):.1f}"
            f" | {median(s.small_p99 for s in many):.1f} | {max(s.memory for s in many):.0f}"
            f" | {wrong} |"
        )
    return "\n".join(lines)
