"""Everything about the SPF of a domain.

NAME
    spfcheck - the TXT records at the name: none, one, several, or something like SPF

GIVEN
    a domain and an Asker.

GIVES
    check(): findings and, when there is exactly one record, its Walk.  Never raises.

SEE ALSO
    spflint (one record without DNS), spfwalk (its includes); RFC 7208 sections 3, 4.5.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from postseal_keys.dnsask import Asker, Outcome, Reply, text_of
from postseal_keys.findings import Finding, Harm, zone_line
from postseal_keys.names import NAME_MAX
from postseal_keys.spfcost import LOOKUP_MAX, Walk, lighter
from postseal_keys.spflint import ANSWER_MAX, lint, mended
from postseal_keys.spfrecord import examine, is_spf
from postseal_keys.spfterms import Kind, Record
from postseal_keys.spfwalk import walk


def check(domain: str, asker: Asker) -> tuple[list[Finding], Walk | None]:
    """Look at what the domain publishes."""
    reply = asker.ask(domain, "TXT")
    if not reply.known:
        what = f"no answer for TXT ({reply.outcome})"
        unknown = Finding(harm=Harm.UNKNOWN, code="dns", where=domain, what=what, hint="ask again")
        return [unknown], None
    texts = [text_of(text) for text in reply.texts]
    records = [text for text in texts if is_spf(text)]
    found = [*_likenesses(domain, texts, bool(records)), *size(domain, texts, records)]
    found += _type99(domain, asker)
    if len(records) > 1:
        return [several(domain, records), *found], None
    if not records:
        found += _doubled(domain, asker)
        if not any(finding.harm is Harm.ERROR for finding in found):
            found.append(_none(domain, asker, reply))
        return found, None
    strings = next(_lengths(reply, records[0]), ())
    more, result = text(domain, records[0], asker, strings=strings)
    return [*more, *found], result


def text(
    domain: str, record: str, asker: Asker, *, strings: tuple[int, ...] = ()
) -> tuple[list[Finding], Walk]:
    """The findings on one record, published or not, and the cost of evaluating it."""
    result = walk(domain, asker, record)
    found = [*lint(domain, record, strings=strings), *result.findings]
    better = _better(result)
    if better and better != record:  # one line that mends all, and not several that differ
        fix = (zone_line(domain, better),)
        found = [_with(fix, f) if _mends(f, result) else f for f in found]
    return found, result


def _better(result: Walk) -> str:
    """The record without what does harm or nothing, and within the limit where that can be."""
    light = lighter(result) if result.lookups > LOOKUP_MAX else ""
    base = light or mended(result.record)
    dead = {word.removesuffix(".") for word in result.dead}  # as mended() writes it
    terms = tuple(term for term in examine(base)[0].terms if str(term) not in dead)
    if result.dead and not any(term.kind is not Kind.ALL for term in terms):
        return ""  # that nobody sends is for its owner to say
    return mended(str(Record(terms=terms))) if base else ""


def _with(fix: tuple[str, ...], finding: Finding) -> Finding:
    if finding.code == "spf-lookups":
        hint = f"{finding.hint}; this one has today's addresses of a and mx: keep it up to date"
        finding = replace(finding, hint=hint)
    return replace(finding, publish=fix)


def _mends(finding: Finding, result: Walk) -> bool:
    """Whether that record mends what was found."""
    if finding.code == "spf-lookups":
        return bool(lighter(result))
    dead = any(finding.hint.endswith(f"take {term} out") for term in result.dead)
    return bool(finding.publish) or (dead and finding.where == result.domain)


def _lengths(reply: Reply, record: str) -> Iterator[tuple[int, ...]]:
    """How long the character-strings of that record are."""
    for strings in reply.records:
        if not isinstance(strings, str) and text_of(b"".join(strings)) == record:
            yield tuple(len(one) for one in strings)


def _likenesses(domain: str, texts: list[str], has_record: bool) -> Iterator[Finding]:
    """Records that were meant to be SPF, and Sender ID."""
    for text_ in texts:
        low = text_.lower().lstrip(" \"'\\\t")
        if is_spf(text_) or not low.startswith(("v=spf", "spf", "v = spf", "v=sfp")):
            continue
        if low.startswith("spf2.0/"):
            what = "a Sender ID record, which is historic and read by nobody"
            yield Finding(
                harm=Harm.ADVICE,
                code="spf-sender-id",
                where=domain,
                what=what,
                hint="remove it",
                record=text_,
                column=0,
            )
            continue
        (finding,) = lint(domain, text_)
        if has_record:
            what = "another TXT record here looks like SPF and is ignored"
            finding = replace(
                finding, harm=Harm.WARNING, what=what, hint="remove it", column=-1, publish=()
            )
        yield finding


def several(domain: str, records: list[str]) -> Finding:
    """More than one record: permerror for all mail (section 4.5)."""
    publish: tuple[str, ...] = ()
    parsed = [examine(record) for record in records]
    if not any(mistakes for _, mistakes in parsed):
        terms = [t for record, _ in parsed for t in record.terms if t.kind is not Kind.ALL]
        ends = [record.ends for record, _ in parsed if record.ends is not None]
        strict = bool(ends) and all(end.qualifier == "-" for end in ends)
        words = dict.fromkeys(map(str, terms))
        better = mended(" ".join(["v=spf1", *words, "-all" if strict else "~all"]))
        publish = (zone_line(domain, better),) if better else ()
    return Finding(
        harm=Harm.ERROR,
        code="spf-many",
        where=domain,
        what=f"there are {len(records)} SPF records; receivers answer permerror to all mail",
        hint="keep one that says everything",
        publish=publish,
    )


def _doubled(domain: str, asker: Asker) -> Iterator[Finding]:
    """The record where a zone file puts it whose author forgot the final dot."""
    place = f"{domain}.{domain}"
    texts = asker.ask(place, "TXT").texts if len(place) <= NAME_MAX else ()
    for record in filter(is_spf, map(text_of, texts)):
        better = mended(record)
        yield Finding(
            harm=Harm.ERROR,
            code="spf-doubled",
            where=place,
            what="the SPF record stands under a doubled zone name, where nobody looks",
            hint="in a zone file end the full name with a dot, or write @",
            publish=(zone_line(domain, better),) if better else (),
        )


def _none(domain: str, asker: Asker, reply: Reply) -> Finding:
    mx = asker.ask(domain, "MX")
    receives = any(host.split(" ", 1)[-1].strip(".") for host in mx.hosts)
    record = "v=spf1 mx ~all" if receives else "v=spf1 -all"
    what = "there is no SPF record"
    if reply.outcome is Outcome.NXDOMAIN:
        what = "the name does not exist, and so has no SPF record"
    hint = "this one says: only the hosts that take its mail send it"
    if not receives:
        hint = "this one says: the domain sends no mail; list the hosts if it does"
    return Finding(
        harm=Harm.WARNING,
        code="spf-none",
        where=domain,
        what=what,
        hint=hint,
        publish=(zone_line(domain, record),),
    )


def size(domain: str, texts: list[str], records: list[str]) -> Iterator[Finding]:
    """Does the whole answer fit a packet of 512 octets?  (section 3.4)"""
    octets = len(domain) + sum(map(len, texts))
    if records and octets > ANSWER_MAX:
        others = len(texts) - len(records)
        what = (
            f"the TXT records of the name have {octets} octets; answers above {ANSWER_MAX} may not"
            " reach everybody (RFC 7208 section 3.4)"
        )
        hint = "shorten the SPF record: one network for many addresses, or include: for a part"
        if others:
            hint = f"{others} of {len(texts)} records are not SPF: remove those no longer needed"
        yield Finding(harm=Harm.ADVICE, code="spf-answer-size", where=domain, what=what, hint=hint)


def _type99(domain: str, asker: Asker) -> Iterator[Finding]:
    if asker.ask(domain, "SPF").outcome is Outcome.ANSWER:
        what = "there is a record of the obsolete type SPF (99); receivers read TXT only"
        yield Finding(
            harm=Harm.ADVICE, code="spf-type99", where=domain, what=what, hint="remove it"
        )
