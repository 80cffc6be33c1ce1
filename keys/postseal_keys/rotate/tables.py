"""Put a new key into the text of a KeyTable and a SigningTable.

NAME
    tables - edits of the two texts that leave everything else as it is

GIVEN
    the text of a table, the key that signed, and the key that is to sign.

GIVES
    the new text.  Each edit made twice gives what it gave once.

DOES NOT
    read or write files.  Raise anything but Problem.

SEE ALSO
    opendkim.conf(5), KeyTable and SigningTable; keytable reads them.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from postseal_keys import names
from postseal_keys.console import DATAERR, Problem

_ROW = re.compile(
    r"(?P<lead>\s*)(?P<name>[^\s#]+)(?P<gap>\s+)(?P<value>[^\s#][^#]*?)(?P<rest>\s*(?:#.*)?)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One key instead of another.  row: the new row's name, when there was none before."""

    domain: str
    old_selector: str  # "" when no key of this line signed before
    new_selector: str
    new_file: str
    row: str


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the KeyTable; domain may be "%": any."""

    name: str
    domain: str
    selector: str
    key: str

    def at(self, path: str) -> Row:
        """The row with its key in that file."""
        return replace(self, key=path)


def uses(table: str, domain: str, selector: str) -> list[str]:
    """Names of the KeyTable's rows for that key."""
    return [row.name for row in rows(table) if (row.domain, row.selector) == (domain, selector)]


def selectors(table: str, domain: str) -> list[tuple[str, str]]:
    """Selector and key of each row for the domain."""
    return [(row.selector, row.key) for row in rows(table) if row.domain == domain]


def with_file(table: str, path: str, domain: str) -> list[str]:
    """Names of the KeyTable's rows, of whatever domain, whose key is in that file."""
    same = Path(path).resolve()
    return [
        row.name
        for row in rows(table)
        if row.key.startswith(("/", "./", "../"))
        and Path(row.key.replace("%", domain if row.domain == "%" else row.domain)).resolve()
        == same
    ]


def patterns(table: str) -> list[tuple[str, str]]:
    """Pattern, in lower case, and KeyTable row of each row of a SigningTable."""
    found = []
    for line in table.splitlines():
        match = _ROW.fullmatch(line)
        if match:
            found.append((match["name"].lower(), match["value"].partition(":")[0]))
    return found


def used(table: str) -> set[str]:
    """Names of the KeyTable rows that a SigningTable leads to."""
    return {name for _, name in patterns(table)}


def renamed(name: str, change: Change) -> str:
    """The new name of a row that carried the old selector in its name; else the old name."""
    if not change.old_selector:
        return name
    word = re.compile(rf"(?<![A-Za-z0-9]){re.escape(change.old_selector)}(?![A-Za-z0-9])")
    return word.sub(change.new_selector, name)


def with_new(table: str, change: Change) -> str:
    """The KeyTable with the new key: in place of the old one where the row keeps its name,
    beside it where the name carries the selector, at the end where there was no row."""
    value = f"{change.domain}:{change.new_selector}:{change.new_file}"
    present = {row.name for row in rows(table)}
    if uses(table, change.domain, change.new_selector):
        return table  # done before
    replaced = False

    def edit(match: re.Match[str]) -> str:
        nonlocal replaced
        name = match["name"]
        domain, selector, _ = _fields(match["value"])
        if not change.old_selector or (domain, selector) != (change.domain, change.old_selector):
            return match[0]
        replaced = True
        new_name = renamed(name, change)
        line = f"{match['lead']}{new_name}{match['gap']}{value}{match['rest']}"
        if new_name == name:
            return line
        if new_name in present:
            raise Problem(
                f"the KeyTable has another row {new_name}", hint="rename that row", code=DATAERR
            )
        return f"{match[0]}\n{line}"

    edited = _each(table, edit)
    if replaced:
        return edited
    if change.old_selector:
        raise Problem(
            f"the KeyTable has no row for {change.domain} with {change.old_selector}",
            hint="put it back, or correct the state file",
            code=DATAERR,
        )
    if change.row in present:
        raise Problem(
            f"the KeyTable has another row {change.row}",
            hint="rename that row, or set row to another pattern",
            code=DATAERR,
        )
    end = "" if not edited or edited.endswith("\n") else "\n"
    return f"{edited}{end}{change.row} {value}\n"


def without_old(table: str, change: Change) -> str:
    """The KeyTable without rows for the old key."""
    if not change.old_selector or not uses(table, change.domain, change.new_selector):
        return table
    kept = []
    for line in table.splitlines(keepends=True):
        match = _ROW.fullmatch(line.rstrip("\r\n"))
        fields = _fields(match["value"]) if match else ("", "", "")
        if fields[:2] != (change.domain, change.old_selector):
            kept.append(line)
    return "".join(kept)


def signing(table: str, change: Change, old: list[str]) -> str:
    """The SigningTable with every use of a renamed row (old names) led to the new one."""
    new_names = {name: renamed(name, change) for name in old}

    def edit(match: re.Match[str]) -> str:
        name, colon, signer = match["value"].partition(":")
        if new_names.get(name, name) == name:
            return match[0]
        value = f"{new_names[name]}{colon}{signer}"
        return f"{match['lead']}{match['name']}{match['gap']}{value}{match['rest']}"

    return _each(table, edit)


def with_pattern(table: str, pattern: str, row: str, *, first: bool = False) -> str:
    """The SigningTable with a row for mail that had none.

    first: before all others, as the first row that fits counts; else at the end.
    """
    if row in used(table):
        return table
    new = f"{pattern} {row}\n"
    if first:
        lines = table.splitlines(keepends=True)
        at = next((n for n, line in enumerate(lines) if _ROW.fullmatch(line.rstrip("\r\n"))), None)
        if at is not None:
            return "".join([*lines[:at], new, *lines[at:]])
    end = "" if not table or table.endswith("\n") else "\n"
    return f"{table}{end}{new}"


def rows(table: str) -> list[Row]:
    """Every row of a KeyTable."""
    found = []
    for line in table.splitlines():
        match = _ROW.fullmatch(line)
        if match:
            found.append(Row(match["name"], *_fields(match["value"])))
    return found


def _fields(value: str) -> tuple[str, str, str]:
    domain, _, rest = value.partition(":")
    selector, _, key = rest.partition(":")
    domain = domain.strip().lower()
    if not domain.isascii():
        with contextlib.suppress(Problem):
            domain = names.domain(domain)
    return domain, selector.strip().lower(), key.strip()


def _each(table: str, edit: Callable[[re.Match[str]], str]) -> str:
    out = []
    for line in table.splitlines(keepends=True):
        body = line.rstrip("\r\n")
        match = _ROW.fullmatch(body)
        out.append((edit(match) if match else body) + line[len(body) :])
    return "".join(out)
