"""Patterns of refile: tables: one row per construct, and no text takes long."""

from __future__ import annotations

import random
import re

import pytest

from postseal.tables.globs import MAX_WAYS, GlobError, Piece, lower, parse


def matches(pattern: str, text: str) -> bool:
    return any(glob.matches(lower(text)) for glob in parse(pattern, fold=True))


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        pytest.param("a@b", "A@B", "xa@b", id="literal-whole-any-case"),
        pytest.param("*@b.c", "a@b.c", "a@bxc", id="dot-is-literal"),
        pytest.param("*@b.c", "@b.c", "a@x.b.c", id="star-may-be-empty"),
        pytest.param("a+b@*", "a+b@c", "aab@c", id="plus-is-literal"),
        pytest.param("a*b*c", "abbcc", "acb", id="stars-in-order"),
        pytest.param("ab*ba", "abba", "aba", id="pieces-do-not-overlap"),
        pytest.param("a*b*b", "axbxb", "axxb", id="last-piece-does-not-overlap"),
        pytest.param("a**", "ax", "xa", id="two-stars-are-one"),
        pytest.param("[jk]oe", "KOE", "moe", id="class"),
        pytest.param("[^j]oe", "koe", "joe", id="class-negated"),
        pytest.param("[^j]oe", "koe", "Joe", id="class-negated-any-case"),
        pytest.param("[a-c]x", "bx", "dx", id="class-range"),
        pytest.param("[[:digit:]]x", "1x", "ax", id="class-named"),
        pytest.param("[a.]x", "\\x", "bx", id="dot-in-class-brings-a-backslash"),
        pytest.param("[a*]x", ".x", "bx", id="star-in-class-brings-a-dot"),
        pytest.param("[]a]x", "]x", "bx", id="class-with-bracket"),
        pytest.param("ab?c", "ac", "abbc", id="optional-character"),
        pytest.param("[ab]?c", "c", "abc", id="optional-class"),
        pytest.param("(a|bc)d", "bcd", "ad ", id="alternatives"),
        pytest.param("(a|b)?d", "d", "abd", id="optional-group"),
        pytest.param("(a*|b)@c", "axx@c", "bx@c", id="star-in-group"),
        pytest.param("a*?b", "ab", "a", id="optional-star-is-a-star"),
    ],
)  # fmt: skip
def test_pattern(pattern: str, yes: str, no: str) -> None:
    assert matches(pattern, yes)
    assert not matches(pattern, no)


@pytest.mark.parametrize(
    "pattern",
    ["a|b", "a{2}", r"a\.b", "(a", "a)", "((a))", "[a", "[]", "[^]", "[b-a]", "[[:foo:]]",
     "?a", "^a", "a$", "(a|b)" * 7, "x" * 1025],
)  # fmt: skip
def test_refused(pattern: str) -> None:
    with pytest.raises(GlobError):
        parse(pattern, fold=True)


def test_alternatives_are_limited() -> None:
    assert len(parse("(a|b)" * 6, fold=True)) == MAX_WAYS


def test_as_python_would_match() -> None:
    """Against Python's own engine, on small random patterns and texts."""
    rng = random.Random(64)
    for _ in range(4000):
        pattern = "".join(rng.choices("ab.*[ab]?@", k=rng.randrange(1, 7)))
        text = "".join(rng.choices("ab.@", k=rng.randrange(7)))
        try:
            mine = matches(pattern, text)
        except GlobError:
            continue
        expression = "".join({"*": ".*", ".": r"\."}.get(c, c) for c in pattern)
        if "[" in expression and "." in expression.partition("[")[2].partition("]")[0]:
            continue  # Python reads \. in a class as a dot alone
        expression = expression.replace(".*?", "(?:.*)?").replace("??", "?")
        try:
            wanted = bool(re.fullmatch(expression, text))
        except re.error:  # a bracket that POSIX can read
            continue
        assert mine == wanted, (pattern, text)


def test_every_piece_is_looked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A text made to send a backtracking engine astray costs one search a piece."""
    calls = []
    find = Piece.find

    def counted(self: Piece, text: str, start: int) -> int:
        calls.append(start)
        return find(self, text, start)

    monkeypatch.setattr(Piece, "find", counted)
    [glob] = parse("*a" * 30 + "*b", fold=True)
    assert not glob.matches("a" * 5000)
    assert len(calls) <= 31
