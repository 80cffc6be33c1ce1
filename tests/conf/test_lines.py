"""Line numbers: each path in a text with every construct of TOML."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from postseal.conf.lines import Index

TEXT = (
    r'''# a comment with [brackets] = "and quotes"
one = 1
two.deep = "x # no comment ]"   # a comment
[sign]
key = [
  {selector = "rsa", file = 'x'}, # }
  {selector = "ed", file = "y"},
]
nested = [[1, 2],
 [3,
  4]]
text = """
[foo]
x = 2 \""" """
raw = '''.replace("''''", "'''")
    + """'''
[bar]
'''
day = 1979-05-27 07:32:00
none = {}
empty = []
[[many]]
selector = 's'
[[many]]
selector = 't'
[many.below]
y = 1
["a b".c]
z = [ ] # end
"""
)


def paths(tree: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Every path in a tree."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree)
    found: list[tuple[str | int, ...]] = []
    for key, value in items:
        found.append((*path, key))
        if isinstance(value, dict | list):
            found += paths(value, (*path, key))
    return found


@pytest.mark.parametrize(
    ("path", "starts"),
    [
        (("one",), "one ="),
        (("two", "deep"), "two.deep"),
        (("sign",), "[sign]"),
        (("sign", "key"), "key ="),
        (("sign", "key", 0, "file"), "{selector = \"rsa\""),
        (("sign", "key", 1), "{selector = \"ed\""),
        (("sign", "key", 1, "file"), "{selector = \"ed\""),
        (("sign", "nested", 1, 1), "4]]"),
        (("sign", "text"), "text ="),
        (("sign", "raw"), "raw ="),
        (("sign", "day"), "day ="),
        (("sign", "none"), "none ="),
        (("sign", "empty"), "empty ="),
        (("many", 1, "selector"), "selector = 't'"),
        (("many", 1, "below", "y"), "y ="),
        (("a b", "c", "z"), "z ="),
    ],
)  # fmt: skip
def test_line(path: tuple[str | int, ...], starts: str) -> None:
    line = Index(TEXT).line_of(path)
    assert TEXT.splitlines()[line - 1].strip().startswith(starts)


def test_every_path_has_a_line_of_its_own() -> None:
    index = Index(TEXT)
    for path in paths(tomllib.loads(TEXT)):
        assert index.line_of(path), path
        assert path in index._lines, path


def test_an_unknown_path_has_the_line_of_what_encloses_it() -> None:
    index = Index("a = 1\n[b]\nc = 2\n")
    assert index.line_of(("b", "nothing", 3)) == 2
    assert index.line_of(("nothing",)) == 0


@pytest.mark.parametrize("text", ["= 1", "[", "a", '"', "a = [", "a = {b", "]", "a = [1 2]"])
def test_text_that_is_not_toml_ends(text: str) -> None:
    assert Index(text).line_of(("a",)) in (0, 1)
