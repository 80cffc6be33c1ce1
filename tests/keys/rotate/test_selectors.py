"""selectors: patterns filled, and no selector twice."""

from __future__ import annotations

import pytest

from postseal_keys.console import Problem
from postseal_keys.rotate.selectors import choose, fill

NOW = 1_795_219_200  # 2026-11-21 00:00:00 UTC


@pytest.mark.parametrize(
    ("pattern", "kind", "selector"),
    [
        ("{year}{month}", "rsa", "202611"),
        ("{year}{month}", "ed25519", "202611e"),
        ("{kind}{year}{month}{day}", "ed25519", "e20261121"),
        ("s{kind}.{year}", "rsa", "sr.2026"),
        ("mail", "rsa", "mail"),
    ],
)
def test_fill(pattern: str, kind: str, selector: str) -> None:
    assert fill(pattern, kind, NOW) == selector


@pytest.mark.parametrize("pattern", ["", "{week}", "{year", "a b", "{}", "x" * 64])
def test_refused(pattern: str) -> None:
    with pytest.raises(Problem):
        fill(pattern, "rsa", NOW)


def test_a_selector_is_never_used_twice() -> None:
    taken: set[str] = set()
    for _ in range(20):
        selector = choose("{year}", "rsa", NOW, taken)
        assert selector not in taken
        taken.add(selector)
    assert "2026e" not in taken
    with pytest.raises(Problem):
        for _ in range(20):
            taken.add(choose("{year}", "rsa", NOW, taken))
