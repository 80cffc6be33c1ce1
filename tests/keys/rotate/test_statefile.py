"""statefile: what is written is read back, and a broken file is refused."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from postseal_keys.console import TEMPFAIL, Problem
from postseal_keys.rotate.model import Key, Line, Stage
from postseal_keys.rotate.statefile import Store, parse, text


def lines() -> list[Line]:
    """Every stage, with and without looks."""
    keys = tuple(
        Key(
            selector=f"k{number}",
            file=f'/k/a "quoted" \\ {number}',
            stage=stage,
            since=1_700_000_000 + number,
            seen_since=seen,
            looked_at=seen,
            looked_ok=seen is not None,
        )
        for number, (stage, seen) in enumerate(itertools.product(Stage, (None, 1_700_000_099)))
    )
    return [
        Line(domain="d.example", kind="rsa", keys=keys),
        Line(domain="d.example", kind="ed25519", keys=keys[:1]),
        Line(domain="d.example", kind="rsa", stream="news", keys=keys[1:3]),
    ]


def test_round_trip() -> None:
    assert parse(text(lines())) == lines()
    assert parse(text([])) == []


def test_people_can_read_it() -> None:
    shown = text(lines())
    assert 'stage = "signing"' in shown
    assert "since = 2023-11-14T22:13:20Z" in shown


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("x", id="no-toml"),
        pytest.param("", id="no-version"),
        pytest.param("version = 2", id="other-version"),
        pytest.param("version = 1\nkey = 3", id="no-list"),
        pytest.param(text(lines()).replace("signing", "singing"), id="unknown-stage"),
        pytest.param(text(lines()).replace('"rsa"', '"dsa"'), id="unknown-kind"),
        pytest.param(text(lines()).replace("selector", "selektor"), id="missing"),
        pytest.param(text(lines()).replace("Z\n", "\n"), id="time-without-zone"),
        pytest.param(text(lines()).replace('"k1"', '"../x"'), id="no-selector"),
        pytest.param(text(lines()) + text(lines()).partition("version = 1\n")[2], id="key-twice"),
    ],
)
def test_a_broken_file_is_refused(content: str) -> None:
    with pytest.raises(Problem) as caught:
        parse(content, "/s")
    assert "/s" in caught.value.message
    assert caught.value.hint


def test_saved_whole_and_locked(tmp_path: Path) -> None:
    store = Store(str(tmp_path / "state"))
    assert store.load() == []
    store.save(lines())
    assert store.load() == lines()
    with store.locked(), pytest.raises(Problem) as caught, Store(str(store.path)).locked():
        pass
    assert caught.value.code == TEMPFAIL
    with store.locked():
        pass
