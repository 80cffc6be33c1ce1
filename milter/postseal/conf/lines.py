"""On which line of a TOML file an option stands.

NAME
    lines - an index from key paths to line numbers

GIVEN
    text that tomllib has already accepted, so that only borders have to be found:
    comments, strings of four kinds, brackets.

GIVES
    {("sign", "key", 0, "file"): 12, ...}; line_of() falls back to the nearest
    enclosing path that is known.

DOES NOT
    judge, or recurse: nesting is a list, and work is linear in the text.

SEE ALSO
    https://toml.io/en/v1.0.0
"""

from __future__ import annotations

import re
from bisect import bisect_right

Path = tuple[str | int, ...]

_BLANK = re.compile(r"(?:[ \t\r\n]+|#[^\n]*)*")
_KEY_PART = re.compile(r"""[ \t]*(?:([A-Za-z0-9_-]+)|"((?:[^"\\]|\\.)*)"|'([^']*)')[ \t]*""")
_STRING = re.compile(
    r'"""(?:[^"\\]|\\.|"(?!""))*"{3,5}'
    r"|'''(?:[^']|'(?!''))*'{3,5}"
    r'|"(?:[^"\\\n]|\\.)*"'
    r"|'[^'\n]*'",
    re.S,
)
_PLAIN = re.compile(r"[^\s,\]}#]+(?: [0-9][^\s,\]}#]*)?")  # a date may hold one blank


class Index:
    """The lines of one text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._starts = [0, *(match.end() for match in re.finditer("\n", text))]
        self._at = 0
        self._lines: dict[Path, int] = {}
        self._arrays: dict[Path, int] = {}  # arrays of tables: how many tables so far
        self._read()

    def line_of(self, path: Path) -> int:
        """The line where path, or what encloses it, is written; 0 when nothing is known."""
        for end in range(len(path), 0, -1):
            line = self._lines.get(path[:end])
            if line is not None:
                return line
        return 0

    def _mark(self, path: Path, at: int) -> None:
        self._lines.setdefault(path, bisect_right(self._starts, at))

    def _skip(self) -> str:
        """Over blanks and comments; gives the next character, "" at the end."""
        match = _BLANK.match(self._text, self._at)
        self._at = match.end() if match else self._at
        return self._text[self._at : self._at + 1]

    def _read(self) -> None:
        table: Path = ()
        while char := self._skip():
            before = self._at
            if char == "[":
                table = self._header()
            else:
                self._pair(table)
            if self._at == before:  # not TOML after all: what is known is all there is
                return

    def _header(self) -> Path:
        start = self._at
        double = self._text.startswith("[[", start)
        self._at += 2 if double else 1
        path = self._resolve(self._key())
        self._at += 2 if double else 1
        if double:
            number = self._arrays.get(path, 0)
            self._arrays[path] = number + 1
            self._mark(path, start)
            path = (*path, number)
        for end in range(1, len(path) + 1):
            self._mark(path[:end], start)
        return path

    def _resolve(self, key: Path) -> Path:
        """Where a header's name leads: into the last table of every array on the way."""
        path: Path = ()
        for number, part in enumerate(key):
            path = (*path, part)
            if path in self._arrays and number < len(key) - 1:
                path = (*path, self._arrays[path] - 1)
        return path

    def _key(self) -> Path:
        parts: list[str | int] = []
        while match := _KEY_PART.match(self._text, self._at):
            parts.append(next(group for group in match.groups() if group is not None))
            self._at = match.end()
            if not self._text.startswith(".", self._at):
                break
            self._at += 1
        return tuple(parts)

    def _pair(self, table: Path) -> None:
        """KEY = VALUE, with whatever the value holds."""
        open_: list[tuple[Path, int]] = []  # enclosing path; element number, or -1 in a table
        path = self._name(table)
        while True:
            char = self._skip()
            if char and char in "[{":
                self._at += 1
                open_.append((path, 0 if char == "[" else -1))
            elif char and char not in ",]}":
                self._scalar()
            path, done = self._next(open_)
            if done:
                return

    def _next(self, open_: list[tuple[Path, int]]) -> tuple[Path, bool]:
        """After a bracket or a value: to the next element or pair; whether all are closed."""
        while open_:
            path, number = open_[-1]
            char = self._skip()
            if not char:
                return (), True
            if char in "]}":
                self._at += 1
                open_.pop()
                continue
            if char == ",":
                self._at += 1
                if self._skip() in "]}":
                    continue
                number = number + 1 if number >= 0 else -1
                open_[-1] = (path, number)
            if number < 0:
                return self._name(path), False
            self._mark((*path, number), self._at)
            return (*path, number), False
        return (), True

    def _name(self, table: Path) -> Path:
        start = self._at
        key = self._key()
        if self._text.startswith("=", self._at):
            self._at += 1
        for end in range(1, len(key) + 1):
            self._mark((*table, *key[:end]), start)
        return (*table, *key)

    def _scalar(self) -> None:
        match = _STRING.match(self._text, self._at) or _PLAIN.match(self._text, self._at)
        self._at = match.end() if match else len(self._text)
