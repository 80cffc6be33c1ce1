"""A scripted DNS server on loopback, UDP and TCP, that can misbehave on request.

    with DnsServer(
        records={("example.com", "TXT"): (b"v=spf1 -all",)},
        faults={"slow.example": Fault.TIMEOUT},
    ) as server:
        Resolver(ResolverConfig(nameservers=(server.address,)))

It answers as a recursive resolver does: CNAMEs are followed within its table and
appear in the answer; a name with nothing at or below it is NXDOMAIN; denials carry
a SOA.  Records have the forms of core.resolver.Kind; TXT of more than 255 octets is
cut into strings.  Answers over the offered size are truncated over UDP.
"""

from __future__ import annotations

import contextlib
import functools
import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType, TracebackType
from typing import Self

import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from postseal.core.resolver import Record


class Fault(StrEnum):
    """What the server does instead of answering, by name (and all below a "*." name)."""

    TIMEOUT = "timeout"  # nothing
    SERVFAIL = "servfail"
    REFUSED = "refused"
    FORMERR = "formerr"
    NO_EDNS = "no-edns"  # FORMERR to a query with OPT, the answer to one without
    NOTIMP = "notimp"
    TRUNCATE = "truncate"  # TC over UDP, the answer over TCP
    TRUNCATE_DEAF = "truncate-deaf"  # TC over UDP, the TCP connection is closed
    TRUNCATE_MUTE = "truncate-mute"  # TC over UDP, nothing over TCP
    WRONG_ID = "wrong-id"  # a lie with another id, then nothing
    WRONG_QUESTION = "wrong-question"  # a lie about another name, then nothing
    WRONG_SOURCE = "wrong-source"  # a lie from another port, then nothing
    LIES_FIRST = "lies-first"  # all three lies, then the truth
    QUERY_BACK = "query-back"  # our own packet, then nothing
    GARBAGE = "garbage"  # the right header, then noise
    SHORT = "short"  # five octets, then nothing
    REFERRAL = "referral"  # NS in authority, no recursion
    NO_SOA = "no-soa"  # a denial without SOA
    OTHER_CASE = "other-case"  # the answer with the question in capitals
    EXTRA = "extra"  # the answer, with records of other names in front


_LIE = dns.rrset.from_text("lie.invalid.", 300, "IN", "A", "192.0.2.66")


@dataclass(frozen=True)
class _Asked:
    """What a script has to work with."""

    query: dns.message.Message
    packet: bytes
    truth: bytes
    udp: bool


RUNNING: dict[int, DnsServer] = {}  # those of this process, by port


