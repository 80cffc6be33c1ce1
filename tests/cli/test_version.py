"""Versions of what takes part."""

from __future__ import annotations

import pytest

from postseal import __version__
from postseal.cli.main import main
from postseal.cli.version import LIBRARIES, installed


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["version"]) == 0
    rows = dict(line.split(" ") for line in capsys.readouterr().out.splitlines())
    assert rows["postseal"] == __version__
    assert set(LIBRARIES) < set(rows)


def test_missing() -> None:
    assert installed("no-such-distribution") == "missing"
