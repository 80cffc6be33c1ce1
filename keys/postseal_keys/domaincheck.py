"""Everything a domain publishes for mail authentication.

NAME
    domaincheck - SPF, DMARC, report authorisation, keys, and what is obsolete

GIVEN
    a domain, an Asker, and the selectors to look at, with the wanted key where it is known.

GIVES
    check(): a Checked.  Never raises.

DOES NOT
    guess selectors: DNS cannot list them.

SEE ALSO
    spfcheck, dmarccheck, keylook
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from postseal_keys import dmarccheck, spfcheck
from postseal_keys.dnsask import Asker, Outcome, text_of
from postseal_keys.findings import Finding, Harm, by_harm, worst
from postseal_keys.keycheck import Wanted
from postseal_keys.keylook import look
from postseal_keys.spfcost import Walk
from postseal_keys.treewalk import Found


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """The result for one domain.  findings: worst first."""

    domain: str
    findings: tuple[Finding, ...] = ()
    walk: Walk | None = None
    dmarc: Found | None = None
    selectors: tuple[str, ...] = ()

    @property
    def worst(self) -> Harm:
        """The greatest harm found."""
        return worst(self.findings)


def check(domain: str, asker: Asker, keys: Mapping[str, Wanted | None]) -> Checked:
    """Look at everything.  keys: selector -> the key that signs, None when not known."""
    if hopeless := _hopeless(domain, asker):
        return Checked(domain=domain, findings=(hopeless,))
    spf, walk = spfcheck.check(domain, asker)
    dmarc, found = dmarccheck.check(domain, asker)
    dkim = [f for selector, want in keys.items() for f in _key(domain, selector, want, asker)]
    found_all = [*spf, *dmarc, *dkim, *_obsolete(domain, asker)]
    found_all += _together(domain, found, dkim, bool(keys))
    return Checked(
        domain=domain,
        findings=tuple(by_harm(found_all)),
        walk=walk,
        dmarc=found,
        selectors=tuple(keys),
    )


def _hopeless(domain: str, asker: Asker) -> Finding | None:
    """Is it worth while to ask any more?"""
    outcome = asker.ask(domain, "SOA").outcome
    if outcome is Outcome.BAD_NAME:
        what = "this is no name that DNS can hold"
        hint = "is the domain spelled right?"
        return Finding(harm=Harm.ERROR, code="dns-name", where=domain, what=what, hint=hint)
    if outcome in (Outcome.TIMEOUT, Outcome.NETWORK) and not asker.ask(".", "NS").known:
        what = f"the resolver does not answer ({outcome})"
        hint = "give another one with --nameserver"
        return Finding(harm=Harm.UNKNOWN, code="dns", where=domain, what=what, hint=hint)
    return None


def _key(domain: str, selector: str, want: Wanted | None, asker: Asker) -> list[Finding]:
    return list(look(selector, domain, asker, resolver=asker, want=want).findings)


def _obsolete(domain: str, asker: Asker) -> Iterator[Finding]:
    """DomainKeys policy (RFC 4870) and ADSP (RFC 5617): both historic."""
    for label, starts, name, code in (
        ("_domainkey", ("o=", "t=", "r=", "n="), "DomainKeys policy", "obsolete-domainkeys"),
        ("_adsp._domainkey", ("dkim=",), "ADSP", "obsolete-adsp"),
    ):
        place = f"{label}.{domain}"
        for raw in asker.ask(place, "TXT").texts:
            text = text_of(raw)
            if text.lower().startswith(starts):
                yield Finding(
                    harm=Harm.ADVICE,
                    code=code,
                    where=place,
                    what=f"a record of the historic {name} standard",
                    hint="remove it; DMARC has taken its place",
                    record=text,
                    column=0,
                    length=len(text),
                )


def _together(domain: str, found: Found, dkim: list[Finding], asked: bool) -> Iterator[Finding]:
    """What only shows when the mechanisms are seen side by side."""
    record = found.record
    signs = any(finding.code.startswith("key-ok") for finding in dkim)
    rejects = record is not None and record.asks(below=found.policy_domain != domain) == "reject"
    if rejects and asked and not signs:
        yield Finding(
            harm=Harm.ERROR,
            code="dmarc-reject-spf-only",
            where=f"_dmarc.{found.policy_domain}",
            what="DMARC: p=reject rests on SPF alone, as no usable DKIM key was found"
            " (RFC 9989 section 7.4: MUST NOT)",
            hint="publish the key first, or go back to p=quarantine",
        )
    if not asked:
        yield Finding(
            harm=Harm.ADVICE,
            code="keys-not-checked",
            where=domain,
            what="no DKIM key was looked at: DNS cannot list selectors",
            hint="name them with --selector, or give --keytable or --config",
        )
