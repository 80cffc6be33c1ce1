"""Names that DNS can be asked, and those it cannot."""

from __future__ import annotations

import pytest

from postseal.core.resolver import BadName, question_name


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("Example.COM.", "example.com"),
        ("a b@c.example", "a b@c.example"),  # SPF macros put such things there
        ("x" * 63 + ".example", "x" * 63 + ".example"),
        (".".join(["abcdefg"] * 31) + ".12345", ".".join(["abcdefg"] * 31) + ".12345"),
    ],
)
def test_names_that_can_be_asked(name: str, asked: str) -> None:
    assert question_name(name) == asked


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "a..b", ".a", "x" * 64, "ü.example", "a\0b", "a\nb", "x." * 127 + "x"],
)
def test_names_that_cannot(name: str) -> None:
    with pytest.raises(BadName):
        question_name(name)
