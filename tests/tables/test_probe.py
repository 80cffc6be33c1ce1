"""A store tried in a process of its own."""

from __future__ import annotations

import os
import pwd
import time
from collections.abc import Sequence

import pytest

from postseal.tables.probe import ASKED, probe
from postseal.tables.store import Author, Found, TableUnavailable


class Fake:
    """A store that does what it is told in the process that asks."""

    def __init__(self, act: str) -> None:
        self.act = act

    def find(self, keys: Sequence[str], _author: Author, /) -> Found:
        match self.act:
            case "sleep":
                time.sleep(60)
            case "die":
                os._exit(3)
            case "bug":
                raise ZeroDivisionError("secret")
            case "lasting" | "outage":
                raise TableUnavailable("what", "hint", lasting=self.act == "lasting")
            case "user":
                raise TableUnavailable(f"{os.getuid()} {os.environ['HOME']}")
        assert list(keys) == [ASKED]
        return []

    def close(self) -> None:
        pass


def told(act: str, uid: int = os.geteuid(), seconds: float = 20.0) -> tuple[str, str, bool]:
    fault = probe(Fake(act), uid, seconds)
    assert fault is not None
    return fault.what, fault.hint, fault.lasting


def test_an_answer() -> None:
    assert probe(Fake("answer"), os.geteuid(), 20) is None


@pytest.mark.parametrize("act", ["lasting", "outage"])
def test_a_fault_arrives_whole(act: str) -> None:
    assert told(act) == ("what", "hint", act == "lasting")


def test_a_fault_of_a_library() -> None:
    assert told("bug") == ("ZeroDivisionError: secret", "", False)


def test_it_is_not_waited_for_too_long() -> None:
    assert told("sleep", seconds=0.2)[0] == "no answer within 0.2 seconds"
    with pytest.raises(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)  # nobody is left behind


def test_its_death_is_no_answer() -> None:
    assert told("die")[0] == "the process that asked it died"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")
def test_it_asks_as_the_daemons_user() -> None:
    assert told("user", uid=65534)[0] == f"65534 {pwd.getpwuid(65534).pw_dir}"
    assert os.geteuid() == 0
