"""The rows of a table, cut as OpenDKIM cuts them.

NAME
    rows - lines to (key, value, line number)

GIVEN
    the octets of a file: or refile:, or the text of a csl:.

GIVES
    every row, and every line that looks like a row but is none.

DOES NOT
    know what keys and values mean.

SEE ALSO
    tables/keytable.py, tables/senders.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from postseal.conf import plainfile
from postseal.tables.source import Form, Source

MAX_FILE = 64 << 20  # octets: a row has some 60, so this is a million rows
MAX_LINE = 65536  # characters; OpenDKIM cuts a line at 1023 and reads the rest as another row
SPACE = " \t\r\v\f"  # what isspace(3) knows in the C locale, without LF
_SPACE = SPACE.encode()
_blanks = re.compile(f"[{SPACE}]+").split


@dataclass(frozen=True, slots=True)
class Row:
    """One row.  value is None when there is only a key.  line counts from 1; 0 in a csl:."""

    key: str
    value: str | None
    line: int


@dataclass(frozen=True, slots=True)
class NotARow:
    """A line that cannot be used, and why."""

    line: int
    text: str
    why: str


class TableError(Exception):
    """The table as a whole cannot be read: what, and a way out."""

    def __init__(self, what: str, hint: str) -> None:
        self.hint = hint
        super().__init__(what)


def read(source: Source, base: Path) -> bytes:
    """The octets of a table.  Raises TableError."""
    if source.form is Form.CSL:
        return source.text.encode()
    path = source.path(base)
    try:
        data = plainfile.read(path, MAX_FILE + 1)
    except OSError as error:
        raise TableError(
            f"{path}: {error.strerror}", "check the name, and who may read it"
        ) from None
    if len(data) > MAX_FILE:
        raise TableError(
            f"{path}: longer than {MAX_FILE} octets", "so long a table belongs in a database"
        )
    return data


def rows(source: Source, data: bytes) -> Iterator[Row | NotARow]:
    """Every row of the table, in its order."""
    if source.form is Form.CSL:
        yield from _listed(data.decode("utf-8", "replace"))
        return
    for number, raw in enumerate(data.split(b"\n"), 1):
        line = raw.partition(b"#")[0].rstrip(_SPACE)
        if not line.strip(_SPACE):
            continue
        try:
            text = line.decode("utf-8")
        except UnicodeDecodeError:
            yield NotARow(number, ascii(line)[2:-1][:40], "is not UTF-8 text")
            continue
        yield _row(source.form, text, number)


def _row(form: Form, text: str, number: int) -> Row | NotARow:
    """One line that is neither empty nor a comment."""
    if len(text) > MAX_LINE:
        return NotARow(number, text[:40], f"is longer than {MAX_LINE} characters")
    if "\0" in text:
        return NotARow(number, text.split("\0")[0], "has a NUL in it")
    if form is Form.REFILE and text[0] in SPACE:
        return NotARow(
            number, text.strip(SPACE)[:40], "starts with a blank; OpenDKIM skips such a row"
        )
    key, value = split(text.strip(SPACE))
    return Row(key, value or None, number)


def split(text: str) -> tuple[str, str]:
    """The first word, and what follows the blanks behind it."""
    key, *rest = _blanks(text, 1)
    return key, rest[0].rstrip(SPACE) if rest else ""


def _listed(text: str) -> Iterator[Row]:
    """KEY=VALUE,KEY=VALUE: blanks around commas and the first = do not count."""
    for part in text.split(","):
        if not part:
            continue
        key, equals, value = part.partition("=")
        yield Row(key.strip(f"{SPACE}\n"), value.strip(f"{SPACE}\n") if equals else None, 0)
