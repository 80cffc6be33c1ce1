"""For all tests: property tests never fail because the machine was busy; suites are counted;
the host has a full name.

--hypothesis-profile=quick tries a fifth of the examples; the full run tries all.
"""

from __future__ import annotations

import os

import pytest
from hypothesis import settings

from postseal.conf import host
from support.suitecount import counts
from support.suites import SUITES

settings.register_profile("patient", deadline=None)
settings.register_profile("quick", settings.get_profile("patient"), max_examples=20)
settings.load_profile("patient")


def _hosts() -> str:
    """A host without a full name, as many build machines are, would be told so at every turn."""
    name = os.uname().nodename.lower().rstrip(".")
    return f"127.0.1.1 {name}.example.org {name}\n"


host._hosts = _hosts


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """One line for each suite that was to run."""
    reports = [
        report
        for outcome in ("passed", "failed", "skipped")
        for report in terminalreporter.stats.get(outcome, ())
        if isinstance(report, pytest.TestReport)
    ]
    if found := counts(reports):
        terminalreporter.section("suites")
        for name, count in sorted(found.items()):
            terminalreporter.line(count.line(name, SUITES[name].cases))
