"""Which name servers are the authority for a name.

NAME
    zoneservers - the zone a name is in, and the addresses of its name servers

GIVEN
    a name, and an Asker that is a resolver.

GIVES
    a Zone.  servers is empty when they could not be found; why says what was missing.

DOES NOT
    ask the servers themselves.

SEE ALSO
    RFC 1034 section 4.2.1 (zone cuts), RFC 2181 section 6.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from postseal_keys.dnsask import Address, Asker, Outcome

SERVERS = 26  # addresses asked at most: the root itself has no more


@dataclass(frozen=True, slots=True)
class Server:
    """One address of one name server."""

    name: str
    address: Address

    def __str__(self) -> str:
        return f"{self.name} ({self.address})" if self.name else str(self.address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Zone:
    """apex: the zone's own name; "" when it is not known."""

    apex: str = ""
    servers: tuple[Server, ...] = ()
    why: str = ""


def find(name: str, resolver: Asker, *, port: int = 53) -> Zone:
    """The zone that holds name.  port: where its servers listen (other than 53 in tests)."""
    labels = name.split(".")
    for at in range(len(labels)):
        candidate = ".".join(labels[at:])
        reply = resolver.ask(candidate, "SOA")
        if not reply.known:
            return Zone(why=f"no answer for SOA of {candidate} ({reply.outcome})")
        if reply.outcome is Outcome.ANSWER and not reply.chain:
            return _servers(candidate, resolver, port)
        if reply.owner and not reply.chain and f".{candidate}".endswith(f".{reply.owner}"):
            return _servers(reply.owner, resolver, port)
    return Zone(why=f"{name} is in no zone")


def find_below(
    domain: str, name: str, resolver: Asker, direct: Callable[[Server], Asker], *, port: int = 53
) -> Zone:
    """The zone that holds name, which is below domain and perhaps not yet there.

    The resolver is asked about domain only: to ask it for a name that does not exist yet
    would make it remember that.  Whether a zone is cut off in between, as _domainkey may
    be, the servers of domain say.
    """
    zone = find(domain, resolver, port=port)
    for server in zone.servers:
        reply = direct(server).ask(name, "SOA")
        if reply.chain:  # an alias stands at the name: what is above it decides
            reply = direct(server).ask(name.partition(".")[2], "SOA")
        cut = reply.referral or reply.owner
        if f".{name}".endswith(f".{cut}") and len(cut) > len(zone.apex):
            return _servers(cut, resolver, port)
        if reply.known:
            break
    return zone


def _servers(apex: str, resolver: Asker, port: int) -> Zone:
    reply = resolver.ask(apex, "NS")
    if not reply.hosts:
        return Zone(apex=apex, why=f"no NS records of {apex} ({reply.outcome})")
    found: list[Server] = []
    missing: list[str] = []
    for host in sorted(reply.hosts):
        addresses = [one for kind in ("A", "AAAA") for one in resolver.ask(host, kind).hosts]
        found += [Server(host, Address(one, port)) for one in addresses]
        if not addresses:
            missing.append(host)
    why = f"no address of {', '.join(missing)}" if missing else ""
    return Zone(apex=apex, servers=tuple(found[:SERVERS]), why=why)
