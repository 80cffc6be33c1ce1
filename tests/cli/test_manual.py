"""postseal(8) says what the parsers say."""

from __future__ import annotations

from pathlib import Path

import pytest

from postseal.cli import manual
from postseal.cli.main import COMMANDS
from postseal_keys.manual import fill
from support.manpages import MAN, complaints, shown

PAGE = MAN / "postseal.8"


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text("utf-8")
    assert fill(text, manual.MANUAL) == text, "run: python -m postseal.cli.manual --update"


def test_mandoc_has_no_complaint() -> None:
    assert complaints(PAGE) == []


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_its_place(name: str) -> None:
    assert f"postseal {name} " in shown(PAGE)


def test_options_with_and_without_values() -> None:
    text = manual.command("check-config")
    assert ".It Ar file\n" in text
    assert ".It Fl -json\n" in text
    assert ".It Fl -pid-file Ar file\n" in manual.command("reload")
    assert manual.command("version") == "It has no options.\n"


def test_update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page"
    text = PAGE.read_text("utf-8")
    page.write_text(fill(text, {"run": lambda: "old\n"}))
    monkeypatch.setattr(manual, "PAGE", page)
    assert manual.main(["--update"]) == 0
    assert page.read_text("utf-8") == text


def test_print(capsys: pytest.CaptureFixture[str]) -> None:
    assert manual.main([]) == 0
    assert manual.command("verify") in capsys.readouterr().out
