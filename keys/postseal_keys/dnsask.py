"""Questions to DNS, and answers that hide nothing.

NAME
    dnsask - Reply, the Asker protocol, and one that uses the network

GIVES
    Network.ask() one Reply for every question.  Never raises for anything a DNS server
    does; a name that DNS cannot hold gives Outcome.BAD_NAME.

DOES NOT
    cache, or search: names are absolute, whatever resolv.conf says.

SEE ALSO
    RFC 1035, RFC 2308 (no such name, no such data), RFC 6840 section 5.7 (the AD bit).
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.query
import dns.rcode
import dns.rdatatype
import dns.resolver

PAYLOAD = 1232  # octets of UDP answer asked for: the DNS flag day 2020 figure
CHAIN = 12  # CNAMEs followed within one answer; more is a loop or a mistake
TIMEOUT = 3.0  # seconds for one question to one server


class Outcome(StrEnum):
    """What came of a question."""

    ANSWER = "answer"
    NODATA = "no-data"  # the name exists, with other types only
    NXDOMAIN = "no-such-name"
    TIMEOUT = "timeout"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    MALFORMED = "malformed"
    NETWORK = "network"  # the packet could not be sent
    BAD_NAME = "bad-name"  # DNS cannot hold this name


KNOWN = frozenset({Outcome.ANSWER, Outcome.NODATA, Outcome.NXDOMAIN})  # the DNS has spoken


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What one server said.

    records: for TXT a tuple of character-strings each; for all others their text, names in
    lower case without the final dot.  ttl: seconds.  chain: names of CNAMEs followed, the
    last is where the records stand.  secure: the AD bit.  owner: of the SOA in the
    authority section, when there is one.  referral: the zone that a server which does not
    answer itself points to.
    """

    name: str
    kind: str
    outcome: Outcome
    records: tuple[tuple[bytes, ...] | str, ...] = ()
    ttl: int = 0
    chain: tuple[str, ...] = ()
    authoritative: bool = False
    secure: bool = False
    size: int = 0  # octets of the answer
    server: str = ""
    owner: str = ""
    referral: str = ""

    @property
    def known(self) -> bool:
        """True when the DNS has spoken, be it with "no"."""
        return self.outcome in KNOWN

    @property
    def texts(self) -> tuple[bytes, ...]:
        """TXT records, the strings of each joined without a separator."""
        return tuple(b"".join(one) for one in self.records if not isinstance(one, str))

    @property
    def hosts(self) -> tuple[str, ...]:
        """Records of the other types."""
        return tuple(one for one in self.records if isinstance(one, str))


def text_of(octets: bytes) -> str:
    """A TXT record's octets as text: UTF-8 where they are that, so that an "–" is seen as one."""
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError:
        return octets.decode("latin-1")


