"""Which configuration `postseal run` reads."""

from __future__ import annotations

from pathlib import Path

import pytest

from postseal.cli import run_command
from postseal.cli.run_command import config_file


def test_the_file_that_was_named() -> None:
    assert config_file("x.toml") == str(Path("x.toml").absolute())


def test_the_usual_file_where_it_exists(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usual = tmp_path / "postseal.toml"
    monkeypatch.setattr(run_command, "DEFAULT_FILE", usual)
    assert config_file(None) is None
    usual.touch()
    assert config_file(None) == str(usual)
