"""Files that hold keys: private, whole, never replaced by accident."""

from __future__ import annotations

import errno
import grp
import os
import pwd
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from postseal_keys import store
from postseal_keys.console import CANTCREAT, NOUSER, Problem
from postseal_keys.store import NewFile, Owner

PAIR = [NewFile(name="s.private", data=b"secret\n"), NewFile(name="s.txt", data=b"record\n")]


def _files(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in directory.iterdir()}


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o777])
def test_files_are_born_private_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    old = os.umask(mask)
    try:
        store.write(str(tmp_path), PAIR)
    finally:
        os.umask(old)
    assert _files(tmp_path) == {"s.private": b"secret\n", "s.txt": b"record\n"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_no_one_can_open_a_file_before_it_is_private(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Created anew and with its mode, not opened and then made private."""
    real, modes = os.open, []

    def watch(path: str, flags: int, mode: int = 0o777, **more: int) -> int:
        if flags & os.O_CREAT:
            assert flags & os.O_EXCL
            modes.append(mode)
        return real(path, flags, mode, **more)

    monkeypatch.setattr(os, "open", watch)
    store.write(str(tmp_path), PAIR)
    assert modes == [0o600, 0o600]


@pytest.mark.parametrize("taken", ["s.private", "s.txt"])
def test_nothing_is_replaced_and_nothing_is_left_behind(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_bytes(b"old")
    with pytest.raises(Problem, match="exists") as caught:
        store.write(str(tmp_path), PAIR)
    assert caught.value.code == CANTCREAT
    assert _files(tmp_path) == {taken: b"old"}


def test_force_replaces_and_makes_private(tmp_path: Path) -> None:
    (tmp_path / "s.private").write_bytes(b"old")
    (tmp_path / "s.private").chmod(0o644)
    store.write(str(tmp_path), PAIR, force=True)
    assert _files(tmp_path) == {"s.private": b"secret\n", "s.txt": b"record\n"}
    assert stat.S_IMODE((tmp_path / "s.private").stat().st_mode) == 0o600


@pytest.mark.parametrize("force", [False, True])
def test_a_symbolic_link_is_not_followed(tmp_path: Path, force: bool) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_bytes(b"untouched")
    place = tmp_path / "d"
    place.mkdir()
    (place / "s.private").symlink_to(elsewhere)
    if force:
        store.write(str(place), PAIR, force=True)
    else:
        with pytest.raises(Problem):
            store.write(str(place), PAIR)
    assert elsewhere.read_bytes() == b"untouched"


def test_a_dangling_link_counts_as_taken(tmp_path: Path) -> None:
    (tmp_path / "s.txt").symlink_to(tmp_path / "nowhere")
    assert store.existing(str(tmp_path), ["s.private", "s.txt"]) == ("s.txt",)
    with pytest.raises(Problem, match=r"s\.txt exists"):
        store.refuse_existing(str(tmp_path), ["s.private", "s.txt"])


def test_no_directory(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        store.write(str(tmp_path / "none"), PAIR)
    assert caught.value.code == CANTCREAT


@pytest.mark.parametrize("fault", [errno.ENOSPC, errno.EIO, errno.EDQUOT])
@pytest.mark.parametrize("call", ["fsync", "link", "rename"])
def test_a_fault_of_the_disk_leaves_the_old_files(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fault: int, call: str
) -> None:
    (tmp_path / "s.private").write_bytes(b"old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(fault, os.strerror(fault))

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(Problem):
        store.write(str(tmp_path), PAIR, force=call != "link")
    assert _files(tmp_path) == {"s.private": b"old"}


def test_ctrl_c_between_the_two_files_leaves_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.link
    calls: list[object] = []

    def link(*args: str, **kwargs: int) -> None:
        if calls:
            raise KeyboardInterrupt
        calls.append(args)
        real(*args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "link", link)
    with pytest.raises(KeyboardInterrupt):
        store.write(str(tmp_path), PAIR)
    assert _files(tmp_path) == {}


@pytest.mark.parametrize("call", ["fsync", "link", "rename"])
@pytest.mark.parametrize("nth", [1, 2])
def test_a_kill_at_any_step_leaves_whole_files(tmp_path: Path, call: str, nth: int) -> None:
    """The process ends without any clean-up, before the nth call of each kind."""
    old = {"s.private": b"old key\n", "s.txt": b"old record\n"}
    force = call != "link"
    if force:
        for name, data in old.items():
            (tmp_path / name).write_bytes(data)
    script = (
        "import os, sys; from postseal_keys import store\n"
        f"real, seen = os.{call}, []\n"
        "def stop(*args, **kwargs):\n"
        "    seen.append(1)\n"
        f"    if len(seen) == {nth}: os._exit(9)\n"
        "    return real(*args, **kwargs)\n"
        f"os.{call} = stop\n"
        f"store.write({str(tmp_path)!r}, [store.NewFile(name='s.private', data=b'secret\\n'),"
        f" store.NewFile(name='s.txt', data=b'record\\n')], force={force})\n"
    )
    keys = str(Path(__file__).resolve().parents[2] / "keys")
    done = subprocess.run(
        [sys.executable, "-c", script], env={**os.environ, "PYTHONPATH": keys}, check=False
    )
    assert done.returncode == 9
    new = {"s.private": b"secret\n", "s.txt": b"record\n"}
    for name in old:
        path = tmp_path / name
        allowed = {new[name], old[name]} if force else {new[name]}
        assert not path.exists() or path.read_bytes() in allowed
        assert path.exists() or not force
    for path in tmp_path.iterdir():
        if path.name.startswith("."):
            assert stat.S_IMODE(path.stat().st_mode) == 0o600


@pytest.mark.parametrize("taken", [False, True])
def test_a_file_system_without_links(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, taken: bool
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", refuse)
    if taken:
        (tmp_path / "s.txt").write_bytes(b"old")
        with pytest.raises(Problem, match="exists"):
            store.write(str(tmp_path), PAIR)
        assert _files(tmp_path) == {"s.txt": b"old"}
    else:
        store.write(str(tmp_path), PAIR)
        assert _files(tmp_path) == {"s.private": b"secret\n", "s.txt": b"record\n"}


def test_files_and_directory_are_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed = []
    real = os.fsync

    def fsync(fd: int) -> None:
        flushed.append(stat.S_IFMT(os.fstat(fd).st_mode))
        real(fd)

    monkeypatch.setattr(os, "fsync", fsync)
    store.write(str(tmp_path), PAIR)
    assert flushed == [stat.S_IFREG, stat.S_IFREG, stat.S_IFDIR]


def test_owners_by_name_and_number() -> None:
    me = pwd.getpwuid(os.getuid())
    mine = grp.getgrgid(os.getgid())
    assert store.find_owner(me.pw_name, mine.gr_name) == Owner(me.pw_uid, mine.gr_gid)
    assert store.find_owner("12345", "54321") == Owner(12345, 54321)
    assert store.find_owner(None, None) == Owner()


@pytest.mark.parametrize(("user", "group"), [("no-such-user", None), (None, "no-such-group")])
def test_unknown_owners(user: str | None, group: str | None) -> None:
    with pytest.raises(Problem) as caught:
        store.find_owner(user, group)
    assert caught.value.code == NOUSER


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_the_owner_is_set_before_the_file_has_its_name(tmp_path: Path) -> None:
    file = NewFile(name="s.private", data=b"x", owner=Owner(12345, 54321))
    store.write(str(tmp_path), [file])
    found = (tmp_path / "s.private").stat()
    assert (found.st_uid, found.st_gid, stat.S_IMODE(found.st_mode)) == (12345, 54321, 0o600)
