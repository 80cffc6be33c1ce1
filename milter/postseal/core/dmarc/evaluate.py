"""DMARC: does the Author Domain stand behind this message?

NAME
    evaluate - compare Author Domains with what SPF and DKIM proved

GIVEN
    Authors, the domains that SPF and DKIM proved, and a Resolver.

GIVES
    one Result: status, reason, the policy that is asked for and the evidence.
    Never raises for anything a sender or a DNS server can do.

DOES NOT
    choose what happens to the message: applied is what the Domain Owner asks
    for, and a receiver MUST NOT reject for that alone (RFC 9989 section 7.4).

DECISIONS
    What the RFC leaves open, and what is done here.
    - Not exactly one Author Domain (sections 5.3.1 and 11.5): each domain found is
      evaluated, MAX_DOMAINS at most.  If one fails, the message fails, with the
      strictest policy among those that fail.  It passes only when the From field
      is readable and every domain passes; with a domain among them that has no
      record it is none.  A repeated or unreadable From never passes, nor does one
      with more domains than were evaluated: permerror, and so is a message
      without any domain.
    - An identifier whose SPF or DKIM check met a temporary fault, and which would
      be aligned, makes temperror out of fail (section 5.3.6).  So does a fault in
      any question that the verdict needed.  A pass needs one aligned identifier
      and no other question.
    - A record whose p, sp or np is invalid, without rua, means no DMARC processing
      (section 4.10.1): permerror, no policy.
    - Whether the Author Domain exists is asked only when the message failed, its
      policy is from above, and np makes a difference.

SEE ALSO
    RFC 9989 sections 4.4, 4.10 and 5.3; walk, record.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..address import Authors
from ..address import Why as From
from ..names import is_at_or_below, labels
from ..resolver import BadName, Kind, Resolver, TemporaryDnsError
from .align import MAX_IDENTIFIERS, Aligner, Facts, normal, pairs
from .record import Disposition
from .result import Result, Status, Why
from .walk import Discovery, policy_names

__all__ = ["Disposition", "Result", "Status", "Why", "evaluate", "prefetch"]

MAX_DOMAINS = 5  # Author Domains evaluated (RFC 9989 section 11.5)
_USUAL_LABELS = 3  # of a From field's domain


def prefetch(authors: Authors, resolver: Resolver, identifiers: Iterable[str] = ()) -> None:
    """Start the questions that evaluate() will probably ask.

    A walk is sequential, because a psd tag may end it; asking all names at once
    would cost up to eight questions where one is usual.  So: the Author
    Domain's record; of a name with three labels or more also its parent's, since
    most such names have no record of their own; and, for identifiers (d=, MAIL
    FROM) that are another name of the same organisation as far as two labels
    tell, theirs and the top's, which relaxed alignment will need.

    Where a walk will be long, or one of several, all its names: its time and questions
    must not be spent on others by then, such as a forger's own second author.
    """
    others = normal(identifiers)[:MAX_IDENTIFIERS]
    names: dict[str, None] = {}
    several = len(authors.domains) > 1
    for domain in authors.domains[:MAX_DOMAINS]:
        parts = labels(domain)
        names[domain] = None
        if several or len(parts) > _USUAL_LABELS:
            names |= dict.fromkeys(policy_names(domain))
        elif len(parts) > 2:
            names[".".join(parts[1:])] = None
        near = ".".join(parts[-2:])
        for identifier in others:
            if identifier != domain and is_at_or_below(identifier, near):
                names[identifier] = None
                names[parts[-1]] = None
    for name in names:
        resolver.prefetch(f"_dmarc.{name}", Kind.TXT)


def evaluate(
    authors: Authors,
    *,
    resolver: Resolver,
    spf_pass_domain: str | None = None,
    dkim_pass_domains: Iterable[str] = (),
    spf_temperror_domain: str | None = None,
    dkim_temperror_domains: Iterable[str] = (),
    discovery: Discovery | None = None,
) -> Result:
    """The DMARC verdict.  Never raises.

    spf_pass_domain is the MAIL FROM domain (that of HELO for the null reverse-path)
    when SPF said pass; a HELO identity of its own never counts (section 4.4.2).
    dkim_pass_domains holds d= of every signature that passed.  The next two are
    the same for checks that ended in temperror.  All may be in any form; what is
    no domain name proves nothing.  discovery: to share walks with somebody else.
    """
    discovery = discovery or Discovery(resolver)
    facts = Facts(
        pairs(spf_pass_domain, dkim_pass_domains),
        pairs(spf_temperror_domain, dkim_temperror_domains),
    )
    if authors.domain:
        return _judge(authors.domain, facts, discovery, resolver)
    if not authors.domains:
        return Result(status=Status.PERMERROR, why=Why.NO_AUTHOR, detail=f"From: {authors.why}")
    each = tuple(
        _judge(domain, facts, discovery, resolver) for domain in authors.domains[:MAX_DOMAINS]
    )
    return _together(authors, each)


def _together(authors: Authors, each: tuple[Result, ...]) -> Result:
    """Several Author Domains, or one in doubt: one result that tells of all."""
    return _deciding(authors, each)._replace(
        domains=tuple(one.author_domain for one in each),
        each=each,
        detail=f"From: {authors.why}",
    )


def _deciding(authors: Authors, each: tuple[Result, ...]) -> Result:
    """The result that decides for the others.

    In this order: a failure that asks for a policy, the strictest first; what
    could not be found out; a failure that asks for nothing; and a pass only if
    the field was readable and nothing is left over.
    """
    by_status = {status: [one for one in each if one.status is status] for status in Status}
    failed = sorted(by_status[Status.FAIL], key=_strictness, reverse=True)
    if failed and _strictness(failed[0]):
        return failed[0]
    if unknown := by_status[Status.TEMPERROR] + by_status[Status.PERMERROR]:
        return unknown[0]
    nobody = Result(
        status=Status.PERMERROR, why=Why.UNSURE_AUTHOR, author_domain=each[0].author_domain
    )
    if len(authors.domains) > len(each):
        return nobody._replace(why=Why.TOO_MANY_AUTHORS)
    if failed:
        return failed[0]
    if authors.why is From.SEVERAL_DOMAINS:
        return (*by_status[Status.NONE], *each)[0]
    return nobody


def _strictness(result: Result) -> int:
    return (result.applied or Disposition.NONE).strictness


# One Author Domain.


def _judge(author: str, facts: Facts, discovery: Discovery, resolver: Resolver) -> Result:
    """The verdict on one Author Domain (RFC 9989 section 5.3)."""
    base = Result(
        status=Status.NONE,
        why=Why.NO_RECORD,
        author_domain=author,
        domains=(author,),
        method=discovery.method,
    )
    try:
        found = _find_policy(base, discovery)
    except TemporaryDnsError as fault:
        return _temperror(base, Why.DNS_POLICY, fault)
    if found.record is None:
        return found
    if not found.record.usable:
        return found._replace(status=Status.PERMERROR, why=Why.BAD_POLICY)
    aligner = Aligner(author, found.record, discovery)
    aligned_by = aligner.aligned(facts.passed)
    if aligned_by:
        published = found.record.policy(below=found.policy_domain != author)
        return found._replace(
            status=Status.PASS,
            why=Why.ALIGNED,
            organizational_domain=discovery.organization(author),  # if it has been found
            published=published,
            applied=Disposition.NONE,
            aligned_by=tuple(aligned_by),
        )
    if aligner.fault:
        return _temperror(found, Why.DNS_ALIGNMENT, aligner.fault)
    unsure = aligner.aligned(facts.unsure)
    if unsure:
        detail = f"no answer for {', '.join(unsure)}"
        return found._replace(status=Status.TEMPERROR, why=Why.DNS_IDENTIFIER, detail=detail)
    if aligner.fault:
        return _temperror(found, Why.DNS_ALIGNMENT, aligner.fault)
    why = Why.NOT_ALIGNED if facts.passed else Why.NO_IDENTIFIER
    found = found._replace(why=why, organizational_domain=discovery.organization(author))
    return _failed(found, discovery, resolver)


def _find_policy(base: Result, discovery: Discovery) -> Result:
    """Policy discovery (section 4.10.1).  Raises TemporaryDnsError.

    The Author Domain's own record is enough; the walk goes on only without one.
    """
    author = base.author_domain
    spot = discovery.spot(author)
    if spot.record:
        return base._replace(policy_domain=author, record=spot.record, notes=spot.record.faults)
    walk = discovery.walk(author)
    if not walk.policy:
        return base._replace(notes=walk.notes, organizational_domain=walk.organizational_domain)
    domain, record = walk.policy
    return base._replace(
        policy_domain=domain,
        record=record,
        organizational_domain=walk.organizational_domain,
        notes=(*walk.notes, *record.faults),
    )


def _failed(base: Result, discovery: Discovery, resolver: Resolver) -> Result:
    """The policy of a message that failed (section 4.10.1, tags p, sp, np and t)."""
    record = base.record
    if record is None:
        return base
    below = base.policy_domain != base.author_domain
    published = record.policy(below=below)
    missing = record.policy(below=below, exists=False)
    if missing is not published:
        try:
            if not _exists(base.author_domain, discovery, resolver):
                published = missing
        except TemporaryDnsError as fault:
            return _temperror(base, Why.DNS_EXISTENCE, fault)
    applied = published.one_level_lower if record.t else published
    return base._replace(status=Status.FAIL, published=published, applied=applied)


def _exists(domain: str, discovery: Discovery, resolver: Resolver) -> bool:
    """Section 3.2.13: only NXDOMAIN for the very name is non-existence (RFC 8020).

    If `_dmarc` below it exists, so does the name.  Raises TemporaryDnsError.
    """
    if discovery.spot(domain).exists:
        return True
    try:
        return resolver.ask(domain, Kind.TXT).exists
    except BadName:
        return False


def _temperror(base: Result, why: Why, fault: TemporaryDnsError) -> Result:
    return base._replace(status=Status.TEMPERROR, why=why, detail=str(fault))
