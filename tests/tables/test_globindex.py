"""Many patterns: the same rows as trying each, and only few of them tried."""

from __future__ import annotations

import random

import pytest

from postseal.tables.globindex import GlobIndex
from postseal.tables.globs import Glob, parse


def index(patterns: list[str]) -> GlobIndex[int]:
    return GlobIndex((parse(one, fold=True), number) for number, one in enumerate(patterns))


def test_same_rows_as_one_by_one() -> None:
    rng = random.Random(1)
    pieces = ["*", "@", "a", "b", ".", "[ab]", "*@b", "a@", "(a|b)", ".b"]
    for _ in range(400):
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
