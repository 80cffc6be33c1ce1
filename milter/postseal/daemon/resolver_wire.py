"""DNS packets: a question to octets, octets to what they say.

NAME
    resolver_wire - build a query, read a reply; no socket here

GIVEN
    a name that question_name() has passed, or the octets of a datagram.

GIVES
    Query; usual(), the Answer in a datagram that holds one and nothing else of note; for
    all others read(), a Reply: return code, records, how long they hold, where a CNAME
    chain stops.  None for a datagram that does not answer the query at all.

DOES NOT
    decide what a return code means, follow a chain to other servers, or wait.
    The usual replies are read by resolver_lean, in a tenth of the time; whatever
    looks different goes to dnspython, and the tests hold that both read the same.

SEE ALSO
    RFC 1035 section 4, RFC 2308 section 5, RFC 6891.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import dns.exception
import dns.message
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset

from postseal.core.resolver import Answer, Kind, Record
from postseal.daemon import resolver_lean
from postseal.daemon.resolver_lean import MAX_CHAIN, MAX_RECORDS, TAILS, TTL_MAX
from postseal.daemon.resolver_weight import is_heavy

UDP_SIZE = 1232  # what we offer in EDNS0: passes every path without fragments

NOERROR, FORMERR, SERVFAIL, NXDOMAIN, NOTIMP, REFUSED = range(6)
SAID = (NOERROR, NXDOMAIN)  # with these a name server answers the question

_HEAD = struct.pack(">HHHHH", 0x0120, 1, 0, 0, 1)  # RD and AD; one question, one OPT
_HEAD_PLAIN = struct.pack(">HHHHH", 0x0120, 1, 0, 0, 0)
_OPT = struct.pack(">BHHIH", 0, 41, UDP_SIZE, 0, 0)  # DO off: AD is all we want to know
# Flags and number of questions of a whole answer without error, with AA or not: whether AD is set
_USUAL = {
    b"\x81\x80\0\1": False,
    b"\x85\x80\0\1": False,
    b"\x81\xa0\0\1": True,
    b"\x85\xa0\0\1": True,
}
_HEADER = struct.Struct(">2sHHHHH")
_header: Callable[[bytes], tuple[bytes, int, int, int, int, int]] = _HEADER.unpack_from
_MALFORMED = (dns.exception.DNSException, ValueError, IndexError, KeyError, struct.error)


class MalformedReply(Exception):
    """The reply to our query cannot be read."""


class Query(NamedTuple):
    """One question as octets.  identity is the random id, question what must come back."""

    kind: Kind
    identity: bytes
    question: bytes
    edns: bool = True

    @property
    def packet(self) -> bytes:
        """The whole datagram."""
        if self.edns:
            return self.identity + _HEAD + self.question + _OPT
        return self.identity + _HEAD_PLAIN + self.question


class Reply(NamedTuple):
    """What one server said.

    chain: how many CNAMEs were followed.  alias: the wire name that the last of them leads to,
    when neither records nor a denial followed it, so that it has to be asked for.
    """

    rcode: int
    truncated: bool = False
    secure: bool = False
    records: tuple[Record, ...] = ()
    ttl: int = 0
    chain: int = 0
    alias: bytes = b""
    referral: bool = False  # sent us to other servers: it does not recurse


@lru_cache(maxsize=2048)
def question(name: str, kind: Kind) -> bytes:
    """The question section for a name that question_name() has passed."""
    labels = name.encode("ascii").split(b".")
    return b"".join([b"%c%b" % (len(label), label) for label in labels]) + b"\0" + TAILS[kind]


def question_for(wire_name: bytes, kind: Kind) -> bytes:
    """The question section for a name as Reply.alias gives it."""
    return wire_name.lower() + TAILS[kind]


def usual(packet: bytes, query: Query, name: str) -> Answer | None:
    """The answer in a datagram that holds the records of this name, and nothing unusual.

    None for all others, strays included: read() knows what they are.
    """
    kind, identity, question, _ = query
    secure = _USUAL.get(packet[2:6])
    end = 12 + len(question)
    if secure is None or packet[:2] != identity or packet[12:end] != question:
        return None
    found = resolver_lean.records(packet, end, kind, packet[6] << 8 | packet[7])
    if found is None:
        return None
    records, ttl, _ = found
    return Answer(name, kind, records, True, ttl, secure)


def read(packet: bytes, query: Query) -> Reply | None:
    """Read a datagram.

    None when it does not answer this query (id, direction or question differ): it
    must be ignored, not believed.  Raises MalformedReply, and nothing else.
    """
    if len(packet) < 12:
        return None
    kind, asked_as, question, _ = query
    identity, flags, questions, answers, authorities, others = _header(packet)
    if identity != asked_as or flags & 0xF800 != 0x8000:  # not a response, or another opcode
        return None
    rcode = flags & 15
    end = 12 + len(question)
    # Label lengths and types stay as they are under lower(): none is a capital letter.
    if questions != 1 or packet[12:end].lower() != question:
        # A server that could not read the question need not repeat it.
        if questions == 0 and rcode not in SAID:
            return Reply(rcode)
        return None
    secure = flags & 0x0020 != 0
    if answers and not flags & 0x020F:  # whole, and NOERROR
        usual = resolver_lean.records(packet, end, kind, answers)
        if usual is not None:
            return Reply(NOERROR, False, secure, *usual)
    elif flags & 0x0200:
        return Reply(rcode, truncated=True)
    elif rcode not in SAID:
        return Reply(rcode)
    elif authorities == 1 and not answers:
        ttl = resolver_lean.denial_ttl(packet, end)
        if ttl is not None:
            return Reply(rcode, False, secure, (), ttl)
    if is_heavy(packet, end, answers + authorities + others):
        raise MalformedReply("names without measure")
    return _read_any(packet, query, rcode, secure)


def _read_any(packet: bytes, query: Query, rcode: int, secure: bool) -> Reply:
    """Any reply, through dnspython; CNAMEs are followed within it."""
    try:
        message = dns.message.from_wire(packet, ignore_trailing=True)
        owner, _ = dns.name.from_wire(query.question, 0)
        if message.rcode() != rcode:  # an extended code: BADVERS and what may come
            return Reply(SERVFAIL)
        return _follow(message, owner, query.kind, rcode, secure)
    except _MALFORMED as fault:
        raise MalformedReply(str(fault)) from fault


def _follow(
    message: dns.message.Message, owner: dns.name.Name, kind: Kind, rcode: int, secure: bool
) -> Reply:
    """The records at the end of the chain that starts at owner."""
    by_owner = {
        (rrset.name, rrset.rdtype): rrset
        for rrset in message.answer
        if rrset.rdclass == dns.rdataclass.IN
    }
    shortest = TTL_MAX
    for length in range(MAX_CHAIN + 1):
        rrset = by_owner.get((owner, dns.rdatatype.from_text(kind)))
        if rrset is not None:
            records = tuple(dict.fromkeys(_record(kind, rdata) for rdata in rrset))
            ttl = min(shortest, rrset.ttl)
            return Reply(rcode, False, secure, records[:MAX_RECORDS], ttl, length)
        alias = by_owner.get((owner, dns.rdatatype.CNAME))
        if alias is None:
            return _nothing(message, owner, length, rcode, secure, shortest)
        shortest = min(shortest, alias.ttl)
        owner = alias[0].target
    raise MalformedReply(f"more than {MAX_CHAIN} CNAMEs")


def _nothing(
    message: dns.message.Message,
    owner: dns.name.Name,
    length: int,
    rcode: int,
    secure: bool,
    shortest: int,
) -> Reply:
    """No record at the end: a denial, a referral, or a chain that goes on elsewhere."""
    soa = [rrset for rrset in message.authority if rrset.rdtype == dns.rdatatype.SOA]
    if soa:
        ttl = min(shortest, soa[0].ttl, soa[0][0].minimum)
        return Reply(rcode, False, secure, (), ttl, length)
    if rcode == NXDOMAIN:
        return Reply(rcode, False, secure, (), 0, length)
    if length:
        return Reply(rcode, False, secure, (), shortest, length, owner.to_wire() or b"")
    recursive = message.flags & dns.flags.RA
    delegated = any(rrset.rdtype == dns.rdatatype.NS for rrset in message.authority)
    return Reply(rcode, False, secure, referral=delegated and not recursive)


def _record(kind: Kind, rdata: dns.rdata.Rdata) -> Record:
    """One record in the form that Kind promises."""
    value: Any = rdata
    match kind:
        case Kind.TXT:
            return b"".join(value.strings)
        case Kind.A | Kind.AAAA:
            return str(value.address)
        case Kind.MX:
            return int(value.preference), _host(value.exchange)
        case Kind.PTR:
            return _host(value.target)


def _host(name: dns.name.Name) -> str:
    return name.to_text().removesuffix(".").lower()
