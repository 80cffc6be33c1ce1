"""reload: the signal, and every reason not to send it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from postseal.cli import run_command
from postseal.cli.main import main
from support.sites import write

SLEEPER = (
    "import signal, sys\n"
    "signal.signal(signal.SIGHUP, lambda *a: sys.exit(42))\n"
    "print('ready', flush=True)\n"
    "signal.pause()\n"
)


def test_the_daemon_gets_sighup(tmp_path: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", SLEEPER], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout
            assert process.stdout.readline() == b"ready\n"
            pid_file = write(tmp_path / "pid", f"{process.pid}\n")
            config = write(tmp_path / "p.toml", f'pid_file = "{pid_file}"\n')
            assert main(["reload", "--config", str(config)]) == 0
            assert process.wait(30) == 42
        finally:
            process.kill()


def test_another_process_with_its_number_lives_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The file of a daemon that was killed; the number belongs to somebody else by now."""
    with subprocess.Popen(["sleep", "60"]) as process:
        try:
            pid_file = write(tmp_path / "pid", f"{process.pid}\n")
            assert main(["reload", "--pid-file", str(pid_file)]) == 69
            assert "is not the daemon" in capsys.readouterr().err
            assert process.poll() is None
        finally:
            process.kill()


def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "kill", lambda pid, signum: found.append((pid, signum)))
    return found


def test_the_usual_configuration_needs_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = sent(monkeypatch)
    pid_file = write(tmp_path / "pid", "4194305")
    usual = write(tmp_path / "postseal.toml", f'pid_file = "{pid_file}"\n')
    monkeypatch.setattr(run_command, "DEFAULT_FILE", usual)
    assert main(["reload"]) == 0
    assert found == [(4194305, signal.SIGHUP)]
    usual.write_text("wrong")
    assert main(["reload", "--pid-file", str(pid_file)]) == 0  # not even looked at


def test_pid_file_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = sent(monkeypatch)
    assert main(["reload", "--pid-file", str(write(tmp_path / "pid", "4194305"))]) == 0
    assert found == [(4194305, signal.SIGHUP)]


def test_a_wrong_configuration_is_not_reloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = sent(monkeypatch)
    pid_file = write(tmp_path / "pid", "4194305")
    config = write(tmp_path / "p.toml", "worker = 1\n")
    words = ["reload", "--config", str(config), "--pid-file", str(pid_file)]
    assert main(words) == 78
    assert "nothing was reloaded" in capsys.readouterr().err
    assert found == []


def test_no_pid_file_in_the_configuration(tmp_path: Path) -> None:
    assert main(["reload", "--config", str(write(tmp_path / "p.toml", ""))]) == 78
    assert main(["reload"]) == 78


@pytest.mark.parametrize("text", ["", "x", "1", "0", "-5", "4194305 4194306", "٤"])
def test_not_a_process_number(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = sent(monkeypatch)
    assert main(["reload", "--pid-file", str(write(tmp_path / "pid", text))]) == 69
    assert found == []


def test_no_daemon(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert main(["reload", "--pid-file", str(tmp_path / "none")]) == 69

    def fails(error: type[OSError]) -> None:
        def kill(pid: int, signum: int) -> None:
            raise error

        monkeypatch.setattr(os, "kill", kill)

    pid_file = write(tmp_path / "pid", "4194305")
    fails(ProcessLookupError)
    assert main(["reload", "--pid-file", str(pid_file)]) == 69
    fails(PermissionError)
    assert main(["reload", "--pid-file", str(pid_file)]) == 77
