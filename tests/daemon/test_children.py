"""A worker that keeps dying is started ever more slowly."""

from __future__ import annotations

import os

from postseal.daemon import worker
from postseal.daemon.children import LONGEST_WAIT, Child, pause


def test_back_off() -> None:
    waits = [pause(failures) for failures in range(9)]
    assert waits[:4] == [0.0, 1.0, 2.0, 4.0]
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_WAIT
    assert pause(10_000) == LONGEST_WAIT


def child(said: bytes) -> Child:
    read, write = os.pipe()
    os.write(write, said)
    os.close(write)
    return Child(pid=1, slot=0, born=0.0, ready_fd=read)


def test_a_word_from_the_worker() -> None:
    one = child(worker.READY)
    one.hear()
    assert one.ready
    one.hear()  # and again, when it dies
    assert one.ready
    assert one.ready_fd == -1


def test_a_worker_that_died_before_its_word() -> None:
    one = child(b"")
    one.hear()
    assert not one.ready
    assert one.ready_fd == -1
