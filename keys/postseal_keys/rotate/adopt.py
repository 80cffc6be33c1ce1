"""Which key signs already: the KeyTable read for lines that have no history yet.

NAME
    adopt - every succession of the configuration as a Line, with the key that signs today

GIVEN
    the lines of the state file, the settings, and the text of both tables.

GIVES
    lines_of(): the lines, and a Trouble for each whose key cannot be told; nothing is done
    for those, and the others go on.

DOES NOT
    guess: to begin with a new key beside one that signs, unseen, would be no rotation.

SEE ALSO
    postseal-rotate(1), tables
"""

from __future__ import annotations

import fnmatch
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from postseal_keys import keypair
from postseal_keys.console import CONFIG, DATAERR, Problem
from postseal_keys.rotate import machine, tables
from postseal_keys.rotate.model import COMING, Line, Stage
from postseal_keys.rotate.settings import Entry, Settings
from postseal_keys.rotate.tables import Row

_PATH_STARTS = ("/", "./", "../")


@dataclass(frozen=True, slots=True)
class Trouble:
    """What keeps a line from going on."""

    line: Line
    problem: Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class _Tables:
    """The texts, and the settings that say what they are for."""

    settings: Settings
    keys: str
    signing: str
    taken: frozenset[tuple[str, str]]  # domain and selector of keys with a history


def lines_of(
    settings: Settings, known: Sequence[Line], keys: str, signing: str, now: int
) -> tuple[list[Line], list[Trouble]]:
    """All lines, those of the configuration and those remembered.  Raises nothing."""
    found = {(line.domain, line.kind, line.stream): line for line in known}
    taken = frozenset((line.domain, key.selector) for line in known for key in line.keys)
    world = _Tables(settings=settings, keys=keys, signing=signing, taken=taken)
    troubles: list[Trouble] = []
    for entry in settings.domains:
        place = (entry.domain, entry.kind, entry.stream)
        line = found.get(place, Line(domain=entry.domain, kind=entry.kind, stream=entry.stream))
        try:
            found[place] = line if line.keys else _adopt(line, entry, world, now)
        except Problem as problem:
            found.pop(place, None)
            troubles.append(Trouble(line, problem))
    return list(found.values()), troubles


def stray(line: Line, table: str, state: str) -> Problem | None:
    """The KeyTable no longer has the key that signs by the state file: one of them was restored
    from a backup, or changed by hand.  While a switch is under way it has the coming key."""
    now = line.signing
    if now is None or any(
        tables.uses(table, line.domain, key.selector) for key in (now, *line.at(*COMING))
    ):
        return None
    stages = {key.selector: key.stage for key in line.keys}
    others = [selector for selector, _ in tables.selectors(table, line.domain)]
    known = [f"{one}, which is {stages[one]}" for one in others if one in stages]
    has = f"; it has {', '.join(known or others)}" if others else ""
    hint = f"lead the row to {line.domain}:{now.selector}:{now.file}"
    if any(stages.get(one) is Stage.SIGNING for one in others):  # somebody was impatient
        hint = f"set the stage of {now.selector} in {state} back to published: it signs by itself"
        hint += " when every name server has had it for long enough"
    elif not known:
        hint += f"; or, if another key is to sign, give the [[key]] {now.selector} in {state}"
        hint += " its selector and file"
    return Problem(
        f"the KeyTable has no row with {now.selector}, which signs by the state file{has}",
        hint=hint,
        code=DATAERR,
    )


def _adopt(line: Line, entry: Entry, world: _Tables, now: int) -> Line:
    """The line with the key that signs for it, if there is one."""
    row = _named(entry, world) if entry.adopt else _only(entry, world)
    if row is None:
        if not entry.stream:
            _refuse_any(entry, world)
        return line
    since = min(now, int(Path(row.key).stat().st_mtime))
    return machine.adopted(line, row.selector, row.key, since)


def _named(entry: Entry, world: _Tables) -> Row | None:
    """The row that adopt asks for; None when its key is of another kind of the same stream."""
    for row in tables.rows(world.keys):
        if (row.domain, row.selector) == (entry.domain, entry.adopt):
            return row if _kind(row) == entry.kind else None
    raise Problem(
        f"the KeyTable has no key {entry.adopt} for {entry.domain}",
        hint="adopt is the selector that signs now; leave it out for a new stream",
        code=CONFIG,
    )


def _only(entry: Entry, world: _Tables) -> Row | None:
    """The row that is left for a domain's first stream; None when there is none."""
    if entry.stream:
        return None  # a new stream, unless adopt says what it has
    others = {one.adopt for one in world.settings.domains if one.domain == entry.domain}
    rows = {row.selector: row for row in _rows(entry, world) if row.selector not in others}
    if len(rows) > 1 and world.signing:
        used = tables.used(world.signing)
        used |= {entry.domain} if "%" in used else set()
        rows = {s: row for s, row in rows.items() if row.name in used} or rows
    if len(rows) > 1:
        raise Problem(
            f"the KeyTable has {len(rows)} {entry.kind} keys for {entry.domain}: {', '.join(rows)}",
            hint="give each a [[domain]] of its own, with stream and adopt; or remove the rows"
            " that no longer sign",
            code=CONFIG,
        )
    return next(iter(rows.values()), None)


def _rows(entry: Entry, world: _Tables) -> Iterator[Row]:
    """The domain's rows with a key of this kind that has no history yet."""
    for row in tables.rows(world.keys):
        if row.domain != entry.domain or (row.domain, row.selector) in world.taken:
            continue
        if _kind(row) == entry.kind:
            yield row


def _kind(row: Row) -> str:
    """The kind of a row's key.  Raises Problem: what cannot be read cannot be turned over."""
    if not row.key.startswith(_PATH_STARTS):
        raise Problem(
            f"the KeyTable's row {row.name} has its key in the row, or a credential",
            hint="put the key into a file that postseal-rotate may replace, and its path there",
            code=CONFIG,
        )
    try:
        return str(keypair.kind(keypair.load_file(row.key, trial=True)))
    except Problem as problem:
        raise Problem(
            f"the KeyTable's row {row.name}: {problem.message}",
            hint="mend or remove the row; postseal-rotate must be able to read its key",
            code=CONFIG,
        ) from None


def _refuse_any(entry: Entry, world: _Tables) -> None:
    """A row for any domain that signs for this one would go on beside the new key."""
    for row in tables.rows(world.keys):
        if row.domain != "%" or not leads_here(row, entry.domain, world.signing):
            continue
        path = row.key.replace("%", entry.domain)
        try:
            if row.key.startswith(_PATH_STARTS) and _kind(row.at(path)) != entry.kind:
                continue
        except Problem:
            pass  # what it is cannot be told: it may be of this kind
        name = f"{row.selector}._domainkey.{entry.domain}"
        raise Problem(
            f"the KeyTable's row {row.name}, which is for any domain (%), signs for"
            f" {entry.domain}: it cannot be turned over for one domain alone",
            hint=f"give the domain rows of its own: '{name} {entry.domain}:{row.selector}:{path}'"
            f" in the KeyTable, '*@{entry.domain} {name}' before others in the SigningTable",
            code=CONFIG,
        )


def leads_here(row: Row, domain: str, signing: str) -> bool:
    """Whether the SigningTable lets the row sign for the domain; True when it is not known."""
    if not signing:
        return True
    for pattern, name in tables.patterns(signing):
        part = pattern.rpartition("@")[2]
        below = part.startswith(".") and domain.endswith(part)
        if name in (row.name, "%") and (below or fnmatch.fnmatchcase(domain, part)):
            return True
    return False
