"""SPF: may this client send mail for that domain?  (RFC 7208)

NAME
    spf - check MAIL FROM, or HELO where the sender is null

GIVEN
    the client's address, its HELO, the envelope sender, a Resolver and Limits.

GIVES
    one Result.  Never raises for anything that a sender or a DNS server can do.

DOES NOT
    choose what happens to the message, or fetch explanations (exp=): nothing here
    shows them, and they are the sender's words.

DECISIONS
    redirect= counts when it is followed, not when it is read (RFC 7208 section 4.6.4).
    %{p} counts as one lookup, once.  A void lookup is a term whose own question had no
    answer; addresses of MX hosts and of PTR names do not count, or an IPv6 client could
    never be checked against three hosts without IPv6.  DNS failures under ptr mean that
    nothing matched (section 5.5), unless the message's budget is spent.  A local part
    beyond ASCII matches no term with %{s} or %{l} (RFC 8616 section 4).
    A record of more than 4 kB is a permanent error: it takes quadratic time elsewhere,
    and no domain needs it.

SEE ALSO
    spf_query (the evaluation), spf_plain and spf_record (records), spf_macro,
    RFC 8601 section 2.7.2.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from ipaddress import IPv6Address
from typing import Literal, NamedTuple

from postseal.core.names import BadDomain, ascii_domain
from postseal.core.resolver import BadName, DnsFault, Kind, Resolver, TemporaryDnsError
from postseal.core.spf_query import Identity, Outcome, Query
from postseal.core.spf_record import Fault, Limits, select_record
from postseal.core.transaction import Address

__all__ = ["Limits", "Result", "Status", "Why", "check_helo", "evaluate", "prefetch"]

_HELO_MAX = 255
_LOCAL_MAX = 512
_DETAIL_MAX = 160
_RECORD_MAX = 512
_SENDER_MAX = 512  # longer ones are not worth their room
_LIMITS = Limits()
_NOTHING = Outcome()


class Status(StrEnum):
    """Result word for Authentication-Results (RFC 8601 section 2.7.2)."""

    NONE = "none"  # no domain to check, or it publishes no SPF record
    NEUTRAL = "neutral"  # the domain says nothing about this client
    PASS = "pass"  # noqa: S105 - the client may send for the domain
    FAIL = "fail"  # it may not
    SOFTFAIL = "softfail"  # it probably may not
    TEMPERROR = "temperror"  # DNS did not answer; asking later may help
    PERMERROR = "permerror"  # the record is published but unusable
    POLICY = "policy"  # set aside by local policy; never given here


_STATUS = {status.value: status for status in Status}


class Why(StrEnum):
    """Closed list of reasons: programs match on it (log, --json), people read detail."""

    MATCHED = "matched"  # a mechanism did
    NO_MATCH = "no-match"  # none did, and no default was published
    NO_RECORD = "no-record"
    NO_SUCH_DOMAIN = "no-such-domain"
    NO_DOMAIN = "no-domain"  # malformed, an address literal, or a single label
    NO_CLIENT = "no-client-address"
    MANY_RECORDS = "many-records"
    TOO_LONG = "record-too-long"
    NOT_ASCII = "record-not-ascii"
    SYNTAX = "syntax"
    MISSING_RECORD = "missing-record"  # include or redirect to a domain without one
    LOOKUP_LIMIT = "lookup-limit"
    VOID_LIMIT = "void-limit"
    MX_LIMIT = "mx-limit"
    DNS_TIMEOUT = "dns-timeout"
    DNS_FAILURE = "dns-failure"
    DNS_BUDGET = "dns-budget"  # this message's time or questions are used up
    INTERNAL = "internal"  # the library failed in a way that nobody foresaw


class Result(NamedTuple):
    """What SPF found.  domain is in A-labels, "" when there is none to check.

    record is what the domain publishes, mechanism the term of it that decided.  These
    and detail are printable ASCII of bounded length; they quote what others wrote.
    """

    status: Status
    why: Why
    domain: str
    identity: Literal["mailfrom", "helo"]
    lookups: int = 0
    voids: int = 0
    record: str = ""
    mechanism: str = ""
    detail: str = ""


def evaluate(
    *,
    client: Address | None,
    helo: str,
    sender: str,
    resolver: Resolver,
    limits: Limits | None = None,
    receiver: str = "unknown",
) -> Result:
    """check_host() for the envelope sender; of a null sender, for postmaster@HELO.

    sender is `local@domain`; angle brackets left on are taken off.  receiver is kept
    for symmetry with RFC 7208's r macro, which only explanations use.  Never raises.
    """
    return _check(client, _identity(helo, sender), resolver, limits or _LIMITS)


def check_helo(
    *,
    client: Address | None,
    helo: str,
    resolver: Resolver,
    limits: Limits | None = None,
    receiver: str = "unknown",
) -> Result:
    """check_host() for the HELO identity (RFC 7208 section 2.3).  Never raises."""
    return _check(client, _identity(helo, ""), resolver, limits or _LIMITS)


def prefetch(*, client: Address | None, helo: str, sender: str, resolver: Resolver) -> None:
    """Start the question that evaluate() will ask first.  Never raises."""
    identity = _identity(helo, sender)
    if client is not None and "." in identity.domain:
        resolver.prefetch(identity.domain, Kind.TXT)


def _identity(helo: str, sender: str) -> Identity:
    """What is checked.  domain is "" when it cannot be (RFC 7208 section 4.3)."""
    read = _remembered if len(sender) <= _SENDER_MAX else _read_identity
    return read(helo[:_HELO_MAX], sender)


def _read_identity(helo: str, sender: str) -> Identity:
    sender = sender.strip().removeprefix("<").removesuffix(">")
    if not sender:
        domain = _domain(helo)
        return Identity("helo", "postmaster", domain, helo=domain or helo)
    local, at, domain = sender.rpartition("@")
    return Identity(
        "mailfrom",
        local[:_LOCAL_MAX] or "postmaster",
        _domain(domain) if at else "",
        helo=_domain(helo) or helo,
    )


_remembered = lru_cache(maxsize=256)(_read_identity)  # to prefetch, and soon to evaluate


def _domain(text: str) -> str:
    try:
        return ascii_domain(text)
    except BadDomain:
        return ""


def _check(
    client: Address | None, identity: Identity, resolver: Resolver, limits: Limits
) -> Result:
    """The record, then its evaluation; every end is a Result."""
    if "." not in identity.domain:
        return _result(identity, Status.NONE, Why.NO_DOMAIN)
    if client is None:
        return _result(identity, Status.NONE, Why.NO_CLIENT)
    if isinstance(client, IPv6Address) and client.ipv4_mapped is not None:
        client = client.ipv4_mapped
    record: str | None = None
    try:
        answer = resolver.ask(identity.domain, Kind.TXT)
        if not answer.exists:
            return _result(identity, Status.NONE, Why.NO_SUCH_DOMAIN)
        record = select_record(answer.records, limits)
        if record is None:
            return _result(identity, Status.NONE, Why.NO_RECORD)
        outcome = Query(client, identity, resolver, limits).run(record)
    except Fault as fault:
        return _result(identity, Status.PERMERROR, Why(fault.why))
    except TemporaryDnsError as fault:
        outcome = Outcome(detail=str(fault))
        return _result(identity, Status.TEMPERROR, _dns_why(fault.fault), record, outcome)
    except BadName:
        return _result(identity, Status.NONE, Why.NO_DOMAIN)
    except Exception as fault:  # pyspf: a bad record must not stop the message
        outcome = Outcome(detail=repr(fault))
        return _result(identity, Status.PERMERROR, Why.INTERNAL, record, outcome)
    return _result(identity, _STATUS[outcome.word], _why(outcome), record, outcome)


def _result(
    identity: Identity,
    status: Status,
    why: Why,
    record: str | None = None,
    outcome: Outcome = _NOTHING,
) -> Result:
    return Result(
        status=status,
        why=why,
        domain=identity.domain,
        identity=identity.kind,
        lookups=outcome.lookups,
        voids=outcome.voids,
        record=_printable(record or "", _RECORD_MAX),
        mechanism=_printable(outcome.mechanism),
        detail=_printable(outcome.detail),
    )


def _why(outcome: Outcome) -> Why:
    if outcome.word == Status.TEMPERROR:
        return _dns_why(outcome.dns)
    if outcome.word == Status.PERMERROR:
        return Why(outcome.why)
    return Why.MATCHED if outcome.matched else Why.NO_MATCH


def _dns_why(fault: DnsFault | None) -> Why:
    match fault:
        case DnsFault.TIMEOUT:
            return Why.DNS_TIMEOUT
        case DnsFault.BUDGET:
            return Why.DNS_BUDGET
        case _:
            return Why.DNS_FAILURE


def _printable(text: str, most: int = _DETAIL_MAX) -> str:
    """What may be quoted: printable ASCII, cut."""
    text = text[:most]
    if text.isascii() and text.isprintable():
        return text
    return "".join(c if c.isascii() and c.isprintable() else "?" for c in text)
