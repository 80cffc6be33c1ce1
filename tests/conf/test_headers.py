"""Lists of header fields and their changes."""

from __future__ import annotations

import pytest

from postseal.conf.headers import oversigned, signed
from postseal.core.dkim.headerlist import SIGNED

DEFAULT = {name.decode() for name in SIGNED}


@pytest.mark.parametrize(
    ("words", "names"),
    [
        pytest.param(["*"], DEFAULT, id="all"),
        pytest.param(["*", "+X-A"], DEFAULT | {"x-a"}, id="add"),
        pytest.param(["*", "-To"], DEFAULT - {"to"}, id="take"),
        pytest.param(["+X-A", "-To"], (DEFAULT | {"x-a"}) - {"to"}, id="changes-alone"),
        pytest.param(["Subject"], {"subject", "from"}, id="from-is-always-in"),
        pytest.param([], DEFAULT, id="empty"),
    ],
)
def test_signed(words: list[str], names: set[str]) -> None:
    assert signed(words) == (frozenset(names), ())


@pytest.mark.parametrize("word", ["Received", "+ARC-Seal", "-From", "a b", "+", "x:y", "é"])
def test_faults(word: str) -> None:
    [(found, why)] = signed(["*", word])[1]
    assert found == word
    assert why


def test_oversigned() -> None:
    assert oversigned(["Subject"]) == (frozenset({"subject", "from"}), ())
