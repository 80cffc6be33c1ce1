"""More forged fields than can be taken away.

NAME
    crowd - is_crowd(), and Crowded: the Work of a message that is refused for it

GIVEN
    a header, and the operator's rules.

NOTES
    The MTA looks for each field that is to go from the start of the header: in Postfix's
    cleanup(8) a thousand take a third of a second, ten thousand more than twenty seconds, of
    a message of half a megabyte.  To leave them would be to leave forgeries.  Mail goes
    through fifty hosts at most, so that no honest message has a fraction of this.
"""

from __future__ import annotations

from collections.abc import Callable

from postseal.core.action import MARK, Reject
from postseal.core.authres_claims import KEY, instances_to_delete
from postseal.core.field import Header
from postseal.core.findings import Findings
from postseal.core.roles import Origin, Role
from postseal.core.rules import OnQuarantine, Rules
from postseal.core.transaction import Client
from postseal.core.verdict import Verdict, no_body

MAX_FORGED = 200  # fields of one message that claim to be ours

REFUSAL = Reject("message refused: too many fields in the name of this host")


def is_crowd(header: Header, rules: Rules) -> bool:
    """Whether more fields would have to go than this.  Costs next to nothing for other mail."""
    if header.count(KEY) > MAX_FORGED:
        return len(instances_to_delete(header, rules.own_ids)) > MAX_FORGED
    marks = rules.dmarc.quarantine is OnQuarantine.HEADER
    return marks and header.count(MARK.lower().encode("ascii")) > MAX_FORGED


class Crowded:
    """A message that is refused unread."""

    __slots__ = ("_client", "_origin", "body")

    wants_body = False

    def __init__(self, origin: Origin, client: Client) -> None:
        self._origin = origin
        self._client = client
        self.body: Callable[[bytes], None] = no_body

    def close(self) -> Verdict:
        return Verdict(
            role=Role.INTERNAL if self._origin.trusted else Role.INBOUND,
            found=Findings(origin=self._origin, client=self._client),
            action=REFUSAL,
            story={"origin": self._origin, "reason": "too-many-forged-fields"},
        )
