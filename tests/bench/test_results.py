"""The benchmark's own arithmetic: ratios, targets, the chart."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree

import pytest

from bench import cells, chart, tables
from bench.cells import CHAIN, OURS, Cell, Sample


def sample(cpu_ms: float, rate: float = 100.0, p99: float = 10.0, memory: float = 50.0) -> Sample:
    return Sample(
        messages=200, rate=rate, cpu_ms=cpu_ms, p50=1.0, p99=p99, small_p50=1.0, small_p99=p99,
        memory=memory, errors=0, unmet=0, refused=0,
    )  # fmt: skip


def row(samples: tables.Samples, against: str) -> tables.Row:
    return next(one for one in tables.targets(samples) if one.against.startswith(against))


def chain(*rounds: float) -> tables.Samples:
    return {Cell(name): [sample(cpu) for cpu in rounds] for name in CHAIN}


def test_a_ratio_is_taken_within_each_round() -> None:
    """A machine twice as slow in one round changes both sides."""
    samples = {Cell(OURS): [sample(1.0), sample(2.0), sample(1.5)], **chain(2.0, 4.0, 1.5)}
    found = row(samples, "opendkim + pyspf-milter + opendmarc")
    assert found.value == pytest.approx(1 / 6)  # of 1/6, 2/12, 1.5/4.5
    assert found.reached is True


@pytest.mark.parametrize(("ours", "reached"), [(0.74, True), (0.76, False)])
def test_a_missed_target_is_shown(ours: float, reached: bool) -> None:
    samples = {Cell(OURS): [sample(ours)], **chain(1.0)}
    found = row(samples, "opendkim + pyspf-milter + opendmarc")
    assert found.reached is reached
    assert ("**no**" in tables.markdown([found])) is not reached


def test_what_was_not_measured_is_not_reached() -> None:
    for samples in ({}, {Cell(OURS): [sample(1.0)]}, chain(1.0)):
        found = row(samples, "opendkim + pyspf-milter + opendmarc")
        assert found.value is None
        assert found.reached is None
        assert "not measured" in tables.markdown([found])


def test_rates_must_be_at_least() -> None:
    samples = {
        Cell(OURS, 64): [sample(1.0, rate=300.0)],
        Cell("opendkim-verify", 64): [sample(1.0, rate=100.0)],
    }
    found = next(one for one in tables.targets(samples) if one.work == "verify, messages/s at 64")
    assert found.value == pytest.approx(3.0)
    assert found.reached is True


def test_memory_is_the_worst_cell() -> None:
    samples = {Cell(OURS): [sample(1.0, memory=60.0)], Cell(OURS, 512): [sample(1.0, memory=151.0)]}
    assert row(samples, "150 MB").reached is False


def test_the_chart_is_xml_and_names_its_bars() -> None:
    samples = {Cell(OURS): [sample(1.0)], **chain(2.0)}
    picture = chart.svg(samples)
    ElementTree.fromstring(picture)
    assert OURS in picture
    assert "6.00" in picture  # the chain's three legs of 2 ms
    assert "rspamd" not in picture


def test_quick_leaves_out_kept_connections() -> None:
    names = [OURS, *CHAIN]
    assert not any(cell.kept for cell in cells.plan(names, quick=True))
    assert any(cell.kept for cell in cells.plan(names, quick=False))
    assert set(cells.plan(names, quick=True)) < set(cells.plan(names, quick=False))


def test_every_c_source_is_there() -> None:
    here = Path(cells.__file__).parent
    assert {"load.c", "corpus.c", "floor.c"} <= {path.name for path in here.glob("*.c")}
