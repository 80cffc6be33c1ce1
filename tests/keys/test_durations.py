"""durations: lengths of time as people write them."""

from __future__ import annotations

import pytest

from postseal_keys.console import Problem
from postseal_keys.durations import seconds, shown


@pytest.mark.parametrize(
    ("text", "length"),
    [("0", 0), ("90", 90), ("10m", 600), ("1h30m", 5400), ("2D", 172_800), (" 1w ", 604_800)],
)
def test_read(text: str, length: int) -> None:
    assert seconds(text) == length


@pytest.mark.parametrize("text", ["", "soon", "-1", "1.5h", "1y", "h", "9" * 30, "1h30", "\u0661"])
def test_refused(text: str) -> None:
    with pytest.raises(Problem) as caught:
        seconds(text, what="--wait")
    assert "--wait" in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("length", [1, 60, 61, 3600, 5400, 86_400, 90_000, 604_800])
def test_what_is_shown_can_be_read(length: int) -> None:
    assert seconds(shown(length).replace(" ", "")) == length


def test_nothing_is_zero() -> None:
    assert shown(0.4) == "0s"
