"""Which keys sign for an author: the question, without the tables that answer it.

NAME
    signing - Choice, KeyChooser, LoginTable and SigningUnavailable; ChooseBy and address_of()

SEE ALSO
    tables/chooser.py answers from configuration; core/dkim/sign.py signs.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator
from enum import StrEnum
from typing import NamedTuple, Protocol

from postseal.core.address import Authors
from postseal.core.dkim.sign import SigningKey
from postseal.core.names import mailbox_domain
from postseal.core.transaction import Client, Envelope


class Choice(NamedTuple):
    """One signature to make.  identity is the `i=` value, None for no `i=` tag."""

    key: SigningKey
    identity: str | None = None


class SigningUnavailable(Exception):
    """A signature is due but cannot be made: unknown key, unreachable table, unreadable file.

    The message says what, where and how to mend it; it is logged as it is.
    """


class KeyChooser(Protocol):
    """Whatever knows which keys belong to which author."""

    def choose(self, address: str, /) -> tuple[Choice, ...]:
        """Choices for `local@domain` (domain in A-labels); () when we do not sign for it.

        Raises SigningUnavailable when the answer cannot be had or used now.
        """
        ...


class LoginTable(Protocol):
    """Whatever knows which authors a user may write as."""

    def allows(self, login: str, address: str, /) -> bool:
        """Whether who authenticated as login ("" when that is not known) may be that author.

        Raises SigningUnavailable when that cannot be said now.
        """
        ...


class NoKeys:
    """A chooser for a host that only verifies."""

    def choose(self, address: str, /) -> tuple[Choice, ...]:
        return ()


class ChooseBy(StrEnum):
    """Whose address the keys are looked up for."""

    FROM = "from"
    ENVELOPE = "envelope"
    LOGIN = "login"


def address_of(by: ChooseBy, client: Client, envelope: Envelope, authors: Authors) -> str:
    """The address to look keys up for: the author's where the wanted one is no address.

    A bounce has no envelope sender, and a login need not be an address.
    """
    told = {ChooseBy.ENVELOPE: envelope.sender, ChooseBy.LOGIN: client.auth_user}.get(by, "")
    local, at, _ = told.rpartition("@")
    domain = mailbox_domain(told) if at and local else None
    return f"{local}@{domain}" if domain else authors.first_address


def is_ours(domains: Iterable[str], ours: Container[str]) -> bool:
    """Whether one of the domains is at or below one of ours."""
    return any(name in ours for domain in domains for name in _upwards(domain))


def _upwards(domain: str) -> Iterator[str]:
    """The domain and those above it."""
    while domain:
        yield domain
        domain = domain.partition(".")[2]
