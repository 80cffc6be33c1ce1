"""KeyTable: the name of a key, and where and as what it signs.

NAME
    keytable - rows NAME DOMAIN:SELECTOR:KEY, as OpenDKIM reads them

GIVEN
    rows.  DOMAIN is a name or % for the author's domain.  KEY is a file when it
    starts with /, ./, ../ or credential: (in the first form % stands for the domain), otherwise
    the key itself: base64 of its DER form, or PEM.

GIVES
    KeyTable: an Entry by name.  Names are compared exactly, letter case included.

SEE ALSO
    opendkim.conf(5), KeyTable; tables/senders.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from sys import intern
from typing import Protocol

from postseal.conf.kinds import CREDENTIAL, credential
from postseal.core.names import BadDomain, ascii_domain
from postseal.tables.findings import Report
from postseal.tables.globindex import GlobIndex
from postseal.tables.globs import GlobError, parse
from postseal.tables.rows import NotARow, Row

ANY = "%"  # the author's domain


@dataclass(frozen=True, slots=True)
class Entry:
    """One row.  domain is in A-labels, or ANY."""

    name: str
    domain: str
    selector: str
    key: str
    line: int
    base: Path

    @property
    def is_file(self) -> bool:
        """Whether key names a file."""
        return self.key.startswith(("/", "./", "../", CREDENTIAL))

    @property
    def is_template(self) -> bool:
        """Whether the file depends on the author's domain."""
        return self.domain == ANY and self.key.startswith("/") and "%" in self.key

    def path(self, domain: str) -> Path:
        """The key's file, for an author in domain.  Raises ValueError for credential: alone."""
        if self.key.startswith(CREDENTIAL):
            return credential(self.key)
        if not self.key.startswith("/"):
            return self.base / self.key
        return Path(self.key.replace("%", domain if self.domain == ANY else self.domain))


class Keys(Protocol):
    """A key table."""

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All of them, where they can be listed."""
        ...

    def get(self, name: str, /) -> Entry | None:
        """The entry of that name.  Raises SigningUnavailable when that cannot be said."""
        ...


class KeyTable:
    """Entries by name.  patterns is for refile: tables."""

    def __init__(self, entries: Iterable[Entry], *, patterns: bool = False) -> None:
        self.entries = tuple(entries)
        self._index: GlobIndex[Entry] | None = None
        self._exact: dict[str, Entry] = {}
        if patterns:
            self._index = GlobIndex((parse(one.name, fold=False), one) for one in self.entries)
        for entry in self.entries:
            self._exact.setdefault(entry.name, entry)

    def __len__(self) -> int:
        return len(self.entries)

    def get(self, name: str) -> Entry | None:
        """The first entry of that name."""
        return self._index.first(name) if self._index else self._exact.get(name)


def read(rows: Iterable[Row | NotARow], base: Path, patterns: bool, report: Report) -> KeyTable:
    """The table of all rows that can be used; the others go into the report."""
    entries: list[Entry] = []
    seen: dict[str, int] = {}
    for row in rows:
        if isinstance(row, NotARow):
            report.add(row.line, row.text, row.why)
            continue
        entry = entry_of(row, base, report)
        if entry is None or (patterns and not _is_pattern(entry, report)):
            continue
        if entry.name in seen:
            report.dead(row.line, row.key, f"line {seen[entry.name]} has the same name and counts")
            continue
        seen[entry.name] = row.line
        entries.append(entry)
    return KeyTable(entries, patterns=patterns)


def entry_of(row: Row, base: Path, report: Report) -> Entry | None:
    """The row's three parts, checked."""
    shape = "expected NAME DOMAIN:SELECTOR:KEY"
    parts = [part.strip() for part in (row.value or "").split(":", 2)]
    if len(parts) < 3 or not all(parts):
        names = ("domain", "selector", "key")
        missing = [name for name, part in zip(names, [*parts, "", ""], strict=False) if not part]
        what = f"the {' and the '.join(missing)} {'is' if len(missing) == 1 else 'are'} missing"
        report.add(row.line, row.key, what, shape)
        return None
    domain, selector, key = parts
    made = []
    for what, given in (("domain", domain), ("selector", selector)):
        try:
            made.append(ANY if what == "domain" and given == ANY else ascii_domain(given))
        except BadDomain as error:
            report.add(row.line, row.key, f"the {what} {given!r} is not a domain name ({error})")
            return None
    # one string for each name and each selector: there may be 100,000 rows
    domain = row.key if row.key == made[0] else made[0]
    entry = Entry(row.key, domain, intern(made[1]), key, row.line, base)
    if key.startswith(CREDENTIAL):
        try:
            entry.path("")
        except ValueError as error:
            report.add(row.line, row.key, str(error))
            return None
    return entry


def _is_pattern(entry: Entry, report: Report) -> bool:
    try:
        parse(entry.name, fold=False)
    except GlobError as error:
        report.add(entry.line, entry.name, str(error), error.hint)
        return False
    return True
