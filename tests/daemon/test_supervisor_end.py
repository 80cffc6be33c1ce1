"""The end: messages under way are finished, and nobody is left behind."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from support import milterdaemon
from support.supervised import (
    MESSAGE,
    Slow,
    ask,
    refuses,
    seen,
    session,
)

pytestmark = pytest.mark.slow  # a daemon of its own for every test


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_message_under_way_is_finished(tmp_path: Path, signum: signal.Signals) -> None:
    """The signal goes to everybody, as from a terminal or from systemd."""
    with milterdaemon.start(tmp_path, workers=2) as daemon:
        slow = Slow(daemon)
        workers = daemon.workers()
        daemon.signal(signum)
        for pid in workers:
            os.kill(pid, signum)
        daemon.wait_for(lambda: refuses(daemon))  # nobody is left waiting
        time.sleep(0.5)  # time to go wrong
        assert daemon.process.poll() is None
        reply = slow.result()
        assert daemon.process.wait(60) == 0
        assert reply is not None
        assert reply.code == "continue"
        assert seen(reply)["octets"] == 3


def test_a_message_between_two_steps_is_finished(tmp_path: Path) -> None:
    """libmilter's own stop would close it: its header is known, its body is still to come."""
    with milterdaemon.start(tmp_path, workers=1) as daemon, session(daemon) as mta:
        mta.mail()
        mta.header("From", b" a@b.example")
        mta.end_of_header()
        ask(daemon)
        daemon.signal(signal.SIGTERM)
        daemon.wait_for(lambda: refuses(daemon))
        time.sleep(0.5)  # time to go wrong
        mta.body(b"late\r\n")
        assert seen(mta.end())["octets"] == 6
        assert daemon.process.wait(60) == 0


def test_the_next_daemon_keeps_its_files(tmp_path: Path) -> None:
    """It is started while the one before still waits for a message."""
    socket, pid_file = tmp_path / "socket", tmp_path / "pid"
    settings: dict[str, Any] = {"socket": f"unix:{socket}", "pid_file": str(pid_file)}
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with milterdaemon.start(tmp_path / "one", **settings) as one:
        slow = Slow(one)
        one.signal(signal.SIGTERM)
        one.wait_for(lambda: not socket.exists())
        with milterdaemon.start(tmp_path / "two", **settings) as two:
            assert slow.result() is not None
            assert one.process.wait(60) == 0
            ask(two)
            assert pid_file.read_text() == f"{two.process.pid}\n"
        assert not socket.exists()
        assert not pid_file.exists()


def test_connections_without_a_message_do_not_delay_the_end(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=2) as daemon, session(daemon) as mta:
        seen(mta.message(MESSAGE))
        daemon.signal(signal.SIGTERM)
        assert daemon.process.wait(60) == 0  # the connection stays open all the time


def test_a_worker_ends_when_the_supervisor_is_gone(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=2) as daemon:
        workers = daemon.workers()
        slow = Slow(daemon)
        daemon.process.kill()
        daemon.process.wait(60)
        time.sleep(0.5)  # time to go wrong
        reply = slow.result()
        daemon.wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
        assert reply is not None
        assert reply.code == "continue"
