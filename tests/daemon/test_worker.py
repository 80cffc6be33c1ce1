"""When a worker may end: whom it waits for, and for how long.

That it really does so, with libmilter, is in test_supervisor_end.py.
"""

from __future__ import annotations

import os
import resource
import socket
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from postseal.daemon import heap, worker
from postseal.daemon.logs import Log
from postseal.daemon.worker import RETIRE_SECONDS, SETTLE, Orders, Post


class Clock:
    """Time that passes only in sleep(); script: what happens at which second."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.script: list[tuple[float, Any]] = []

    def perf_counter(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds
        while self.script and self.script[0][0] <= self.now - 1000.0:
            self.script.pop(0)[1]()


class Connection:
    """A session, as far as the end of a worker is concerned."""

    def __init__(self, busy: bool) -> None:
        self.busy = busy


class World:
    def __init__(self, clock: Clock, lifeline: int) -> None:
        self.clock = clock
        self.lines: list[str] = []
        self.calls: Any = SimpleNamespace(sessions=set(), last_reply=0.0)
        self.orders = Orders()
        self.post = Post(listener=-1, lifeline=lifeline, ready=-1, cpu=None, identity=None)

    def session(self, busy: bool) -> Any:
        made = Connection(busy)
        self.calls.sessions.add(made)
        return made

    def drain(self, patience: float = 30.0) -> float:
        """Seconds until the worker may end."""
        log = Log(lambda _level, line: self.lines.append(line))
        worker._drain(self.calls, self.orders, self.post, log, patience)
        return self.clock.now - 1000.0


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    clock = Clock()
    monkeypatch.setattr(worker, "time", clock)
    read, write = os.pipe()
    yield World(clock, read)
    os.close(read)
    os.close(write)


def about(seconds: float) -> Any:
    return pytest.approx(seconds, abs=3 * worker.TICK)


def test_nothing_to_wait_for(world: World) -> None:
    """Not at once: a connection may have been accepted that has not said a word."""
    world.orders.stop = True
    assert world.drain() == about(SETTLE)


def test_a_message_under_way(world: World) -> None:
    world.orders.stop = True
    session = world.session(busy=True)
    world.clock.script = [(4.0, lambda: finish(world, session))]
    assert world.drain() == about(4.0 + SETTLE)  # libmilter is given time to write the reply


def finish(world: World, session: Any) -> None:
    session.busy = False
    world.calls.last_reply = world.clock.now


def test_a_message_that_takes_too_long(world: World) -> None:
    world.orders.stop = True
    world.session(busy=True)
    assert world.drain(patience=7.0) == about(7.0)
    assert world.lines == ["event=gave-up messages=1"]


def test_idle_connections_count_only_when_retiring(world: World) -> None:
    session = world.session(busy=False)
    world.orders.retire = True
    world.clock.script = [(60.0, lambda: world.calls.sessions.discard(session))]
    assert world.drain() == about(60.0)


def test_stop_while_retiring(world: World) -> None:
    world.session(busy=False)
    world.orders.retire = True
    world.clock.script = [(60.0, lambda: setattr(world.orders, "stop", True))]
    assert world.drain() == about(60.0)
    assert world.lines == []


def test_retiring_ends(world: World) -> None:
    """A client that never goes keeps an old configuration alive only for so long."""
    world.session(busy=False)
    world.orders.retire = True
    assert world.drain() == about(RETIRE_SECONDS)


def test_a_message_when_retiring_ends(world: World) -> None:
    session = world.session(busy=True)
    world.orders.retire = True
    world.clock.script = [(RETIRE_SECONDS + 5, lambda: finish(world, session))]
    assert world.drain() == about(RETIRE_SECONDS + 5 + SETTLE)


def test_the_supervisor_dies_while_retiring(world: World) -> None:
    read, write = os.pipe()
    world.post = Post(listener=-1, lifeline=read, ready=-1, cpu=None, identity=None)
    world.session(busy=False)
    world.orders.retire = True
    world.clock.script = [(3.0, lambda: os.close(write))]
    assert world.drain() == about(3.0)
    os.close(read)


def test_the_listener_is_replaced_in_this_process_alone() -> None:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        server.listen()
        address = server.getsockname()
        descriptor = os.dup(server.fileno())
        with worker._stop_listening(descriptor) as shared:
            assert shared.getsockname() == address
            with socket.socket(fileno=os.dup(descriptor)) as quiet:
                assert quiet.family == socket.AF_UNIX
                assert quiet.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
            with socket.create_connection(address):
                server.accept()[0].close()
            worker.refuse(shared)
            with pytest.raises(ConnectionRefusedError):
                socket.create_connection(address)
        os.close(descriptor)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param((1024, 4096), 4096, id="up-to-the-hard-limit"),
        pytest.param((1024, 1 << 20), worker.FILES, id="no-more-than-is-of-use"),
        pytest.param((1 << 19, 1 << 20), 1 << 19, id="never-fewer"),
    ],
)
def test_descriptors(before: tuple[int, int], after: int, monkeypatch: pytest.MonkeyPatch) -> None:
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "getrlimit", lambda _which: before)
    monkeypatch.setattr(resource, "setrlimit", lambda _which, limits: given.append(limits))
    monkeypatch.setattr(heap, "one_heap", lambda: None)
    worker._prepare(Post(listener=-1, lifeline=-1, ready=-1, cpu=None, identity=None))
    assert given == [(after, before[1])]
