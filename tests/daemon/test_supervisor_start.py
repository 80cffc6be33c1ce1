"""What the daemon starts with: PID file, sockets, users, and word that it is ready."""

from __future__ import annotations

import grp
import os
import pwd
import signal
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from support import milterdaemon
from support.milterclient import MilterClient
from support.supervised import (
    ask,
    reload,
)

pytestmark = pytest.mark.slow  # a daemon of its own for every test

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give privileges up")


def test_start_and_stop(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with milterdaemon.start(tmp_path, workers=2, pid_file=str(pid_file)) as daemon:
        assert len(daemon.workers()) == 2
        assert pid_file.read_text() == f"{daemon.process.pid}\n"
        ask(daemon)
        assert daemon.stop() == 0
        assert daemon.events("stopped")
        assert not pid_file.exists()
    with pytest.raises(ConnectionRefusedError):
        MilterClient(daemon.address)


def test_a_pid_file_that_cannot_be_written(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, pid_file=str(tmp_path / "absent" / "pid")) as daemon:
        (line,) = daemon.events("no-pid-file")
        assert f'error="{tmp_path}/absent/pid: No such file or directory" hint="' in line
        ask(daemon)


def test_nobody_else_may_write_the_pid_file(tmp_path: Path) -> None:
    """Root would send its signals to whom it then names."""
    pid_file = tmp_path / "pid"
    before = os.umask(0)
    try:
        with milterdaemon.start(tmp_path, workers=1, pid_file=str(pid_file)):
            assert stat.S_IMODE(pid_file.stat().st_mode) == 0o644
    finally:
        os.umask(before)


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to], ids=["symlink", "hardlink"])
def test_a_pid_file_does_not_lead_elsewhere(
    tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    """Its directory may belong to the user that reads strangers' mail."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    pid_file = tmp_path / "pid"
    link(pid_file, precious)
    with milterdaemon.start(tmp_path, workers=1, pid_file=str(pid_file)) as daemon:
        assert precious.read_text() == "precious"
        assert pid_file.read_text() == f"{daemon.process.pid}\n"
        assert not pid_file.is_symlink()


def test_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "s"
    name = f"unix:{path}"
    group = grp.getgrgid(os.getgid()).gr_name
    with milterdaemon.start(tmp_path, socket=name, socket_mode=0o640, socket_group=group) as daemon:
        status = path.stat()
        assert stat.S_IMODE(status.st_mode) == 0o640
        assert status.st_gid == os.getgid()
        assert ask(daemon)["octets"] == 7
        daemon.process.kill()
        daemon.process.wait(60)
    assert path.exists()  # left by the kill; the next start removes it
    with milterdaemon.start(tmp_path, socket=name) as daemon:
        ask(daemon)
        assert daemon.stop() == 0
    assert not path.exists()


def test_a_socket_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        name = f"inet:{other.getsockname()[1]}@127.0.0.1"
        with milterdaemon.start(tmp_path, wait=False, socket=name) as daemon:
            assert daemon.process.wait(60) == 69
            error, hint = daemon.lines()[-2:]
            assert error == f"postseal: error: cannot listen on {name}: Address already in use"
            assert hint.startswith("postseal: hint: ")


def test_a_user_that_does_not_exist(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root is asked to become somebody else")
    with milterdaemon.start(tmp_path, wait=False, user="no-such-user") as daemon:
        assert daemon.process.wait(60) == 78
        assert "no user 'no-such-user'" in daemon.lines()[-2]


@as_root
def test_workers_give_root_up(tmp_path: Path) -> None:
    entry = pwd.getpwnam("nobody")
    with milterdaemon.start(tmp_path, user="nobody", group="mail") as daemon:
        found = ask(daemon)
        assert found["uid"] == entry.pw_uid
        assert found["groups"] == [grp.getgrnam("mail").gr_gid]
        assert not daemon.events("running-as-root")
        (tmp_path / "settings.json").chmod(0o600)
        reload(daemon, mark="new")  # the supervisor can still read what only root may read
        assert ask(daemon)["mark"] == "new"
        assert ask(daemon)["uid"] == entry.pw_uid


@as_root
def test_another_user_after_a_reload(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, user="nobody", mark="old") as daemon:
        daemon.configure(user="no-such-user", mark="bad")
        daemon.signal(signal.SIGHUP)
        daemon.wait_for(lambda: daemon.events("reload-refused"))
        assert "no user 'no-such-user'" in daemon.events("reload-refused")[0]
        assert ask(daemon)["mark"] == "old"
        reload(daemon, user="daemon", mark="new")
        assert ask(daemon)["mark"] == "new"
        assert ask(daemon)["uid"] == pwd.getpwnam("daemon").pw_uid


@as_root
def test_root_is_not_kept_silently(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=1) as daemon:
        try:
            pwd.getpwnam("postseal")
        except KeyError:
            (line,) = daemon.events("running-as-root")
            assert "adduser --system --group --no-create-home postseal" in line
            reload(daemon, mark="new")
            assert len(daemon.events("running-as-root")) == 2  # a reload may lose the user
        else:
            assert not daemon.events("running-as-root")


def test_readiness_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(20)
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with milterdaemon.start(tmp_path, wait=False) as daemon:
            assert manager.recv(200) == f"READY=1\nMAINPID={daemon.process.pid}".encode()
            ask(daemon)
            daemon.signal(signal.SIGHUP)
            assert manager.recv(200).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert manager.recv(200) == b"READY=1"
            daemon.stop()
            assert manager.recv(200) == b"STOPPING=1"
