"""Lines reach stderr, the journal and syslog, and their absence harms nobody."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from postseal.daemon import logs
from postseal.daemon.logs import Journal, Level, Log, Stderr, Syslog, is_journal, open_log


def test_threshold() -> None:
    seen: list[str] = []
    log = Log(lambda _level, line: seen.append(line), Level.WARNING)
    log.debug("d")
    log.info("i")
    log.warning("w")
    log.error("e")
    assert seen == ["w", "e"]
    assert not log.informs
    assert Log(lambda _level, _line: None).informs


def test_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    sink = Stderr()
    sink(Level.INFO, "a=1")
    sink(Level.ERROR, "b=2")
    first, second = capfd.readouterr().err.splitlines()
    stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d{4}"
    assert re.fullmatch(rf"{stamp} postseal\[{os.getpid()}\]: a=1", first)
    assert re.fullmatch(rf"{stamp} postseal\[{os.getpid()}\]: error: b=2", second)


def test_journal_has_no_time_and_a_level(capfd: pytest.CaptureFixture[str]) -> None:
    Journal()(Level.WARNING, "a=1")
    assert capfd.readouterr().err == "<4>a=1\n"


@contextlib.contextmanager
def stuck() -> Iterator[int]:
    """Stderr is a pipe that is full; gives the end that nobody reads."""
    reading, writing = os.pipe()
    kept = os.dup(2)
    os.set_blocking(writing, False)
    with contextlib.suppress(BlockingIOError):
        while os.write(writing, b"x" * 4096):
            pass
    os.set_blocking(writing, True)
    os.dup2(writing, 2)
    os.close(writing)
    signal.alarm(20)  # a write that blocks would do so for ever
    try:
        yield reading
    finally:
        signal.alarm(0)
        os.dup2(kept, 2)
        os.close(kept)
        os.close(reading)


@pytest.mark.parametrize("sink", [Stderr(), Journal()], ids=["stderr", "journal"])
def test_mail_does_not_wait_for_a_log_that_nobody_reads(sink: Stderr) -> None:
    with stuck() as reading:
        sink(Level.INFO, "a=1")
        sink(Level.INFO, "b=2")
        os.read(reading, 1 << 20)  # all of it
        sink(Level.INFO, "c=3")
        first, second = os.read(reading, 1 << 20).decode().splitlines()
    assert first.endswith("event=log-lines-lost lines=2")
    assert second.endswith("c=3")


def test_the_journal_is_known_by_its_inode() -> None:
    stat = os.fstat(2)
    assert is_journal({"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino}"})
    assert not is_journal({"JOURNAL_STREAM": f"{stat.st_dev}:{stat.st_ino + 1}"})
    assert not is_journal({})


@pytest.fixture
def daemon(tmp_path: Path) -> socket.socket:
    receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    receiver.settimeout(5)
    receiver.bind(str(tmp_path / "log"))
    return receiver


def test_syslog_packet(tmp_path: Path, daemon: socket.socket) -> None:
    with daemon:
        sink = Syslog(logs.FACILITIES["mail"], str(tmp_path / "log"))
        sink(Level.INFO, "a=1")
        packet = daemon.recv(1000).decode()
        sink.close()
    pattern = rf"<22>[A-Z][a-z]{{2}} [ \d]\d \d\d:\d\d:\d\d postseal\[{os.getpid()}\]: a=1"
    assert re.fullmatch(pattern, packet)


def test_syslog_that_is_not_there(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    sink = Syslog(2, str(tmp_path / "absent"))
    sink(Level.INFO, "a=1")
    sink(Level.INFO, "b=2")
    sink.close()
    assert [line.rpartition(" ")[2] for line in capfd.readouterr().err.splitlines()] == [
        "a=1",
        "b=2",
    ]


def test_syslog_that_was_restarted(tmp_path: Path, daemon: socket.socket) -> None:
    sink = Syslog(2, str(tmp_path / "log"))
    sink(Level.INFO, "a=1")
    daemon.close()
    (tmp_path / "log").unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as again:
        again.settimeout(5)
        again.bind(str(tmp_path / "log"))
        sink(Level.INFO, "b=2")
        assert again.recv(1000).endswith(b": b=2")
    sink.close()


def test_syslog_is_looked_for_by_every_process(
    tmp_path: Path, daemon: socket.socket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A supervisor that found none a moment ago says nothing about its workers."""
    with daemon:
        (tmp_path / "log").rename(tmp_path / "away")
        sink = Syslog(2, str(tmp_path / "log"))
        sink(Level.INFO, "a=1")
        (tmp_path / "away").rename(tmp_path / "log")
        monkeypatch.setattr(os, "getpid", lambda: 4711)
        sink(Level.INFO, "b=2")
        assert daemon.recv(1000).endswith(b"postseal[4711]: b=2")
        sink.close()


def test_syslog_without_a_descriptor_left(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A log that raised would turn the message's reply into a deferral."""

    def none_left(*_given: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(socket, "socket", none_left)
    Syslog(2, str(tmp_path / "log"))(Level.INFO, "a=1")
    assert capfd.readouterr().err.endswith(": a=1\n")


def test_syslog_that_takes_nothing(
    tmp_path: Path, daemon: socket.socket, capfd: pytest.CaptureFixture[str]
) -> None:
    """A full queue does not hold mail up: the line goes to stderr."""
    with daemon:
        sink = Syslog(2, str(tmp_path / "log"), patience=0.01)
        for number in range(5000):
            before = sink._socket
            sink(Level.INFO, f"n={number} " + "x" * 1000)
            if capfd.readouterr().err:
                break
        else:
            pytest.fail("the queue never filled")
        assert sink._socket is before  # one wait, and not a second one on a fresh socket
        sink.close()


def test_what_the_configuration_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("JOURNAL_STREAM", raising=False)
    assert open_log("stderr", level="error").informs is False
    assert open_log("stderr", level="debug").informs is True
    assert open_log("syslog", "local3", "info").informs is True


def test_a_closed_stderr_harms_nobody() -> None:
    kept = os.dup(2)
    os.close(2)
    try:
        Stderr()(Level.ERROR, "a=1")
        Journal()(Level.ERROR, "a=1")
    finally:
        os.dup2(kept, 2)
        os.close(kept)


def test_uncaught_exceptions_become_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """pymilter prints what it cannot decode through sys.excepthook."""
    seen: list[str] = []
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    logs.library_warnings(Log(lambda _level, line: seen.append(line)))
    error = ValueError("x\ny")
    sys.excepthook(ValueError, error, None)
    assert seen == ['event=uncaught-exception error="ValueError: x\\ny" where=""']
