"""Findings on records that are not published yet.

NAME
    recordtext - which kind of record a text is, and what the linters say of it

GIVEN
    Unpublished values, and an Asker when their domain is known.

GIVES
    check(): a Checked for each, and one more for every name with two records of a kind.

DOES NOT
    report TXT records of a zone file that have nothing to do with mail authentication.

SEE ALSO
    recordsource reads them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from enum import Enum, auto

from postseal_keys import dmarccheck, dmarclint, spfcheck
from postseal_keys.dmarcrecord import is_dmarc
from postseal_keys.dnsask import Asker
from postseal_keys.domaincheck import Checked
from postseal_keys.findings import Finding, Harm, by_harm
from postseal_keys.keycheck import judge
from postseal_keys.recordsource import Unpublished
from postseal_keys.spfcost import Walk
from postseal_keys.spflint import lint
from postseal_keys.spfrecord import is_spf


class Kind(Enum):
    """What a text was meant to be."""

    SPF = auto()
    DMARC = auto()
    REPORT = auto()  # _report._dmarc
    KEY = auto()
    OTHER = auto()


def check(rows: Sequence[Unpublished], asker: Asker | None) -> list[Checked]:
    """Findings on all of them, in their order."""
    results = []
    for row in rows:
        if row.name and kind(row) is Kind.OTHER and row.where != "--record":
            continue
        results.append(_one(row, asker if row.domain else None))
    return [*results, *_several(rows)]


def kind(row: Unpublished) -> Kind:
    """By the text when that is clear, else by the name, else by what it looks like."""
    low = row.text.lower().lstrip(" \"'\t\\")
    packed = "".join(low[:64].split())
    if is_spf(row.text):
        return Kind.SPF
    if "._report._dmarc." in row.name:
        return Kind.REPORT
    if is_dmarc(row.text) or row.name.startswith("_dmarc."):
        return Kind.DMARC
    if "._domainkey" in row.name or packed.startswith("v=dkim1"):
        return Kind.KEY
    if packed.startswith(("v=spf", "spf", "v=sfp")):
        return Kind.SPF
    return Kind.DMARC if "dmarc1" in packed else Kind.OTHER


def _one(row: Unpublished, asker: Asker | None) -> Checked:
    domain = row.domain or "example.invalid"
    walk: Walk | None = None
    found: list[Finding] = []
    match kind(row):
        case Kind.SPF if asker is not None:
            found, walk = spfcheck.text(domain, row.text, asker)
            found += spfcheck.size(domain, [row.text], [row.text])
        case Kind.SPF:
            found = lint(domain, row.text)
            found += spfcheck.size(domain, [row.text], [row.text])
        case Kind.DMARC if asker is not None:
            found = dmarccheck.text(domain, row.text, asker)
        case Kind.DMARC:
            found = dmarclint.lint(domain, row.text)
        case Kind.KEY:
            found = judge(row.name, (row.text.encode("utf-8", "replace"),), None)
        case Kind.REPORT if not is_dmarc(row.text):
            what = "the record does not begin with v=DMARC1, and agrees to nothing"
            found = [_finding(Harm.ERROR, "dmarc-version", row, what, "publish v=DMARC1")]
        case Kind.OTHER:
            what = "neither SPF nor DMARC nor a DKIM key"
            hint = "those begin with v=spf1, v=DMARC1 and v=DKIM1"
            found = [_finding(Harm.ADVICE, "record-other", row, what, hint)]
    if not row.domain:
        found = [replace(f, where=row.where, publish=_bare(f.publish)) for f in found]
    return Checked(domain=row.name or row.where, findings=tuple(by_harm(found)), walk=walk)


def _finding(harm: Harm, code: str, row: Unpublished, what: str, hint: str) -> Finding:
    return Finding(harm=harm, code=code, where=row.name or row.where, what=what, hint=hint)


def _bare(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Lines to publish without the name, which is not known."""
    return tuple(line.partition(" IN TXT ")[2] for line in lines)


def _several(rows: Sequence[Unpublished]) -> Iterator[Checked]:
    """Names with two records of a kind that may stand there only once."""
    groups: dict[tuple[str, Kind], list[str]] = {}
    for row in rows:
        if row.name:
            groups.setdefault((row.name, kind(row)), []).append(row.text)
    for (name, what), texts in groups.items():
        if len(texts) < 2:
            continue
        if what is Kind.SPF:
            found = [spfcheck.several(name, texts)]
        elif what is Kind.DMARC:
            found = [dmarccheck.several(name.removeprefix("_dmarc."), tuple(texts))]
        elif what is Kind.KEY:
            found = judge(name, tuple(text.encode("utf-8", "replace") for text in texts), None)
        else:
            continue
        yield Checked(domain=name, findings=tuple(found))
