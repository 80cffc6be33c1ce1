"""Changes are told once, and only when they have come to rest."""

from __future__ import annotations

import os
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


@pytest.mark.parametrize("change", [rewrite, touch, same_size_same_time, remove])
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


def test_a_change_taken_back_is_none(file: Path) -> None:
    watch = Watch([file])
    touch(file)
    assert not watch.poll()
    os.utime(file, ns=(10, 10))
    assert [watch.poll(), watch.poll()] == [False, False]


def test_a_file_that_appears(tmp_path: Path) -> None:
    watch = Watch([tmp_path / "later"])
    (tmp_path / "later").touch()
    assert [watch.poll(), watch.poll()] == [False, True]


def test_no_files() -> None:
    assert not Watch([]).poll()
