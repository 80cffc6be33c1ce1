"""What was found out about a message, before anybody decides.

NAME
    findings - Findings: the results of every mechanism, as one frozen value

GIVEN
    what checking.py and outbound.py have found.

GIVES
    the same facts to policy.py (decides), report.py (header and log) and
    explain.py (sentences).

DOES NOT
    hold anything that was not looked for: a field that is None was switched off,
    or says nothing about mail of this origin.
"""

from __future__ import annotations

from typing import NamedTuple

from postseal.core import iprev as iprev_check
from postseal.core import spf as spf_check
from postseal.core.address import Authors
from postseal.core.arc.verify import ArcResult
from postseal.core.authres_upstream import Upstream
from postseal.core.dkim import verify
from postseal.core.dmarc.result import Result as Dmarc
from postseal.core.relays import Relayed
from postseal.core.resolver import DnsFault
from postseal.core.roles import Origin
from postseal.core.transaction import Address, Client, Envelope


class Findings(NamedTuple):
    """Everything that is known of a message at its end."""

    origin: Origin
    authors: Authors | None = None
    client: Client | None = None
    envelope: Envelope | None = None
    relayed: Relayed | None = None  # the true client, where relays of ours are believed
    dkim: tuple[verify.Result, ...] = ()
    arc: ArcResult | None = None  # None also for mail without any ARC field
    spf: spf_check.Result | None = None
    helo: spf_check.Result | None = None
    iprev: iprev_check.Result | None = None
    upstream: Upstream | None = None
    dmarc: Dmarc | None = None

    @property
    def address(self) -> Address | None:
        """The client that SPF was asked about."""
        if self.relayed is not None:
            return self.relayed.address
        return self.client.address if self.client is not None else None

    @property
    def client_name(self) -> str:
        """The verified name of that client, "" without one: Received fields verify nothing."""
        if self.client is None:
            return ""
        behind = self.relayed is not None and self.relayed.address != self.client.address
        return "" if behind else self.client.name

    @property
    def borrowed(self) -> bool:
        """Whether DMARC passed by what the upstream host found, and not by what we did."""
        if self.upstream is None or self.dmarc is None or not self.dmarc.aligned_by:
            return False
        mine = {f"dkim {domain}" for domain in dkim_domains(self.dkim, verify.Status.PASS)}
        if self.spf is not None and self.spf.status is spf_check.Status.PASS:
            mine.add(f"spf {self.spf.domain}")
        return not mine.intersection(self.dmarc.aligned_by)

    @property
    def limits(self) -> tuple[str, ...]:
        """Which budgets this message has used up: what lies beyond was not looked at."""
        found = []
        if any(map(_is_budget, self._faults())):
            found.append("dns")
        if any(one.why is verify.Why.TOO_MANY for one in self.dkim):
            found.append("signatures")
        if self.spf is not None and self.spf.why in _SPF_LIMITS:
            found.append("spf")
        return tuple(found)

    def _faults(self) -> list[str]:
        """Details of what ended in a temporary fault."""
        details = [one.detail for one in self.dkim if one.status is verify.Status.TEMPERROR]
        for sender in (self.spf, self.helo):
            if sender is not None and sender.why is spf_check.Why.DNS_BUDGET:
                details.append(_BUDGET)
        if self.arc is not None and self.arc.is_temporary:
            details.append(self.arc.detail)
        if self.iprev is not None:
            details.append(self.iprev.detail)
        if self.dmarc is not None:
            details.append(self.dmarc.detail)
        return details


_SPF_LIMITS = (spf_check.Why.LOOKUP_LIMIT, spf_check.Why.VOID_LIMIT, spf_check.Why.MX_LIMIT)


_BUDGET = f": {DnsFault.BUDGET}"


def _is_budget(detail: str) -> bool:
    """Whether a fault's text, which ends in its DnsFault, says that the budget was spent."""
    return detail.endswith(_BUDGET)


def dkim_domains(results: tuple[verify.Result, ...], status: verify.Status) -> tuple[str, ...]:
    """The signing domains with that result; a key in test mode vouches for nobody.

    RFC 6376 section 3.6.1: verifiers must not treat messages from signers in
    testing mode differently from unsigned mail.
    """
    return tuple(
        dict.fromkeys([one.domain for one in results if one.status is status and not one.testing])
    )
