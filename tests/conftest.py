"""For all tests: property tests never fail because the machine was busy; suites are counted.

--hypothesis-profile=quick tries a fifth of the examples; the full run tries all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import pytest
from hypothesis import settings

settings.register_profile("patient", deadline=None)
settings.register_profile("quick", settings.get_profile("patient"), max_examples=20)
settings.load_profile("patient")

# Suites whose cases are tests of their own.  Others say how they did: a test records the
# property "suite" as (name, passed, all), and what has one name is added up.
SUITES = {
    "RFC 8601 appendix B": r"core/test_authres\.py::test_rfc8601_appendix_b\[",
    "RFC 9989 appendix B and other examples": r"dmarc/test_rfc9989\.py::test_example\[",
    "ValiMail ARC suite, verify": r"arc/test_suite\.py::test_verify\[",
    "ValiMail ARC suite, sign": r"arc/test_suite\.py::test_sign\[",
    "libopendkim's messages, verify": r"test_opendkim_vectors\.py::test_verify\[",
    "libopendkim's messages, sign": r"test_opendkim_vectors\.py::test_what_opendkim_signed\[",
}


def counts(reports: Iterable[pytest.TestReport]) -> dict[str, tuple[int, int]]:
    """By suite, how many cases passed and how many ran."""
    found: dict[str, tuple[int, int]] = {}

    def add(name: str, passed: int, every: int) -> None:
        before = found.get(name, (0, 0))
        found[name] = (before[0] + passed, before[1] + every)

    for report in reports:
        if report.when != "call" or report.outcome == "skipped":
            continue
        for name, pattern in SUITES.items():
            if re.search(pattern, report.nodeid):
                add(name, report.outcome == "passed", 1)
        for key, value in report.user_properties:
            if key == "suite" and isinstance(value, list | tuple):
                add(str(value[0]), int(value[1]), int(value[2]))
    return found


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each suite that ran."""
    reports = [
        report
        for outcome in ("passed", "failed", "skipped")
        for report in terminalreporter.stats.get(outcome, ())
        if isinstance(report, pytest.TestReport)
    ]
    if found := counts(reports):
        terminalreporter.section("suites")
        for name, (passed, every) in sorted(found.items()):
            terminalreporter.line(f"{passed:4} of {every:4}  {name}")
