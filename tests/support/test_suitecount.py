"""suitecount: a suite that shrinks, or does not run, is seen."""

from __future__ import annotations

from typing import Any

import pytest

from support.suitecount import counts
from support.suites import SUITES

ARC = "ValiMail ARC suite, sign"
SPF = "RFC 7208 suite"
NODE = {ARC: "tests/core/arc/test_suite.py::test_sign[a{}]", SPF: "tests/core/test_spf_suite.py::x"}


def report(name: str, number: int = 0, outcome: Any = "passed", **more: Any) -> pytest.TestReport:
    return pytest.TestReport(
        nodeid=NODE[name].format(number),
        location=("", 0, ""),
        keywords={},
        outcome=outcome,
        longrepr=more.pop("longrepr", None),
        when=more.pop("when", "call"),
        **more,
    )


def line(name: str, *reports: pytest.TestReport) -> str:
    return counts(reports)[name].line(name, SUITES[name].cases)


def test_a_whole_suite() -> None:
    assert line(ARC, *(report(ARC, n) for n in range(17))) == f"  17 of   17  {ARC}"


def test_a_failure() -> None:
    ran = [report(ARC, n, "failed" if n == 3 else "passed") for n in range(17)]
    assert line(ARC, *ran) == f"  16 of   17  {ARC}"


def test_a_suite_that_shrank_or_grew() -> None:
    assert line(ARC, *(report(ARC, n) for n in range(15))) == f"  15 of   17  {ARC}, 2 not run"
    assert line(ARC, *(report(ARC, n) for n in range(18))) == f"  18 of   17  {ARC}, 1 more"


def test_a_suite_that_is_not_there() -> None:
    skipped = report(ARC, 0, "skipped", when="setup", longrepr=("x.py", 1, "Skipped: no data"))
    assert line(ARC, skipped) == f"   0 of   17  {ARC}, 17 not run: Skipped: no data"


def test_cases_that_are_one_test() -> None:
    told = report(SPF, user_properties=[("suite", (SPF, 200, 203))])
    assert line(SPF, told) == f" 200 of  203  {SPF}"
    half = report(SPF, user_properties=[("suite", [SPF, 100, 101])])
    assert line(SPF, half, half) == f" 200 of  203  {SPF}, 1 not run"


def test_a_suite_that_was_not_asked_for_is_not_told() -> None:
    assert counts([]) == {}


def test_a_test_that_ended_before_its_count_is_a_failure() -> None:
    assert line(SPF, report(SPF, 0, "failed")).startswith("   0 of  203")
