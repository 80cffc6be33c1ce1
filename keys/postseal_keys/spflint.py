"""Is a correct SPF record also a good one?  What can be said without DNS.

NAME
    spflint - mistakes of grammar as findings; terms that do harm or nothing

GIVEN
    the text of one record, and the domain that publishes it.

GIVES
    lint(): findings.  mended(): the record without what is certainly wrong.

DOES NOT
    follow includes or count lookups: spfwalk.

SEE ALSO
    RFC 7208 sections 3.4, 5.1, 5.5, 6, 10.1.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace

from postseal_keys.findings import Finding, Harm, foremost, zone_line
from postseal_keys.spfrecord import examine, is_spf
from postseal_keys.spfterms import MODIFIERS, Kind, Mistake, Record, Term

WIDE = {4: 16, 6: 32}  # prefix lengths below which a network is hardly one sender's own
ANSWER_MAX = 450  # octets of name and texts that fit a 512-octet answer (section 3.4)
DRAFT_END = "~all"  # where the author says nothing about all others, or lets them send

# What mended() mends: these findings come with its line.
_MENDED = frozenset(
    {"spf-pass-all", "spf-neutral-all", "spf-no-all", "spf-after-all", "spf-equals"}
    | {"spf-twice", "spf-final-dot", "spf-host-bits"}
)
# What may stand for the version; a word that is glued to it ("v=spf1mx") stays.
_LIKE_SPF = re.compile(
    r"[\"' \t\\]*v[ \t]*=[ \t]*s[pf]f[\d.,:;\\]*(?:[ \t\xa0]+|(?=[a-z+~?-]))", re.IGNORECASE
)
# "include: example.com", "- all": what stands behind the blank is no term of its own.
_TORN = re.compile(
    r"(?<=[ ])([-+~?]) +(?=all(?: |$))|"
    r"(?<=[ ])([-+~?]?(?:include|exists|a|mx|ip4|ip6|redirect|exp)[:=]) +"
    r"(?=[^ :=]*[.:][^ =]*(?: |$))(?!(?:[-+~?]?(?:include|exists|a|mx|ptr|ip4|ip6):))",
    re.IGNORECASE,
)


def lint(domain: str, text: str, *, strings: tuple[int, ...] = ()) -> list[Finding]:
    """Findings on one record.  strings: lengths of its character-strings, as published."""
    record, mistakes = examine(text)
    seams = _seams(text, strings)
    glued = any(_glued(text, mistake, seams) for mistake in mistakes)
    better = mended(_spaced(text, seams) if glued else text)
    publish = (zone_line(domain, better),) if better and better != text else ()
    found = [_mistake(domain, text, mistake, seams, publish) for mistake in mistakes]
    meant = any((m.instead or "").lstrip("+-~?") == "all" for m in mistakes)
    for finding in _judge(domain, record) if is_spf(text) else ():
        if meant and finding.code == "spf-no-all":
            continue  # there is an end, though misspelt
        fix = publish if finding.code in _MENDED else ()
        found.append(replace(finding, record=text, publish=fix))
    return foremost(found)


def _seams(text: str, strings: tuple[int, ...]) -> list[int]:
    """Columns where two character-strings meet without a space."""
    ends = list(itertools.accumulate(strings))[:-1]
    return [end for end in ends if " " not in text[end - 1 : end + 1]]


def _glued(text: str, mistake: Mistake, seams: Sequence[int]) -> bool:
    """Whether the term with the mistake was put together from two strings."""
    start = text.rfind(" ", 0, mistake.column) + 1
    end = text.find(" ", mistake.column)
    return any(start < seam < (end if end >= 0 else len(text)) for seam in seams)


def _spaced(text: str, seams: Sequence[int]) -> str:
    """The text with a space at the seams."""
    edges = [0, *seams, len(text)]
    return " ".join(text[start:end] for start, end in itertools.pairwise(edges))


def mended(text: str) -> str:
    """The record with sure corrections made: wrong terms replaced, dead ones left out, and
    an end that does not let everybody send.

    "" when a mistake is left that only its owner can correct: a record with that term left
    out would turn away hosts that are to send.
    """
    better = _mended(text)  # what was one word may now be several: they are looked at too
    return _mended(better) if better and better != text else better


def _mended(text: str) -> str:
    if not is_spf(text):
        like = _LIKE_SPF.match(text)
        text = f"v=spf1 {text[like.end() :]}".rstrip("\"' ") if like else ""
    record, mistakes = examine(_TORN.sub(lambda match: match[0].rstrip(), text))
    if any(mistake.instead is None for mistake in mistakes):
        return ""
    if any(_lets_all(term) for term in record.terms if term.kind is not Kind.ALL):
        return ""
    if _forgotten(record):
        return ""
    words = [(mistake.column, mistake.instead or "") for mistake in mistakes]
    live = {term.column for term in record.live}
    words += [(term.column, _better(term)) for term in record.terms if _useful(term, record, live)]
    ordered = [word for _, word in sorted(words) if word]
    once = list(dict.fromkeys(ordered))  # a term given twice asks DNS twice
    result = _ended(" ".join(["v=spf1", *once]))
    return "" if examine(result)[1] else result


def _ended(text: str) -> str:
    """The record with an end: none is like ?all, which like +all protects nothing."""
    record, mistakes = examine(text)
    if mistakes:
        return text  # as it is, for a record without those terms says something else
    if record.ends is None:
        return text if record.redirect is not None else f"{text} {DRAFT_END}"
    return str(Record(terms=tuple(map(_end, record.terms))))


def _end(term: Term) -> Term:
    weak = term.kind is Kind.ALL and term.qualifier in ("", "+", "?")
    return replace(term, qualifier=DRAFT_END[0]) if weak else term


def _lets_all(term: Term) -> bool:
    """Whether the term lets the whole internet send."""
    everything = term.kind is Kind.ALL
    if term.network is not None:
        everything = term.network.network.prefixlen == 0
    return everything and term.qualifier in ("", "+")


def _forgotten(record: Record) -> bool:
    """Who stands behind "all" was perhaps meant to send: only the record's owner knows.

    What is there before "all" too, or is a second "all", is merely one too many.
    """
    if record.ends is None:
        return False
    live = set(record.live)
    behind = record.terms[record.terms.index(record.ends) :]
    return any(term.kind is Kind.REDIRECT for term in record.terms) or any(
        term not in live if term.kind not in MODIFIERS else bool(_meant(term))
        for term in behind
        if term.kind not in (Kind.ALL, Kind.EXP)
    )


def _useful(term: Term, record: Record, live: Set[int]) -> bool:
    if term.kind in MODIFIERS:
        return term.kind is not Kind.REDIRECT or record.ends is None
    return term.column in live


def _better(term: Term) -> str:
    meant = _meant(term) if term.kind is Kind.OTHER else None
    return f"{meant}:{term.domain}" if meant else str(_simpler(term))


def _simpler(term: Term) -> Term:
    network = term.network.network if term.network is not None else None
    if network is not None and term.network is not None and network.prefixlen:
        first = network.network_address
        term = replace(term, network=type(term.network)((first, network.prefixlen)))
    return replace(term, domain=term.domain.removesuffix("."))


def _meant(term: Term) -> str | None:
    """The mechanism somebody meant who wrote include=… or ip4=…; None for a real modifier."""
    name = term.name.lower().lstrip("+-~?")
    return name if name in {kind.value for kind in Kind} else None


def _mistake(
    domain: str, text: str, mistake: Mistake, seams: Sequence[int], publish: tuple[str, ...]
) -> Finding:
    seen = is_spf(text)
    what = f"SPF: {mistake.what}" + ("; receivers answer permerror to all mail" if seen else "")
    hint = mistake.hint
    if _glued(text, mistake, seams):
        hint = "strings of one record are joined without a space; end the first with one"
    return Finding(
        harm=Harm.ERROR,
        code="spf-syntax" if seen else "spf-version",
        where=domain,
        what=what,
        hint=hint,
        record=text,
        column=mistake.column,
        length=mistake.length,
        publish=publish,
    )


def _judge(domain: str, record: Record) -> Iterator[Finding]:
    yield from _ending(domain, record)
    seen: set[Term] = set()
    for term in record.terms:
        if term in seen and term.kind is not Kind.OTHER:
            what = f"{term} is there twice"
            yield _on(domain, term, Harm.ADVICE, "spf-twice", what, "leave it out")
        seen.add(term)
        yield from _one_term(domain, term)


def _ending(domain: str, record: Record) -> Iterator[Finding]:
    """What the record says about everybody else."""
    end = record.ends
    if end is None:
        if record.redirect is None:
            yield Finding(
                harm=Harm.WARNING,
                code="spf-no-all",
                where=domain,
                what="SPF says nothing about hosts that are not listed",
                hint="end the record with ~all or -all",
            )
        return
    if end.qualifier in ("", "+"):
        yield _on(
            domain,
            end,
            Harm.ERROR,
            "spf-pass-all",
            "SPF lets the whole internet send as this domain",
            "write ~all or -all",
        )
    elif end.qualifier == "?":
        yield _on(
            domain,
            end,
            Harm.WARNING,
            "spf-neutral-all",
            "?all protects nothing",
            "write ~all, or -all when all senders are known",
        )
    elif end.qualifier == "~" and any(term.kind is Kind.EXP for term in record.terms):
        what = "exp= is only used with -all"
        yield _on(domain, end, Harm.ADVICE, "spf-exp-unused", what, "leave exp= out, or write -all")
    for term in record.terms[record.terms.index(end) + 1 :]:
        if term.kind is Kind.REDIRECT or term.kind not in MODIFIERS:
            what = f"{term} stands after {end} and is never looked at"
            hint = f"leave it out, or move it before {end} if it is to count"
            yield _on(domain, term, Harm.WARNING, "spf-after-all", what, hint)
    for term in record.terms[: record.terms.index(end)]:
        if term.kind is Kind.REDIRECT:
            what = f"{term} is ignored because the record has {end}"
            hint = f"leave it out, or leave {end} out if that record is to count"
            yield _on(domain, term, Harm.WARNING, "spf-after-all", what, hint)


def _one_term(domain: str, term: Term) -> Iterator[Finding]:
    if term.kind is Kind.OTHER:
        meant = _meant(term)
        if meant is not None:
            what = f"{term} is taken for an unknown modifier and ignored"
            hint = f"mechanisms take a colon: {meant}:{term.domain}"
            yield _on(domain, term, Harm.ERROR, "spf-equals", what, hint)
        else:
            what = f"{term.name}= means nothing to SPF"
            yield _on(domain, term, Harm.ADVICE, "spf-unknown-modifier", what, "leave it out")
    if term.kind is Kind.PTR or "%{p" in term.domain.lower():
        what = "ptr is slow and unreliable and should not be published (RFC 7208 section 5.5)"
        hint = "list the hosts with a:, mx or ip4:"
        yield _on(domain, term, Harm.WARNING, "spf-ptr", what, hint)
    if term.domain.endswith(".") and term.kind is not Kind.OTHER:
        what = "a final dot is accepted but should not be published (RFC 7208 section 7.3)"
        yield _on(domain, term, Harm.ADVICE, "spf-final-dot", what, f"write {_simpler(term)}")
    if term.network is not None:
        yield from _network(domain, term)


def _network(domain: str, term: Term) -> Iterator[Finding]:
    assert term.network is not None
    network = term.network.network
    if _lets_all(term):
        what = f"{term} lets the whole internet send as this domain"
        yield _on(domain, term, Harm.ERROR, "spf-pass-all", what, "list only the hosts that send")
    elif network.prefixlen < WIDE[network.version]:
        what = f"{term} covers {network.num_addresses} addresses"
        yield _on(domain, term, Harm.WARNING, "spf-wide", what, "list only the hosts that send")
    elif not network.is_global and not _documentation(term):
        what = f"{term} holds no addresses of the public internet"
        yield _on(domain, term, Harm.ADVICE, "spf-private", what, "receivers never see it: drop it")
    if term.network.ip != network.network_address:
        what = f"{term} has bits set beyond the prefix"
        yield _on(domain, term, Harm.ADVICE, "spf-host-bits", what, f"write {_simpler(term)}")


_DOCUMENTATION = ("192.0.2.", "198.51.100.", "203.0.113.", "2001:db8:")


def _documentation(term: Term) -> bool:
    """RFC 5737 and RFC 3849: in an example they are no mistake."""
    return str(term.network).startswith(_DOCUMENTATION)


def _on(
    domain: str,
    term: Term,
    harm: Harm,
    code: str,
    what: str,
    hint: str = "",
) -> Finding:
    return Finding(
        harm=harm,
        code=code,
        where=domain,
        what=what if what.startswith("SPF") else f"SPF: {what}",
        hint=hint,
        column=term.column,
        length=max(1, len(term.text)),
    )
