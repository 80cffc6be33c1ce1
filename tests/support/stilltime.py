"""Time for the resolver that passes only when nothing else can happen.

    def test_...(still: StillTime) -> None:
        with DnsServer(RECORDS, faults={"slow.example": Fault.TIMEOUT}) as server:
            ...                 # a question that stays without an answer takes no time at all
            still.settle()      # everything that was asked has been answered, or never will be
            still.now += 0.3    # seconds

NAME
    stilltime - StillTime, and the fixture still: the resolver's clock and its waiting

GIVEN
    a Resolver and DnsServers in this process.

GIVES
    what a machine without any other load would do.  Whoever waits for datagrams gets those
    that the server has for it, however long that takes; only when every datagram is done with
    and none can come any more does the clock go on, by what there was to wait.  A short
    time-out therefore never ends before an answer that is coming, however busy the machine.

DOES NOT
    concern the waiting of a thread for another, nor for a server that is mute over TCP: those
    take real time.
"""

from __future__ import annotations

import heapq
import itertools
import select
import socket
import threading
import time
import weakref
from collections.abc import Callable, Iterable
from types import SimpleNamespace
from typing import Any

import pytest

from postseal.daemon import resolver, resolver_exchange, resolver_servers
from support.dnsserver import RUNNING, DnsServer, Fault

HANG = 60.0  # real seconds after which a server that does not come to an end is a fault
_STREAM = resolver_exchange._stream
PAUSE = 0.001  # real seconds between two looks


class Socket(socket.socket):
    """A UDP socket of the resolver's that knows what is still to come on it."""

    server: DnsServer | None = None
    port = 0
    asked = got = 0  # datagrams

    def connect(self, address: Any) -> None:
        super().connect(address)
        if server := RUNNING.get(address[1]):
            self.port = self.getsockname()[1]
            self.handled = server.handled[self.port]  # another socket had this port
            self.replied = server.replied[self.port]
        self.server = server  # at last: another thread may be looking

    def send(self, data: Any, flags: int = 0, /) -> int:
        self.asked += 1
        return super().send(data, flags)

    def recv(self, size: int, flags: int = 0, /) -> bytes:
        octets = super().recv(size, flags)
        self.got += 1
        return octets

    @property
    def settled(self) -> bool:
        """Whether nothing is on its way, in either direction; there may be something to read."""
        if self.server is None or self.fileno() < 0 or self.server.port not in RUNNING:
            return True
        if self.server.handled[self.port] - self.handled < self.asked:
            return False
        missing = self.server.replied[self.port] - self.replied > self.got
        return not missing or bool(_readable([self]))


def _readable(socks: Iterable[Socket]) -> list[tuple[int, int]]:
    poll = select.poll()
    for sock in socks:
        poll.register(sock, select.POLLIN)
    return poll.poll(0)


class Poll:
    """What select.poll() makes, as far as the resolver uses it."""

    def __init__(self, still: StillTime) -> None:
        self._still = still
        self._socks: list[Socket] = []

    def register(self, sock: Socket, _events: int) -> None:
        self._socks.append(sock)

    def poll(self, milliseconds: int) -> list[tuple[int, int]]:
        """What can be read; nothing after so much time of ours, where nothing comes."""
        end = self._still() + milliseconds / 1000
        while True:
            self._still.settle()
            if ready := _readable(self._socks):
                return ready
            self._still.settle()  # what others were asked counts from now, not from later
            if not self._still.go_on(end):
                return []


class StillTime:
    """The clock: seconds that pass only when told to, or when all there is to do is to wait."""

    def __init__(self) -> None:
        self.now = 1000.0
        self._late: list[tuple[float, int, Callable[[], None]]] = []
        self._count = itertools.count()
        self._socks: weakref.WeakSet[Socket] = weakref.WeakSet()
        self._lock = threading.Lock()

    def __call__(self) -> float:
        return self.now

    def later(self, seconds: float, call: Callable[[], None]) -> None:
        """Call when so much of this time has passed: the server's delayed answers."""
        with self._lock:
            heapq.heappush(self._late, (self.now + seconds, next(self._count), call))

    def go_on(self, end: float) -> bool:
        """Let time pass up to the next delayed answer, which is sent, or else to end: False."""
        with self._lock:
            if not self._late or self._late[0][0] > end:
                self.now = max(self.now, end)
                return False
            due, _, call = heapq.heappop(self._late)
            self.now = max(self.now, due)
        call()
        return True

    def settle(self) -> None:
        """Wait until nothing is on its way: what was asked is answered, or never will be."""
        hang = time.monotonic() + HANG
        with self._lock:
            socks = list(self._socks)
        while not all(sock.settled for sock in socks):
            assert time.monotonic() < hang, "a DnsServer does not come to an end"
            time.sleep(PAUSE)

    def stream(self, server: resolver_servers.Server, packet: bytes, end: float) -> bytes:
        """resolver_exchange's: only a server that says nothing lets the time go by."""
        asked = RUNNING.get(server.port)
        mute = asked is not None and asked.fault(packet) is Fault.TRUNCATE_MUTE
        try:
            return _STREAM(server, packet, end if mute else end + HANG)
        except TimeoutError:
            self.now = max(self.now, end)
            raise

    def socket(self, *of: Any) -> Socket:
        sock = Socket(*of)
        with self._lock:
            self._socks.add(sock)
        return sock


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> StillTime:
    """The resolver of this process goes by still time, and so do the delays of a DnsServer."""
    clock = StillTime()
    for module in (resolver, resolver_exchange, resolver_servers):
        monkeypatch.setattr(module, "monotonic", clock)
    sockets = SimpleNamespace(**{**vars(socket), "socket": clock.socket})
    monkeypatch.setattr(resolver_servers, "socket", sockets)
    polls = SimpleNamespace(poll=lambda: Poll(clock), POLLIN=select.POLLIN)
    monkeypatch.setattr(resolver_exchange, "select", polls)
    monkeypatch.setattr(resolver_exchange, "_stream", clock.stream)
    monkeypatch.setattr(DnsServer, "later", staticmethod(clock.later))
    return clock
