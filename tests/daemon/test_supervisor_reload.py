"""Configurations come and go while the daemon serves, and no connection is refused."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from pathlib import Path

import pytest

from support import milterdaemon
from support.supervised import (
    MESSAGE,
    ask,
    reload,
    seen,
    session,
    wait_for_events,
    wait_for_mark,
)

pytestmark = pytest.mark.slow  # a daemon of its own for every test


def test_reload(tmp_path: Path) -> None:
    """New workers serve; the old ones finish what they hold, then go."""
    with milterdaemon.start(tmp_path, workers=1, mark="old") as daemon:
        old = daemon.workers()
        with session(daemon) as mta:
            assert seen(mta.message(MESSAGE))["mark"] == "old"
            daemon.configure(mark="new", workers=2)
            daemon.signal(signal.SIGHUP)
            daemon.wait_for(lambda: daemon.events("reloaded"))
            daemon.wait_for(lambda: ask(daemon)["mark"] == "new")
            time.sleep(1)  # longer than a worker that was told to stop would stay
            assert seen(mta.message(MESSAGE))["mark"] == "old"  # its connection is still open
            assert {ask(daemon)["mark"] for _ in range(20)} == {"new"}
            mta.quit()
        daemon.wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in old))
        assert len(daemon.workers()) == 2
        assert not daemon.events("worker-died")


def test_an_old_worker_that_dies_with_what_it_holds(tmp_path: Path) -> None:
    """It is not replaced, but the log tells why Postfix has lost a connection."""
    with milterdaemon.start(tmp_path, workers=1, mark="old") as daemon:
        (old,) = daemon.workers()
        with session(daemon):
            daemon.configure(mark="new")
            daemon.signal(signal.SIGHUP)
            daemon.wait_for(lambda: daemon.events("reloaded"))
            os.kill(old, signal.SIGKILL)
            daemon.wait_for(lambda: daemon.events("worker-died"))
        (line,) = daemon.events("worker-died")
        assert f"pid={old} signal=SIGKILL" in line
        assert "again_in=" not in line
        assert len(daemon.workers()) == 1


def test_a_reload_changes_the_log_too(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, mark="old") as daemon:
        ask(daemon)
        daemon.wait_for(lambda: "queue_id=4XYZ" in daemon.lines()[-1])
        reload(daemon, mark="new", log={"level": "error"})
        before = len(daemon.lines())
        ask(daemon)
        daemon.stop()
        assert daemon.lines()[before:] == []


def test_reload_several_times(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=1, mark="0") as daemon:
        for turn in range(1, 4):
            daemon.configure(mark=str(turn))
            daemon.signal(signal.SIGHUP)
            wait_for_events(daemon, "reloaded", turn)
            wait_for_mark(daemon, str(turn))
        daemon.wait_for(lambda: len(daemon.workers()) == 1)


def test_no_connection_is_refused_while_reloading(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=2, mark="0") as daemon:
        failed: list[BaseException] = []
        done = threading.Event()
        count = 0

        def load() -> None:
            nonlocal count
            try:
                while not done.is_set():
                    ask(daemon)
                    count += 1
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=load) for _ in range(4)]
        for thread in threads:
            thread.start()
        for turn in range(1, 4):
            enough = count + 10
            daemon.wait_for(lambda: failed or count >= enough)  # noqa: B023
            daemon.configure(mark=str(turn))
            daemon.signal(signal.SIGHUP)
            wait_for_events(daemon, "reloaded", turn)
            wait_for_mark(daemon, str(turn))
        done.set()
        for thread in threads:
            thread.join(60)
        assert failed == []


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param({"workers": -1}, "workers", id="a-value-that-is-none"),
        pytest.param({"colour": "red"}, "colour", id="an-unknown-option"),
        pytest.param({"die_early": True}, "a new worker could not start", id="workers-that-die"),
    ],
)
def test_a_bad_configuration_never_replaces_a_good_one(
    tmp_path: Path, change: dict[str, object], said: str
) -> None:
    with milterdaemon.start(tmp_path, workers=1, mark="good") as daemon:
        before = daemon.workers()
        daemon.configure(mark="bad", **change)
        daemon.signal(signal.SIGHUP)
        daemon.wait_for(lambda: daemon.events("reload-refused"))
        assert said in daemon.events("reload-refused")[0]
        assert ask(daemon)["mark"] == "good"
        daemon.wait_for(lambda: daemon.workers() == before)
        daemon.configure(mark="better", workers=1, die_early=False)
        text = json.loads((tmp_path / "settings.json").read_text())
        text.pop("colour", None)
        (tmp_path / "settings.json").write_text(json.dumps(text))
        daemon.signal(signal.SIGHUP)
        daemon.wait_for(lambda: daemon.events("reloaded"))
        daemon.wait_for(lambda: ask(daemon)["mark"] == "better")


def test_a_changed_file_is_as_good_as_a_signal(tmp_path: Path) -> None:
    """A good change takes over, a bad one is told once and keeps nobody from the next."""
    with milterdaemon.start(tmp_path, workers=1, mark="old", watch=1) as daemon:
        daemon.configure(mark="new")
        daemon.wait_for(lambda: daemon.events("reloaded"))
        daemon.wait_for(lambda: ask(daemon)["mark"] == "new")
        daemon.configure(colour="red")
        daemon.wait_for(lambda: daemon.events("reload-refused"))
        time.sleep(3)  # long enough to look again, twice
        assert len(daemon.events("reload-refused")) == 1
        assert ask(daemon)["mark"] == "new"
        text = json.loads((tmp_path / "settings.json").read_text())
        del text["colour"]
        (tmp_path / "settings.json").write_text(json.dumps({**text, "mark": "better"}))
        daemon.wait_for(lambda: len(daemon.events("reloaded")) == 2)
        daemon.wait_for(lambda: ask(daemon)["mark"] == "better")
        assert len(daemon.events("files-changed")) == 3


def test_nothing_is_watched_where_that_is_not_wanted(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=1, mark="old", watch=0) as daemon:
        daemon.configure(mark="new")
        time.sleep(2)
        assert not daemon.events("files-changed")


def test_another_socket_needs_a_restart(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=1) as daemon:
        daemon.configure(socket="inet:1@127.0.0.1")
        daemon.signal(signal.SIGHUP)
        daemon.wait_for(lambda: daemon.events("reloaded"))
        assert daemon.events("socket-kept")
        ask(daemon)
