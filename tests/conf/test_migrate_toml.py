"""What is rendered is read back as it was."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from postseal.conf.migrate_toml import render


@pytest.mark.parametrize(
    "tree",
    [
        {},
        {"a": 1, "b": True, "c": 1.5, "d": "x"},
        {"a": [], "b": ["x", "y"]},
        {"a": 'quote " backslash \\ tab \t line \n bell \x07 delete \x7f é ☃'},
        {"top": 1, "t": {"x": "y", "u": [{"a": 1}, {"a": 2, "b": "c"}]}, "s": {"z": False}},
    ],
)
def test_round_trip(tree: dict[str, Any]) -> None:
    assert tomllib.loads(render(tree, "a comment\nof two lines")) == tree
