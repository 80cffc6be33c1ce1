"""The operator's exceptions: rows that exempt mail from outside, or tighten.

NAME
    overrides - Override, and which row a message meets first

GIVEN
    rows in the operator's order, and what was found of a message.

GIVES
    the first row all of whose conditions hold, or None.

DOES NOT
    apply to mail of our own, act, or count; expired rows are as if they were not there.

NOTES
    accept is for everybody named: all authors must be covered.  hold and reject are
    for anybody: one is enough.  Recipients share one verdict, so all must be covered.
    From, List-Id and recipients are what a sender writes; dkim, client and arc are proofs.

SEE ALSO
    policy.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from postseal.core.arc.verify import Status as Arc
from postseal.core.dkim.verify import Status as Dkim
from postseal.core.dmarc.result import Status as Dmarc
from postseal.core.field import Header
from postseal.core.findings import Findings, dkim_domains
from postseal.core.listid import list_id
from postseal.core.names import mailbox_domain
from postseal.core.roles import HostSet


class Effect(StrEnum):
    """What a row does."""

    ACCEPT = "accept"
    HOLD = "hold"
    REJECT = "reject"


class Names:
    """Names, `.name` for all names below it, and `local@domain`; all in normal form."""

    __slots__ = ("_below", "_exact")

    def __init__(self, entries: Iterable[str]) -> None:
        self._exact = frozenset(entries)
        self._below = any(one.startswith(".") for one in self._exact)

    def __contains__(self, name: str) -> bool:
        if name in self._exact:
            return True
        at = name.find(".") if self._below else -1
        while at >= 0:
            if name[at:] in self._exact:
                return True
            at = name.find(".", at + 1)
        return False

    def has_mailbox(self, address: str) -> bool:
        """Whether the address is listed, or its domain."""
        domain = mailbox_domain(address)
        if domain is None:
            return False
        local = address.rpartition("@")[0].lower()
        return f"{local}@{domain}" in self._exact or domain in self


@dataclass(frozen=True, slots=True, kw_only=True)
class Override:
    """One row.  A condition that is None is not asked; expires is in seconds since 1970."""

    number: int  # from 1
    effect: Effect
    why: str
    expires: int | None = None
    author: Names | None = None
    dkim: Names | None = None
    client: HostSet | None = None
    list_id: Names | None = None
    arc: Names | None = None
    recipient: Names | None = None
    dmarc: frozenset[Dmarc] = frozenset()  # empty: see applies()

    def applies(self, status: Dmarc | None, planned: bool) -> bool:
        """Whether the row is for mail with this DMARC result.

        Unless it says for which: hold and reject are for mail that fails, accept for
        whatever does not pass, or for which something was planned nevertheless.
        """
        if self.dmarc:
            return status in self.dmarc
        if self.effect is Effect.ACCEPT:
            return status is not Dmarc.PASS or planned
        return status is Dmarc.FAIL


def first_match(
    rows: Sequence[Override], found: Findings, header: Header, *, planned: bool, now: int
) -> Override | None:
    """The row that decides.  planned: whether the message would not simply be accepted."""
    status = found.dmarc.status if found.dmarc is not None else None
    for row in rows:
        if row.expires is not None and now >= row.expires:
            continue
        if row.applies(status, planned) and _holds(row, found, header):
            return row
    return None


def _holds(row: Override, found: Findings, header: Header) -> bool:
    """Whether every condition of the row does; what costs most is asked last."""
    if row.author is not None:
        authors = found.authors.domains if found.authors is not None else ()
        covered = [domain in row.author for domain in authors]
        if not (all(covered) if row.effect is Effect.ACCEPT else any(covered)) or not covered:
            return False
    if row.dkim is not None and not any(
        domain in row.dkim for domain in dkim_domains(found.dkim, Dkim.PASS)
    ):
        return False
    if row.client is not None and not row.client.matches(found.address, found.client_name):
        return False
    if row.arc is not None and not _sealed(row.arc, found):
        return False
    if row.recipient is not None and not _all_for(row.recipient, found):
        return False
    return row.list_id is None or list_id(header) in row.list_id


def _sealed(sealers: Names, found: Findings) -> bool:
    """The newest seal is by one of these, the chain holds, and From is under it."""
    chain = found.arc
    if chain is None or chain.status is not Arc.PASS or not chain.from_signed:
        return False
    return chain.sealers[-1].domain in sealers


def _all_for(names: Names, found: Findings) -> bool:
    recipients = found.envelope.recipients if found.envelope is not None else ()
    return bool(recipients) and all(map(names.has_mailbox, recipients))
