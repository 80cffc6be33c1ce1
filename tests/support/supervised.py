"""A supervised daemon, asked over the milter protocol."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from support.milterclient import MilterClient, Reply
from support.milterdaemon import Daemon

MESSAGE = b"From: a@b.example\n\nhello\n"


def seen(reply: Reply) -> dict[str, Any]:
    found = json.loads(reply.inserted("X-Seen")[0])
    assert isinstance(found, dict)
    return found


@contextmanager
def session(daemon: Daemon) -> Iterator[MilterClient]:
    with MilterClient(daemon.address).negotiate() as mta:
        mta.connect()
        mta.helo()
        yield mta


def ask(daemon: Daemon) -> dict[str, Any]:
    """One message over a connection of its own."""
    with session(daemon) as mta:
        return seen(mta.message(MESSAGE))


def wait_for_events(daemon: Daemon, event: str, count: int) -> None:
    daemon.wait_for(lambda: len(daemon.events(event)) == count)


def wait_for_mark(daemon: Daemon, mark: str) -> None:
    """Wait until workers with that mark answer: old ones may take a last connection."""
    daemon.wait_for(lambda: ask(daemon)["mark"] == mark)


def reload(daemon: Daemon, **changes: object) -> None:
    """Change the configuration, and wait until none of the old workers is left."""
    old = set(daemon.workers())
    daemon.configure(**changes)
    daemon.signal(signal.SIGHUP)
    daemon.wait_for(lambda: daemon.workers() and old.isdisjoint(daemon.workers()))


class Slow:
    """A message that stays at its end until it may go on, sent from a thread of its own."""

    def __init__(self, daemon: Daemon) -> None:
        self.reply: Reply | None = None
        self.daemon = daemon
        self.go_on = daemon.directory / "go-on"
        self.thread = threading.Thread(target=self._run)
        self.thread.start()
        daemon.wait_for(Path(f"{self.go_on}.begun").exists)

    def _run(self) -> None:
        with session(self.daemon) as mta:
            self.reply = mta.message(f"X-Do: wait={self.go_on}\n\nx\n".encode())

    def result(self) -> Reply | None:
        self.go_on.touch()
        self.thread.join(60)
        return self.reply


def refuses(daemon: Daemon) -> bool:
    """Whether nobody is left to take a connection."""
    try:
        MilterClient(daemon.address).close()
    except ConnectionRefusedError:
        return True
    return False
