"""Results in two forms: for Authentication-Results, and for the log line.

NAME
    report - MethodResult values (RFC 8601) and the story of a message

GIVES
    for each mechanism the words that RFC 8601 and RFC 9989 define, in this order:
    auth, iprev, dkim, arc, spf (MAIL FROM, then HELO), dmarc.

DOES NOT
    escape: compose() filters every value for the header, the log line for the log.
"""

from __future__ import annotations

from postseal.core import explain
from postseal.core import iprev as iprev_check
from postseal.core import spf as spf_check
from postseal.core.arc import verify as arc_check
from postseal.core.authres import MethodResult, Property
from postseal.core.decision import Decision, Kind, Local
from postseal.core.dkim import verify
from postseal.core.dmarc import evaluate as dmarc_check
from postseal.core.dmarc.walk import Method
from postseal.core.findings import Findings
from postseal.core.relays import Why as Relay
from postseal.core.roles import Origin
from postseal.core.transaction import Address, Client, Envelope


def results(found: Findings, local: Local | None = None) -> list[MethodResult]:
    """Every result, in the order of the field.  local: the local policy that applied."""
    made = dkim(found.dkim)
    if found.iprev is not None:
        made.insert(0, iprev(found.iprev))
    if found.origin in _AUTHENTICATED and found.client and found.envelope:
        made.insert(0, auth(found.client, found.envelope))
    if found.arc is not None:
        made.append(arc(found.arc, found.address))
    if found.spf is not None:
        made.append(spf(found.spf))
    if found.helo is not None:
        made.append(spf(found.helo))
    if found.dmarc is not None:
        made.append(dmarc(found.dmarc, borrowed_from=_lender(found), local=local))
    return made


_AUTHENTICATED = (Origin.AUTHENTICATED, Origin.NOT_OWNER)


def _lender(found: Findings) -> str:
    """The upstream host whose results decided; "" when ours did."""
    return found.upstream.authserv_id if found.upstream and found.borrowed else ""


def auth(client: Client, envelope: Envelope) -> MethodResult:
    """The client authenticated (RFC 8601 section 2.7.4).

    Told where a field is written at all; mail that we sign gets none.
    """
    return MethodResult(
        method="auth",
        result="pass",
        properties=(
            Property("smtp", "auth", client.auth_user),
            Property("smtp", "mailfrom", envelope.sender),
        ),
    )


def dkim(results: tuple[verify.Result, ...]) -> list[MethodResult]:
    """One resinfo per signature, or dkim=none (RFC 8601 section 2.7.1, RFC 6008)."""
    return [_dkim(result) for result in results]


_PLAIN = (verify.Status.PASS, verify.Status.NONE)


def _dkim(result: verify.Result) -> MethodResult:
    named = (
        ("d", result.domain),
        ("i", result.identity),
        ("s", result.selector),
        ("a", result.algorithm),
        ("b", result.b),
    )
    comment = f"{result.key_bits}-bit key" if result.key_bits else ""
    if result.testing:
        comment += ", testing" if comment else "testing"
    return MethodResult(
        method="dkim",
        result=result.status,
        reason="" if result.status in _PLAIN else result.detail or result.why,
        comment=comment,
        properties=tuple([Property("header", name, value) for name, value in named if value]),
    )


def iprev(result: iprev_check.Result) -> MethodResult:
    """The client's address, and in a comment the name that is its own (RFC 8601 section 2.7.3)."""
    unclear = result.status is iprev_check.Status.TEMPERROR
    address = (Property("policy", "iprev", str(result.client)),) if result.client else ()
    return MethodResult(
        method="iprev",
        result=result.status,
        reason=result.detail if unclear else "",
        comment=result.name if result.status is iprev_check.Status.PASS else "",
        properties=address,
    )


def arc(result: arc_check.ArcResult, client: Address | None) -> MethodResult:
    """The chain, how far back its signatures hold, and the client (RFC 8617 section 10)."""
    passed = result.status is arc_check.Status.PASS
    properties = [Property("header", "oldest-pass", str(result.oldest_pass))] if passed else []
    if client is not None:
        properties.append(Property("smtp", "remote-ip", str(client)))
    where = f" (i: {result.failed})" if result.failed else ""
    return MethodResult(
        method="arc",
        result=result.status,
        reason="" if passed else (result.detail or result.why) + where,
        comment=f"sealed by {result.sealers[-1].domain}" if passed else "",
        properties=properties,
    )


