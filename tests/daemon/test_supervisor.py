"""Workers live and die, configurations come and go, and no message is lost."""

from __future__ import annotations

import grp
import json
import os
import pwd
import resource
import signal
import socket
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support import milterdaemon
from support.milterclient import Closed, MilterClient, Reply
from support.milterdaemon import Daemon

MESSAGE = b"From: a@b.example\n\nhello\n"
pytestmark = pytest.mark.slow  # a daemon of its own for every test

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give privileges up")


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


def test_start_and_stop(tmp_path: Path) -> None:
    pid_file = tmp_path / "pid"
    with milterdaemon.start(tmp_path, workers=2, pid_file=str(pid_file)) as daemon:
        assert len(daemon.workers()) == 2
        assert pid_file.read_text() == f"{daemon.process.pid}\n"
        ask(daemon)
        assert daemon.stop() == 0
        assert daemon.events("stopped")
        assert not pid_file.exists()
    with pytest.raises(ConnectionRefusedError):
        MilterClient(daemon.address)


def test_a_pid_file_that_cannot_be_written(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, pid_file=str(tmp_path / "absent" / "pid")) as daemon:
        assert daemon.events("no-pid-file")
        ask(daemon)


@pytest.mark.parametrize("link", [Path.symlink_to, Path.hardlink_to], ids=["symlink", "hardlink"])
def test_a_pid_file_does_not_lead_elsewhere(
    tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    """Its directory may belong to the user that reads strangers' mail."""
    precious = tmp_path / "precious"
    precious.write_text("precious")
    pid_file = tmp_path / "pid"
    link(pid_file, precious)
    with milterdaemon.start(tmp_path, workers=1, pid_file=str(pid_file)) as daemon:
        assert precious.read_text() == "precious"
        assert pid_file.read_text() == f"{daemon.process.pid}\n"
        assert not pid_file.is_symlink()


def test_workers_are_bound_to_processors(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=1, pin_workers=True) as daemon:
        assert len(ask(daemon)["cpus"]) == 1


def test_workers_need_not_be_bound(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=1, pin_workers=False) as daemon:
        assert ask(daemon)["cpus"] == sorted(os.sched_getaffinity(0))


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
        waits = [line.rpartition("again_in=")[2] for line in daemon.events("worker-died")]
        assert waits == ["0s", "1s", "2s"]


def test_a_worker_that_cannot_start_ends_the_daemon(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, wait=False, die_early=True) as daemon:
        assert daemon.process.wait(60) == 70
        assert daemon.events("worker-failed")
        assert daemon.events("start-failed")


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_message_under_way_is_finished(tmp_path: Path, signum: signal.Signals) -> None:
    """The signal goes to everybody, as from a terminal or from systemd."""
    with milterdaemon.start(tmp_path, workers=2) as daemon:
        slow = Slow(daemon)
        workers = daemon.workers()
        daemon.signal(signum)
        for pid in workers:
            os.kill(pid, signum)
        daemon.wait_for(lambda: refuses(daemon))  # nobody is left waiting
        time.sleep(0.5)  # time to go wrong
        assert daemon.process.poll() is None
        reply = slow.result()
        assert daemon.process.wait(60) == 0
        assert reply is not None
        assert reply.code == "continue"
        assert seen(reply)["octets"] == 3


def test_a_message_between_two_steps_is_finished(tmp_path: Path) -> None:
    """libmilter's own stop would close it: its header is known, its body is still to come."""
    with milterdaemon.start(tmp_path, workers=1) as daemon, session(daemon) as mta:
        mta.mail()
        mta.header("From", b" a@b.example")
        mta.end_of_header()
        ask(daemon)
        daemon.signal(signal.SIGTERM)
        daemon.wait_for(lambda: refuses(daemon))
        time.sleep(0.5)  # time to go wrong
        mta.body(b"late\r\n")
        assert seen(mta.end())["octets"] == 6
        assert daemon.process.wait(60) == 0


def test_connections_without_a_message_do_not_delay_the_end(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=2) as daemon, session(daemon) as mta:
        seen(mta.message(MESSAGE))
        daemon.signal(signal.SIGTERM)
        assert daemon.process.wait(60) == 0  # the connection stays open all the time


def test_a_worker_ends_when_the_supervisor_is_gone(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=2) as daemon:
        workers = daemon.workers()
        slow = Slow(daemon)
        daemon.process.kill()
        daemon.process.wait(60)
        time.sleep(0.5)  # time to go wrong
        reply = slow.result()
        daemon.wait_for(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
        assert reply is not None
        assert reply.code == "continue"


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


def test_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "s"
    name = f"unix:{path}"
    group = grp.getgrgid(os.getgid()).gr_name
    with milterdaemon.start(tmp_path, socket=name, socket_mode=0o640, socket_group=group) as daemon:
        status = path.stat()
        assert stat.S_IMODE(status.st_mode) == 0o640
        assert status.st_gid == os.getgid()
        assert ask(daemon)["octets"] == 7
        daemon.process.kill()
        daemon.process.wait(60)
    assert path.exists()  # left by the kill; the next start removes it
    with milterdaemon.start(tmp_path, socket=name) as daemon:
        ask(daemon)
        assert daemon.stop() == 0
    assert not path.exists()


def test_a_socket_in_use_is_named(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        name = f"inet:{other.getsockname()[1]}@127.0.0.1"
        with milterdaemon.start(tmp_path, wait=False, socket=name) as daemon:
            assert daemon.process.wait(60) == 69
            error, hint = daemon.lines()[-2:]
            assert error == f"postseal: error: cannot listen on {name}: Address already in use"
            assert hint.startswith("postseal: hint: ")


def test_a_user_that_does_not_exist(tmp_path: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root is asked to become somebody else")
    with milterdaemon.start(tmp_path, wait=False, user="no-such-user") as daemon:
        assert daemon.process.wait(60) == 78
        assert "no user 'no-such-user'" in daemon.lines()[-2]


@as_root
def test_workers_give_root_up(tmp_path: Path) -> None:
    entry = pwd.getpwnam("nobody")
    with milterdaemon.start(tmp_path, user="nobody", group="mail") as daemon:
        found = ask(daemon)
        assert found["uid"] == entry.pw_uid
        assert found["groups"] == [grp.getgrnam("mail").gr_gid]
        assert not daemon.events("running-as-root")
        (tmp_path / "settings.json").chmod(0o600)
        reload(daemon, mark="new")  # the supervisor can still read what only root may read
        assert ask(daemon)["mark"] == "new"
        assert ask(daemon)["uid"] == entry.pw_uid


@as_root
def test_another_user_after_a_reload(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, user="nobody", mark="old") as daemon:
        daemon.configure(user="no-such-user", mark="bad")
        daemon.signal(signal.SIGHUP)
        daemon.wait_for(lambda: daemon.events("reload-refused"))
        assert "no user 'no-such-user'" in daemon.events("reload-refused")[0]
        assert ask(daemon)["mark"] == "old"
        reload(daemon, user="daemon", mark="new")
        assert ask(daemon)["mark"] == "new"
        assert ask(daemon)["uid"] == pwd.getpwnam("daemon").pw_uid


@as_root
def test_root_is_not_kept_silently(tmp_path: Path) -> None:
    with milterdaemon.start(tmp_path, workers=1) as daemon:
        try:
            pwd.getpwnam("postseal")
        except KeyError:
            assert daemon.events("running-as-root")
        else:
            assert not daemon.events("running-as-root")


def test_readiness_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.settimeout(20)
        manager.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        with milterdaemon.start(tmp_path, wait=False) as daemon:
            assert manager.recv(200) == f"READY=1\nMAINPID={daemon.process.pid}".encode()
            ask(daemon)
            daemon.signal(signal.SIGHUP)
            assert manager.recv(200).startswith(b"RELOADING=1\nMONOTONIC_USEC=")
            assert manager.recv(200) == b"READY=1"
            daemon.stop()
            assert manager.recv(200) == b"STOPPING=1"


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
