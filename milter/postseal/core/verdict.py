"""What the pipeline says of a message.

NAME
    verdict - Work (a message on its way) and Verdict (what came of it)
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple, Protocol

from postseal.core import spf
from postseal.core.action import Action, Delete, Edit, Insert
from postseal.core.authres_claims import instances_to_delete
from postseal.core.decision import Local
from postseal.core.dkim import verify
from postseal.core.dmarc import evaluate as dmarc
from postseal.core.field import Field, Header
from postseal.core.findings import Findings
from postseal.core.roles import Origin, Role

Story = Mapping[str, str | int]


class Verdict(NamedTuple):
    """Everything that was found, and what is to be done.

    edits are in the order to carry them out.  story holds the log line's pairs,
    in order; its values may hold what a sender wrote and are escaped by the log.
    """

    role: Role
    found: Findings
    action: Action
    mark: str = ""  # text of the quarantine field; "" for none
    local: Local | None = None  # the local policy that applied
    edits: tuple[Edit, ...] = ()
    story: Story = MappingProxyType({})
    signatures: tuple[Field, ...] = ()

    @property
    def origin(self) -> Origin:
        """Why the message counts as ours, or not."""
        return self.found.origin

    @property
    def dkim(self) -> tuple[verify.Result, ...]:
        """One result for each signature."""
        return self.found.dkim

    @property
    def spf(self) -> spf.Result | None:
        """Of MAIL FROM, or of HELO where the sender is null."""
        return self.found.spf

    @property
    def dmarc(self) -> dmarc.Result | None:
        """None where it was not looked for."""
        return self.found.dmarc


class Work(Protocol):
    """A message whose header is known and whose body may follow."""

    @property
    def wants_body(self) -> bool:
        """False: body() need not be called, nothing depends on it."""
        ...

    def body(self, chunk: bytes, /) -> None:
        """Take the next octets of the body, cut anywhere."""
        ...

    def close(self) -> Verdict:
        """Judge.  May wait for DNS, within the resolver's budget."""
        ...


def no_body(_chunk: bytes) -> None:
    """Stand-in for body() where no octet matters."""


def deletions(header: Header, ids: Iterable[str]) -> tuple[Delete, ...]:
    """The edits that remove every field claiming one of our ids, highest index first."""
    return tuple(
        Delete("Authentication-Results", index)
        for index in instances_to_delete(header, frozenset(ids))
    )


def deletions_of(header: Header, name: str) -> tuple[Delete, ...]:
    """The edits that remove every field of that name, highest index first."""
    key = name.lower().encode("ascii")
    if key not in header:
        return ()
    return tuple(Delete(name, index) for index in range(len(header.all(key)), 0, -1))


def insert_on_top(name: str, value: bytes) -> Insert:
    """The edit that puts a field above everything, own Received included (RFC 8601 section 4.1).

    value is ASCII with CRLF folds; libmilter wants LF (a CRLF would arrive as CR CRLF).
    """
    return Insert(0, name, value.replace(b"\r\n", b"\n").decode("ascii"))
