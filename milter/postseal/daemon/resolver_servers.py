"""Which name servers to ask, in which order.

NAME
    resolver_servers - nameserver addresses, resolv.conf, and servers that stay silent

GIVES
    Server from "192.0.2.1", "192.0.2.1:5353", "2001:db8::1" or "[2001:db8::1]:53";
    Upstream, the list as it stands now: resolv.conf is read again when it changes,
    and a server that did not answer comes last for half a minute.

DOES NOT
    use domain, search, ndots or sortlist: names are asked as they are.

SEE ALSO
    resolv.conf(5): nameserver, options timeout and attempts.
"""

from __future__ import annotations

import os
import re
import socket
import threading
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from ipaddress import IPv6Address, ip_address
from pathlib import Path
from time import monotonic

PORT = 53
TIMEOUT = 2.0  # seconds for one try; resolv.conf's own default of 5 is too slow for mail
ATTEMPTS = 2  # tries per server
SERVERS_MAX = 8
_SILENT = 30.0  # seconds for which a server that did not answer comes last
_LINE_SECONDS = 5.0  # for which a socket is used
_LINE_QUESTIONS = 32  # asked over one socket
_LINES = 32  # sockets kept for the next question to one server
_LOOK_AGAIN = 5.0  # seconds between two looks at resolv.conf
_FORM = re.compile(r"(?:\[(?P<six>[^\]]+)\]|(?P<four>[0-9.]+))(?::(?P<port>\d{1,5}))?", re.ASCII)


Address = tuple[str, int] | tuple[str, int, int, int]


class ServerError(ValueError):
    """Not the address of a name server."""


@dataclass(frozen=True)
class Server:
    """One name server: an address in numbers, never a name."""

    host: str
    port: int = PORT

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @cached_property
    def family(self) -> socket.AddressFamily:
        """AF_INET or AF_INET6."""
        return socket.AF_INET6 if ":" in self.host else socket.AF_INET

    @cached_property
    def address(self) -> Address:
        """What connect() takes."""
        if ":" not in self.host:
            return self.host, self.port
        host, _, zone = self.host.partition("%")
        return host, self.port, 0, _scope(zone)


def _scope(zone: str) -> int:
    if not zone or zone.isdigit():
        return int(zone or 0)
    try:
        return socket.if_nametoindex(zone)
    except OSError:
        return 0  # connect() will say that it cannot be reached


def parse_server(text: str) -> Server:
    """Read "address", "address:port" or "[address]:port".  Raises ServerError."""
    host, port = text.strip(), str(PORT)
    if found := _FORM.fullmatch(host):
        host = found["six"] or found["four"]
        port = found["port"] or port
    try:
        address = ip_address(host)
    except ValueError:
        raise ServerError(f"{text!r} is not an address, address:port or [address]:port") from None
    if not 0 < int(port) < 65536:
        raise ServerError(f"{text!r}: no such port")
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return Server(str(address), int(port))


@dataclass(frozen=True, slots=True)
class Plan:
    """Whom to ask, how long to wait for each, how often."""

    servers: tuple[Server, ...]
    timeout: float = TIMEOUT
    attempts: int = ATTEMPTS


def parse_resolv_conf(text: str) -> Plan:
    """The nameserver lines and the two options that concern us; the rest is not ours.

    Never raises: lines that cannot be read are passed over, as the C library does.
    """
    servers: list[Server] = []
    timeout, attempts = TIMEOUT, ATTEMPTS
    for line in text.splitlines():
        word, *values = line.split() or [""]
        if word == "nameserver" and values:
            try:
                servers.append(parse_server(values[0]))
            except ServerError:
                continue
        elif word == "options":
            for value in values:
                name, _, number = value.partition(":")
                if number.isascii() and number.isdigit():
                    if name == "timeout":
                        timeout = float(min(max(1, int(number[:4])), 10))
                    elif name == "attempts":
                        attempts = min(max(1, int(number[:4])), 5)
    return Plan(tuple(servers[:SERVERS_MAX]) or (Server("127.0.0.1"),), timeout, attempts)


