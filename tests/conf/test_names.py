"""Lists of header fields and their changes."""

from __future__ import annotations

import pytest

from postseal.conf.names import DEFAULT_HEADERS, NEVER_SIGNED, chosen


@pytest.mark.parametrize(
    ("words", "names"),
    [
        pytest.param(["*"], DEFAULT_HEADERS, id="all"),
        pytest.param(["*", "+X-A"], DEFAULT_HEADERS | {"x-a"}, id="add"),
        pytest.param(["*", "-To"], DEFAULT_HEADERS - {"to"}, id="take"),
        pytest.param(["+X-A", "-To"], (DEFAULT_HEADERS | {"x-a"}) - {"to"}, id="changes-alone"),
        pytest.param(["Subject"], {"subject", "from"}, id="from-is-always-in"),
        pytest.param([], DEFAULT_HEADERS, id="empty"),
    ],
)
def test_chosen(words: list[str], names: set[str]) -> None:
    assert chosen(words) == (frozenset(names), ())


@pytest.mark.parametrize("word", ["Received", "+ARC-Seal", "-From", "a b", "+", "x:y", "é"])
def test_faults(word: str) -> None:
    [(found, why)] = chosen(["*", word])[1]
    assert found == word
    assert why


def test_the_built_in_list_has_what_rfc_8058_wants_and_no_trace_field() -> None:
    assert "list-unsubscribe-post" in DEFAULT_HEADERS
    assert not DEFAULT_HEADERS & NEVER_SIGNED
