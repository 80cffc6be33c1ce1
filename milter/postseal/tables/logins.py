"""Who may write as whom: authors bound to the users that authenticated.

NAME
    logins - Logins: whether a SASL login may have its mail signed for an author

GIVEN
    rows AUTHOR LOGIN, LOGIN...  The author is looked up like the sender of a signing table
    (exactly in file: and csl:, as a pattern in refile:).  A login of % is the
    author's own address, * is every login.

GIVES
    Logins: one question, one answer.  An author without a row belongs to nobody.

SEE ALSO
    Postfix's smtpd_sender_login_maps, which binds the envelope sender, not From.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from postseal.core.names import BadDomain, ascii_domain
from postseal.tables.findings import Report
from postseal.tables.globindex import GlobIndex
from postseal.tables.globs import Glob, GlobError, lower, parse
from postseal.tables.rows import NotARow, Row
from postseal.tables.senders import places

OWN = "%"  # the login that is the author's address
EVERY = "*"


@dataclass(frozen=True, slots=True)
class Owners:
    """One row."""

    author: str
    logins: frozenset[str]
    line: int
    globs: tuple[Glob, ...] = ()

    def has(self, login: str, address: str) -> bool:
        """Whether login is one of the owners of that author."""
        return (
            login in self.logins
            or EVERY in self.logins
            or (OWN in self.logins and login == address)
        )


class Logins:
    """A table of owners."""

    def __init__(self, rows: Iterable[Owners], *, patterns: bool = False) -> None:
        self.rows = tuple(rows)
        self._index: GlobIndex[Owners] | None = None
        self._exact: dict[str, Owners] = {}
        if patterns:
            self._index = GlobIndex((row.globs, row) for row in self.rows)
        for row in self.rows:
            self._exact.setdefault(row.author, row)

    def allows(self, login: str, address: str) -> bool:
        """Whether who authenticated as login may write as address.

        The first row that fits the author decides.  Letter case does not matter, because
        it does not in the domain and most sites' logins; address has its domain in
        A-labels.
        """
        if not login:
            return False
        author = lower(address)
        row = next(self._of(author), None)
        return row is not None and row.has(lower(login), author)

    def _of(self, author: str) -> Iterator[Owners]:
        if self._index is not None:
            yield from self._index.matches(author)
            return
        local, _, domain = author.rpartition("@")
        for place in places(domain):
            for text in (f"{local}@{place}", place):
                if text in self._exact:
                    yield self._exact[text]


def read(rows: Iterable[Row | NotARow], patterns: bool, report: Report) -> Logins:
    """The table of all rows that can be used; the others go into the report."""
    found: list[Owners] = []
    seen: dict[str, int] = {}
    for row in rows:
        if isinstance(row, NotARow):
            report.add(row.line, row.text, row.why)
            continue
        owners = owners_of(row, patterns, report)
        if owners is None:
            continue
        if owners.author in seen:
            line = seen[owners.author]
            report.dead(row.line, row.key, f"line {line} has the same author and counts")
            continue
        seen[owners.author] = row.line
        found.append(owners)
    return Logins(found, patterns=patterns)


def owners_of(row: Row, patterns: bool, report: Report) -> Owners | None:
    value = (row.value or "").replace(",", " ")
    logins = frozenset(lower(word) for word in value.split())
    if not logins:
        report.add(row.line, row.key, "the logins are missing", "expected AUTHOR LOGIN, LOGIN...")
        return None
    try:
        author = _author(row.key)
        globs = parse(author, fold=True) if patterns else ()
    except BadDomain as error:
        report.add(row.line, row.key, f"the domain is not a domain name ({error})")
        return None
    except GlobError as error:
        report.add(row.line, row.key, str(error), error.hint)
        return None
    return Owners(author, logins, row.line, globs)


def _author(text: str) -> str:
    """The first word of a row in lower case, its domain in A-labels.  Raises BadDomain."""
    local, at, domain = text.rpartition("@")
    if not domain.isascii():
        dot = "." if domain.startswith(".") else ""
        domain = dot + ascii_domain(domain.removeprefix("."))
    return lower(f"{local}{at}{domain}")
