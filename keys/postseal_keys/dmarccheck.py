"""Everything about the DMARC of a domain.

NAME
    dmarccheck - its own record, or the one that applies from above; where reports go

GIVEN
    a domain and an Asker.

GIVES
    check(): findings and the tree walk's Found.  Never raises.

SEE ALSO
    dmarclint (one record without DNS), treewalk, reportauth; RFC 9989 section 4.10.
"""

from __future__ import annotations

from collections.abc import Iterator

from postseal_keys import reportauth, treewalk
from postseal_keys.dmarclint import lint, looks_like, mended
from postseal_keys.dmarcrecord import NAME_MAX, POLICIES, is_dmarc, parse
from postseal_keys.dnsask import Asker, Outcome, text_of
from postseal_keys.findings import Finding, Harm, zone_line
from postseal_keys.treewalk import Found


def check(domain: str, asker: Asker) -> tuple[list[Finding], Found]:
    """Look at what the domain publishes, and at what applies to it."""
    found = treewalk.walk(domain, asker)
    findings = [
        Finding(
            harm=Harm.UNKNOWN,
            code="dns",
            where=reply.name,
            what=f"no answer for TXT ({reply.outcome})",
            hint="ask again",
        )
        for reply in found.unknown
    ]
    own = found.texts.get(domain, ())
    findings += _likenesses(domain, asker, bool(own))
    if len(own) > 1:
        findings.append(several(domain, own))
    elif own:
        findings += lint(domain, own[0])
        findings += _own(domain, own[0], found, asker)
    elif not any(finding.harm >= Harm.UNKNOWN for finding in findings):
        findings.append(_inherited(domain, found, asker))
    return findings, found


def text(domain: str, record: str, asker: Asker) -> list[Finding]:
    """Findings on one record that is perhaps not published yet."""
    findings = lint(domain, record)
    if is_dmarc(record):
        parsed = parse(record)
        findings += reportauth.check(domain, (*parsed.rua, *parsed.ruf), asker)
    return findings


def _own(domain: str, record: str, found: Found, asker: Asker) -> Iterator[Finding]:
    parsed = parse(record)
    where = f"_dmarc.{domain}"
    if found.organization != domain and (parsed.sp or parsed.np):
        what = (
            f"DMARC: sp= and np= are not used here: {found.organization} is the Organizational"
            " Domain, and names below take its policy"
        )
        hint = "leave them out, or add psd=n to make this an Organizational Domain of its own"
        yield Finding(harm=Harm.ADVICE, code="dmarc-sp-unused", where=where, what=what, hint=hint)
    yield from reportauth.check(domain, (*parsed.rua, *parsed.ruf), asker)


def _likenesses(domain: str, asker: Asker, has_record: bool) -> Iterator[Finding]:
    """Records that were meant to be DMARC, and right ones in the wrong place."""
    harm = Harm.WARNING if has_record else Harm.ERROR
    doubled = f"_dmarc.{domain}.{domain}"
    for raw in asker.ask(f"_dmarc.{domain}", "TXT").texts:
        text_ = text_of(raw)
        if not is_dmarc(text_) and looks_like(text_):
            for finding in lint(domain, text_):
                yield (
                    finding
                    if not has_record
                    else Finding(
                        harm=harm,
                        code=finding.code,
                        where=finding.where,
                        what="another TXT record here looks like DMARC and is ignored",
                        hint="remove it",
                    )
                )
    for place in (domain, f"dmarc.{domain}", doubled):
        texts = asker.ask(place, "TXT").texts if len(place) <= NAME_MAX else ()
        for raw in texts:
            text_ = text_of(raw)
            if is_dmarc(text_):
                yield _misplaced(domain, place, text_, has_record, place == doubled)


def _misplaced(domain: str, place: str, record: str, has_record: bool, doubled: bool) -> Finding:
    right = f"_dmarc.{domain}"
    better = mended(record) or record
    hint = f"move it to {right}"
    if doubled:
        hint = "in a zone file end the full name with a dot, or write _dmarc alone"
    return Finding(
        harm=Harm.WARNING if has_record else Harm.ERROR,
        code="dmarc-doubled" if doubled else "dmarc-misplaced",
        where=place,
        what="a DMARC record stands at the wrong name, where nobody looks",
        hint="remove it" if has_record else hint,
        publish=() if has_record or not better.isascii() else (zone_line(right, better),),
    )


def several(domain: str, records: tuple[str, ...]) -> Finding:
    """More than one: today there is no policy, and the mildest changes the least.

    Of equally mild ones it is one with reports; name servers give them in any order.
    """
    right = sorted(
        (better for better in map(mended, records) if better),
        key=lambda text: (POLICIES.index(parse(text).asks() or "none"), "rua=" not in text, text),
    )
    return Finding(
        harm=Harm.ERROR,
        code="dmarc-many",
        where=f"_dmarc.{domain}",
        what=f"there are {len(records)} DMARC records; receivers ignore all of them",
        hint="keep one; this is the mildest of them" if right else "keep one",
        publish=(zone_line(f"_dmarc.{domain}", right[0]),) if right else (),
    )


def _inherited(domain: str, found: Found, asker: Asker) -> Finding:
    """No record of its own: is there one that applies?"""
    record = found.record
    publish = (zone_line(f"_dmarc.{domain}", f"v=DMARC1; p=none; rua=mailto:dmarc@{domain}"),)
    if record is None:
        return Finding(
            harm=Harm.WARNING,
            code="dmarc-none",
            where=f"_dmarc.{domain}",
            what="no DMARC record applies: anybody can write from this domain, and large"
            " mailbox providers want one",
            hint="begin with p=none and read the reports",
            publish=publish,
        )
    exists = asker.ask(domain, "A").outcome is not Outcome.NXDOMAIN
    policy = record.asks(below=True, exists=exists) or "none"
    return Finding(
        harm=Harm.GOOD,
        code="dmarc-inherited",
        where=f"_dmarc.{domain}",
        what=f"DMARC: no record of its own; that of {found.policy_domain} asks for {policy}",
    )
