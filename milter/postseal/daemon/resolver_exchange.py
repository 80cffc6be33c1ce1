"""One question on its way: datagrams out, datagrams in, until there is an outcome.

NAME
    resolver_exchange - ask servers in turn over UDP, over TCP when an answer was cut

GIVES
    Exchange: start() sends and returns at once; pump() is called by a thread that
    needs the answer now, and does all the work there is: it waits, asks the next
    server, follows a CNAME that leaves the answer.  There is no thread behind it.

DOES NOT
    cache, count a budget, or raise: what goes wrong is an outcome, a DnsFault.

While it is on its way a question has a socket to itself, connected: the kernel picked
a random source port and drops what does not come from the server.  A datagram with
another id or question is passed over, not believed (RFC 5452 sections 4 and 9).  A server
that was given up can still answer late on its socket while the next one is being asked.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable
from time import monotonic

from postseal.core.resolver import Answer, DnsFault, Kind
from postseal.daemon import resolver_wire as wire
from postseal.daemon.resolver_cache import Known
from postseal.daemon.resolver_lean import MAX_CHAIN, TTL_MAX
from postseal.daemon.resolver_servers import Line, Plan, Server, Upstream

_ROOM = 4096  # for one datagram: more than we offer, so a full one was cut
_FAULTS = {
    wire.SERVFAIL: DnsFault.SERVFAIL,
    wire.REFUSED: DnsFault.REFUSED,
    wire.NOTIMP: DnsFault.REFUSED,
    wire.FORMERR: DnsFault.MALFORMED,
}


class Exchange:
    """One question.  start() and pump() are for the thread that holds lock."""

    __slots__ = (
        "_chain", "_cut", "_fault", "_legs", "_plan", "_query", "_secure", "_seen", "_sent",
        "_tries", "_try_ends", "_ttl", "_upstream", "holders", "kind", "lock", "name", "outcome",
        "patience", "questions", "started",
    )  # fmt: skip

    def __init__(self, name: str, kind: Kind, plan: Plan, upstream: Upstream) -> None:
        self.name = name
        self.kind = kind
        self.lock = threading.Lock()
        self.outcome: Known | None = None
        self.holders = 1  # sessions that wait for it; kept by the Resolver
        self.questions = 1  # more when a CNAME had to be asked for
        self.started = monotonic()
        self.patience = plan.timeout  # an answer that takes longer is late
        self._upstream = upstream
        self._plan = plan
        self._tries: list[Server] = []
        self._legs: list[Line] = []
        self._sent = 0  # datagrams
        self._try_ends = 0.0
        self._fault = DnsFault.TIMEOUT
        self._cut: Line | None = None  # its answer was cut: ask again over TCP
        self._chain = 0
        self._ttl = TTL_MAX
        self._secure = True
        self._seen: set[bytes] = set()
        self._query = self._put(wire.question(name, kind))

    def start(self) -> None:
        """Send the first datagram."""
        self._next_try()

    def pump(self, until: float, silence: Callable[[], None] | None = None) -> Known | None:
        """Work until there is an outcome, or until that time (monotonic): then None.

        Datagrams that are there already are read even when the time is over.  silence is
        called whenever a server has not answered in time.
        """
        while self.outcome is None:
            if self._cut is not None:
                if monotonic() >= until:
                    return None
                self._ask_by_stream(self._cut, until)
                continue
            got = self._receive(min(self._try_ends, until) - monotonic())
            if got is not None:
                self._take(*got)
                continue
            now = monotonic()
            if now >= self._try_ends:
                self._next_try()
                if silence is not None:
                    silence()
            elif now >= until:
                return None
        return self.outcome

    def close(self) -> None:
        """Close the sockets."""
        for leg in self._legs:
            leg.sock.close()
        self._legs.clear()

    # -- sending ---------------------------------------------------------------

    def _put(self, question: bytes) -> wire.Query:
        """A new question to all servers, with a new id."""
        self._seen.add(question)
        self._tries = [*self._plan.servers] * self._plan.attempts
        return wire.Query(self.kind, self._upstream.identity(), question)

    def _next_try(self) -> None:
        """Ask the next server; without one the exchange has failed."""
        for leg in self._legs:
            self._upstream.silent(leg.server)
        if self._legs and self._fault is DnsFault.NETWORK:  # others are merely silent
            self._fault = DnsFault.TIMEOUT
        while self._tries:
            server = self._tries.pop(0)
            if self._send(server):
                self._try_ends = monotonic() + self._plan.timeout
                return
            self._upstream.silent(server)
            if self._fault is DnsFault.TIMEOUT and not self._legs:
                self._fault = DnsFault.NETWORK
        self._finish(self._fault)

    def _send(self, server: Server) -> bool:
        """Send to this server, by the socket it has if there is one."""
        self._sent += 1
        try:
            for leg in self._legs:
                if leg.server is server:
                    leg.sock.send(self._query.packet)
                    return True
            line = self._upstream.line(server)
        except OSError:
            return False
        try:
            line.sock.send(self._query.packet)
        except OSError:
            line.sock.close()
            return False
        self._legs.append(line)
        return True

    # -- receiving -------------------------------------------------------------

    def _receive(self, wait: float) -> tuple[Line, bytes] | None:
        """One datagram, or None after wait seconds (not waiting at all if 0 or less)."""
        if len(self._legs) == 1:  # the usual case: often it is there already
            got = self._recv(self._legs[0])
            if got is not None or wait <= 0 or not self._legs:
                return got
        poll = select.poll()
        for leg in self._legs:
            poll.register(leg.sock, select.POLLIN)
        ready = {fd for fd, _ in poll.poll(max(0, int(wait * 1000) + 1))}
        for leg in self._legs:
            if leg.sock.fileno() in ready:
                return self._recv(leg)
        return None

    def _recv(self, leg: Line) -> tuple[Line, bytes] | None:
        try:
            return leg, leg.sock.recv(_ROOM)
        except BlockingIOError:
            return None
        except OSError:  # nobody listens there (ICMP), or the network went away
            self._drop(leg)
            self._upstream.silent(leg.server)
            if self._fault is DnsFault.TIMEOUT:
                self._fault = DnsFault.NETWORK
            if not self._legs:
                self._try_ends = 0.0
            return None

    def _drop(self, leg: Line) -> None:
        leg.sock.close()
        self._legs.remove(leg)

    # -- judging ---------------------------------------------------------------

    def _take(self, leg: Line, packet: bytes) -> None:
        """Make of one datagram what it is: nothing, an outcome, a reason to go on."""
        try:
            reply = wire.read(packet, self._query)
        except wire.MalformedReply:
            self._refuse(leg, DnsFault.MALFORMED)
            return
        if reply is None:
            return
        if reply.truncated or len(packet) == _ROOM:
            self._cut = leg
        else:
            self._judge(leg, reply)

    def _judge(self, leg: Line, reply: wire.Reply) -> None:
        if reply.rcode in (wire.NOERROR, wire.NXDOMAIN) and not reply.referral:
            self._upstream.answered(leg.server)
            self._believe(reply)
        elif reply.rcode in (wire.FORMERR, wire.NOTIMP) and self._query.edns:
            # A server from before EDNS0 (RFC 6891 section 7)
            self._query = self._query._replace(edns=False)
            self._send(leg.server)
        else:
            fault = DnsFault.REFUSED if reply.referral else _FAULTS.get(reply.rcode)
            self._refuse(leg, fault or DnsFault.SERVFAIL)

    def _refuse(self, leg: Line, fault: DnsFault) -> None:
        """This server has spoken and does not help: never mind it, ask the others."""
        self._drop(leg)
        self._tries = [server for server in self._tries if server is not leg.server]
        self._fault = fault
        if self._tries or not self._legs:
            self._next_try()

    def _believe(self, reply: wire.Reply) -> None:
        """An answer.  It may end in a name that has yet to be asked for."""
        self._chain += reply.chain
        self._ttl = min(self._ttl, reply.ttl)
        self._secure = self._secure and reply.secure
        if not reply.alias:
            exists = reply.rcode != wire.NXDOMAIN
            records = reply.records if exists else ()
            answer = Answer(self.name, self.kind, records, exists, self._ttl, self._secure)
            if self._sent == 1 and self._legs:  # no other answer can still come on it
                self._upstream.keep(self._legs.pop())
            self._finish(answer)
            return
        question = wire.question_for(reply.alias, self.kind)
        if self._chain > MAX_CHAIN or question in self._seen:
            self._finish(DnsFault.MALFORMED)
            return
        self.close()
        self._query = self._put(question)
        self.questions += 1
        self._next_try()

    def _finish(self, outcome: Known) -> None:
        self.close()
        self.outcome = outcome

    # -- TCP -------------------------------------------------------------------

    def _ask_by_stream(self, leg: Line, until: float) -> None:
        """The same question over TCP.  When until comes first, the next pump() asks again."""
        end = min(monotonic() + self._plan.timeout, until)
        try:
            reply = wire.read(_stream(leg.server, self._query.packet, end), self._query)
            if reply is None or reply.truncated:
                raise wire.MalformedReply("TCP answer cut, or to another question")
        except OSError:
            if monotonic() < until:
                self._cut = None
                self._refuse(leg, DnsFault.TIMEOUT)
        except wire.MalformedReply:
            self._cut = None
            self._refuse(leg, DnsFault.MALFORMED)
        else:
            self._cut = None
            self._judge(leg, reply)


def _stream(server: Server, packet: bytes, end: float) -> bytes:
    """One question and its answer over TCP.  Raises OSError (TimeoutError included)."""
    with socket.socket(server.family, socket.SOCK_STREAM) as sock:
        _within(sock, end)
        sock.connect(server.address)
        _within(sock, end)
        sock.sendall(len(packet).to_bytes(2, "big") + packet)
        size = int.from_bytes(_read(sock, 2, end), "big")
        return _read(sock, size, end)


def _within(sock: socket.socket, end: float) -> None:
    """Let the next call on sock wait until end.  Raises TimeoutError when that is past."""
    left = end - monotonic()
    if left <= 0:
        raise TimeoutError
    sock.settimeout(left)


def _read(sock: socket.socket, size: int, end: float) -> bytes:
    """Exactly size octets.  Raises OSError (TimeoutError included)."""
    parts = bytearray()
    while len(parts) < size:
        _within(sock, end)
        part = sock.recv(size - len(parts))
        if not part:
            raise ConnectionResetError
        parts += part
    return bytes(parts)
