"""One worker process: libmilter in a thread, and a main thread that knows when to end.

NAME
    worker - run() in a forked child; does not return

GIVEN
    the Application, the listening descriptor, the lifeline (a pipe that breaks when the
    supervisor is gone) and a pipe to say "ready" on.

GIVES
    exit status 0 after a stop, 1 when it could not start or libmilter gave up.

SIGNALS
    SIGTERM  stop: take no more connections, finish the messages under way, end.
    SIGUSR1  retire: take no more connections, end when the last one has closed.

libmilter's own ways to stop are not used: smfi_stop() and its signal thread close every
session at once, messages under way included, and notice only after up to five seconds.
Instead a quiet socket is put in the listening socket's place, by dup2(), and libmilter
waits there for connections that never come.  Its signal thread stays out of the way because
milter.main() runs in a second thread: the kernel prefers the main thread for signals.
"""

from __future__ import annotations

import contextlib
import gc
import os
import resource
import select
import signal
import socket
import threading
import time
from dataclasses import dataclass, field
from importlib import import_module
from types import FrameType

from postseal.daemon import adapter, heap, libmilter, privileges, pulse
from postseal.daemon.app import Application
from postseal.daemon.guard import fault_of
from postseal.daemon.logline import Value, logline
from postseal.daemon.logs import Log, library_warnings
from postseal.daemon.outage import Counting, Outage

SETTLE = 0.25  # seconds between a verdict and the end, for libmilter to write its reply
TICK = 0.05  # seconds between two looks at what is under way, while ending
STOP_SECONDS = 30.0  # messages under way get this long after SIGTERM, and the DNS budget on top
RETIRE_SECONDS = 300.0  # connections get this long after a reload: Postfix's own idle limit
FILES = 65536  # descriptors a worker may have, where the hard limit allows
READY = b"r"

# Libraries load these at first use.  By then root is given up, and an installation below a
# directory that only root may enter cannot be read any more: dnspython then takes records for
# opaque octets, and idna fails.  So they are loaded before workers are forked.
EARLY = (
    "encodings.idna",
    "encodings.punycode",
    "encodings.unicode_escape",
    "idna.uts46data",
    "dns.rdtypes.ANY.CNAME",
    "dns.rdtypes.ANY.DNAME",
    "dns.rdtypes.ANY.MX",
    "dns.rdtypes.ANY.NS",
    "dns.rdtypes.ANY.OPT",
    "dns.rdtypes.ANY.PTR",
    "dns.rdtypes.ANY.SOA",
    "dns.rdtypes.ANY.TXT",
    "dns.rdtypes.IN.A",
    "dns.rdtypes.IN.AAAA",
)
for _name in EARLY:
    import_module(_name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """What the supervisor gives a new worker."""

    listener: int  # libmilter's listening descriptor
    lifeline: int  # read end; end of file means that the supervisor is gone
    ready: int  # write end; one READY when connections are taken
    cpu: int | None  # to be bound to, or None
    identity: privileges.Identity | None  # to become, or None
    first: bool = False  # the one that does what is to be done once for all
    pulse: pulse.Pulse = field(default_factory=pulse.Pulse)  # to be kept beating


class Orders:
    """What the signals told us."""

    def __init__(self) -> None:
        self.stop = False
        self.retire = False
        self.ended = False  # libmilter's thread came back

    @property
    def any(self) -> bool:
        return self.stop or self.retire

    def on_stop(self, _signum: int, _frame: FrameType | None) -> None:
        self.stop = True

    def on_retire(self, _signum: int, _frame: FrameType | None) -> None:
        self.retire = True


def run(app: Application, log: Log, post: Post) -> None:
    """The child's whole life.  Never returns: os._exit() skips clean-up that is the parent's."""
    status = 1
    try:
        status = _live(app, log, post)
    except BaseException as error:
        fault = fault_of(error)
        pairs = [("event", "worker-failed"), ("error", fault.error), ("where", fault.where)]
        log.error(logline(pairs))
    finally:
        os._exit(status)


def _live(app: Application, log: Log, post: Post) -> int:
    orders = Orders()
    wake, waker = _signals(orders)
    _prepare(post)
    library_warnings(log)
    resolvers = app.resolvers()
    calls = adapter.Adapter(
        app.engine,
        resolvers,
        log,
        accept_on_error=app.settings.on_error == "accept",
        macros=app.macros,
        recipients=app.recipients,
    )
    libmilter.install(calls, app.recipients)
    # What was there before the fork lives for ever and need not be looked at; what a message
    # leaves behind has hardly ever a cycle.
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)
    threading.Thread(target=_serve, args=(log, orders, waker), daemon=True).start()
    os.write(post.ready, READY)
    os.close(post.ready)
    if post.first and app.background is not None:
        threading.Thread(target=app.background, args=(resolvers, log), daemon=True).start()
    outage = Outage(resolvers, log) if post.first and isinstance(resolvers, Counting) else None
    while not (orders.any or orders.ended):
        post.pulse.beat()
        if outage:
            outage.look()
        ready, _, _ = select.select([wake.fileno(), post.lifeline], [], [], pulse.BEAT)
        _emptied(wake)
        orders.stop |= post.lifeline in ready
    if orders.ended:
        return 1
    with _stop_listening(post.listener) as shared:
        if _broken(post.lifeline):  # nobody else is left to do it; the others have let go by then
            time.sleep(SETTLE)
            refuse(shared)
    _drain(calls, orders, post, log, STOP_SECONDS + app.settings.dns.seconds)
    return 0


