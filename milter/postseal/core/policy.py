"""From findings to a decision: the operator's switches, and nothing else.

NAME
    policy - decide() what happens to a message from outside

GIVEN
    what was found, and the operator's rules.

GIVES
    one Decision.  With every switch off that is to accept, whatever was found.

DOES NOT
    look at failures of DKIM or SPF by themselves: a failed signature is the same as
    none (RFC 6376 section 6.1), and refusing on SPF alone would keep DMARC from being
    evaluated (RFC 9989 section 7.1).  It is never asked about mail of our own.

THE ORDER
    a bad From field; the DMARC result, softened where a trusted sealer or a mailing list
    explains the failure; errors of single mechanisms where DMARC did not pass; and
    over all of these the first override that matches.
"""

from __future__ import annotations

from postseal.core.action import Accept, Action, Defer, Hold, Reject
from postseal.core.address import Authors
from postseal.core.address import Why as From
from postseal.core.arc.trust import voucher
from postseal.core.arc.verify import Status as Arc
from postseal.core.decision import Decision, Kind, Local
from postseal.core.dkim.verify import Status as Dkim
from postseal.core.dmarc.evaluate import Disposition, Result, Status
from postseal.core.field import Header
from postseal.core.findings import Findings, dkim_domains
from postseal.core.listid import list_id
from postseal.core.overrides import Effect, Override, first_match
from postseal.core.rules import (
    FaultRules,
    FromRules,
    OnBadFrom,
    OnFault,
    OnQuarantine,
    Rules,
    Soften,
)
from postseal.core.spf import Status as Spf

ACCEPT = Decision()

_FROM_FAULT = {
    From.MISSING: "it has no From field",
    From.SEVERAL_FIELDS: "it has more than one From field",
    From.SEVERAL_DOMAINS: "its authors are in more than one domain",
}


def decide(found: Findings, header: Header, rules: Rules, *, now: int) -> Decision:
    """The decision.  now: seconds since 1970, for overrides that expire."""
    planned = _plan(found, header, rules)
    if rules.overrides:
        severe = not isinstance(planned.action, Accept)
        row = first_match(rules.overrides, found, header, planned=severe, now=now)
        if row is not None:
            local = Local(Kind.OVERRIDE, row.why, row.number)
            return Decision(action=_override(row, found.authors), local=local)
    return planned


def _override(row: Override, authors: Authors | None) -> Action:
    match row.effect:
        case Effect.ACCEPT:
            return Accept()
        case Effect.HOLD:
            return Hold(f"local policy: {row.why}")
        case Effect.REJECT:
            whose = f" for {authors.domains[0]}" if authors and authors.domains else ""
            return Reject(f"message refused by local policy{whose}")


def _plan(found: Findings, header: Header, rules: Rules) -> Decision:
    """Without overrides."""
    if found.authors is not None and found.authors.why is not From.ONE:
        action = _on_bad_from(found.authors, rules.from_)
        if not isinstance(action, Accept):
            return Decision(action=action)
    dmarc = found.dmarc
    if dmarc is not None:
        if dmarc.status is Status.PASS:
            return ACCEPT
        if dmarc.status is Status.TEMPERROR and rules.dmarc.on_temperror is OnFault.TEMPFAIL:
            return _defer("DMARC could not be checked, DNS gave no answer")
        if dmarc.status is Status.FAIL:
            decision = _on_failure(found, header, dmarc, rules)
            if decision is not ACCEPT:
                return decision
    return _on_faults(found, rules.faults) if rules.faults.any else ACCEPT


def _defer(why: str) -> Decision:
    return Decision(action=Defer(f"{why}; please try again later"))


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


# DMARC failures.


def _on_failure(found: Findings, header: Header, dmarc: Result, rules: Rules) -> Decision:
    """RFC 9989 section 7.4: without the operator's word, `reject` is treated as `quarantine`."""
    wanted, local = _softened(found, header, dmarc.applied or Disposition.NONE, rules)
    if wanted is Disposition.REJECT and rules.dmarc.reject:
        text = rules.dmarc.reject_text.replace("{domain}", dmarc.author_domain)
        return Decision(action=Reject(text), local=local)
    if wanted is not Disposition.NONE:
        if rules.dmarc.quarantine is OnQuarantine.HOLD:
            return Decision(action=Hold(f"DMARC failure for {dmarc.author_domain}"), local=local)
        if rules.dmarc.quarantine is OnQuarantine.HEADER:
            asked = (dmarc.applied or wanted).value
            return Decision(mark=f"dmarc; {dmarc.author_domain} asks for {asked}", local=local)
    return Decision(local=local) if local is not None else ACCEPT


def _softened(
    found: Findings, header: Header, wanted: Disposition, rules: Rules
) -> tuple[Disposition, Local | None]:
    """What is left of the policy, and why, when a local policy has weakened it."""
    if wanted is Disposition.NONE:
        return wanted, None
    author = found.authors.domain if found.authors is not None else None
    if sealer := voucher(found.arc, rules.arc.trusted, author):
        return Disposition.NONE, Local(Kind.SEALER, f"trusted ARC sealer {sealer}")
    softer = _SOFTER[rules.dmarc.soften_lists]
    if softer.strictness < wanted.strictness and (name := _mailing_list(found, header)):
        return softer, Local(Kind.LIST, f"mailing list {name[:100]}")
    return wanted, None


_SOFTER = {
    Soften.OFF: Disposition.REJECT,  # no softer than anything
    Soften.QUARANTINE: Disposition.QUARANTINE,
    Soften.ACCEPT: Disposition.NONE,
}


def _mailing_list(found: Findings, header: Header) -> str:
    """The List-Id of mail for which somebody stands, though not its author; "" for others."""
    name = list_id(header)
    if name and (
        dkim_domains(found.dkim, Dkim.PASS)
        or (found.arc is not None and found.arc.status is Arc.PASS)
    ):
        return name
    return ""


# Errors of single mechanisms.


def _on_faults(found: Findings, rules: FaultRules) -> Decision:
    """Mail that DMARC does not pass, and of which something could not be found out."""
    statuses = {one.status for one in found.dkim}
    if Dkim.PASS not in statuses:
        if rules.dkim_temperror is OnFault.TEMPFAIL and Dkim.TEMPERROR in statuses:
            return _defer("DKIM could not be checked, DNS gave no answer")
        if rules.dkim_permerror is OnFault.TEMPFAIL and Dkim.PERMERROR in statuses:
            return _defer("the DKIM signature or its key is not usable")
    if found.spf is not None:
        if rules.spf_temperror is OnFault.TEMPFAIL and found.spf.status is Spf.TEMPERROR:
            return _defer("SPF could not be checked, DNS gave no answer")
        if rules.spf_permerror is OnFault.TEMPFAIL and found.spf.status is Spf.PERMERROR:
            return _defer(f"the SPF record of {found.spf.domain} is not usable")
    return ACCEPT
