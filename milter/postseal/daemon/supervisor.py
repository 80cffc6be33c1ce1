"""The parent of the workers: small, single-threaded, and never in touch with mail.

NAME
    supervisor - Supervisor.run(): open the socket, fork workers, keep them, end them

GIVEN
    an Application, and a Loader that makes the next one at SIGHUP.

GIVES
    an exit status when it was told to end.

SIGNALS
    SIGTERM, SIGINT  workers finish the messages under way; a second one hurries them.
    SIGHUP           the configuration is read again.  Only when it is good and its workers
                     are ready do the old ones retire; otherwise they stay as they are.

DOES NOT
    give up root: keys must be readable again at SIGHUP.  The workers do (privileges.py).
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import socket
import time
from dataclasses import dataclass
from types import FrameType

from postseal.daemon import notify, privileges, sockets, worker
from postseal.daemon.app import Application, Loader, Unusable
from postseal.daemon.children import LONG_LIFE, Child, fork_worker, pause, signal_name
from postseal.daemon.clock import Clock
from postseal.daemon.guard import fault_of
from postseal.daemon.logline import Value, logline
from postseal.daemon.logs import Log, open_log
from postseal.daemon.ownfile import OwnFile, write_pid
from postseal.daemon.pulse import Watchdog
from postseal.tables.watch import Watch

HURRY_AFTER = 2.0  # seconds; a second SIGTERM sooner than this is an echo of the first
LET_GO = 0.2  # seconds in which the workers let go of the listening socket
CROWD = 4  # generations of old workers beside which no change of a file starts another
KILL_AFTER = 5.0  # seconds beyond the workers' own patience until SIGKILL
KILLED = "somebody killed it, or the kernel for want of memory, which dmesg tells"
AS_ROOT = (
    f"adduser --system --group --no-create-home {privileges.DEFAULT_USER} makes the user that is"
    " taken by itself; or set user in the configuration"
)
CLOCK_SET = "signatures are judged by the clock: is it right now?"
NO_PID_FILE = "mail does not need it; without it, reload by SIGHUP or systemctl"
EX_OK = 0
EX_SOFTWARE = 70


@dataclass(frozen=True, slots=True)
class Generation:
    """One configuration, and what its workers get from it."""

    app: Application
    identity: privileges.Identity | None
    log: Log
    watch: Watch

    @classmethod
    def of(cls, app: Application) -> Generation:
        """Raises PrivilegeError."""
        settings = app.settings
        identity = privileges.find(settings.user, settings.group)
        log = open_log(settings.log.target, settings.log.facility, settings.log.level)
        if identity is None and os.geteuid() == 0:
            log.warning(logline([("event", "running-as-root"), ("hint", AS_ROOT)]))
        return cls(app=app, identity=identity, log=log, watch=Watch(app.files, app.began))

    @property
    def count(self) -> int:
        """How many workers there are to be."""
        return self.app.settings.workers or len(os.sched_getaffinity(0))


class Supervisor:
    """All state of the parent process."""

    def __init__(self, app: Application, load: Loader) -> None:
        self.load = load
        self.now = Generation.of(app)
        self.next: Generation | None = None
        self.endpoint = sockets.Endpoint.parse(app.settings.socket)
        self.listener = -1
        self.socket_file: OwnFile | None = None
        self.pid_file: OwnFile | None = None
        self.children: dict[int, Child] = {}  # those that serve, by process number
        self.incoming: dict[int, Child] = {}  # those of a new configuration, not all ready yet
        self.retired: dict[int, Child] = {}  # those that end by themselves
        self.due: dict[int, float] = {}  # slot -> when to start its worker again
        self.failures: dict[int, int] = {}
        self.announced = False
        self.wants_stop = 0
        self.wants_reload = False
        self.by_itself = False  # nobody asked for the reload: files changed
        self.next_look = time.monotonic() + app.settings.watch
        self.watchdog = Watchdog()
        self.clock = Clock()

    # -- life -------------------------------------------------------------------------------

    def run(self) -> int:
        """Serve until told to end.  Raises SocketError when the socket cannot be had."""
        settings = self.now.app.settings
        self.listener = sockets.listen(self.endpoint, settings.socket_mode, settings.socket_group)
        self.socket_file = OwnFile(self.endpoint.path) if self.endpoint.path else None
        self._lifeline, self._lifeline_end = os.pipe()
        self._wake, waker = socket.socketpair()
        self._wake.setblocking(False)
        waker.setblocking(False)
        self._waker = waker.detach()
        self._signals()
        self._write_pid()
        for slot in range(self.now.count):
            self._start(self.now, slot, self.children)
        status = EX_OK
        while not self.wants_stop:
            self._wait(self._until_look())
            self._end_stuck()
            if by := round(self.clock.step()):
                self._say("warning", event="clock-set", seconds=by, hint=CLOCK_SET)
            self._reap()
            if not self.announced and len(self.children) < self.now.count:
                self._say("error", event="start-failed", hint="the lines above say why")
                status = EX_SOFTWARE
                break
            self._hear()
            self._restart_due()
            self._look()
            if self.wants_reload and self.announced and not self.incoming:
                self._reload()
        self._stop()
        return status

    def _wait(self, seconds: float | None = None) -> None:
        """Sleep until a signal, a worker's word, or the next thing due."""
        if self.due:
            until = min(self.due.values()) - time.monotonic()
            seconds = max(0.0, until if seconds is None else min(until, seconds))
        pipes = [child.ready_fd for child in self._everyone() if child.ready_fd >= 0]
        select.select([self._wake.fileno(), *pipes], [], [], seconds)
        with contextlib.suppress(BlockingIOError):
            while self._wake.recv(64):
                pass

    def _until_look(self) -> float:
        """Seconds until files or workers are looked at again."""
        until = self.watchdog.wait()
        return min(until, max(0.0, self.next_look - time.monotonic())) if self._watches else until

    @property
    def _watches(self) -> bool:
        return bool(self.now.app.settings.watch and len(self.now.watch))

    def _look(self) -> None:
        """A file of the configuration that has changed is as good as a SIGHUP."""
        if self._watches and time.monotonic() >= self.next_look:
            self.next_look = time.monotonic() + self.now.app.settings.watch
            crowded = len(self.retired) > CROWD * self.now.count
            if not crowded and self.now.watch.poll():
                self._say("info", event="files-changed")
                self.wants_reload = self.by_itself = True

    def _everyone(self) -> list[Child]:
        return [*self.children.values(), *self.incoming.values(), *self.retired.values()]

    # -- workers ----------------------------------------------------------------------------

    def _start(self, made: Generation, slot: int, into: dict[int, Child]) -> bool:
        """Start a worker; False when the system has no room for one now."""
        cpus = sorted(os.sched_getaffinity(0))
        others = [child.ready_fd for child in self._everyone() if child.ready_fd >= 0]
        try:
            child = fork_worker(
                made.app,
                made.log,
                slot,
                listener=self.listener,
                lifeline=self._lifeline,
                cpu=cpus[slot % len(cpus)] if made.app.settings.pin_workers else None,
                identity=made.identity,
                close=[self._lifeline_end, self._wake.fileno(), self._waker, *others],
            )
        except OSError as error:
            self._say("error", event="fork-failed", error=error.strerror or str(error))
            return False
        into[child.pid] = child
        return True

    def _hear(self) -> None:
        """Take note of workers that are ready."""
        pipes = {child.ready_fd: child for child in self._everyone() if child.ready_fd >= 0}
        for descriptor in select.select(list(pipes), [], [], 0)[0] if pipes else ():
            pipes[descriptor].hear()
        if not self.announced and all(child.ready for child in self.children.values()):
            self.announced = True
            self._say(
                "info", event="ready", socket=self.endpoint.libmilter, workers=len(self.children)
            )
            notify.notify("READY=1", f"MAINPID={os.getpid()}")
        if self.incoming and all(child.ready for child in self.incoming.values()):
            self._take_over()

    def _reap(self) -> None:
        """Bury the dead; see to it that those missed come back."""
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if pid in self.retired:
                self._ended(self.retired.pop(pid), status)
            elif pid in self.incoming:
                self._died(self.incoming.pop(pid), status)
                self._refuse_incoming()
            elif pid in self.children:
                self._replace(self.children.pop(pid), status)

    def _replace(self, child: Child, status: int) -> None:
        lived = time.monotonic() - child.born
        failures = 0 if lived >= LONG_LIFE else self.failures.get(child.slot, 0) + 1
        self.failures[child.slot] = failures
        wait = pause(failures - 1) if failures > 1 else 0.0
        self._died(child, status, wait)
        if not self.wants_stop:
            self.due[child.slot] = time.monotonic() + wait

    def _ended(self, child: Child, status: int) -> None:
        """A worker that was to end has done so, or died with what it still held."""
        if status:
            self._died(child, status)
        else:
            child.hear()

    def _end_stuck(self) -> None:
        """A worker that does nothing is ended, as if it had died: the next one may do better."""
        serving = [*self.children.values(), *self.incoming.values()]
        for child in self.watchdog.stuck(serving):
            self._say("error", event="worker-stuck", pid=child.pid)
            child.stuck = True
            child.tell(signal.SIGKILL)

    def _died(self, child: Child, status: int, wait: float | None = None) -> None:
        child.hear()
        code = os.waitstatus_to_exitcode(status)
        how = {"signal": signal_name(-code)} if code < 0 else {"status": str(code)}
        again = {} if wait is None else {"again_in": f"{wait:g}s"}
        if code == -signal.SIGKILL and wait is not None and not child.stuck:
            again["hint"] = KILLED
        lived = f"{time.monotonic() - child.born:.1f}s"
        self._say("error", event="worker-died", pid=child.pid, **how, lived=lived, **again)

    def _restart_due(self) -> None:
        now = time.monotonic()
        for slot in [slot for slot, when in self.due.items() if when <= now]:
            del self.due[slot]
            wanted = self.announced and slot < self.now.count
            if wanted and not self._start(self.now, slot, self.children):
                self.failures[slot] = failures = self.failures.get(slot, 0) + 1
                self.due[slot] = now + pause(failures)

    # -- reload -----------------------------------------------------------------------------

    def _reload(self) -> None:
        """Read the configuration; start its workers beside the old ones."""
        by_itself, self.by_itself = self.by_itself, False
        self.wants_reload = False
        notify.reloading()
        try:
            made = Generation.of(self.load())
        except Unusable as refusal:
            for line in refusal.lines:
                self._say("error", event="reload-refused", error=line)
            self.now.watch.add(refusal.files)
            notify.notify("READY=1")
            return
        except privileges.PrivilegeError as refusal:
            self._refuse(error=refusal.what, hint=refusal.hint)
            return
        except Exception as error:
            fault = fault_of(error)
            self._refuse(error=fault.error, where=fault.where)
            return
        if by_itself and made.watch.is_torn:  # wait until it is at rest
            self.now.watch.again()
            notify.notify("READY=1")
            return
        if made.app.settings.socket != self.now.app.settings.socket:
            self._say("warning", event="socket-kept", hint="a new socket needs a restart")
        self.next = made
        if not all(self._start(made, slot, self.incoming) for slot in range(made.count)):
            self._refuse_incoming()

    def _take_over(self) -> None:
        """The new workers serve: the old ones take no more connections."""
        assert self.next is not None
        for child in self.children.values():
            child.tell(signal.SIGUSR1)
        self.retired.update(self.children)
        self.children, self.incoming = self.incoming, {}
        self._summarize()
        self.now, self.next = self.next, None
        self.due.clear()
        self.failures.clear()
        self._say("info", event="reloaded", workers=len(self.children))
        notify.notify("READY=1")

    def _refuse_incoming(self) -> None:
        """A worker of the new configuration did not become ready: keep the old ones."""
        for child in self.incoming.values():
            child.tell(signal.SIGTERM)
        self.retired.update(self.incoming)
        self.incoming.clear()
        self.next = None
        self._refuse(error="a new worker could not start")

    def _refuse(self, **reason: str) -> None:
        """Say why the new configuration is not taken; all goes on as it is."""
        self._say("error", event="reload-refused", **reason)
        notify.notify("READY=1")

    # -- end --------------------------------------------------------------------------------

    def _stop(self) -> None:
        notify.notify("STOPPING=1")
        for child in self._everyone():
            child.tell(signal.SIGTERM)
        began = time.monotonic()
        time.sleep(LET_GO)
        if self.socket_file:  # while it is ours: as soon as nobody listens, the next one may
            self.socket_file.remove()
        with socket.socket(fileno=self.listener) as shared:
            worker.refuse(shared)
        seconds = worker.STOP_SECONDS + self.now.app.settings.dns.seconds + KILL_AFTER
        self.retired.update(self.children)
        self.retired.update(self.incoming)
        self.children, self.incoming, self.due = {}, {}, {}
        asked = self.wants_stop
        while self.retired:
            self._reap()
            waited = time.monotonic() - began
            if waited > seconds or (self.wants_stop > asked and waited > HURRY_AFTER):
                for child in self.retired.values():
                    child.tell(signal.SIGKILL)
                seconds += KILL_AFTER
            if self.retired:
                self._wait(0.5)
        if self.pid_file:
            self.pid_file.remove()
        self._summarize()
        self._say("info", event="stopped")

    # -- small things -----------------------------------------------------------------------

    def _signals(self) -> None:
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, self._on_stop)
        signal.signal(signal.SIGHUP, self._on_reload)
        signal.signal(signal.SIGCHLD, lambda _signum, _frame: None)  # wakes _wait()

    def _on_stop(self, _signum: int, _frame: FrameType | None) -> None:
        self.wants_stop += 1

    def _on_reload(self, _signum: int, _frame: FrameType | None) -> None:
        self.wants_reload = True

    def _write_pid(self) -> None:
        if path := self.now.app.settings.pid_file:
            try:
                self.pid_file = write_pid(path)
            except OSError as error:  # postseal reload needs it, mail does not
                why = f"{path}: {error.strerror}"
                self._say("warning", event="no-pid-file", error=why, hint=NO_PID_FILE)

    def _summarize(self) -> None:
        """Log what a configuration has counted, at its end."""
        for pairs in self.now.app.summary():
            self.now.log.info(logline(pairs))

    def _say(self, level: str, **pairs: Value) -> None:
        getattr(self.now.log, level)(logline(pairs.items()))
