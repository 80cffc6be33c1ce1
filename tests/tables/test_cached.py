"""Answers remembered: how long, how many, and what happens while there are none."""

from __future__ import annotations

import threading

import pytest

from postseal.tables.cached import Cached, Limits
from postseal.tables.store import TableUnavailable

LIMITS = Limits(entries=3, fresh=100, negative=10, stale=1000, retry=5)


class World:
    """A clock, a table and a log."""

    def __init__(self, limits: Limits = LIMITS) -> None:
        self.now = 0.0
        self.rows: dict[str, str] = {"a": "1", "b": "2", "c": "3", "d": "4"}
        self.asked: list[str] = []
        self.fault: TableUnavailable | None = None
        self.lines: list[tuple[str, str]] = []
        self.cached = Cached("t", self.ask, limits, self.tell, lambda: self.now)

    def ask(self, key: str) -> str:
        self.asked.append(key)
        if self.fault is not None:
            raise self.fault
        return self.rows.get(key, "")

    def tell(self, level: str, pairs: list[tuple[str, str]]) -> None:
        self.lines.append((level, " ".join(f"{name}={value}" for name, value in pairs)))

    def get(self, key: str, at: float) -> str:
        self.now = at
        return self.cached.get(key)


@pytest.mark.parametrize(
    ("key", "at", "asked"),
    [
        pytest.param("a", 99.9, 1, id="fresh"),
        pytest.param("a", 100, 2, id="old"),
        pytest.param("x", 9.9, 1, id="no-row-fresh"),
        pytest.param("x", 10, 2, id="no-row-old"),
    ],
)
def test_an_answer_is_used_while_it_is_fresh(key: str, at: float, asked: int) -> None:
    world = World()
    first = world.get(key, 0)
    assert world.get(key, at) == first
    assert len(world.asked) == asked


def test_a_new_answer_replaces_the_old_one() -> None:
    world = World()
    world.get("a", 0)
    world.rows["a"] = "new"
    assert [world.get("a", at) for at in (99, 100, 150)] == ["1", "new", "new"]


def test_the_memory_is_bounded() -> None:
    world = World()
    for key in "abcd":
        world.get(key, 0)
    assert len(world.cached) == 3
    world.get("d", 1)
    world.get("a", 1)  # the oldest one went
    assert world.asked == [*"abcd", "a"]


def test_what_is_asked_again_is_young_again() -> None:
    world = World()
    for key in "abc":
        world.get(key, 0)
    world.get("a", 100)
    world.get("d", 101)
    world.get("a", 101)
    assert world.asked == [*"abc", "a", "d"]


@pytest.mark.parametrize(
    ("key", "at", "serves"),
    [
        pytest.param("a", 1099, True, id="stale-enough"),
        pytest.param("a", 1100, False, id="too-stale"),
        pytest.param("x", 1009, True, id="no-row-stale"),
        pytest.param("x", 1010, False, id="no-row-too-stale"),
        pytest.param("never", 1, False, id="never-asked"),
    ],
)
def test_old_answers_in_an_outage(key: str, at: float, serves: bool) -> None:
    world = World()
    world.get("a", 0)
    world.get("x", 0)
    world.fault = TableUnavailable("gone", "start it")
    if serves:
        assert world.get(key, at) == world.rows.get(key, "")
    else:
        with pytest.raises(TableUnavailable, match=r"t does not answer: gone \(hint: start it\)"):
            world.get(key, at)


def test_the_last_try_does_not_make_an_answer_serve_for_longer() -> None:
    world = World(Limits(entries=3, fresh=100, negative=10, stale=1000, retry=60))
    world.get("a", 0)
    world.fault = TableUnavailable("gone")
    assert world.get("a", 1090) == "1"
    with pytest.raises(TableUnavailable):
        world.get("a", 1100)


def test_in_an_outage_one_question_in_retry_seconds() -> None:
    world = World()
    world.get("a", 0)
    world.asked.clear()
    world.fault = TableUnavailable("gone")
    for at in range(200, 220):  # 20 seconds, several messages in each
        for key in ("a", "b", "c"):
            if key == "a":
                assert world.get("a", at) == "1"
            else:
                with pytest.raises(TableUnavailable):
                    world.get(key, at)
    assert len(world.asked) == 4  # at 200, 205, 210, 215


def test_an_outage_is_told_at_its_start_and_its_end() -> None:
    world = World()
    world.get("a", 0)
    world.fault = TableUnavailable("gone", "start it")
    for at in range(200, 260):
        world.get("a", at)
    world.fault = None
    for at in range(260, 300):
        world.get("a", at)
    assert world.lines == [
        ("error", "event=table-down table=t error=gone hint=start it"),
        ("warning", "event=table-up table=t after=60.0s"),
    ]


def test_it_recovers_by_the_first_answer() -> None:
    world = World()
    world.fault = TableUnavailable("gone")
    with pytest.raises(TableUnavailable):
        world.get("a", 0)
    world.fault = None
    with pytest.raises(TableUnavailable):
        world.get("a", 4.9)  # not its turn yet
    assert world.get("a", 5) == "1"
    assert world.get("b", 5) == "2"


def test_one_thread_asks_while_the_others_go_on() -> None:
    """A slow table does not hold up those who have an old answer."""
    inside, go_on = threading.Event(), threading.Event()
    calls: list[str] = []
    now = [0.0]

    def ask(key: str) -> str:
        calls.append(key)
        if len(calls) > 1:
            inside.set()
            assert go_on.wait(60)
        return f"answer {len(calls)}"

    cached = Cached("t", ask, LIMITS, lambda _level, _pairs: None, lambda: now[0])
    assert cached.get("a") == "answer 1"
    now[0] = 100.0
    got: list[str] = []
    slow = threading.Thread(target=lambda: got.append(cached.get("a")))
    slow.start()
    assert inside.wait(60)
    assert cached.get("a") == "answer 1"
    go_on.set()
    slow.join(60)
    assert got == ["answer 2"]
    assert cached.get("a") == "answer 2"
    assert len(calls) == 2


def test_in_an_outage_one_thread_tries() -> None:
    """Those who come while it does are not held up."""
    world = World()
    world.fault = TableUnavailable("gone")
    with pytest.raises(TableUnavailable):
        world.get("a", 0)
    others: list[str] = []

    def ask(key: str) -> str:
        world.asked.append(key)
        with pytest.raises(TableUnavailable, match="does not answer"):
            cached.get("b")  # as another thread would, at this moment
        others.append("refused at once")
        return "1"

    cached = world.cached
    cached._ask = ask
    assert world.get("a", 5) == "1"
    assert others == ["refused at once"]
    assert world.asked == ["a", "a"]