@dataclass(slots=True, eq=False)
class Line:
    """A UDP socket that does not block, connected to one server, hence with a port of its own.

    It is given up at ends (monotonic) or after left more questions: whoever wants to guess
    its port (RFC 5452 section 9.2) gets no more time for it than one slow question gives.
    """

    server: Server
    sock: socket.socket
    ends: float
    left: int


class Upstream:
    """The servers of one process.  Safe to use from many threads."""

    def __init__(
        self,
        nameservers: Iterable[str] = (),
        resolv_conf: Path = Path("/etc/resolv.conf"),
        *,
        timeout: float | None = None,
        attempts: int | None = None,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        """nameservers replace those of resolv.conf, timeout and attempts its options.

        Raises ServerError for a nameserver that cannot be read.
        """
        self._fixed = tuple(parse_server(text) for text in nameservers)
        self._path = resolv_conf
        self._timeout = timeout
        self._attempts = attempts
        self._clock = clock
        self._silent: dict[Server, float] = {}
        self._lock = threading.Lock()
        self._stamp: tuple[int, int, int] | None = None
        self._looked = float("-inf")
        self._plan = Plan(self._fixed)
        self._identities: list[bytes] = []
        self._lines: defaultdict[Address, list[Line]] = defaultdict(list)

    def __del__(self) -> None:
        for waiting in getattr(self, "_lines", {}).values():
            for line in waiting:
                line.sock.close()

    def plan(self) -> Plan:
        """Whom to ask now: servers that have been silent of late come last."""
        now = self._clock()
        if not self._silent and now - self._looked < _LOOK_AGAIN:
            return self._plan  # the usual case, without the lock
        with self._lock:
            if now - self._looked >= _LOOK_AGAIN:
                self._read()
                self._looked = now  # from here on others need not wait for it
            plan = self._plan
            if not self._silent:
                return plan
            self._silent = {s: until for s, until in self._silent.items() if until > now}
            order = sorted(plan.servers, key=lambda server: server in self._silent)
        return Plan(tuple(order), plan.timeout, plan.attempts)

    def silent(self, server: Server) -> None:
        """Server did not answer in time, or cannot be reached."""
        with self._lock:
            self._silent[server] = self._clock() + _SILENT

    def answered(self, server: Server) -> None:
        """Server answered; what it said does not matter here."""
        if self._silent and server in self._silent:
            with self._lock:
                self._silent.pop(server, None)

    def identity(self) -> bytes:
        """Two random octets.  A system call for each would cost more than the query's packet."""
        while True:
            try:
                return self._identities.pop()  # one step: needs no lock
            except IndexError:
                octets = os.urandom(512)
                self._identities += [octets[at : at + 2] for at in range(0, 512, 2)]

    def line(self, server: Server) -> Line:
        """A way to send to server.  Raises OSError.

        One that has asked and heard asks again: a socket for each question costs three system
        calls more, each a chance for another thread to take over.
        """
        now = monotonic()
        waiting = self._lines.get(server.address)
        while waiting:
            try:
                line = waiting.pop()
            except IndexError:  # another thread was faster
                break
            if line.ends > now:
                return line
            line.sock.close()
        sock = socket.socket(server.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        try:
            sock.connect(server.address)
        except OSError:
            sock.close()
            raise
        return Line(server, sock, now + _LINE_SECONDS, _LINE_QUESTIONS)

    def keep(self, line: Line) -> None:
        """Take a line back: its server has answered, and nothing else is awaited on it."""
        if self._silent:
            self.answered(line.server)
        line.left -= 1
        waiting = self._lines[line.server.address]
        if line.left and len(waiting) < _LINES:
            waiting.append(line)
        else:
            line.sock.close()

    def _read(self) -> None:
        """Take resolv.conf in, if it changed.  One that cannot be read changes nothing."""
        try:
            found = self._path.stat()
            stamp = (found.st_mtime_ns, found.st_size, found.st_ino)
            if stamp == self._stamp:
                return
            plan = parse_resolv_conf(self._path.read_text("utf-8", "replace"))
        except OSError:
            if self._stamp is not None:
                return
            stamp, plan = None, parse_resolv_conf("")
        self._stamp = stamp
        self._plan = Plan(
            self._fixed or plan.servers,
            plan.timeout if self._timeout is None else self._timeout,
            plan.attempts if self._attempts is None else self._attempts,
        )
