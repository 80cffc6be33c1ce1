"""Many patterns: the same rows as trying each, and only few of them tried."""

from __future__ import annotations

import gc
import random

import pytest
from hypothesis import settings

from postseal.tables.globindex import GlobIndex
from postseal.tables.globs import Glob, parse


def index(patterns: list[str]) -> GlobIndex[int]:
    return GlobIndex((parse(one, fold=True), number) for number, one in enumerate(patterns))


def test_same_rows_as_one_by_one() -> None:
    rng = random.Random(1)
    pieces = ["*", "@", "a", "b", ".", "[ab]", "*@b", "a@", "(a|b)", ".b"]
    for _ in range(4 * settings().max_examples):
        patterns = ["".join(rng.choices(pieces, k=rng.randrange(1, 5))) for _ in range(8)]
        made = index(patterns)
        for _ in range(20):
            text = "".join(rng.choices("ab.@", k=rng.randrange(6)))
            wanted = [
                number
                for number, one in enumerate(patterns)
                if any(glob.matches(text) for glob in parse(one, fold=True))
            ]
            assert list(made.matches(text)) == wanted, (patterns, text)


def test_ten_thousand_domains_try_a_handful(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = 0
    matches = Glob.matches

    def counted(self: Glob, text: str) -> bool:
        nonlocal tried
        tried += 1
        return matches(self, text)

    made = index([f"*@domain{number}.example" for number in range(10_000)] + ["joe@*", "*"])
    monkeypatch.setattr(Glob, "matches", counted)
    assert list(made.matches("joe@domain7777.example")) == [7777, 10_000, 10_001]
    assert made.first("x@y") == 10_001
    assert tried <= 6


def test_of_many_domains_only_their_names_are_kept() -> None:
    """A pattern *TEXT is matched by its end alone: its parts are not kept beside it."""
    kept = sum(isinstance(one, Glob) for one in gc.get_objects())
    made = index([f"*@domain{number}.example" for number in range(1000)])
    assert made.first("joe@domain777.example") == 777
    assert sum(isinstance(one, Glob) for one in gc.get_objects()) == kept
    assert made.values == tuple(range(1000))


def test_rows_with_the_same_end_all_match() -> None:
    made = index(["*@a", "x*@a", "*@a", "*", "*@b"])
    assert list(made.matches("xy@a")) == [0, 1, 2, 3]
    assert list(made.matches("y@a")) == [0, 2, 3]
    assert list(made.matches("@a")) == [0, 2, 3]
    assert list(made.matches("y@aa")) == [3]
