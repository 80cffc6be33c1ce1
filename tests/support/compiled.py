"""What is there in Python and in C: the same tests for both."""

from __future__ import annotations

from typing import Any

import pytest


def needs_compiler(compiled: bool, source: str) -> pytest.MarkDecorator:
    """compiled: whether the C of that file is in use here."""
    return pytest.mark.skipif(
        not compiled,
        reason=f"{source} is not compiled here: sh contrib/test.sh does it, where there is a"
        " compiler",
    )


def both(plain: Any, compiled: Any, mark: pytest.MarkDecorator) -> list[Any]:
    """Both forms as parameters of a test."""
    return [
        pytest.param(plain, id="python"),
        pytest.param(compiled, id="compiled", marks=mark),
    ]
