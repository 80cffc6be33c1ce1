"""The option model: every option has a default that is accepted, and a text fit for the manual."""

from __future__ import annotations

import re
from pathlib import Path

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


MILTER = Path(__file__).resolve().parents[2] / "milter" / "postseal"
ATTRIBUTE = re.compile(r"(?<=[\w)\]])\.(\w+)")
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


def read_somewhere() -> set[str]:
    """Names of attributes that the program reads, outside of the model itself."""
    sources = [path for path in MILTER.rglob("*.py") if path.parent.name != "conf"]
    return {name for path in sources for name in ATTRIBUTE.findall(path.read_text("utf-8"))}


def test_every_option_is_read() -> None:
    """One that nobody reads is a promise that nobody keeps."""
    read = read_somewhere()
    assert "no_such_option" not in read
    unread = [name for name, _ in options(Settings) if name.rpartition(".")[2] not in read]
    assert not unread
