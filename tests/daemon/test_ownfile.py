"""One daemon does not take the next one's files along."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from postseal.daemon.ownfile import OwnFile, write_pid


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "pid"


def test_what_was_made_is_removed(path: Path) -> None:
    own = write_pid(path)
    assert path.read_text() == f"{os.getpid()}\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    own.remove()
    assert not path.exists()
    own.remove()  # nothing to do


def test_what_another_has_made_there_stays(path: Path) -> None:
    own = write_pid(path)
    os.utime(path, (1, 1))  # the number of the file may be given again, its time not
    own.remove()
    assert path.exists()
    other = OwnFile(path)
    path.unlink()
    path.mkdir()
    other.remove()
    assert path.is_dir()


def test_a_mode_that_was_changed_makes_no_other_file(path: Path) -> None:
    own = write_pid(path)
    path.chmod(0o600)
    own.remove()
    assert not path.exists()


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    precious = tmp_path / "precious"
    precious.write_text("precious")
    path.symlink_to(precious)
    own = write_pid(path)
    assert precious.read_text() == "precious"
    path.unlink()
    path.symlink_to(precious)
    own.remove()
    assert path.is_symlink()


def test_no_file(path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        OwnFile(path)
    with pytest.raises(FileNotFoundError):
        write_pid(path / "below")
