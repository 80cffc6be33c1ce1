"""hits: counts that no worker loses, and what is told of them; overrides through a real daemon."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from postseal.daemon.hits import Hits
from support.child import LOOPBACK, wait_until
from support.daemon import Daemon
from support.milterclient import MilterClient


def test_nothing_yet() -> None:
    hits = Hits(["a", "b"])
    assert hits.totals() == (0, 0)
    assert list(hits.lines()) == [[("event", "overrides-unused"), ("rows", "1,2")]]


def test_lines() -> None:
    hits = Hits(["a", "b", "c"])
    hits.hit(2)
    hits.hit(2)
    assert list(hits.lines()) == [
        [("event", "override-total"), ("row", 2), ("hits", 2), ("why", "b")],
        [("event", "overrides-unused"), ("rows", "1,3")],
    ]


def test_all_rows_used() -> None:
    hits = Hits(["a"])
    hits.hit(1)
    assert len(list(hits.lines())) == 1


def forked(work: object) -> int:
    """Run it in a child, as a worker would."""
    pid = os.fork()
    if pid == 0:
        try:
            work()  # type: ignore[operator]
        finally:
            os._exit(0)
    return pid


def test_workers_and_threads_lose_nothing() -> None:
    hits = Hits(["a", "b"])

    def count() -> None:
        for _ in range(500):
            hits.hit(2)

    def work() -> None:
        threads = [threading.Thread(target=count) for _ in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    for pid in [forked(work) for _ in range(4)]:
        os.waitpid(pid, 0)
    assert hits.totals() == (0, 6000)


def test_a_worker_that_dies_counting_stops_nobody() -> None:
    hits = Hits(["a"])

    def count_for_ever() -> None:
        while True:
            hits.hit(1)

    pid = forked(count_for_ever)
    while hits.totals() == (0,):
        time.sleep(0.001)
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    before = hits.totals()[0]
    hits.hit(1)
    assert hits.totals() == (before + 1,)


CONFIG = """
[spf]
enabled = false
[dns]
nameservers = ["127.0.0.1:1"]
[from]
missing = "reject"
[[override]]
recipient = "abuse@here.example"
action = "accept"
why = "people report anything"
[[override]]
client = "198.51.100.0/24"
action = "accept"
why = "never seen"
"""


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[Daemon]:
    made = Daemon(tmp_path, "overrides")
    tmp_path.chmod(0o755)
    made.configure(CONFIG)
    yield made.start()
    made.stop()


def send(daemon: Daemon, *recipients: str) -> str:
    with MilterClient((LOOPBACK, daemon.port)) as client:
        client.negotiate()
        client.connect()
        client.helo()
        return client.message(b"To: x\r\n\r\nhi\r\n", recipients=recipients).code


@pytest.mark.slow
def test_recipients_through_a_daemon(daemon: Daemon) -> None:
    """They reach the rule, all of them count, and the total is told at a reload and at the end."""
    assert send(daemon, "<other@here.example>") == "replycode"
    assert send(daemon, "<abuse@here.example>") == "continue"
    assert send(daemon, "<abuse@here.example>", "<other@here.example>") == "replycode"
    assert send(daemon, "<ABUSE@here.example>") == "continue"
    assert 'override="people report anything" row=1' in daemon.log_text()
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: "event=reloaded" in daemon.log_text(), "the reload")
    said = daemon.log_text()
    assert 'event=override-total row=1 hits=2 why="people report anything"' in said
    assert "event=overrides-unused rows=2" in said
    assert send(daemon, "<abuse@here.example>") == "continue"
    daemon.stop()
    assert "event=override-total row=1 hits=1" in daemon.log_text()


@pytest.mark.slow
def test_recipients_are_not_asked_for_without_a_rule(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    made = Daemon(tmp_path, "plain")
    made.configure(CONFIG.replace('recipient = "abuse@here.example"', 'client = "192.0.2.1"'))
    made.start()
    try:
        with MilterClient((LOOPBACK, made.port)) as client:
            client.negotiate()
            assert client.steps & 0x08  # SMFIP_NORCPT
    finally:
        made.stop()