class DnsServer:
    """See the module.  seen: the questions as (name, type, "udp" or "tcp"), in order."""

    def __init__(
        self,
        records: Mapping[tuple[str, str], Iterable[Record]] = MappingProxyType({}),
        *,
        faults: Mapping[str, Fault] = MappingProxyType({}),
        kind_faults: Mapping[tuple[str, str], Fault] = MappingProxyType({}),
        delays: Mapping[str, float] = MappingProxyType({}),
        ttl: int = 300,
        ttls: Mapping[str, int] = MappingProxyType({}),
        negative_ttl: int = 60,
        secure: bool = False,
        insecure: Iterable[str] = (),
        follow: bool = True,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.records = {(_key(name), str(kind)): tuple(rr) for (name, kind), rr in records.items()}
        self.faults = {_key(name): fault for name, fault in faults.items()}
        self.kind_faults = {(_key(name), str(kind)): f for (name, kind), f in kind_faults.items()}
        self.delays = {_key(name): seconds for name, seconds in delays.items()}
        self.ttl = ttl
        self.ttls = {_key(name): seconds for name, seconds in ttls.items()}
        self.negative_ttl = negative_ttl
        self.secure = secure
        self.insecure = {_key(name) for name in insecure}  # no AD for these, all the same
        self.follow = follow  # False: a CNAME is all the answer there is
        self.seen: list[tuple[str, str, str]] = []
        self.handled: Counter[int] = Counter()  # datagrams that are done with, by their port
        self.replied: Counter[int] = Counter()  # datagrams sent from our own port to that one
        self._host = host
        self._wished = port
        self._threads: list[threading.Thread] = []
        self._stop = threading.Event()

    # -- life ------------------------------------------------------------------

    def __enter__(self) -> Self:
        family = socket.AF_INET6 if ":" in self._host else socket.AF_INET
        for _ in range(20):  # until both protocols get the same port
            self._udp = socket.socket(family, socket.SOCK_DGRAM)
            self._udp.bind((self._host, self._wished))
            self.port: int = self._udp.getsockname()[1]
            self._tcp = socket.socket(family, socket.SOCK_STREAM)
            self._tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                self._tcp.bind((self._host, self.port))
                break
            except OSError:
                self._udp.close()
                self._tcp.close()
        self._tcp.listen(50)
        self._udp.settimeout(0.1)
        self._tcp.settimeout(0.1)
        self._liar = socket.socket(family, socket.SOCK_DGRAM)
        RUNNING[self.port] = self
        for serve in (self._serve_udp, self._serve_tcp):
            thread = threading.Thread(target=serve, daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        RUNNING.pop(self.port, None)
        self._stop.set()
        with contextlib.suppress(OSError):  # wake both threads at once
            self._liar.sendto(b"", (self._host, self.port))
            socket.create_connection((self._host, self.port), 1).close()
        for thread in self._threads:
            thread.join(5)
        for sock in (self._udp, self._tcp, self._liar):
            sock.close()

    @property
    def address(self) -> str:
        """As a nameserver setting."""
        return f"[{self._host}]:{self.port}" if ":" in self._host else f"{self._host}:{self.port}"

    def count(self, name: str, kind: str | None = None) -> int:
        """How often this was asked, over UDP."""
        return sum(
            1
            for seen, what, by in self.seen
            if by == "udp" and seen == _key(name) and kind in (None, what)
        )

    # -- transport -------------------------------------------------------------

    def _serve_udp(self) -> None:
        while not self._stop.is_set():
            try:
                packet, peer = self._udp.recvfrom(4096)
            except (TimeoutError, ConnectionError):
                continue
            if not packet:
                continue
            reply = functools.partial(self._reply_udp, packet, peer)
            if seconds := self.delays.get(_asked(packet)[0], 0.0):
                self.later(seconds, reply)
            else:
                reply()
            self.handled[peer[1]] += 1

    @staticmethod
    def later(seconds: float, call: Callable[[], None]) -> None:
        """Call when so much time has passed."""
        timer = threading.Timer(seconds, call)
        timer.daemon = True
        timer.start()

    def _reply_udp(self, packet: bytes, peer: tuple[str, int]) -> None:
        for answer, honest in self._answers(packet, "udp"):
            with contextlib.suppress(OSError):  # the test may be over
                (self._udp if honest else self._liar).sendto(answer, peer)
                self.replied[peer[1]] += honest

    def _serve_tcp(self) -> None:
        while not self._stop.is_set():
            try:
                sock, _ = self._tcp.accept()
            except TimeoutError:
                continue
            threading.Thread(target=self._talk_tcp, args=(sock,), daemon=True).start()

    def _talk_tcp(self, sock: socket.socket) -> None:
        with sock, contextlib.suppress(OSError, struct.error):
            sock.settimeout(5)
            (size,) = struct.unpack(">H", sock.recv(2, socket.MSG_WAITALL))
            packet = sock.recv(size, socket.MSG_WAITALL)
            match self.fault(packet):
                case Fault.TRUNCATE_DEAF:
                    return
                case Fault.TRUNCATE_MUTE:
                    self._stop.wait(5)
                    return
            for answer, _ in self._answers(packet, "tcp"):
                sock.sendall(struct.pack(">H", len(answer)) + answer)

    # -- answers ---------------------------------------------------------------

    def fault(self, packet: bytes) -> Fault | None:
        """What is done to this question."""
        name, kind = _asked(packet)
        if fault := self.kind_faults.get((name, kind)) or self.faults.get(name):
            return fault
        labels = name.split(".")
        for start in range(1, len(labels)):
            if fault := self.faults.get("*." + ".".join(labels[start:])):
                return fault
        return None

    def _answers(self, packet: bytes, by: str) -> Iterable[tuple[bytes, bool]]:
        """Datagrams to send, and whether each comes from the server's own port."""
        try:
            query = dns.message.from_wire(packet)
        except dns.exception.DNSException:
            return
        self.seen.append((*_asked(packet), by))
        truth = self._answer(query, udp=by == "udp")
        fault = self.fault(packet)
        if fault is None:
            yield truth, True
        else:
            yield from _SCRIPTS[fault](_Asked(query, packet, truth, by == "udp"))

    def _answer(self, query: dns.message.Message, *, udp: bool) -> bytes:
        response = dns.message.make_response(query, recursion_available=True)
        owner = query.question[0].name
        if self.secure and _text(owner) not in self.insecure:
            response.flags |= dns.flags.AD
        kind = dns.rdatatype.to_text(query.question[0].rdtype)
        for _ in range(20):
            alias = self.records.get((_text(owner), "CNAME"))
            if not alias:
                break
            response.answer.append(self._rrset(owner, "CNAME", alias))
            owner = dns.name.from_text(str(alias[0]))
            if not self.follow:
                return response.to_wire()
        records = self.records.get((_text(owner), kind))
        if records:
            response.answer.append(self._rrset(owner, kind, records))
        else:
            self._deny(response, owner)
        wire = response.to_wire(max_size=65535)
        room = query.payload if query.edns >= 0 else 512
        return _cut(query) if udp and len(wire) > room else wire

    def _deny(self, response: dns.message.Message, owner: dns.name.Name) -> None:
        name = _text(owner)
        if not any(n == name or n.endswith("." + name) for n, _ in self.records):
            response.set_rcode(dns.rcode.NXDOMAIN)
        zone = dns.name.Name(owner.labels[-2:])
        soa = f"ns.{zone} hostmaster.{zone} 1 3600 600 86400 {self.negative_ttl}"
        response.authority.append(dns.rrset.from_text(zone, 3600, "IN", "SOA", soa))

    def _rrset(self, owner: dns.name.Name, kind: str, records: Iterable[Record]) -> dns.rrset.RRset:
        ttl = self.ttls.get(_text(owner), self.ttl)
        rdatas = [_rdata(kind, record) for record in records]
        return dns.rrset.from_rdata_list(owner, ttl, rdatas)


def _key(name: str) -> str:
    return name.removesuffix(".").lower()


def _text(name: dns.name.Name) -> str:
    return b".".join(name.labels[:-1]).decode("latin-1").lower()


def _asked(packet: bytes) -> tuple[str, str]:
    """Name and type of the question, ("", "") when there is none to read."""
    try:
        question = dns.message.from_wire(packet).question[0]
    except (dns.exception.DNSException, IndexError):
        return "", ""
    return _text(question.name), dns.rdatatype.to_text(question.rdtype)


def _rdata(kind: str, record: Record) -> dns.rdata.Rdata:
    """A record in the form of Kind as dnspython's."""
    number = dns.rdatatype.from_text(kind)
    if isinstance(record, bytes):
        strings = [record[at : at + 255] for at in range(0, len(record), 255)] or [b""]
        octets = b"".join(bytes([len(s)]) + s for s in strings)
        return dns.rdata.from_wire(dns.rdataclass.IN, number, octets, 0, len(octets))
    if isinstance(record, tuple):
        text = f"{record[0]} {record[1].removesuffix('.')}."
    else:
        text = record if kind in ("A", "AAAA") else record.removesuffix(".") + "."
    return dns.rdata.from_text(dns.rdataclass.IN, number, text)


def _error(query: dns.message.Message, rcode: str) -> bytes:
    response = dns.message.make_response(query)
    response.set_rcode(dns.rcode.from_text(rcode))
    return response.to_wire()


def _cut(query: dns.message.Message) -> bytes:
    response = dns.message.make_response(query, recursion_available=True)
    response.flags |= dns.flags.TC
    return response.to_wire()


def _lie(query: dns.message.Message, *, identity: int | None = None, name: str = "") -> bytes:
    """A well-formed answer that must not be believed: TXT "lie", or 192.0.2.66."""
    about = query.question[0]
    owner = dns.name.from_text(name) if name else about.name
    lie = dns.message.make_query(owner, about.rdtype, use_edns=0)
    lie.id = query.id if identity is None else identity
    lie.flags |= dns.flags.QR | dns.flags.RA
    record: Record = b"v=spf1 +all" if about.rdtype == dns.rdatatype.TXT else "192.0.2.66"
    if about.rdtype in (dns.rdatatype.TXT, dns.rdatatype.A):
        rdata = _rdata(dns.rdatatype.to_text(about.rdtype), record)
        lie.answer.append(dns.rrset.from_rdata(owner, 300, rdata))
    return lie.to_wire()


def _referral(query: dns.message.Message) -> bytes:
    response = dns.message.make_response(query)
    response.authority.append(dns.rrset.from_text("example.", 300, "IN", "NS", "ns.example."))
    return response.to_wire()


def _denial_without_soa(query: dns.message.Message) -> bytes:
    response = dns.message.make_response(query, recursion_available=True)
    response.set_rcode(dns.rcode.NXDOMAIN)
    return response.to_wire()


def _in_capitals(asked: _Asked) -> bytes:
    end = 12 + len(asked.query.question[0].name.to_wire() or b"")
    return asked.truth[:12] + asked.truth[12:end].upper() + asked.truth[end:]


def _with_more(asked: _Asked) -> bytes:
    message = dns.message.from_wire(asked.truth)
    message.answer.insert(0, _LIE)
    return message.to_wire()


def _noise(asked: _Asked) -> bytes:
    packet = asked.packet
    return packet[:2] + b"\x81\x80" + packet[4:6] + b"\0\7" + packet[8:] + b"\xff" * 9


def _error_as(rcode: str) -> Script:
    return lambda asked: [(_error(asked.query, rcode), True)]


def _truth_by_tcp(asked: _Asked) -> Sent:
    return [(_cut(asked.query) if asked.udp else asked.truth, True)]


Sent = Iterable[tuple[bytes, bool]]
Script = Callable[[_Asked], Sent]

_SCRIPTS: dict[Fault, Script] = {
    Fault.TIMEOUT: lambda asked: [],
    Fault.SERVFAIL: _error_as("SERVFAIL"),
    Fault.REFUSED: _error_as("REFUSED"),
    Fault.FORMERR: _error_as("FORMERR"),
    Fault.NOTIMP: _error_as("NOTIMP"),
    Fault.NO_EDNS: lambda asked: [
        (_error(asked.query, "FORMERR") if asked.query.edns >= 0 else asked.truth, True)
    ],
    Fault.TRUNCATE: _truth_by_tcp,
    Fault.TRUNCATE_DEAF: _truth_by_tcp,
    Fault.TRUNCATE_MUTE: _truth_by_tcp,
    Fault.WRONG_ID: lambda asked: [(_lie(asked.query, identity=asked.query.id ^ 1), True)],
    Fault.WRONG_QUESTION: lambda asked: [(_lie(asked.query, name="lie.invalid."), True)],
    Fault.WRONG_SOURCE: lambda asked: [(_lie(asked.query), False)],
    Fault.LIES_FIRST: lambda asked: [
        (_lie(asked.query, identity=asked.query.id ^ 1), True),
        (_lie(asked.query, name="lie.invalid."), True),
        (_lie(asked.query), False),
        (b"", True),
        (asked.truth, True),
    ],
    Fault.QUERY_BACK: lambda asked: [(asked.packet, True)],
    Fault.GARBAGE: lambda asked: [(_noise(asked), True)],
    Fault.SHORT: lambda asked: [(asked.truth[:5], True)],
    Fault.REFERRAL: lambda asked: [(_referral(asked.query), True)],
    Fault.NO_SOA: lambda asked: [(_denial_without_soa(asked.query), True)],
    Fault.OTHER_CASE: lambda asked: [(_in_capitals(asked), True)],
    Fault.EXTRA: lambda asked: [(_with_more(asked), True)],
}
