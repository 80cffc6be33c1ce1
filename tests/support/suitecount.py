"""How the test suites of others did, out of all the cases they have.

NAME
    suitecount - counts(): from pytest's reports to a count for each suite

SEE ALSO
    suites.SUITES; tests/conftest.py, which prints them at the end of every run.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest

from support.suites import SUITES


class Count:
    """How a suite did."""

    def __init__(self) -> None:
        self.passed = 0
        self.ran = 0
        self.skipped = ""  # why, where a test was

    def add(self, passed: int, ran: int) -> None:
        self.passed += passed
        self.ran += ran

    def line(self, name: str, cases: int) -> str:
        """Out of all there are, whatever ran: a suite cannot shrink unseen."""
        missing = cases - self.ran
        rest = f", {missing} not run" if missing > 0 else f", {-missing} more" if missing else ""
        why = f": {self.skipped}" if missing and self.skipped else ""
        return f"{self.passed:4} of {cases:4}  {name}{rest}{why}"


def counts(reports: Iterable[pytest.TestReport]) -> dict[str, Count]:
    """By suite, how many cases passed, ran, or were left out; only suites asked for are told."""
    found: dict[str, Count] = {}
    for report in reports:
        mine = [name for name, suite in SUITES.items() if re.search(suite.tests, report.nodeid)]
        if report.outcome == "skipped":
            for name in mine:
                found.setdefault(name, Count()).skipped = _reason(report)
        elif report.when == "call":
            said = [value for key, value in report.user_properties if key == "suite"]
            for name in mine if not said else ():
                found.setdefault(name, Count()).add(report.outcome == "passed", 1)
            for value in said:
                assert isinstance(value, list | tuple)  # a list when another process ran it
                name, passed, ran = value
                found.setdefault(name, Count()).add(int(passed), int(ran))
    return found


def _reason(report: pytest.TestReport) -> str:
    longrepr = report.longrepr
    return str(longrepr[2]) if isinstance(longrepr, tuple) else ""
