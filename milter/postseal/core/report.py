"""Results in two forms: for Authentication-Results, and for the log line.

NAME
    report - MethodResult values (RFC 8601) and the story of a message

GIVES
    for each mechanism the words that RFC 8601 and RFC 9989 define, in this order:
    auth, dkim, spf, dmarc.

DOES NOT
    escape: compose() filters every value for the header, the log line for the log.
"""

from __future__ import annotations

from postseal.core import explain
from postseal.core import spf as spf_check
from postseal.core.address import Authors
from postseal.core.authres import MethodResult, Property
from postseal.core.dkim import verify
from postseal.core.dmarc import evaluate as dmarc_check
from postseal.core.roles import Origin
from postseal.core.transaction import Client, Envelope


def auth(client: Client, envelope: Envelope) -> MethodResult:
    """The client authenticated (RFC 8601 section 2.7.4)."""
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
        result=result.status.value,
        reason="" if result.status in _PLAIN else result.detail or result.why.value,
        comment=comment,
        properties=tuple(Property("header", name, value) for name, value in named if value),
    )


def spf(result: spf_check.Result) -> MethodResult:
    """The identity that was checked, without its local part (RFC 8601 section 2.7.2)."""
    identity = "helo" if result.identity == "helo" else "mailfrom"
    return MethodResult(
        method="spf",
        result=result.status.value,
        reason=result.detail if result.status in _SPF_FAULTS else "",
        properties=(Property("smtp", identity, result.domain),) if result.domain else (),
    )


_SPF_FAULTS = (spf_check.Status.PERMERROR, spf_check.Status.TEMPERROR)


def dmarc(result: dmarc_check.Result) -> MethodResult:
    """policy.dmarc is what applies after sp, np and t (RFC 9989 section 9.2)."""
    properties = []
    if result.author_domain:
        properties.append(Property("header", "from", result.author_domain))
    if result.applied is not None:
        properties.append(Property("policy", "dmarc", result.applied.value))
    unclear = result.status in (dmarc_check.Status.PERMERROR, dmarc_check.Status.TEMPERROR)
    return MethodResult(
        method="dmarc",
        result=result.status.value,
        reason=result.detail if unclear else "",
        properties=properties,
    )


def story(
    origin: Origin,
    authors: Authors,
    signatures: tuple[verify.Result, ...],
    sender: spf_check.Result | None,
    verdict: dmarc_check.Result | None,
) -> dict[str, str | int]:
    """The log line's pairs: each result with its reason."""
    pairs: dict[str, str | int] = {
        "origin": origin.value,
        "from": ",".join(authors.domains) or authors.why.value,
        "dkim": ",".join(map(_short, signatures)),
    }
    if sender is not None:
        pairs["spf"] = f"{sender.status}/{sender.why}"
        pairs["spf_domain"] = sender.domain
    if verdict is not None:
        pairs["dmarc"] = f"{verdict.status}/{verdict.why}"
        if verdict.applied is not None:
            pairs["policy"] = verdict.applied.value
        pairs["because"] = explain.short(verdict, signatures, sender)
    return pairs


def _short(result: verify.Result) -> str:
    if result.status is verify.Status.NONE:
        return result.status.value
    return f"{result.status}/{result.why}:{result.domain or '-'}"
