"""Many patterns, and the few that may match: looked up, not walked.

NAME
    globindex - GlobIndex: all rows that match a text, in their order

GIVEN
    pairs of a pattern's ways and a value.

GIVES
    the values of the matching rows, first row first.  Only rows whose literal
    beginning or end fits are tried, so 10,000 rows of `*@domain` cost as much as one;
    rows with neither (such as `*`) are always tried.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

from postseal.tables.globs import Glob

T = TypeVar("T")


class GlobIndex(Generic[T]):
    """Rows in the order they were given."""

    def __init__(self, rows: Iterable[tuple[tuple[Glob, ...], T]]) -> None:
        self._values: list[T] = []
        self._exact: dict[str, list[int]] = {}
        self._ends: dict[str, int] = {}  # *TEXT, as nearly all rows: nothing is left to try
        self._suffix: dict[str, list[tuple[int, Glob]]] = {}
        self._prefix: dict[str, list[tuple[int, Glob]]] = {}
        self._rest: list[tuple[int, Glob]] = []
        for number, (globs, value) in enumerate(rows):
            self._values.append(value)
            for glob in globs:
                self._add(number, glob)
        self._suffixes = sorted({len(suffix) for suffix in (*self._suffix, *self._ends)})
        self._prefixes = sorted({len(prefix) for prefix in self._prefix})

    def __len__(self) -> int:
        return len(self._values)

    def _add(self, number: int, glob: Glob) -> None:
        if glob.exact:
            self._exact.setdefault(glob.prefix, []).append(number)
        elif glob.ends and glob.suffix not in self._ends:
            self._ends[glob.suffix] = number
        elif "@" in glob.suffix or len(glob.suffix) > len(glob.prefix):
            self._suffix.setdefault(glob.suffix, []).append((number, glob))
        elif glob.prefix:
            self._prefix.setdefault(glob.prefix, []).append((number, glob))
        else:
            self._rest.append((number, glob))

    @property
    def values(self) -> tuple[T, ...]:
        """Of all rows."""
        return tuple(self._values)

    def candidates(self, text: str) -> list[tuple[int, Glob | None]]:
        """Row numbers and what is left to try; None for what has matched already."""
        found: list[tuple[int, Glob | None]] = [
            (number, None) for number in self._exact.get(text, ())
        ]
        size = len(text)
        for length in self._suffixes:
            if length > size:
                break
            end = text[size - length :]
            if (number := self._ends.get(end)) is not None:
                found.append((number, None))
            found += self._suffix.get(end, ())
        for length in self._prefixes:
            if length > size:
                break
            found += self._prefix.get(text[:length], ())
        found += self._rest
        return found

    def matches(self, text: str) -> Iterator[T]:
        """The values of all rows that match, in order, each once."""
        before = -1
        for number, glob in sorted(self.candidates(text), key=_number):
            if number != before and (glob is None or glob.matches(text)):
                before = number
                yield self._values[number]

    def first(self, text: str) -> T | None:
        """The value of the first row that matches."""
        return next(self.matches(text), None)


def _number(candidate: tuple[int, Glob | None]) -> int:
    return candidate[0]
