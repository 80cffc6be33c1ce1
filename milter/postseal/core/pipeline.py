"""The way of one message, on one screen.  Start reading here.

NAME
    pipeline - from the end of the header to the verdict

GIVEN
    once: Rules, the signing keys, a clock.  For each message: Client, Envelope,
    Header, a Resolver with its budget, and the body in chunks.

GIVES
    Work, which takes the body as it comes and closes with a Verdict: what to do
    with the message, which edits to make, and the story for the log.

DOES NOT
    know libmilter, sockets, files or the time of day; they are passed in.  The
    daemon, the command line and the tests run the same code.

THE WAY
    open()   the role is decided; From is read; DNS questions start (checking.py)
    body()   each octet is hashed once, however many signatures there are (canon.py)
    close()  keys and policies have come; DKIM, ARC, SPF and DMARC are judged into
             Findings (checking.py), or the signatures are made (outbound.py);
             policy.py decides, overrides.py goes before it; report.py writes
             Authentication-Results; forged ones are deleted; a seal comes last.
"""

from __future__ import annotations

from collections.abc import Callable

from postseal.core import address, roles
from postseal.core.checking import Checking
from postseal.core.crowd import Crowded, is_crowd
from postseal.core.field import Header
from postseal.core.outbound import (
    LeaveAlone,
    Outbound,
    Refused,
    Signatures,
    Turn,
    Unsigned,
)
from postseal.core.resolver import Resolver
from postseal.core.roles import Origin
from postseal.core.rules import OnFault, Rules
from postseal.core.signing import (
    ChooseBy,
    KeyChooser,
    SigningUnavailable,
    address_of,
    is_ours,
)
from postseal.core.transaction import Client, Envelope
from postseal.core.verdict import Work


class Pipeline:
    """One per worker; immutable, so that every thread may use it."""

    __slots__ = ("_clock", "_count", "_keys", "_rules", "_turn")

    def __init__(
        self,
        rules: Rules,
        keys: KeyChooser,
        clock: Callable[[], float],
        count: Callable[[int], None] = lambda _row: None,
        turn: Turn | None = None,
    ) -> None:
        """count is told the number of each override that decides about a message.

        turn is called with what signs a message: the threads of a worker do not sign at once.
        """
        self._rules = rules
        self._keys = keys
        self._clock = clock
        self._count = count
        self._turn = turn or _at_once

    def open(self, client: Client, envelope: Envelope, header: Header, resolver: Resolver) -> Work:
        """Begin a message at the end of its header.  Never raises for what a sender wrote."""
        rules = self._rules
        origin, unknown = _origin(client, rules)
        if origin is Origin.PEER:
            return LeaveAlone(origin)
        if is_crowd(header, rules):
            return Crowded(origin, client)
        authors = address.author_domains(address.from_fields(header))
        if unknown and rules.on_signing_error is OnFault.TEMPFAIL:
            return Refused(rules, origin, client, authors, header, unknown)
        now = int(self._clock())
        try:
            if origin.signs:
                sender = address_of(rules.choose_by, client, envelope, authors)
                if not _may_write(client, authors, sender, rules):
                    origin = Origin.NOT_OWNER
                elif authors.why is address.Why.ONE and (choices := self._keys.choose(sender)):
                    return Outbound(
                        rules, origin, client, authors, header, choices, now, self._turn
                    )
        except SigningUnavailable as reason:
            return Refused(rules, origin, client, authors, header, str(reason))
        work = Checking(
            rules, origin, authors, client, envelope, header, resolver, now, self._count
        )
        why = unknown or self._why_unsigned(origin, authors)
        return Unsigned(work, why) if why else work

    def _why_unsigned(self, origin: Origin, authors: address.Authors) -> str:
        """The reason, where somebody might have expected a signature; else ""."""
        if origin.signs:
            return "no-key" if authors.why is address.Why.ONE else authors.why
        if origin.trusted or is_ours(authors.domains, self._rules.ours):
            return origin
        return ""


def _origin(client: Client, rules: Rules) -> tuple[Origin, str]:
    """The origin; and why it is not known, where a table of hosts does not answer.

    Then nothing vouches for the message, and it is checked like a stranger's if it is not deferred.
    """
    try:
        return roles.decide(client, rules.origins), ""
    except SigningUnavailable as reason:
        return Origin.OUTSIDE, str(reason)


def _at_once(work: Callable[[], Signatures]) -> Signatures:
    return work()


def _may_write(client: Client, authors: address.Authors, sender: str, rules: Rules) -> bool:
    """Whether this user may have mail signed for these authors: for one author, and their own.

    Where keys are chosen by the envelope, that sender must be theirs as well: nothing else
    says so, and a login chooses nobody's keys but its own.
    Raises SigningUnavailable when the table does not say.
    """
    logins = rules.logins
    if logins is None or not (client.auth_user or client.auth_type):
        return True
    wanted = [authors.first_address]
    if rules.choose_by is ChooseBy.ENVELOPE and sender != authors.first_address:
        wanted.append(sender)
    return authors.addresses == 1 and all(logins.allows(client.auth_user, one) for one in wanted)
