"""The cost of an SPF record, and what to do about it.

NAME
    spfcost - Walk and Step, the limits, and a lighter record

GIVES
    verdicts(): findings on the totals.  lighter(): a record that needs fewer lookups.

DOES NOT
    ask DNS: spfwalk does, and hands its Walk in.

SEE ALSO
    RFC 7208 section 4.6.4.
"""

from __future__ import annotations

from dataclasses import dataclass

from postseal_keys.findings import Finding, Harm
from postseal_keys.spfrecord import examine
from postseal_keys.spfterms import MODIFIERS, Kind

LOOKUP_MAX = 10  # RFC 7208 section 4.6.4
VOID_MAX = 2  # the same section


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One term that costs a lookup.  lookups: with everything below it."""

    depth: int
    where: str  # the domain whose record holds the term
    term: str
    lookups: int = 1
    note: str = ""
    addresses: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Walk:
    """The result.  void4, void6: terms without an answer, for clients of either family.

    dead: terms of the record itself that do harm or nothing, as DNS is now.
    """

    domain: str
    record: str = ""  # "" when the domain has none
    steps: tuple[Step, ...] = ()
    void4: tuple[str, ...] = ()
    void6: tuple[str, ...] = ()
    dead: tuple[str, ...] = ()
    complete: bool = True
    findings: tuple[Finding, ...] = ()

    @property
    def lookups(self) -> int:
        """Terms that ask DNS; receivers give up after LOOKUP_MAX."""
        return sum(step.lookups for step in self.steps if step.depth == 0)


def verdicts(result: Walk) -> list[Finding]:
    """Findings on the totals against the limits."""
    found: list[Finding] = []
    count = f"{result.lookups}" if result.complete else f"more than {result.lookups}"
    if result.lookups > LOOKUP_MAX:
        dear = sorted((s for s in result.steps if s.depth == 0), key=lambda step: -step.lookups)
        costs = ", ".join(f"{step.term} {step.lookups}" for step in dear[:5])
        found.append(
            Finding(
                harm=Harm.ERROR,
                code="spf-lookups",
                where=result.domain,
                what=f"SPF needs {count} DNS lookups; receivers give up with permerror after"
                f" {LOOKUP_MAX}",
                hint=f"what costs most: {costs}",
            )
        )
    elif result.lookups == LOOKUP_MAX:
        what = f"SPF needs {count} DNS lookups: one more, in any included record, breaks it"
        found.append(
            Finding(
                harm=Harm.ADVICE,
                code="spf-lookups-full",
                where=result.domain,
                what=what,
                hint="write addresses (ip4:, ip6:) instead of a term that needs a lookup",
            )
        )
    for family, voids, harm in (
        ("IPv4", result.void4, Harm.ERROR),
        ("IPv6", result.void6, Harm.WARNING),
    ):
        if len(voids) > VOID_MAX and not (family == "IPv6" and len(result.void4) > VOID_MAX):
            found.append(
                Finding(
                    harm=harm,
                    code="spf-voids",
                    where=result.domain,
                    what=f"SPF asks {len(voids)} questions without an answer for clients over"
                    f" {family}; receivers may give up with permerror after {VOID_MAX}",
                    hint=f"take out, or put behind ip4: and ip6: terms: {'; '.join(voids[:6])}",
                )
            )
    return found


def lighter(result: Walk) -> str:
    """A record of the same meaning with fewer lookups; "" when there is none to offer.

    Terms a and mx of the domain itself become the addresses they have today, terms that
    find nothing and ptr go.  The addresses must then be kept up to date by hand.
    """
    record, mistakes = examine(result.record)
    if mistakes:
        return ""
    own = {step.term: step for step in result.steps if step.depth == 0}
    gone = [step for term, step in own.items() if term in result.dead]
    live = {term.column for term in record.live}
    words: list[str] = []
    saved = sum(step.lookups for step in gone)
    for term in record.terms:
        step = own.get(str(term))
        plain = term.four is None and term.six is None
        if str(term) in result.dead:
            continue
        if term.kind is Kind.PTR:
            saved += 1
        elif step and term.kind in (Kind.A, Kind.MX) and (plain or not step.addresses):
            saved += 1
            sign = term.qualifier
            words += [f"{sign}ip{6 if ':' in one else 4}:{one}" for one in step.addresses]
        elif term.kind in MODIFIERS or term.column in live:
            words.append(str(term))
    if not saved or result.lookups - saved > LOOKUP_MAX:
        return ""
    return " ".join(["v=spf1", *dict.fromkeys(words)])
