"""SigningTable: which senders sign with which key.

NAME
    senders - rows SENDER KEYNAME[:IDENTITY], as OpenDKIM looks them up

GIVEN
    rows.  KEYNAME % is the author's domain; so is % within IDENTITY.

GIVES
    the rows for an author, in order.  In file: and csl: tables these are tried, and the
    first is the one that counts: user@host, host, then for every dot from the left
    user@.parent and .parent, at last user@* and *.  In refile: tables the order is that
    of the rows.  Case does not matter.

    And for each row that nobody can ever match, why.

SEE ALSO
    opendkim.conf(5), SigningTable.  Its text gives another order than the program has;
    this is the program's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from postseal.core.names import BadDomain, ascii_domain
from postseal.tables.findings import Report
from postseal.tables.globindex import GlobIndex
from postseal.tables.globs import Glob, GlobError, lower, parse
from postseal.tables.rows import NotARow, Row

Globs = tuple[Glob, ...]
SAME = "%"  # a key named like the author's domain


@dataclass(frozen=True, slots=True)
class Sender:
    """One row.  identity is "" where there is none."""

    pattern: str
    key: str
    identity: str
    line: int


class Senders(Protocol):
    """A signing table."""

    @property
    def rows(self) -> tuple[Sender, ...]: ...

    def of(self, local: str, domain: str, /) -> Iterator[Sender]:
        """The rows for an author, the one that counts first."""
        ...


class ExactSenders:
    """A file: or csl: table."""

    def __init__(self, rows: Iterable[Sender]) -> None:
        self._rows: dict[str, Sender] = {}
        for row in rows:
            self._rows.setdefault(row.pattern, row)

    @property
    def rows(self) -> tuple[Sender, ...]:
        return tuple(self._rows.values())

    def of(self, local: str, domain: str, /) -> Iterator[Sender]:
        user, host, rows = lower(local), lower(domain), self._rows
        for where in places(host):
            for text in (f"{user}@{where}", where):
                row = rows.get(text)
                if row is not None:
                    yield row


def places(host: str) -> Iterator[str]:
    """host, every .parent, and *."""
    yield host
    at = host.find(".")
    while at >= 0:
        yield host[at:]
        at = host.find(".", at + 1)
    yield "*"


class PatternSenders:
    """A refile: table, of rows with their patterns, ready to match."""

    def __init__(self, rows: Iterable[tuple[Sender, Globs]]) -> None:
        self._index = GlobIndex((globs, row) for row, globs in rows)
        self.rows = self._index.values

    def of(self, local: str, domain: str, /) -> Iterator[Sender]:
        return self._index.matches(lower(f"{local}@{domain}"))


def read(rows: Iterable[Row | NotARow], patterns: bool, multiple: bool, report: Report) -> Senders:
    """The table of all rows that can be used; what is wrong with the others is reported.

    multiple: whether every match signs, so that a row after a catch-all still counts.
    """
    usable = _usable(rows, patterns, multiple, report)
    return PatternSenders(usable) if patterns else ExactSenders(sender for sender, _ in usable)


def _usable(
    rows: Iterable[Row | NotARow], patterns: bool, multiple: bool, report: Report
) -> Iterator[tuple[Sender, Globs]]:
    """The rows that can be used, one by one: what 100,000 patterns are made of is not kept."""
    seen: dict[str, int] = {}
    barrier = 0  # the line of a row that matches everybody
    for row in rows:
        sender = sender_of(row, report)
        globs = _globs(sender, report) if sender is not None and patterns else ()
        if sender is None or globs is None or not _is_usable(sender, globs, report):
            continue
        if sender.pattern in seen and not (patterns and multiple):
            line = seen[sender.pattern]
            report.dead(sender.line, row_text(row), f"line {line} has the same sender and counts")
            continue
        if barrier and not multiple:
            report.dead(sender.line, row_text(row), f"line {barrier} is for everybody and counts")
            continue
        if patterns and not sender.pattern.replace("*@*", "").strip("*"):
            barrier = sender.line
        seen.setdefault(sender.pattern, sender.line)
        yield sender, globs


def row_text(row: Row | NotARow) -> str:
    """The first word of a row."""
    return row.key if isinstance(row, Row) else row.text


def sender_of(row: Row | NotARow, report: Report) -> Sender | None:
    """The row's parts, checked; its domain in A-labels.  None, and a report, for no sender."""
    if isinstance(row, NotARow):
        (report.dead if "skips" in row.why else report.add)(row.line, row.text, row.why)
        return None
    key, _, identity = (row.value or "").partition(":")
    if not key:
        report.add(row.line, row.key, "the name of the key is missing", "expected SENDER KEYNAME")
        return None
    if identity and ("@" not in identity or not identity.isascii() or set(identity) & set(" \t;")):
        report.add(
            row.line,
            row.key,
            f"{identity!r} is not an identity (i=)",
            "it has an @: user@% or @%, where % is the author's domain",
        )
        return None
    local, at, domain = row.key.rpartition("@")
    if not domain.isascii():
        try:
            dot = "." if domain.startswith(".") else ""
            domain = dot + ascii_domain(domain.removeprefix("."))
        except BadDomain as error:
            report.add(row.line, row.key, f"{domain!r} is not a domain name ({error})")
            return None
    return Sender(lower(f"{local}{at}{domain}"), key, identity, row.line)


def _globs(sender: Sender, report: Report) -> Globs | None:
    """The row's pattern, read; None, and a report, where that cannot be."""
    try:
        return parse(sender.pattern, fold=True)
    except GlobError as error:
        report.add(sender.line, sender.pattern, str(error), error.hint)
        return None


def _is_usable(sender: Sender, globs: Globs, report: Report) -> bool:
    """Whether any author can match the row."""
    why = _never_pattern(sender.pattern, globs) if globs else _never_exact(sender.pattern)
    if why:
        what, _, hint = why.partition("; ")
        report.dead(sender.line, sender.pattern, f"matches nobody: {what}", hint)
    return not why


def _never_exact(pattern: str) -> str:
    """Why no look-up ever asks for this text; "" when one does."""
    local, at, host = pattern.rpartition("@")
    if at and not local:
        return f"no author has an empty local part; write {host}"
    if local == "*":
        return f"file: tables know no patterns; write {host}, or use refile:"
    if host.startswith("*."):
        good = f"{local}{at}{host[1:]}"
        return f"file: tables know no patterns; write {good}, or use refile:"
    if "*" in host and host != "*":
        return "file: tables know no patterns; use refile:"
    if host.endswith(".") or ".." in host or not host:
        return "no domain is written so; leave out the final dot"
    return ""


def _never_pattern(pattern: str, globs: Globs) -> str:
    """Why no address matches the pattern; "" when one may."""
    if all(_has_no_at(glob) for glob in globs):
        return f"patterns are compared with whole addresses; write *@{pattern.lstrip('.')}"
    if all(glob.prefix.startswith("@") for glob in globs):
        return f"no author has an empty local part; write *{pattern}"
    if all(glob.suffix.endswith((".", "@")) for glob in globs):
        return "no domain ends so; leave out the final dot"
    return ""


def _has_no_at(glob: Glob) -> bool:
    """Whether nothing that the glob matches holds an @."""
    return len(glob.pieces) == 1 and glob.exact and "@" not in glob.prefix
