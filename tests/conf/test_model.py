"""The option model: every option has a default that is accepted, and a text fit for the manual."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from postseal.conf import check
from postseal.conf.model import Settings


def options(model: type[BaseModel], path: str = "") -> list[tuple[str, str]]:
    found = []
    for name, info in model.model_fields.items():
        found.append((f"{path}{name}", info.description or ""))
        if isinstance(info.annotation, type) and issubclass(info.annotation, BaseModel):
            found += options(info.annotation, f"{path}{name}.")
    return found


OPTIONS = options(Settings)


def test_there_are_options() -> None:
    assert len(OPTIONS) > 50


@pytest.mark.parametrize(("name", "text"), OPTIONS, ids=[name for name, _ in OPTIONS])
def test_the_text_is_sentences(name: str, text: str) -> None:
    assert text.endswith(".")
    assert text[0].isupper() or text.split()[0] in {"*"}
    assert "  " not in text


def test_the_defaults_are_without_fault() -> None:
    assert not list(check.check(Settings()))
