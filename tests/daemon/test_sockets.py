"""Every spelling of a socket; a unix socket's file is never somebody else's."""

from __future__ import annotations

import grp
import os
import socket
import stat
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from postseal.daemon.sockets import Endpoint, SocketError, remove_stale
from support.milterdaemon import ROOT, free_port


@pytest.mark.parametrize(
    ("text", "libmilter"),
    [
        pytest.param("inet:8891@127.0.0.1", "inet:8891@127.0.0.1", id="lib"),
        pytest.param("inet:127.0.0.1:8891", "inet:8891@127.0.0.1", id="pf"),
        pytest.param("inet:mx.example:1", "inet:1@mx.example", id="pf-name"),
        pytest.param("inet:8891", "inet:8891", id="lib-all"),
        pytest.param("inet6:8891@::1", "inet6:8891@::1", id="lib-6"),
        pytest.param("inet6:8891", "inet6:8891", id="lib-6-all"),
        pytest.param("inet:[::1]:8891", "inet6:8891@::1", id="pf-6"),
        pytest.param("unix:/run/p.sock", "unix:/run/p.sock", id="unix"),
        pytest.param("local:/run/p.sock", "unix:/run/p.sock", id="local"),
        pytest.param("/run/p.sock", "unix:/run/p.sock", id="bare-path"),
    ],
)
def test_spellings(text: str, libmilter: str) -> None:
    endpoint = Endpoint.parse(text)
    assert endpoint.libmilter == libmilter
    assert Endpoint.parse(libmilter) == endpoint


@pytest.mark.parametrize(
    "text",
    [
        "",
        "inet",
        "inet:",
        "inet:x",
        "inet:0",
        "inet:70000",
        "inet:a:b",
        "unix:x",
        "foo:1",
        "inet:::1:8891",
    ],
)
def test_not_a_socket(text: str) -> None:
    with pytest.raises(SocketError):
        Endpoint.parse(text)


def test_a_stale_socket_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as old:
        old.bind(str(path))
    assert path.exists()
    remove_stale(str(path))
    assert not path.exists()
    remove_stale(str(path))


def test_a_socket_in_use_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(path))
        server.listen()
        with pytest.raises(SocketError, match="another process listens"):
            remove_stale(str(path))
        assert path.exists()


def test_a_file_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "s"
    path.write_text("precious")
    with pytest.raises(SocketError, match="not a socket"):
        remove_stale(str(path))
    assert path.read_text() == "precious"


LISTEN = """
import os, socket, stat, sys
chown = os.chown
def born(path, *owner):
    print("born", oct(stat.S_IMODE(os.stat(path).st_mode)))
    chown(path, *owner)
os.chown = born
from postseal.daemon.sockets import Endpoint, SocketError, listen
try:
    descriptor = listen(Endpoint.parse(sys.argv[1]), int(sys.argv[2], 8), sys.argv[3])
except SocketError as error:
    print("refused:", error.what, "|", error.hint)
    sys.exit(1)
held = socket.socket(fileno=descriptor)
print(held.getsockname(), held.gettimeout() == 0 or not os.get_blocking(descriptor))
print(held.family != socket.AF_UNIX and held.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
"""


def listen(name: str, mode: str = "0660", group: str = "") -> subprocess.CompletedProcess[str]:
    """listen() in a process of its own: libmilter has one socket for life."""
    return subprocess.run(
        [sys.executable, "-c", LISTEN, name, mode, group],
        env={"PYTHONPATH": str(ROOT / "milter"), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_listen_on_a_port() -> None:
    port = free_port()
    done = listen(f"inet:{port}@127.0.0.1")
    assert done.stdout.splitlines() == [f"('127.0.0.1', {port}) True", "1"], done.stderr


def test_listen_on_ipv6() -> None:
    port = free_port()
    done = listen(f"inet:[::1]:{port}")
    assert done.stdout.startswith(f"('::1', {port}, 0, 0) True"), done.stdout + done.stderr


@pytest.mark.parametrize("mode", ["0660", "0666", "0600"])
def test_mode_of_a_unix_socket(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "s"
    done = listen(f"unix:{path}", mode)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith("born 0o0\n")  # closed until mode and group are right
    assert stat.S_IMODE(path.stat().st_mode) == int(mode, 8)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a socket to a group")
def test_group_of_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "s"
    done = listen(f"unix:{path}", "0660", "nogroup")
    assert done.returncode == 0, done.stdout + done.stderr
    assert path.stat().st_gid == grp.getgrnam("nogroup").gr_gid


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
def test_a_group_that_is_not_ours_to_give() -> None:
    code = LISTEN.replace("try:\n    descriptor", "os.setuid(65534)\ntry:\n    descriptor")
    with tempfile.TemporaryDirectory() as directory:  # nobody cannot enter pytest's
        os.chown(directory, 65534, -1)
        done = subprocess.run(
            [sys.executable, "-c", code, f"unix:{directory}/s", "0660", "daemon"],
            env={"PYTHONPATH": str(ROOT / "milter"), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=False,
            timeout=30,
        )
    assert "its group or mode cannot be set" in done.stdout, done.stderr


@pytest.mark.slow
def test_reasons_for_refusal(tmp_path: Path) -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        port = server.getsockname()[1]
        assert "Address already in use | another process" in listen(f"inet:{port}@127.0.0.1").stdout
    assert "use an address of this host" in listen("inet:8891@192.0.2.1").stdout
    assert "there is no group" in listen(f"unix:{tmp_path}/s", "0660", "no-such-group").stdout
    assert (
        f"{tmp_path}/absent does not exist | make it" in listen(f"unix:{tmp_path}/absent/s").stdout
    )
    (tmp_path / "file").touch()
    assert "file is not a directory |" in listen(f"unix:{tmp_path}/file/s").stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become an ordinary user")
def test_a_directory_that_is_not_ours_to_write_to() -> None:
    code = LISTEN.replace("try:\n    descriptor", "os.setuid(65534)\ntry:\n    descriptor")
    done = subprocess.run(
        [sys.executable, "-c", code, "unix:/etc/postseal.sock", "0660", ""],
        env={"PYTHONPATH": str(ROOT / "milter"), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert "this user may not write to /etc | start as root" in done.stdout, done.stderr
