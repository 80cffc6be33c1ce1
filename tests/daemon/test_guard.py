"""An unforeseen exception becomes two short texts."""

from __future__ import annotations

from postseal.daemon.guard import FRAMES, fault_of


class Rude(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no")


def caught(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as same:
        return same


def test_error_and_place() -> None:
    fault = fault_of(caught(ValueError("x\ny")))
    assert fault.error == "ValueError: x\ny"
    assert fault.where.startswith("test_guard.py:")
    assert fault.where.endswith(" caught")


def test_an_exception_whose_str_raises() -> None:
    assert fault_of(caught(Rude())).error == "Rude"


def test_an_exception_that_was_never_raised() -> None:
    assert fault_of(KeyError("k")).where == ""


def test_only_the_innermost_calls_are_named() -> None:
    def deeper(depth: int) -> None:
        if depth == 0:
            raise ValueError
        deeper(depth - 1)

    try:
        deeper(50)
    except ValueError as error:
        assert fault_of(error).where.count(" < ") == FRAMES - 1
