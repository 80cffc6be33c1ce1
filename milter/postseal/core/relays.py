"""Behind our own relays: which host really handed the message in.

NAME
    relays - skip trusted relays and secondary MXs back through Received fields

GIVEN
    the SMTP client, the header, and the hosts whose Received fields may be believed.

GIVES
    Relayed: the first client that is not one of them, with its HELO; SPF and iprev
    are about that one.  When a trusted field cannot be read the client is None, so
    that SPF says nothing rather than something false.

DOES NOT
    believe a field below the first one that an untrusted client could have written:
    each trusted host vouches for exactly one field, the one it put on top.

SEE ALSO
    RFC 5321 section 4.4 (Received), RFC 7208 section 2.3 and its appendix D.3.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv6Address, ip_address

from postseal.core.field import Header
from postseal.core.roles import HostSet
from postseal.core.transaction import Address, Client

HOPS_MAX = 10
_READ_MAX = 2000  # octets of one field: its beginning is all we need
_HELO_MAX = 255
_COMMENTS_MAX = 6  # after the name: address, TLS, authentication

_FROM = re.compile(r"from\s+(\S{1,255})")
_COMMENT = re.compile(r"\s*\(([^()]*(?:\([^()]*\)[^()]*)*)\)")  # one level within is usual
_BRACKETED = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]{2,45})\]", re.IGNORECASE)
_BARE = re.compile(r"[0-9A-Fa-f:.]{2,45}")
_NAMED_HELO = re.compile(r"(?:^|\s)helo=(\S{1,255})", re.IGNORECASE)
_SAID_HELO = re.compile(r"(?:HELO|EHLO) (\S{1,255})")


class Why(StrEnum):
    """Closed list: where the answer comes from."""

    DIRECT = "direct"  # the SMTP client is no relay of ours
    RELAYED = "relayed"  # a Received field names the client
    LOCAL = "local-to-relay"  # the message began on the relay itself
    UNREADABLE = "unreadable"  # a relay's Received field is missing or names no address
    TOO_MANY = "too-many-hops"


@dataclass(frozen=True, slots=True, kw_only=True)
class Relayed:
    """The host that handed the message to the first trusted one, and how many those are."""

    address: Address | None
    helo: str
    why: Why
    hops: int = 0


@dataclass(frozen=True, slots=True)
class Hop:
    """What one Received field says of the client that it was received from."""

    address: Address | None
    helo: str
    local: bool = False  # there is no from: the message began there


def true_client(client: Client, header: Header, trusted: HostSet) -> Relayed:
    """Go back through trusted hosts.  Never raises for what a sender wrote."""
    address, helo, name = client.address, client.helo, client.name
    if not trusted.matches(address, name):
        return Relayed(address=address, helo=helo, why=Why.DIRECT)
    fields = header.all(b"received")
    for hops in range(1, HOPS_MAX + 1):
        if hops > len(fields):
            return Relayed(address=None, helo="", why=Why.UNREADABLE, hops=hops)
        hop = parse(fields[hops - 1].value)
        if hop.local:
            return Relayed(address=address, helo=helo, why=Why.LOCAL, hops=hops)
        if hop.address is None:
            return Relayed(address=None, helo="", why=Why.UNREADABLE, hops=hops)
        address, helo = hop.address, hop.helo
        # Names in a field are not verified by us: only the address counts from here on.
        if not trusted.matches(address, ""):
            return Relayed(address=address, helo=helo, why=Why.RELAYED, hops=hops)
    return Relayed(address=None, helo="", why=Why.TOO_MANY, hops=HOPS_MAX)


def parse(value: bytes) -> Hop:
    """The client in a Received field, as the usual mail servers write it.

    `from HELO (name [address])` (Postfix, Sendmail), `(address)` (Exchange), Exim's
    `from name ([address] helo=HELO)` and `from [address] (helo=HELO)`, qmail's
    `from name (HELO HELO) (address)`.  Never raises.
    """
    text = " ".join(value[:_READ_MAX].decode("latin-1").split())
    begin = _FROM.match(text)
    if begin is None:
        return Hop(None, "", local=text.startswith(("by ", "(")))
    helo = begin[1][:_HELO_MAX]
    address: Address | None = None
    named = False
    end = begin.end()
    for _ in range(_COMMENTS_MAX):
        comment = _COMMENT.match(text, end)
        if comment is None:
            break
        end = comment.end()
        if said := _SAID_HELO.fullmatch(comment[1]):  # qmail: all of it is the client's word
            helo = said[1]
            continue
        given, exim = _read_comment(comment[1])
        if exim:
            helo, named = exim, True
        if address is not None and given not in (None, address):
            return Hop(None, helo)  # two of them: one may be the client's word, in its HELO
        address = address or given
    if address is None and named:
        # Exim without a name puts the address in front.  Elsewhere that is the HELO,
        # the client's own word.
        address = _bracketed(begin[1])
    return Hop(address, helo)


def _read_comment(text: str) -> tuple[Address | None, str]:
    """The address and Exim's helo= in one comment; what follows helo= is not believed."""
    named = _NAMED_HELO.search(text)
    before = text[: named.start()] if named else text
    address = _bracketed(before)
    if address is None and _BARE.fullmatch(before.strip()):
        address = _address(before.strip())
    return address, named[1] if named else ""


def _bracketed(text: str) -> Address | None:
    found = _BRACKETED.search(text)
    return _address(found[1]) if found else None


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return address.ipv4_mapped
    return address
