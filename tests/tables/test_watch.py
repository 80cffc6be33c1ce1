"""Changes are told once, and only when they have come to rest."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from postseal.tables.watch import Watch


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "f"
    path.write_text("one")
    os.utime(path, ns=(10, 10))
    return path


def rewrite(path: Path) -> None:
    path.write_text("two")


def touch(path: Path) -> None:
    os.utime(path, ns=(20, 20))


def same_size_same_time(path: Path) -> None:
    """Another file of that name: what rename(2) leaves behind."""
    other = path.with_name("new")
    other.write_text("two")
    os.utime(other, ns=(10, 10))
    other.replace(path)


def remove(path: Path) -> None:
    path.unlink()


def others_may_read(path: Path) -> None:
    """Whether a key is safe depends on its mode."""
    path.chmod(0o604)


@pytest.mark.parametrize("change", [rewrite, touch, same_size_same_time, remove, others_may_read])
def test_a_change_is_told_once_after_it_has_come_to_rest(change: object, file: Path) -> None:
    watch = Watch([file, file])
    assert len(watch) == 1
    assert [watch.poll(), watch.poll()] == [False, False]
    assert callable(change)
    change(file)
    assert [watch.poll(), watch.poll(), watch.poll()] == [False, True, False]


def test_a_file_that_is_being_written_is_left_alone(file: Path) -> None:
    watch = Watch([file])
    for size in range(4):
        file.write_text("x" * size)
        assert not watch.poll()
    assert watch.poll()


def test_a_change_taken_back_is_one_too(file: Path) -> None:
    """Nobody can tell what was read in between."""
    watch = Watch([file])
    touch(file)
    assert not watch.poll()
    os.utime(file, ns=(10, 10))
    assert [watch.poll(), watch.poll(), watch.poll()] == [False, True, False]


def test_a_file_that_appears(tmp_path: Path) -> None:
    watch = Watch([tmp_path / "later"])
    (tmp_path / "later").touch()
    assert [watch.poll(), watch.poll()] == [False, True]


def test_no_files() -> None:
    assert not Watch([]).poll()


def test_what_changed_while_it_was_read_is_told(file: Path) -> None:
    watch = Watch([file], began=0)
    assert watch.is_torn
    assert [watch.poll(), watch.poll()] == [True, False]


def test_what_was_at_rest_before_is_not(file: Path) -> None:
    watch = Watch([file], began=time.time_ns() + 10**9)
    assert not watch.is_torn
    assert [watch.poll(), watch.poll()] == [False, False]


def test_a_clock_that_was_set_back(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files from the future would be read again and again, until the clock is there."""
    yesterday = time.time_ns() - 86400 * 10**9
    monkeypatch.setattr(time, "time_ns", lambda: yesterday)
    watch = Watch([file], began=yesterday - 10**9)
    assert not watch.is_torn
    assert [watch.poll(), watch.poll()] == [False, False]
    touch(file)
    assert [watch.poll(), watch.poll()] == [False, True]


def test_more_files_count_as_they_are(file: Path, tmp_path: Path) -> None:
    watch = Watch([file])
    later = tmp_path / "later"
    watch.add([file, later, later])
    assert len(watch) == 2
    assert [watch.poll(), watch.poll()] == [False, False]
    later.touch()
    assert [watch.poll(), watch.poll()] == [False, True]


def test_again_tells_of_files_at_rest(file: Path) -> None:
    watch = Watch([file])
    watch.again()
    assert [watch.poll(), watch.poll()] == [True, False]
