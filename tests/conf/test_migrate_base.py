"""What importers share: numbers brought into range, tables with absolute names."""

from __future__ import annotations

from pathlib import Path

import pytest

from postseal.conf.migrate_base import Migration
from postseal.conf.migrate_source import Given


def work(**values: str) -> Migration:
    given = {
        name.lower(): Given(name=name, value=value, file="f", line=1)
        for name, value in values.items()
    }
    return Migration(given, (), "x", Path("x.conf"))


@pytest.mark.parametrize(
    ("value", "tree"), [("5", {"a": 5}), ("1000", {"a": 9}), ("x", {}), ("0", {}), ("-5", {"a": 2})]
)
def test_number(value: str, tree: dict[str, int]) -> None:
    made = work(N=value)
    made.number("N", "a", 2, 9)
    assert made.tree == tree
    assert len(made.report.entries) == 1


@pytest.mark.parametrize(
    ("value", "table"),
    [
        ("file:/a", "file:/a"),
        ("refile:b", "refile:/etc/b"),
        ("/c", "/c"),
        ("csl:x=y", "csl:x=y"),
    ],
)
def test_table(value: str, table: str) -> None:
    made = work(BaseDirectory="/etc", T=value)
    made.table("T", "sign.t")
    assert made.base == Path("/etc")
    assert made.tree == {"sign": {"t": table}}


def test_long_values_are_cut_in_the_report() -> None:
    made = work(N="x" * 500)
    made.number("N", "a", 0, 1)
    assert len(made.report.entries[0].value) == 60
