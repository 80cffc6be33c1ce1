"""turn: work of many threads in one, its results and faults back to who asked."""

from __future__ import annotations

import gc
import os
import threading
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pytest

from postseal.daemon.turn import OneThread


def in_threads(count: int, turn: OneThread) -> tuple[set[int], set[int]]:
    """The threads that asked, all alive at once, and those in which their work was done."""
    asked: set[int] = set()
    worked: set[int] = set()
    together = threading.Barrier(count)

    def ask() -> None:
        together.wait()
        asked.add(threading.get_ident())
        worked.add(turn(threading.get_ident))
        together.wait()

    threads = [threading.Thread(target=ask) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return asked, worked


def test_all_work_is_done_in_one_thread() -> None:
    turn = OneThread()
    first = turn(threading.get_ident)
    asked, worked = in_threads(16, turn)
    assert len(asked) == 16
    assert worked == {first}
    assert threading.get_ident() != first


def test_each_gets_what_came_of_its_own() -> None:
    turn = OneThread()
    found: dict[int, int] = {}

    def ask(number: int) -> None:
        for times in range(100):
            wanted = number * 100 + times
            found[wanted] = turn(partial(int, wanted))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: number for number in range(800)}


def fail() -> None:
    raise KeyError("as asked")


@pytest.mark.parametrize("kind", [KeyError, SystemExit, KeyboardInterrupt, MemoryError])
def test_a_fault_is_the_askers_and_the_next_is_served(kind: type[BaseException]) -> None:
    turn = OneThread()

    def fall() -> None:
        raise kind("as asked")

    with pytest.raises(kind, match="as asked"):
        turn(fall)
    assert turn(lambda: 2) == 2


class Message:
    """What must not be kept."""

    def give(self) -> int:
        return 1

    def fail(self) -> None:
        fail()


@contextmanager
def without_collector() -> Iterator[None]:
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def test_nothing_of_a_message_stays() -> None:
    """Neither in the thread, which waits for the next, nor in a cycle for the collector."""
    turn = OneThread()
    with without_collector():
        message = Message()
        gone = weakref.ref(message)
        assert turn(message.give) == 1
        turn_again_after(turn)
        del message
        assert gone() is None


def test_nothing_of_a_failed_message_stays() -> None:
    turn = OneThread()
    with without_collector():
        message = Message()
        gone = weakref.ref(message)
        with suppress(KeyError):
            turn(message.fail)
        turn_again_after(turn)
        del message
        assert gone() is None


def turn_again_after(turn: OneThread) -> None:
    """The thread has come back to its queue once for sure when it does the next."""
    turn(int)


def test_after_fork_there_is_a_thread_again() -> None:
    turn = OneThread()
    before = turn(os.getpid)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            status = 0 if turn(os.getpid) == os.getpid() != before else 2
        finally:
            os._exit(status)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert turn(os.getpid) == before


def test_no_thread_before_it_is_asked() -> None:
    count = threading.active_count()
    OneThread()
    assert threading.active_count() == count
