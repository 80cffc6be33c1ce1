"""Key files and the directories above: each way to let others in, and how to mend it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from postseal.tables import safety
from postseal.tables.safety import Fault, Inspector

OTHER = 12345  # a user that is neither root nor us
GROUP = 54321


@pytest.fixture
def open_path() -> Iterator[Path]:
    """A directory that everybody may pass through, which pytest's own are not."""
    path = Path(tempfile.mkdtemp())
    path.chmod(0o755)
    yield path
    shutil.rmtree(path)


@pytest.fixture
def key(open_path: Path) -> Path:
    folder = open_path / "keys"
    folder.mkdir(0o755)
    path = folder / "it's.pem"
    path.touch(0o600)
    return path


def inspect(path: Path) -> Fault | None:
    return Inspector(os.getuid()).inspect(path)


def needs_root() -> None:
    if os.getuid() != 0:
        pytest.skip("only root can give files away")


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_safe(key: Path, mode: int) -> None:
    key.chmod(mode)
    assert inspect(key) is None


@pytest.mark.parametrize("mode", [0o604, 0o602, 0o644, 0o666])
def test_file_open_to_everybody(key: Path, mode: int) -> None:
    key.chmod(mode)
    fault = inspect(key)
    assert fault
    assert fault.path == key
    assert "every user" in fault.what
    assert fault.mend == f"chmod o-rwx '{key.parent}/it'\"'\"'s.pem'"


def test_the_command_mends_it(key: Path) -> None:
    key.chmod(0o644)
    fault = inspect(key)
    assert fault
    assert os.system(fault.mend) == 0
    assert inspect(key) is None


def test_directory_open_to_everybody(key: Path) -> None:
    key.parent.chmod(0o777)
    fault = inspect(key)
    assert fault
    assert fault.path == key.parent
    assert fault.mend == f"chmod o-w {key.parent}"


def test_sticky_directory_is_safe(key: Path) -> None:
    key.parent.chmod(0o1777)
    assert inspect(key) is None


def test_nobody_comes_through_a_closed_directory(key: Path) -> None:
    below = key.parent / "open"
    below.mkdir(mode=0o700)
    moved = key.rename(below / key.name)
    below.chmod(0o777)
    assert inspect(moved) is not None
    key.parent.chmod(0o700)
    assert inspect(moved) is None


def test_a_closed_directory_does_not_excuse_the_file(key: Path) -> None:
    key.parent.chmod(0o700)
    key.chmod(0o644)
    fault = inspect(key)
    assert fault
    assert fault.path == key and fault.mend.startswith("chmod o-rwx ")


def test_group_with_others(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Inspector, "others_in", lambda self, gid: "bob (group staff)")
    for mode in (0o640, 0o620):
        key.chmod(mode)
        fault = inspect(key)
        assert fault
        assert "bob (group staff)" in fault.what
    key.chmod(0o600)
    key.parent.chmod(0o775)
    fault = inspect(key)
    assert fault
    assert fault.mend == f"chmod g-w {key.parent}"


def test_group_with_nobody_else(key: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Inspector, "others_in", lambda self, gid: "")
    key.chmod(0o660)
    key.parent.chmod(0o775)
    assert inspect(key) is None


def test_members_of_a_group() -> None:
    inspector = Inspector(os.getuid())
    assert inspector.others_in(GROUP) == ""
    [entry] = [one for one in __import__("pwd").getpwall() if one.pw_name == "daemon"]
    assert inspector.others_in(entry.pw_gid).startswith("daemon (group ")
    assert Inspector(entry.pw_uid).others_in(entry.pw_gid) == ""


def test_owners(key: Path) -> None:
    needs_root()
    assert Inspector(OTHER).inspect(key) is None  # root may have it too
    os.chown(key, OTHER, -1)
    fault = inspect(key)
    assert fault
    assert "belongs to 12345" in fault.what
    assert Inspector(OTHER).inspect(key) is None
    os.chown(key, 0, -1)
    os.chown(key.parent, OTHER, -1)
    fault = inspect(key)
    assert fault
    assert fault.path == key.parent


def test_a_link_is_followed_to_where_it_leads(key: Path, open_path: Path) -> None:
    link = open_path / "link"
    link.symlink_to(key)
    key.chmod(0o644)
    fault = inspect(link)
    assert fault
    assert fault.path == key


def test_not_a_file(key: Path) -> None:
    fault = inspect(key.parent)
    assert fault
    assert "regular" in fault.what


def test_missing(key: Path) -> None:
    with pytest.raises(FileNotFoundError):
        inspect(key.parent / "none")


def test_names() -> None:
    assert safety.user_name(0) == "root"
    assert safety.user_name(OTHER) == "12345"
    assert safety.user_id("root") == 0
    assert safety.user_id("no such user") is None
