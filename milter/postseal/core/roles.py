"""Is this message ours to vouch for, or a stranger's to check?

NAME
    roles - decide() the origin of a message from what the MTA says of the client

GIVEN
    Client (who connected, as whom, through which listener) and the operator's
    Origins (internal hosts, trusted listeners, macro rules).

GIVES
    Origin: one word, so that the log can say why a message was or was not signed.

DOES NOT
    look at the message: a From field proves nothing about where mail came from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    MACRO = "macro"
    LOCAL = "local"
    INTERNAL_HOST = "internal-host"
    NEVER_SIGN = "never-sign"  # ours, but it re-injects other people's mail
    NOT_OWNER = "not-owner"  # ours, but its user may not write as that author
    PEER = "peer"
    OUTSIDE = "outside"

    @property
    def trusted(self) -> bool:
        """True for mail that is never refused."""
        return self not in (Origin.OUTSIDE, Origin.PEER)

    @property
    def signs(self) -> bool:
        """True for mail that is signed when there is a key for its author."""
        return self.trusted and self not in (Origin.NEVER_SIGN, Origin.NOT_OWNER)


class HostSet(Protocol):
    """A set of client hosts: addresses, networks, names, with exceptions."""

    def matches(self, address: Address | None, name: str, /) -> bool:
        """Whether the client is in it.  Raises SigningUnavailable when that cannot be said now."""
        ...


class NoHosts:
    """The empty HostSet."""

    def matches(self, address: Address | None, name: str, /) -> bool:
        return False


@dataclass(frozen=True, slots=True)
class MacroRule:
    """A milter macro with one of these values; no values: the macro is set at all."""

    name: str  # without braces
    values: frozenset[str] = frozenset()

    @classmethod
    def parse(cls, text: str) -> MacroRule:
        """`name=value|value`, or `name` alone."""
        name, equals, values = text.partition("=")
        return cls(name.strip(" {}"), frozenset(values.split("|")) if equals else frozenset())

    def holds(self, macros: Mapping[str, str]) -> bool:
        """True when the macro is there with a listed value, compared exactly."""
        value = macros.get(self.name)
        return value is not None and (not self.values or value in self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origins:
    """The operator's word on who is internal."""

    internal: HostSet = field(default_factory=NoHosts)
    peers: HostSet = field(default_factory=NoHosts)
    daemon_names: frozenset[str] = frozenset({"ORIGINATING"})
    macros: tuple[MacroRule, ...] = ()
    never_sign: tuple[MacroRule, ...] = ()
    authenticated: bool = True

    @property
    def macro_names(self) -> tuple[str, ...]:
        """The macros that must be asked of the MTA for the rules to work, without braces."""
        return tuple(dict.fromkeys(rule.name for rule in self.macros + self.never_sign))


def decide(client: Client, origins: Origins) -> Origin:
    """The first rule that fits, strongest evidence first.

    Postfix sets {daemon_name} to its host name unless told otherwise, so only a
    listed value means anything.  Mail of sendmail(1) arrives as 127.0.0.1 and is
    internal only where the operator's internal hosts say so.

    Raises SigningUnavailable when a table of hosts does not answer and nothing else decides.
    """
    if origins.peers.matches(client.address, client.name):
        return Origin.PEER
    origin = _trust(client, origins)
    if origin.trusted and any(rule.holds(client.macros) for rule in origins.never_sign):
        return Origin.NEVER_SIGN
    return origin


def _trust(client: Client, origins: Origins) -> Origin:
    if origins.authenticated and (client.auth_user or client.auth_type):
        return Origin.AUTHENTICATED
    if client.daemon_name and client.daemon_name in origins.daemon_names:
        return Origin.DAEMON
    if any(rule.holds(client.macros) for rule in origins.macros):
        return Origin.MACRO
    if origins.internal.matches(client.address, client.name):
        return Origin.LOCAL if client.local else Origin.INTERNAL_HOST
    return Origin.OUTSIDE
