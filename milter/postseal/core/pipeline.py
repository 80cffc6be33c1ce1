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
    close()  keys and policies have come; DKIM, SPF and DMARC are judged (checking.py),
             or the signatures are made (outbound.py); policy.py picks the action;
             report.py writes Authentication-Results; forged ones are deleted.
"""

from __future__ import annotations

from collections.abc import Callable

from postseal.core import address, roles
from postseal.core.checking import Checking
from postseal.core.field import Header
from postseal.core.outbound import LeaveAlone, Outbound, Refused
from postseal.core.resolver import Resolver
from postseal.core.roles import Origin
from postseal.core.rules import Rules
from postseal.core.signing import KeyChooser, LoginTable, SigningUnavailable
from postseal.core.transaction import Client, Envelope
from postseal.core.verdict import Work


class Pipeline:
    """One per worker; immutable, so that every thread may use it."""

    __slots__ = ("_clock", "_keys", "_rules")

    def __init__(self, rules: Rules, keys: KeyChooser, clock: Callable[[], float]) -> None:
        self._rules = rules
        self._keys = keys
        self._clock = clock

    def open(self, client: Client, envelope: Envelope, header: Header, resolver: Resolver) -> Work:
        """Begin a message at the end of its header.  Never raises for what a sender wrote."""
        rules = self._rules
        origin = roles.decide(client, rules.origins)
        if origin is Origin.PEER:
            return LeaveAlone(origin)
        authors = address.author_domains(address.from_fields(header))
        if origin.signs and not _may_write(client, authors, rules.logins):
            origin = Origin.NOT_OWNER
        now = int(self._clock())
        if origin.signs and authors.why is address.Why.ONE:
            try:
                choices = self._keys.choose(authors.first_address)
            except SigningUnavailable as reason:
                return Refused(rules, origin, client, authors, str(reason))
            if choices:
                return Outbound(rules, origin, client, authors, header, choices, now)
        return Checking(rules, origin, authors, client, envelope, header, resolver, now)


def _may_write(client: Client, authors: address.Authors, logins: LoginTable | None) -> bool:
    """Whether this user may have mail signed for these authors: for one author, and their own."""
    if logins is None or not (client.auth_user or client.auth_type):
        return True
    return authors.addresses == 1 and logins.allows(client.auth_user, authors.first_address)
