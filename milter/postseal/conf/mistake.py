"""A mistake in a file the administrator wrote, and the list of all of them.

NAME
    mistake - Mistake, Severity and ConfigError

GIVES
    one line of text per mistake: FILE:LINE: KEY: what is wrong (hint: what to do)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path


class Severity(StrEnum):
    """What a mistake does to the daemon."""

    ERROR = "error"  # nothing starts with it
    DEAD = "dead"  # a row without any effect: check-config fails, the daemon logs it and runs
    NOTE = "note"  # accepted, but perhaps not what was meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """Something to mend.  line counts from 1; 0 is the whole file."""

    file: str
    line: int = 0
    key: str = ""  # dotted option name, or the first word of a table's row
    what: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        place = f"{self.file}:{self.line}" if self.line else self.file
        key = f" {self.key}:" if self.key else ""
        hint = f" (hint: {self.hint})" if self.hint else ""
        return visible(f"{place}:{key} {self.what}{hint}")


class ConfigError(Exception):
    """What was read cannot be used.  mistakes holds every reason, in the order of the file."""

    def __init__(self, mistakes: Iterable[Mistake], files: Iterable[str | Path] = ()) -> None:
        """files: what was read or wanted; a change there may mend it."""
        self.files = tuple(files)
        self.mistakes = tuple(sorted(set(mistakes), key=lambda m: (m.file, m.line, m.key, m.what)))
        super().__init__("\n".join(map(str, self.mistakes)))


def visible(text: str) -> str:
    """The text with control characters escaped, so that a file cannot write to a terminal."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
