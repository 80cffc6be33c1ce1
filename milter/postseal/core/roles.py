"""Is this message ours to vouch for, or a stranger's to check?

NAME
    roles - decide() the origin of a message from what the MTA says of the client

GIVEN
    Client (who connected, as whom, through which listener) and the operator's
    Origins (internal hosts, trusted listeners).

GIVES
    Origin: one word, so that the log can say why a message was or was not signed.

DOES NOT
    look at the message: a From field proves nothing about where mail came from.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from postseal.core.transaction import Address, Client


class Role(StrEnum):
    """What Postseal does with a message."""

    OUTBOUND = "outbound"  # from one of ours, with a key for its author: sign
    INTERNAL = "internal"  # from one of ours, no key: check signatures, never refuse
    INBOUND = "inbound"  # everything else: verify
    PEER = "peer"  # from a host to be left alone


class Origin(StrEnum):
    """Why a message counts as ours, or that it does not."""

    AUTHENTICATED = "authenticated"
    DAEMON = "daemon-name"
    LOCAL = "local"
    INTERNAL_HOST = "internal-host"
    PEER = "peer"
    OUTSIDE = "outside"

    @property
    def trusted(self) -> bool:
        """True for mail that may be signed and is never refused."""
        return self not in (Origin.OUTSIDE, Origin.PEER)


class HostSet(Protocol):
    """A set of client hosts: addresses, networks, names, with exceptions."""

    def matches(self, address: Address | None, name: str, /) -> bool: ...


class NoHosts:
    """The empty HostSet."""

    def matches(self, address: Address | None, name: str, /) -> bool:
        return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """The operator's word on who is internal."""

    internal: HostSet
    peers: HostSet
    daemon_names: frozenset[str] = frozenset({"ORIGINATING"})


def decide(client: Client, origins: Origins) -> Origin:
    """The first rule that fits, strongest evidence first.

    Postfix sets {daemon_name} to its host name unless told otherwise, so only a
    listed value means anything.  Mail of sendmail(1) arrives as 127.0.0.1 and is
    internal only where the operator's internal hosts say so.
    """
    if origins.peers.matches(client.address, client.name):
        return Origin.PEER
    if client.auth_user or client.auth_type:
        return Origin.AUTHENTICATED
    if client.daemon_name in origins.daemon_names:
        return Origin.DAEMON
    if origins.internal.matches(client.address, client.name):
        return Origin.LOCAL if client.local else Origin.INTERNAL_HOST
    return Origin.OUTSIDE