def _prepare(post: Post) -> None:
    """What the process must be before it meets a message."""
    heap.one_heap()
    if post.cpu is not None:
        # A smaller cpuset came meanwhile, or a system call filter forbids it: unbound works too.
        with contextlib.suppress(OSError):
            os.sched_setaffinity(0, {post.cpu})
            _take_turns()
    with contextlib.suppress(OSError, ValueError):  # one descriptor for every connection
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, min(hard, FILES)), hard))
    if post.identity is not None:
        privileges.become(post.identity)


def _take_turns() -> None:
    """Let no thread interrupt another one of this process because a packet came for it.

    Only one of them has the interpreter: the others would wake on the one processor, find
    that, and sleep again.  Measured, it is up to 3 % of the CPU when verifying and 5 to 9 %
    when signing.  Where others keep the processor busy, we wait some milliseconds longer.
    Raises OSError.
    """
    os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))


def _serve(log: Log, orders: Orders, waker: int) -> None:
    """libmilter's thread.  Coming back means that libmilter gave up; that is fatal."""
    why = "returned"
    try:
        libmilter.serve()
    except BaseException as error:
        why = fault_of(error).error
    log.error(logline([("event", "libmilter-ended"), ("error", why)]))
    orders.ended = True
    os.write(waker, b"e")


def _signals(orders: Orders) -> tuple[socket.socket, int]:
    """Install the handlers; gives a socket that becomes readable with every signal."""
    readable, writable = socket.socketpair()
    readable.setblocking(False)
    writable.setblocking(False)
    waker = writable.detach()
    signal.set_wakeup_fd(waker, warn_on_full_buffer=False)
    signal.signal(signal.SIGTERM, orders.on_stop)
    signal.signal(signal.SIGUSR1, orders.on_retire)
    for ignored in (signal.SIGINT, signal.SIGHUP, signal.SIGUSR2):
        signal.signal(ignored, signal.SIG_IGN)  # Ctrl-C reaches us too; the supervisor decides
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    return readable, waker


def _emptied(wake: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while wake.recv(64):
            pass


def _broken(lifeline: int) -> bool:
    """Whether the supervisor is gone."""
    return bool(select.select([lifeline], [], [], 0)[0])


def refuse(shared: socket.socket) -> None:
    """End the listening socket for all processes: clients are refused and need not wait.

    It would otherwise live on in libmilter's poll() for up to five seconds.
    """
    with contextlib.suppress(OSError):
        shared.shutdown(socket.SHUT_RDWR)


def _stop_listening(listener: int) -> socket.socket:
    """Put a socket on which nobody ever calls in the listener's place, in this process alone.

    Gives the listener, which the other workers may still be serving.
    """
    shared = socket.socket(fileno=os.dup(listener))
    quiet = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    quiet.bind("")  # Linux gives it an abstract name of its own
    quiet.listen(1)
    quiet.setblocking(False)
    os.dup2(quiet.fileno(), listener, inheritable=False)
    quiet.close()
    return shared


def _drain(calls: adapter.Adapter, orders: Orders, post: Post, log: Log, patience: float) -> None:
    """Wait for what is under way: messages after SIGTERM, whole connections after SIGUSR1."""
    began = time.perf_counter()
    retire_until = began + RETIRE_SECONDS
    stopping: float | None = None  # since when only messages count
    while True:
        now = time.perf_counter()
        if stopping is None and (orders.stop or now > retire_until):
            stopping = now
        waiting = [session for session in list(calls.sessions) if stopping is None or session.busy]
        if not waiting and now - max(began, calls.last_reply) > SETTLE:
            return
        if stopping is not None and now - stopping > patience:
            pairs: list[tuple[str, Value]] = [("event", "gave-up"), ("messages", len(waiting))]
            log.warning(logline(pairs))
            return
        time.sleep(TICK)
        post.pulse.beat()
        orders.stop |= _broken(post.lifeline)
