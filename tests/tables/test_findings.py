"""Mistakes of one file, counted where they are too many."""

from __future__ import annotations

from postseal.conf.mistake import Severity
from postseal.tables.findings import MAX_FOUND, Report


def test_too_many() -> None:
    report = Report("f")
    for number in range(MAX_FOUND + 5):
        report.dead(number + 1, "k" * 100, "is dead")
    found = report.mistakes()
    assert len(found) == MAX_FOUND + 1
    assert found[-1].what.startswith("5 more")
    assert found[0].severity is Severity.DEAD
    assert len(found[0].key) == 60