def spf(result: spf_check.Result) -> MethodResult:
    """The identity that was checked, without its local part (RFC 8601 section 2.7.2)."""
    identity = "helo" if result.identity == "helo" else "mailfrom"
    return MethodResult(
        method="spf",
        result=result.status,
        reason=result.detail if result.status in _SPF_FAULTS else "",
        properties=(Property("smtp", identity, result.domain),) if result.domain else (),
    )


_SPF_FAULTS = (spf_check.Status.PERMERROR, spf_check.Status.TEMPERROR)


def dmarc(
    result: dmarc_check.Result, *, borrowed_from: str = "", local: Local | None = None
) -> MethodResult:
    """policy.dmarc is what applies after sp, np and t (RFC 9989 section 9.2).

    A verdict that does not rest on the tree walk of RFC 9989, or on our own results,
    says so in a comment.  The reason is the local policy that applied, or the fault.
    """
    properties = []
    if result.author_domain:
        properties.append(Property("header", "from", result.author_domain))
    if result.applied is not None:
        properties.append(Property("policy", "dmarc", result.applied))
    reason = ""
    if local is not None:
        reason = f"local policy: {local.text}"
    elif result.status in (dmarc_check.Status.PERMERROR, dmarc_check.Status.TEMPERROR):
        reason = result.detail
    remarks = []
    if result.method is Method.PSL:
        remarks.append("by public suffix list")
    if borrowed_from:
        remarks.append(f"by results of {borrowed_from}")
    return MethodResult(
        method="dmarc",
        result=result.status,
        reason=reason,
        comment=", ".join(remarks),
        properties=properties,
    )


Pairs = dict[str, str | int]


def story(found: Findings, decision: Decision | None = None) -> Pairs:
    """The log line's pairs: each result with its reason, and what the operator's rules did."""
    authors = found.authors
    pairs: Pairs = {
        "origin": found.origin,
        "from": ",".join(authors.domains) or authors.why if authors else "",
        "dkim": ",".join(map(_short, found.dkim)),
    }
    if found.relayed is not None and found.relayed.why is not Relay.DIRECT:
        pairs["relayed_for"] = str(found.relayed.address or found.relayed.why)
    if found.arc is not None:
        pairs["arc"] = f"{found.arc.status}/{found.arc.why}"
        if found.arc.sealers:
            pairs["sealer"] = found.arc.sealers[-1].domain
    if found.spf is not None:
        pairs["spf"] = f"{found.spf.status}/{found.spf.why}"
        pairs["spf_domain"] = found.spf.domain
    if found.helo is not None:
        pairs["spf_helo"] = f"{found.helo.status}/{found.helo.why}"
    if found.iprev is not None:
        pairs["iprev"] = f"{found.iprev.status}/{found.iprev.why}"
    if found.upstream is not None:
        pairs["upstream"] = found.upstream.why
    if found.dmarc is not None:
        _tell_dmarc(pairs, found.dmarc, found)
    if decision is not None:
        _tell_decision(pairs, decision)
    if limits := found.limits:
        pairs["limits"] = ",".join(limits)
    return pairs


def _tell_decision(pairs: Pairs, decision: Decision) -> None:
    local = decision.local
    if local is not None:
        if local.kind is Kind.OVERRIDE:
            pairs["override"] = local.text
            pairs["row"] = local.row
        else:
            pairs["local"] = local.text
    if decision.mark:
        pairs["quarantine"] = "header"


def _tell_dmarc(pairs: Pairs, verdict: dmarc_check.Result, found: Findings) -> None:
    pairs["dmarc"] = f"{verdict.status}/{verdict.why}"
    if verdict.applied is not None:
        pairs["policy"] = verdict.applied
    if verdict.difference:
        pairs["differs"] = verdict.difference
    pairs["because"] = explain.short(verdict, found.dkim, found.spf)


def _short(result: verify.Result) -> str:
    if result.status is verify.Status.NONE:
        return result.status
    return f"{result.status}/{result.why}:{result.domain or '-'}"
