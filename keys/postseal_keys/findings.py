"""What a check found, in the order of the harm it does.

NAME
    findings - Finding, Harm, and how both are printed

GIVES
    by_harm() sorts; text() prints for people, with a caret under the offending
    column; plain() gives the same for programs.

DOES NOT
    look at anything: the modules that do return findings.

SEE ALSO
    spfrecord, spfwalk, dmarcrecord, reportauth, keycheck
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import IntEnum

from postseal_keys.console import printable
from postseal_keys.formats.txt import quoted

FOREMOST = 50  # findings on one record that are told
WINDOW = 76  # columns of a record shown around the caret: a terminal's width less the indent


class Harm(IntEnum):
    """What it costs to leave things as they are; findings are printed highest first."""

    GOOD = 0  # as it should be; said so that silence never means "not looked at"
    ADVICE = 1  # works everywhere; could be simpler or clearer
    WARNING = 2  # works today; some receivers, or a small change, will break it
    UNKNOWN = 3  # DNS did not answer: nothing is known about this part
    ERROR = 4  # does not work: mail is misjudged, or the record is ignored


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing found.

    code: a short fixed word, for programs and tests.  where: a DNS name, a file, or "".
    what: one sentence.  hint: what to do.  record, column, length: the text complained of
    and the place in it (column counts from 0; -1: the text as a whole).
    publish: zone file lines to publish instead.
    """

    harm: Harm
    code: str
    where: str
    what: str
    hint: str = ""
    record: str = ""
    column: int = -1
    length: int = 1
    publish: tuple[str, ...] = ()


def by_harm(findings: Iterable[Finding]) -> list[Finding]:
    """Worst first; findings of equal harm stay in the order they were made."""
    return sorted(findings, key=lambda finding: -finding.harm)


def foremost(findings: Iterable[Finding], limit: int = FOREMOST) -> list[Finding]:
    """The worst of them, in the order they were made, and how many more there are.

    A record of 65,535 octets has room for some 30,000 mistakes.
    """
    found = list(findings)
    if len(found) <= limit:
        return found
    kept = {id(finding) for finding in by_harm(found)[:limit]}
    rest = [finding for finding in found if id(finding) not in kept]
    more = Finding(
        harm=worst(rest),
        code="and-more",
        where=rest[0].where,
        what=f"{len(rest)} more of this kind or less harmful",
    )
    return [*(finding for finding in found if id(finding) in kept), more]


def worst(findings: Iterable[Finding]) -> Harm:
    """The greatest harm among them; GOOD when there are none."""
    return max((finding.harm for finding in findings), default=Harm.GOOD)


def _columns(text: str) -> str:
    """text with one harmless character for every one of its characters.

    What comes out of DNS was written by strangers; and a caret must point at the right place.
    """
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text)


def caret(record: str, column: int, length: int = 1) -> tuple[str, str]:
    """Two lines: the part of record around column, and carets under it."""
    start = 0
    if len(record) > WINDOW:
        start = max(0, min(column - WINDOW // 2, len(record) - WINDOW))
    shown = _columns(record[start : start + WINDOW])
    if start > 0:
        shown = "…" + shown[1:]
    if start + WINDOW < len(record):
        shown = shown[:-1] + "…"
    at = column - start
    width = max(1, min(length, WINDOW - at))
    return shown, " " * at + "^" * width


def text(finding: Finding) -> Iterator[str]:
    """The finding as lines for people."""
    place = f"{printable(finding.where)}: " if finding.where else ""
    yield f"{finding.harm.name.lower()}: {place}{printable(finding.what)}"
    if finding.record and finding.column >= 0:
        for line in caret(finding.record, finding.column, finding.length):
            yield f"    {line}"
    if finding.hint:
        yield f"  hint: {printable(finding.hint)}"
    for line in finding.publish:
        yield f"  publish: {printable(line)}"


def zone_line(name: str, text: str) -> str:
    """One TXT record as one line of a zone file (RFC 1035 section 5.1)."""
    return f"{name}. IN TXT {quoted(text)}"


def plain(finding: Finding) -> dict[str, object]:
    """The finding for json.dumps; keys that say nothing are left out."""
    row: dict[str, object] = {
        "harm": finding.harm.name.lower(),
        "code": finding.code,
        "where": finding.where,
        "what": finding.what,
    }
    if finding.hint:
        row["hint"] = finding.hint
    if finding.record:
        row["record"] = finding.record
    if finding.column >= 0:
        row["column"] = finding.column
        row["length"] = finding.length
    if finding.publish:
        row["publish"] = list(finding.publish)
    return row
