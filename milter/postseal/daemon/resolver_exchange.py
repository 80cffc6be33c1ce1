"""One question on its way: datagrams out, datagrams in, until there is an outcome.

NAME
    resolver_exchange - ask servers in turn over UDP, over TCP when an answer was cut

GIVES
    Exchange: ask_next() sends and returns at once; pump() is called by a thread that
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

from postseal.core.resolver import Answer, DnsFault
from postseal.daemon import resolver_wire as wire
from postseal.daemon.resolver_cache import Key, Known
from postseal.daemon.resolver_lean import MAX_CHAIN
from postseal.daemon.resolver_servers import Line, Server, Upstream

_ROOM = 4096  # for one datagram: more than we offer, so a full one was cut
_FAULTS = {
    wire.SERVFAIL: DnsFault.SERVFAIL,
    wire.REFUSED: DnsFault.REFUSED,
    wire.NOTIMP: DnsFault.REFUSED,
    wire.FORMERR: DnsFault.MALFORMED,
}


class Exchange:
    """One question.  ask_next() and pump() are for the thread that holds lock."""

    outcome: Known | None = None
    # As they are for most questions to the end
    holders = 1  # sessions that wait for it; kept by the Resolver
    questions = 1  # more when a CNAME had to be asked for
    _sent = 0  # datagrams
    _fault = DnsFault.TIMEOUT
    _try_ends = 0.0
    _cut: Line | None = None  # its answer was cut: ask again over TCP
    _before: wire.Reply | None = None  # the CNAMEs up to here, taken together
    _seen: tuple[bytes, ...] = ()  # the questions that led to them

    def __init__(self, key: Key, upstream: Upstream) -> None:
        self.key = key
        self.lock = threading.Lock()
        self.started = monotonic()
        self._upstream = upstream
        self._plan = plan = upstream.plan()
        self._tries = [*plan.servers] * plan.attempts
        self._legs: list[Line] = []
        name, kind = key
        self._query = wire.Query(kind, upstream.identity(), wire.question(name, kind))

    @property
    def patience(self) -> float:
        """Seconds: an answer that takes longer is late."""
        return self._plan.timeout

    def ask_next(self) -> None:
        """Ask the next server, at first the first one; without one the exchange has failed."""
        if self._legs:
            self._nothing_came()
        while self._tries:
            server = self._tries.pop(0)
            if self._send(server):
                self._try_ends = monotonic() + self._plan.timeout
                return
            self._upstream.silent(server)
            if self._fault is DnsFault.TIMEOUT and not self._legs:
                self._fault = DnsFault.NETWORK
        self._finish(self._fault)

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
            elif len(self._legs) == 1 and self._hear(self._legs[0]):
                continue  # the usual case: it was there already
            elif not self._wait(min(self._try_ends, until) - monotonic()):
                now = monotonic()
                if now >= self._try_ends:
                    self.ask_next()
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

    def _nothing_came(self) -> None:
        """None of those that were asked has answered in time."""
        for leg in self._legs:
            self._upstream.silent(leg.server)
        if self._fault is DnsFault.NETWORK:  # others are merely silent
            self._fault = DnsFault.TIMEOUT

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

    def _wait(self, seconds: float) -> bool:
        """Wait so long at most for one datagram, and take it in.  False when none came."""
        if seconds <= 0 and len(self._legs) <= 1:  # it has just been looked at
            return False
        poll = select.poll()
        for leg in self._legs:
            poll.register(leg.sock, select.POLLIN)
        for fd, _ in poll.poll(max(0, int(seconds * 1000) + 1)):
            for leg in self._legs:
                if leg.sock.fileno() == fd:
                    return self._hear(leg)
        return False

    def _hear(self, leg: Line) -> bool:
        """Take in one datagram, whatever it is worth.  False when there is none."""
        try:
            packet = leg.sock.recv(_ROOM)
        except BlockingIOError:
            return False
        except OSError:  # nobody listens there (ICMP), or the network went away
            self._lose(leg)
            return False
        whole = len(packet) < _ROOM
        if whole and self._sent == 1:  # nothing else can still come on this leg
            self.outcome = wire.usual(packet, self._query, self.key[0])
            if self.outcome is not None:
                self._upstream.keep(self._legs.pop())
                return True
        try:
            reply = wire.read(packet, self._query)
        except wire.MalformedReply:
            self._refuse(leg, DnsFault.MALFORMED)
            return True
        if reply is None:
            return True
        if reply.truncated or not whole:
            self._cut = leg
        else:
            self._judge(leg, reply)
        return True

    def _lose(self, leg: Line) -> None:
        """Its server cannot be reached."""
        self._drop(leg)
        self._upstream.silent(leg.server)
        if self._fault is DnsFault.TIMEOUT:
            self._fault = DnsFault.NETWORK
        if not self._legs:
            self._try_ends = 0.0

    def _drop(self, leg: Line) -> None:
        leg.sock.close()
        self._legs.remove(leg)

    # -- judging ---------------------------------------------------------------

    def _judge(self, leg: Line, reply: wire.Reply) -> None:
        """Make of a reply what it is: an outcome, or a reason to go on."""
        if reply.rcode not in wire.SAID or reply.referral:
            self._disbelieve(leg, reply)
            return
        self._upstream.answered(leg.server)
        if self._before is not None:
            reply = _joined(self._before, reply)
        if reply.alias:
            self._follow(reply)
            return
        if self._sent == 1 and self._legs:  # no other answer can still come on it
            self._upstream.keep(self._legs.pop())
        else:
            self.close()
        name, kind = self.key
        exists = reply.rcode != wire.NXDOMAIN
        records = reply.records if exists else ()
        self.outcome = Answer(name, kind, records, exists, reply.ttl, reply.secure)

    def _disbelieve(self, leg: Line, reply: wire.Reply) -> None:
        """No answer from this server: perhaps to another query, or from another server."""
        if reply.rcode in (wire.FORMERR, wire.NOTIMP) and self._query.edns:
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
            self.ask_next()

    def _follow(self, reply: wire.Reply) -> None:
        """Ask all servers for the name that the CNAMEs so far lead to, with a new id."""
        query = self._query
        question = wire.question_for(reply.alias, query.kind)
        self._seen += (query.question,)
        if reply.chain > MAX_CHAIN or question in self._seen:
            self._finish(DnsFault.MALFORMED)
            return
        self.close()
        self._before = reply
        self._tries = [*self._plan.servers] * self._plan.attempts
        self._query = wire.Query(query.kind, self._upstream.identity(), question)
        self.questions += 1
        self.ask_next()

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


def _joined(before: wire.Reply, reply: wire.Reply) -> wire.Reply:
    """The end of a chain lasts as long, and is as secure, as the weakest of its parts."""
    return reply._replace(
        chain=before.chain + reply.chain,
        ttl=min(before.ttl, reply.ttl),
        secure=before.secure and reply.secure,
    )


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
