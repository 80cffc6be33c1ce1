"""No file makes its reader wait for ever."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from postseal.conf import plainfile


def test_a_file(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"x" * 200_000)
    assert plainfile.read(tmp_path / "f", 1 << 20) == b"x" * 200_000
    assert plainfile.read(tmp_path / "f", 3) == b"xxx"
    assert plainfile.read(Path("/dev/null"), 3) == b""


def test_a_fifo_that_nobody_writes_to(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "f")
    with pytest.raises(OSError, match="nobody writes to"):
        plainfile.read(tmp_path / "f", 10)


def test_a_pipe_with_a_slow_writer() -> None:
    """As a shell makes for <(command)."""
    reading, writing = os.pipe()

    def write() -> None:
        os.write(writing, b"late")
        os.close(writing)

    timer = threading.Timer(0.2, write)
    timer.start()
    try:
        assert plainfile.read(Path(f"/dev/fd/{reading}"), 10) == b"late"
    finally:
        timer.join()
        os.close(reading)


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        plainfile.read(tmp_path, 10)
    with pytest.raises(FileNotFoundError):
        plainfile.read(tmp_path / "none", 10)
