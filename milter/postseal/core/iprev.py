"""iprev: does the client's address have a name that leads back to it?

NAME
    iprev - reverse and forward look-up of the client's address

GIVES
    one Result.  Never raises for anything that a client or a DNS server can do.

DOES NOT
    say anything about the message, or use the name that the MTA found: it may have
    been looked up with another resolver, and a client behind a relay has none.

SEE ALSO
    RFC 8601 sections 2.7.3 and 3.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from ipaddress import IPv4Address, IPv6Address, ip_address

from postseal.core.resolver import BadName, Kind, Record, Resolver, TemporaryDnsError
from postseal.core.transaction import Address

NAMES_MAX = 10  # as for ptr in RFC 7208 section 4.6.4: the names are the client's to make


class Status(StrEnum):
    """Result word for Authentication-Results (RFC 8601 section 2.7.3)."""

    PASS = "pass"  # noqa: S105 - a name of the address has the address
    FAIL = "fail"  # there are names, and none of them has it
    TEMPERROR = "temperror"  # DNS did not answer; asking later may help
    PERMERROR = "permerror"  # the address has no name


class Why(StrEnum):
    """Closed list of reasons."""

    AGREED = "agreed"
    NO_NAME = "no-name"
    NOT_AGREED = "not-agreed"
    DNS = "dns"
    NO_CLIENT = "no-client-address"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What was found.  name is the one that agreed, or the first one of those that did not."""

    status: Status
    why: Why
    client: Address | None
    name: str = ""
    detail: str = ""


def prefetch(*, client: Address | None, resolver: Resolver) -> None:
    """Start the question that evaluate() will ask first.  Never raises."""
    if client is not None:
        resolver.prefetch(_plain(client).reverse_pointer, Kind.PTR)


def evaluate(*, client: Address | None, resolver: Resolver) -> Result:
    """Look the address up, then its names, the first ten of them.  Never raises."""
    if client is None:
        return Result(status=Status.PERMERROR, why=Why.NO_CLIENT, client=None)
    client = _plain(client)
    try:
        records = resolver.ask(client.reverse_pointer, Kind.PTR).records
    except (TemporaryDnsError, BadName) as fault:
        return Result(status=Status.TEMPERROR, why=Why.DNS, client=client, detail=str(fault))
    names = [name for name in records if isinstance(name, str) and name][:NAMES_MAX]
    if not names:
        return Result(status=Status.PERMERROR, why=Why.NO_NAME, client=client)
    return _forward(client, names, resolver)


def _forward(client: Address, names: list[str], resolver: Resolver) -> Result:
    """The first name that has the address decides; a failure counts only if none has."""
    kind = Kind.A if isinstance(client, IPv4Address) else Kind.AAAA
    for name in names:
        resolver.prefetch(name, kind)
    failure = ""
    for name in names:
        try:
            records = resolver.ask(name, kind).records
        except TemporaryDnsError as fault:
            failure = failure or str(fault)
        except BadName:
            continue
        else:
            if any(_same(record, client) for record in records):
                return Result(status=Status.PASS, why=Why.AGREED, client=client, name=name)
    if failure:
        return Result(
            status=Status.TEMPERROR, why=Why.DNS, client=client, name=names[0], detail=failure
        )
    return Result(status=Status.FAIL, why=Why.NOT_AGREED, client=client, name=names[0])


def _same(record: Record, client: Address) -> bool:
    return isinstance(record, str) and ip_address(record) == client


def _plain(client: Address) -> Address:
    """An IPv4-mapped address is the IPv4 one."""
    if isinstance(client, IPv6Address) and client.ipv4_mapped is not None:
        return client.ipv4_mapped
    return client
