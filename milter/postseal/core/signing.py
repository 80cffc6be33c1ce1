"""Which keys sign for an author: the question, without the tables that answer it.

NAME
    signing - Choice, KeyChooser, LoginTable and SigningUnavailable

SEE ALSO
    tables/chooser.py answers from configuration; core/dkim/sign.py signs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from postseal.core.dkim.sign import SigningKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
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
        """Whether who authenticated as login ("" when that is not known) may be that author."""
        ...


class NoKeys:
    """A chooser for a host that only verifies."""

    def choose(self, address: str, /) -> tuple[Choice, ...]:
        return ()
