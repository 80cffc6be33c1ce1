"""Work with a limit: late, failed, too much at once."""

from __future__ import annotations

import threading

import pytest

from postseal.tables.asking import Asker
from postseal.tables.store import TableUnavailable
from support.child import wait_until


def test_the_value_comes_back() -> None:
    assert Asker(1, 5).ask(lambda: 42) == 42


def test_none_is_a_value() -> None:
    assert Asker(1, 5).ask(lambda: None) is None


def test_so_does_what_was_raised() -> None:
    def work() -> int:
        raise KeyError("x")

    with pytest.raises(KeyError):
        Asker(1, 5).ask(work)


def test_late_work_is_not_waited_for() -> None:
    end = threading.Event()
    asker = Asker(2, 0.1)
    with pytest.raises(TableUnavailable, match=r"no answer within 0\.1 seconds"):
        asker.ask(lambda: end.wait(30))
    assert asker.ask(lambda: 1) == 1  # another one is free
    end.set()


def test_no_more_at_a_time_than_allowed() -> None:
    end = threading.Event()
    asker = Asker(1, 0.1)
    with pytest.raises(TableUnavailable):
        asker.ask(lambda: end.wait(30))
    with pytest.raises(TableUnavailable, match="all 1 connections are busy"):
        asker.ask(lambda: 1)
    end.set()

    def works_again() -> bool:
        try:
            return asker.ask(lambda: True)
        except TableUnavailable:
            return False

    wait_until(works_again, "the connection to be free again")


def test_a_failure_frees_its_place() -> None:
    asker = Asker(1, 5)

    def work() -> int:
        raise ValueError("no")

    for _ in range(5):
        with pytest.raises(ValueError, match="no"):
            asker.ask(work)
    assert asker.ask(lambda: 1) == 1
