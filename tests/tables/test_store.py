"""What a library says about a table, as the administrator reads it."""

from __future__ import annotations

import pytest

from postseal.tables.store import SHOWN, fault


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        pytest.param("login with hush refused", "login with *** refused", id="password"),
        pytest.param("hush hush", "*** ***", id="password-twice"),
        pytest.param("a\n  b\tc", "a b c", id="one-line"),
        pytest.param("", "OSError", id="no-words"),
        pytest.param("x" * (SHOWN - 2) + "hush", "x" * (SHOWN - 2) + "**", id="cut-afterwards"),
    ],
)
def test_fault(said: str, wanted: str) -> None:
    made = fault(OSError(said), ["hush", ""], lasting=True)
    assert (made.what, made.lasting) == (wanted, True)
