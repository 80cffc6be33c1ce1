"""From verdict to action: the operator's switches, and nothing else.

NAME
    policy - decide() what happens to a message from outside

GIVEN
    what the From field and DMARC came to, and the operator's rules.

GIVES
    one Action.  With every switch off that is Accept, whatever the verdict.

DOES NOT
    look at DKIM or SPF by themselves: a failed signature is the same as none
    (RFC 6376 section 6.1), and refusing on SPF alone would keep DMARC from being
    evaluated (RFC 9989 section 7.1).
"""

from __future__ import annotations

from postseal.core.action import Accept, Action, Defer, Hold, Reject
from postseal.core.address import Authors
from postseal.core.address import Why as From
from postseal.core.dmarc.evaluate import Disposition, Result, Status
from postseal.core.findings import Findings
from postseal.core.rules import DmarcRules, FromRules, OnBadFrom, OnFault, Rules

_FROM_FAULT = {
    From.MISSING: "it has no From field",
    From.SEVERAL_FIELDS: "it has more than one From field",
    From.SEVERAL_DOMAINS: "its authors are in more than one domain",
}


def decide(found: Findings, all_rules: Rules) -> Action:
    """The first of these that applies: a bad From field, a DMARC failure, no DMARC answer."""
    rules, dmarc = all_rules.dmarc, found.dmarc
    if found.authors is not None:
        action = _on_bad_from(found.authors, all_rules.from_)
        if not isinstance(action, Accept):
            return action
    if dmarc is None:
        return Accept()
    if dmarc.status is Status.TEMPERROR and rules.on_temperror is OnFault.TEMPFAIL:
        return Defer("DMARC could not be checked, DNS gave no answer; please try again later")
    if dmarc.status is Status.FAIL:
        return _on_failure(dmarc, rules)
    return Accept()


def _on_bad_from(authors: Authors, rules: FromRules) -> Action:
    match authors.why:
        case From.ONE:
            return Accept()
        case From.MISSING:
            wanted = rules.missing
        case From.SEVERAL_FIELDS | From.SEVERAL_DOMAINS:
            wanted = rules.multiple
        case _:
            wanted = rules.broken
    fault = _FROM_FAULT.get(authors.why, "its From field does not name an author")
    match wanted:
        case OnBadFrom.REJECT:
            return Reject(f"message refused: {fault} (RFC 5322 section 3.6.2)")
        case OnBadFrom.HOLD:
            return Hold(f"From: {fault}")
        case OnBadFrom.ACCEPT:
            return Accept()


def _on_failure(dmarc: Result, rules: DmarcRules) -> Action:
    """RFC 9989 section 7.4: without the operator's word, `reject` is treated as `quarantine`."""
    if dmarc.applied is Disposition.REJECT and rules.reject:
        return Reject(rules.reject_text.replace("{domain}", dmarc.author_domain))
    if dmarc.applied in (Disposition.REJECT, Disposition.QUARANTINE) and rules.hold_quarantine:
        return Hold(f"DMARC failure for {dmarc.author_domain}")
    return Accept()
