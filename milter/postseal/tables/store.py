"""What every store of rows has in common: the question, the answer, the fault.

NAME
    store - Store, Author and TableUnavailable

GIVES
    the Protocol that sql.py, directory.py and keyvalue.py fulfil.

SEE ALSO
    tables/cached.py, which remembers answers and bears outages; tables/stores.py, which
    makes stores from configuration.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from postseal.core.signing import SigningUnavailable

SHOWN = 300  # characters of a library's message that are worth showing

Found = list[tuple[str, str]]  # key and value; a key may have several


@dataclass(frozen=True, slots=True, kw_only=True)
class Author:
    """Of whom the question is, for queries that name their parts.  Empty for a key's name."""

    address: str = ""
    local: str = ""
    domain: str = ""


class TableUnavailable(SigningUnavailable):
    """A table gave no answer that can be used.

    lasting: whether only the administrator can mend it (a query that is wrong), and
    waiting cannot.
    """

    def __init__(self, what: str, hint: str = "", *, lasting: bool = False) -> None:
        self.what = what
        self.hint = hint
        self.lasting = lasting
        super().__init__(f"{what} (hint: {hint})" if hint else what)


class Store(Protocol):
    """Rows somewhere else.  Used by several threads at once, in one process only."""

    def find(self, keys: Sequence[str], author: Author, /) -> Found:
        """The rows of these keys, in any order.  Raises TableUnavailable, nothing else.

        Connects when there is no connection.  Blocks; asking.py sets the limit.
        """
        ...

    def close(self) -> None:
        """Give idle connections back."""
        ...


def fault(
    error: BaseException, hide: Iterable[str], hint: str = "", *, lasting: bool = False
) -> TableUnavailable:
    """A library's exception in one line, without passwords."""
    text = " ".join(str(error).split()) or type(error).__name__
    for secret in hide:
        if secret:
            text = text.replace(secret, "***")
    return TableUnavailable(text[:SHOWN], hint, lasting=lasting)