class Asker(Protocol):
    """Whatever answers questions: a resolver, one server, a test's table."""

    def ask(self, name: str, kind: str, /) -> Reply:
        """Answer one question.  Never raises."""
        ...


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens."""

    host: str
    port: int = 53

    def __str__(self) -> str:
        shown = f"[{self.host}]" if ":" in self.host else self.host
        return self.host if self.port == 53 else f"{shown}:{self.port}"


def address(text: str, port: int = 53) -> Address:
    """Read 192.0.2.1, 192.0.2.1:5353, 2001:db8::1 or [2001:db8::1]:53.  Raises ValueError."""
    host = text
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise ValueError(f"{text!r} is not an address with a port")
        digits = rest[1:]
    elif text.count(":") == 1:
        host, _, digits = text.partition(":")
    else:
        digits = ""
    if digits:
        if not digits.isascii() or not digits.isdigit() or not 0 < int(digits) < 65536:
            raise ValueError(f"{digits!r} is not a port number")
        port = int(digits)
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise ValueError(f"{host!r} is not an IP address") from None
    return Address(host, port)


def configured() -> tuple[Address, ...]:
    """The resolvers in /etc/resolv.conf; () when there are none."""
    try:
        found = dns.resolver.Resolver().nameservers
    except (dns.exception.DNSException, OSError):
        return ()
    return tuple(Address(one) for one in found if isinstance(one, str))


def absolute(name: str) -> dns.name.Name | None:
    """name as an absolute dnspython name, taken literally; None if DNS cannot hold it.

    Built label by label: in dns.name.from_text a backslash would be an escape.
    """
    labels = name.removesuffix(".").split(".") if name not in ("", ".") else []
    try:
        return dns.name.Name([label.encode("ascii") for label in labels] + [b""])
    except (UnicodeEncodeError, dns.exception.DNSException):
        return None


class Network:
    """Asks the servers one after the other until one of them has an answer.

    recursive: they are resolvers.  False: they are the zone's own servers.
    checking: False asks a validating resolver for the data even if its DNSSEC is broken.
    """

    def __init__(
        self,
        servers: Sequence[Address],
        *,
        recursive: bool = True,
        checking: bool = True,
        timeout: float = TIMEOUT,
        tries: int = 2,
    ) -> None:
        self.servers = tuple(servers)
        self.recursive = recursive
        self.checking = checking
        self.timeout = timeout
        self.tries = tries

    def ask(self, name: str, kind: str, /) -> Reply:
        """Ask for one type of one name."""
        wanted = absolute(name)
        if wanted is None:
            return Reply(name=name, kind=kind, outcome=Outcome.BAD_NAME)
        reply = Reply(name=name, kind=kind, outcome=Outcome.NETWORK)
        for _ in range(self.tries):
            for server in self.servers:
                reply = self._one(wanted, kind, server)
                if reply.known:
                    return reply
        return reply

    def _one(self, wanted: dns.name.Name, kind: str, server: Address) -> Reply:
        query = dns.message.make_query(wanted, kind, payload=PAYLOAD)
        query.flags |= dns.flags.AD
        if not self.recursive:
            query.flags &= ~dns.flags.RD
        if not self.checking:
            query.flags |= dns.flags.CD
        try:
            response, _ = dns.query.udp_with_fallback(
                query, server.host, timeout=self.timeout, port=server.port
            )
        except dns.exception.Timeout:
            outcome = Outcome.TIMEOUT
        except dns.exception.DNSException:
            outcome = Outcome.MALFORMED
        except (OSError, EOFError):
            outcome = Outcome.NETWORK
        else:
            return _read(response, wanted, kind, server)
        return Reply(name=_text(wanted), kind=kind, outcome=outcome, server=str(server))


_RCODES = {
    dns.rcode.NOERROR: Outcome.NODATA,
    dns.rcode.NXDOMAIN: Outcome.NXDOMAIN,
    dns.rcode.REFUSED: Outcome.REFUSED,
    dns.rcode.NOTAUTH: Outcome.REFUSED,
}


def _read(
    response: dns.message.Message, wanted: dns.name.Name, kind: str, server: Address
) -> Reply:
    """The parts of a response that the tools look at."""
    rdtype = dns.rdatatype.from_text(kind)
    chain: list[str] = []
    records: tuple[tuple[bytes, ...] | str, ...] = ()
    ttl = 0
    name = wanted
    for _ in range(CHAIN):
        found = response.get_rrset(response.answer, name, dns.rdataclass.IN, rdtype)
        if found is not None:
            ttl = found.ttl
            records = tuple(_record(one) for one in found)
            break
        alias = response.get_rrset(response.answer, name, dns.rdataclass.IN, dns.rdatatype.CNAME)
        if alias is None:
            break
        name = alias[0].target
        chain.append(_text(name))
    outcome = Outcome.ANSWER if records else _RCODES.get(response.rcode(), Outcome.SERVFAIL)
    if outcome is Outcome.NODATA and _referral(response):
        outcome = Outcome.REFUSED
    soa = [rrset.name for rrset in response.authority if rrset.rdtype == dns.rdatatype.SOA]
    cut = [rrset.name for rrset in response.authority if rrset.rdtype == dns.rdatatype.NS]
    return Reply(
        name=_text(wanted),
        kind=kind,
        outcome=outcome,
        records=records,
        ttl=ttl,
        chain=tuple(chain),
        authoritative=bool(response.flags & dns.flags.AA),
        secure=bool(response.flags & dns.flags.AD),
        size=len(response.wire) if response.wire else 0,
        server=str(server),
        owner=_text(soa[0]) if soa else "",
        referral=_text(cut[0]) if cut and _referral(response) else "",
    )


def _referral(response: dns.message.Message) -> bool:
    """No answer, and none to be had here: this server does not serve the zone."""
    ours = response.flags & (dns.flags.AA | dns.flags.RA)
    return not response.answer and not ours


def _record(rdata: object) -> tuple[bytes, ...] | str:
    strings = getattr(rdata, "strings", None)
    if strings is not None:
        return tuple(strings)
    return str(rdata).lower().removesuffix(".")


def _text(name: dns.name.Name) -> str:
    return name.to_text(omit_final_dot=True).lower()
