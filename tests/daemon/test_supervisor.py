"""Workers: how many, where they run, and that those that die are replaced."""

from __future__ import annotations

import os
import re
import resource
import signal
from pathlib import Path

import pytest

from support import milterdaemon
from support.milterclient import Closed
from support.supervised import (
    MESSAGE,
    ask,
    reload,
    seen,
    session,
    wait_for_events,
)

pytestmark = pytest.mark.slow  # a daemon of its own for every test


def policies(daemon: milterdaemon.Daemon) -> set[int]:
    """How the threads of the workers are scheduled."""
    tasks = [task for pid in daemon.workers() for task in Path(f"/proc/{pid}/task").iterdir()]
    return {os.sched_getscheduler(int(task.name)) for task in tasks}


def test_workers_are_bound_to_processors(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=1, pin_workers=True) as daemon:
        assert len(ask(daemon)["cpus"]) == 1
        assert policies(daemon) == {os.SCHED_BATCH}


def test_workers_need_not_be_bound(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=1, pin_workers=False) as daemon:
        assert ask(daemon)["cpus"] == sorted(os.sched_getaffinity(0))
        assert policies(daemon) == {os.SCHED_OTHER}


def test_one_worker_for_each_processor_by_default(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=0) as daemon:
        assert len(daemon.workers()) == len(os.sched_getaffinity(0))


def test_the_supervisor_has_no_threads(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path) as daemon:
        assert len(list(Path(f"/proc/{daemon.process.pid}/task").iterdir())) == 1


def test_a_killed_worker_is_replaced(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=1) as daemon:
        old = ask(daemon)["pid"]
        os.kill(old, signal.SIGKILL)
        daemon.wait_for(lambda: daemon.workers() not in ([], [old]))
        assert ask(daemon)["pid"] != old
        (line,) = daemon.events("worker-died")
        assert f"pid={old} signal=SIGKILL lived=" in line
        assert "dmesg" in line


def test_a_stuck_worker_is_replaced(tmp_path: Path) -> None:
    """The kernel would hand connections to it for ever."""
    with milterdaemon.start(tmp_path, workers=1, beat=0.5) as daemon:
        old = ask(daemon)["pid"]
        os.kill(old, signal.SIGSTOP)
        daemon.wait_for(lambda: daemon.workers() not in ([], [old]))
        assert ask(daemon)["pid"] != old
        assert any(f"pid={old} " in f"{line} " for line in daemon.events("worker-stuck"))
        assert any(f"pid={old} " in line for line in daemon.events("worker-died"))


def test_a_stuck_worker_of_a_new_configuration(tmp_path: Path) -> None:
    """It must not keep every later configuration out."""
    with milterdaemon.start(tmp_path, workers=1, beat=0.5, mark="old") as daemon:
        daemon.configure(mark="new", stop_early=True)
        daemon.signal(signal.SIGHUP)
        daemon.wait_for(lambda: daemon.events("reload-refused"))
        assert daemon.events("worker-stuck")
        assert ask(daemon)["mark"] == "old"
        reload(daemon, mark="newer", stop_early=False)
        assert ask(daemon)["mark"] == "newer"


def test_a_clock_that_was_set_is_told(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=1) as daemon:
        reload(daemon, clock_back=86400)
        daemon.wait_for(lambda: daemon.events("clock-set"))
        (line,) = daemon.events("clock-set")
        assert "seconds=-86400 hint=" in line


def test_a_signal_without_a_name_ends_a_worker_alone(tmp_path: Path) -> None:
    """Real-time signals have numbers only."""
    with milterdaemon.start(tmp_path, workers=1) as daemon:
        (old,) = daemon.workers()
        os.kill(old, signal.SIGRTMIN + 3)
        daemon.wait_for(lambda: daemon.workers() not in ([], [old]))
        assert ask(daemon)["pid"] != old
        (line,) = daemon.events("worker-died")
        assert f"signal={signal.SIGRTMIN + 3} " in line


def test_a_worker_that_cannot_be_forked_is_tried_again(tmp_path: Path) -> None:
    """For want of descriptors, memory or processes: that passes, and the daemon stays."""
    with milterdaemon.start(tmp_path, workers=2) as daemon:
        old, other = daemon.workers()
        before = resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (3, before[1]))
        os.kill(old, signal.SIGKILL)
        daemon.wait_for(lambda: daemon.events("fork-failed"))
        assert daemon.workers() == [other]
        ask(daemon)
        resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, before)
        daemon.wait_for(lambda: len(daemon.workers()) == 2)
        assert 'error="Too many open files"' in daemon.events("fork-failed")[0]


def test_a_worker_that_keeps_dying_is_started_ever_more_slowly(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=1) as daemon:
        for deaths in range(1, 4):
            daemon.wait_for(daemon.workers)
            with pytest.raises((Closed, ConnectionError)), session(daemon) as mta:
                mta.message(b"X-Do: die\n\n")
            wait_for_events(daemon, "worker-died", deaths)
        waits = [re.findall(r"again_in=(\S+)", line)[0] for line in daemon.events("worker-died")]
        assert waits == ["0s", "1s", "2s"]


def test_a_worker_that_cannot_start_ends_the_daemon(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, wait=False, die_early=True) as daemon:
        assert daemon.process.wait(60) == 70
        assert daemon.events("worker-failed")
        assert daemon.events("start-failed")


def test_on_error_accept(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, on_error="accept") as daemon, session(daemon) as mta:
        reply = mta.message(b"X-Do: raise-close\n\n")
        assert (reply.code, reply.edits) == ("continue", [])
        daemon.wait_for(lambda: daemon.events("internal-error"))
        assert "action=accept" in daemon.events("internal-error")[0]


def test_a_large_message_does_not_stay_in_memory(tmp_path: Path) -> None:
    """20 MB in chunks: the worker grows by less than 2 MB."""

    def resident(pid: int) -> int:
        text = Path(f"/proc/{pid}/status").read_text()
        return int(text.partition("VmHWM:")[2].split()[0])

    with milterdaemon.start(tmp_path, workers=1) as daemon, session(daemon) as mta:
        pid = seen(mta.message(MESSAGE + b"x" * 200_000))["pid"]
        before = resident(pid)
        assert seen(mta.message(MESSAGE + b"y" * 20_000_000))["octets"] == 20_000_007
        assert resident(pid) - before < 2048
