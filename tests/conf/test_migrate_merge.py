"""Several daemons' files: which of two options counts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from postseal.conf.migrate_base import Migration
from postseal.conf.migrate_merge import merge


@pytest.mark.parametrize(
    ("one", "two", "both", "told"),
    [
        pytest.param({}, {"a": 1}, {"a": 1}, False, id="added"),
        pytest.param({"a": 1}, {"a": 1}, {"a": 1}, False, id="the-same"),
        pytest.param({"a": 1}, {"a": 2}, {"a": 1}, True, id="the-first-counts"),
        pytest.param({"s": {"a": 1}}, {"s": {"b": 2}}, {"s": {"a": 1, "b": 2}}, False, id="tables"),
        pytest.param({"l": [1, 2]}, {"l": [2, 3]}, {"l": [1, 2, 3]}, False, id="lists"),
        pytest.param({}, {"socket": "x", "log": {"target": "y"}}, {}, False, id="one-daemon"),
        pytest.param(
            {"roles": {"internal_hosts": ["a"]}},
            {"roles": {"internal_hosts": ["b"]}},
            {"roles": {"internal_hosts": ["a"]}},
            True,
            id="who-is-signed-for",
        ),
    ],
)
def test_merge(one: dict[str, Any], two: dict[str, Any], both: dict[str, Any], told: bool) -> None:
    first = Migration({}, (), "One", Path("one.conf"))
    other = Migration({}, (), "Two", Path("two.conf"))
    first.tree, other.tree = one, two
    merge(first, other)
    assert first.tree == both
    assert [entry.file for entry in first.report.entries] == (["two.conf"] if told else [])
    assert first.daemon == "One, Two"
