"""The service manager is told, if there is one."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from postseal.daemon.notify import notify, reloading


def test_nobody_listens(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notify("READY=1")
    for name in (str(tmp_path / "absent"), "relative", "@no-such-name"):
        monkeypatch.setenv("NOTIFY_SOCKET", name)
        notify("READY=1")


@pytest.mark.parametrize("abstract", [False, True])
def test_states_arrive(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, abstract: bool) -> None:
    name = f"@{tmp_path}/n" if abstract else str(tmp_path / "n")
    monkeypatch.setenv("NOTIFY_SOCKET", name)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(5)
        manager.bind("\0" + name[1:] if abstract else name)
        notify("READY=1", "MAINPID=7")
        assert manager.recv(100) == b"READY=1\nMAINPID=7"
        reloading()
        assert manager.recv(100).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
