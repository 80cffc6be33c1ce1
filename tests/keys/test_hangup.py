"""SIGHUP reaches the daemon, and nobody else."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from postseal_keys.console import Problem
from postseal_keys.hangup import hang_up, would_end


def test_hang_up_reaches_the_process(tmp_path: Path) -> None:
    code = (
        "import signal, time\n"
        "signal.signal(signal.SIGHUP, lambda *_: exit(7))\n"
        "print('up', flush=True)\n"
        "time.sleep(30)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        (tmp_path / "pid").write_text(f"{child.pid}\n")
        hang_up(tmp_path / "pid")
        assert child.wait(20) == 7
    with pytest.raises(Problem) as caught:
        hang_up(tmp_path / "pid")
    assert "not running" in caught.value.message


@pytest.mark.parametrize("text", ["", "x", "0", "1", "-5", "1 2", "\u0665", "9" * 20])
def test_a_pid_file_that_names_no_daemon(text: str, tmp_path: Path) -> None:
    (tmp_path / "pid").write_text(text)
    with pytest.raises(Problem):
        hang_up(tmp_path / "pid")
    assert os.getpgid(0) and signal.SIGHUP  # and nobody was hit: this process still runs


def test_a_process_that_it_would_end_is_left_alone(tmp_path: Path) -> None:
    """The file of a daemon that was killed; the number belongs to somebody else by now."""
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            (tmp_path / "pid").write_text(f"{child.pid}\n")
            with pytest.raises(Problem, match="is not the daemon"):
                hang_up(tmp_path / "pid")
            assert child.poll() is None
        finally:
            child.kill()


def test_a_process_that_is_gone() -> None:
    assert not would_end(4194305)  # one more than Linux ever gives
