"""The report for people."""

from __future__ import annotations

from postseal.conf.migrate_report import Entry, Fate, Report


def entry(fate: Fate, line: int, value: str = "") -> Entry:
    return Entry(fate=fate, file="f", line=line, option="O", value=value, text="t")


def test_dangerous_first_and_nothing_moves_the_cursor() -> None:
    report = Report([entry(Fate.KEPT, 1, "v\x1b"), entry(Fate.DANGEROUS, 2), entry(Fate.KEPT, 3)])
    wanted = "dangerous (1):\n  f:2: O: t\n\nkept (2):\n  f:1: O v\\x1b: t\n  f:3: O: t\n"
    assert report.text() == wanted


def test_empty() -> None:
    assert Report().text() == ""
