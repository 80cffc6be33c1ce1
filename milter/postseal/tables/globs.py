"""The patterns of refile: tables, matched in linear time.

NAME
    globs - one pattern read, and matched as OpenDKIM's binary matches it

GIVEN
    a pattern.  OpenDKIM makes an anchored POSIX extended expression of it: `*` is
    any text, `.` and `+` are themselves, and every other character keeps its meaning
    for regcomp(3), although the manual speaks of `*` alone.

GIVES
    Globs: one for each way through `?`, `(a|b)`; each is literal text, character
    classes and stars, matched without backtracking.  Or GlobError where the meaning
    is dangerous or not what was meant.

DOES NOT
    look up in a table of patterns; tables/globindex.py does.

SEE ALSO
    regex(7).
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MAX_WAYS = 64  # alternatives of one pattern
MAX_PATTERN = 1024

_CLASSES = {
    "alpha": "a-zA-Z",
    "digit": "0-9",
    "alnum": "a-zA-Z0-9",
    "lower": "a-z",
    "upper": "A-Z",
    "xdigit": "0-9a-fA-F",
}
_SPECIAL = re.compile(r"[\[\](){}|?^$\\]")
_BRACKET = re.compile(r"\[(\^?)((?:\]?)(?:\[:[a-z]+:\]|[^\]\[])*)\]")
_MEMBER = re.compile(r"\[:([a-z]+):\]|([A-Za-z0-9])-([A-Za-z0-9])|(.)", re.S)


class GlobError(ValueError):
    """The pattern is refused.  hint says what to write instead."""

    def __init__(self, what: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class Star:
    """Any text, also none."""


@dataclass(frozen=True, slots=True)
class OneOf:
    """One character of a class, written as Python's re writes it."""

    text: str


Atom = str | OneOf | Star  # a str is one literal character
Way = tuple[Atom, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands between two stars: literal, or a pattern of size characters."""

    literal: str
    pattern: re.Pattern[str] | None
    size: int

    def at(self, text: str, start: int) -> bool:
        if self.pattern is None:
            return text.startswith(self.literal, start)
        return self.pattern.match(text, start) is not None

    def find(self, text: str, start: int) -> int:
        if self.pattern is None:
            return text.find(self.literal, start)
        match = self.pattern.search(text, start)
        return match.start() if match else -1


@dataclass(frozen=True, slots=True)
class Glob:
    """One way through a pattern: the pieces between its stars."""

    pieces: tuple[Piece, ...]
    prefix: str  # literal text that every match begins with
    suffix: str  # literal text that every match ends with
    size: int  # characters of the shortest match

    @property
    def exact(self) -> bool:
        """Whether it matches one text only: prefix."""
        return len(self.pieces) == 1 and self.pieces[0].pattern is None

    @property
    def ends(self) -> bool:
        """Whether it matches all texts that end with suffix, and no others, as *@example.com."""
        return len(self.pieces) == 2 and self.size == len(self.suffix) > 0

    def matches(self, text: str) -> bool:
        """Whether the whole text matches.  Every piece is looked for once, so this is linear."""
        first, *middle = self.pieces
        if len(text) < self.size or not first.at(text, 0):
            return False
        if not middle:
            return len(text) == first.size
        last = middle.pop()
        at, end = first.size, len(text) - last.size
        for piece in middle:
            found = piece.find(text, at)
            if found < 0:
                return False
            at = found + piece.size
        return at <= end and last.at(text, end)


def parse(pattern: str, *, fold: bool) -> tuple[Glob, ...]:
    """Every way through the pattern.  With fold, the text to match must be in lower case.

    Raises GlobError, nothing else.
    """
    if len(pattern) > MAX_PATTERN:
        raise GlobError(f"the pattern is longer than {MAX_PATTERN} characters")
    if not _SPECIAL.search(pattern):
        return (_plain(lower(pattern) if fold else pattern),)
    ways: list[Way] = [()]
    at = 0
    while at < len(pattern):
        at, choices = _next(pattern, at)
        ways = [(*way, *choice) for way in ways for choice in choices]
        if len(ways) > MAX_WAYS:
            raise GlobError(
                f"the pattern has more than {MAX_WAYS} alternatives", "write several rows"
            )
    return tuple(_glob(way, fold) for way in ways)


def _plain(pattern: str) -> Glob:
    """A pattern of literal text and stars alone, as nearly all are."""
    first, *rest = pattern.split("*")
    texts = [first, *filter(None, rest[:-1]), *rest[-1:]]
    pieces = tuple(Piece(text, None, len(text)) for text in texts)
    return Glob(pieces, first, texts[-1], sum(map(len, texts)))


def _next(pattern: str, at: int) -> tuple[int, list[Way]]:
    """One element with its `?`: where it ends, and the ways through it."""
    char = pattern[at]
    if char == "(":
        end, choices = _group(pattern, at)
    else:
        end, atoms = _atom(pattern, at)
        choices = [atoms]
    optional = False
    while pattern[end : end + 1] == "?":
        end, optional = end + 1, True
    if optional and choices != [(Star(),)]:
        choices = [*choices, ()]
    return end, choices


def _atom(pattern: str, at: int) -> tuple[int, Way]:
    """One character, class or star."""
    char = pattern[at]
    match char:
        case "*":
            return at + 1, (Star(),)
        case "[":
            return _bracket(pattern, at)
        case "|":
            raise GlobError(
                "| outside of parentheses also matches text that only begins or ends as written",
                "write two rows",
            )
        case "\\":
            raise GlobError(
                "a backslash does not make the next character literal in these patterns",
                "dots and plus signs are literal without it",
            )
        case "?" | ")" | "{" | "}" | "^" | "$":
            raise GlobError(f"{char} has no safe meaning here", "* stands for any text")
    return at + 1, (char,)


def _group(pattern: str, at: int) -> tuple[int, list[Way]]:
    """(a|b): the ways through it."""
    end = pattern.find(")", at)
    if end < 0 or "(" in pattern[at + 1 : end]:
        raise GlobError("parentheses must be closed, and hold no others", "write several rows")
    choices: list[Way] = []
    for part in pattern[at + 1 : end].split("|"):
        way: Way = ()
        inner = 0
        while inner < len(part):
            inner, atoms = _atom(part, inner)
            way += atoms
        choices.append(way)
    return end + 1, choices


def _bracket(pattern: str, at: int) -> tuple[int, Way]:
    """[abc]: one character.  `.`, `+` and `*` bring a backslash or dot in with them."""
    match = _BRACKET.match(pattern, at)
    if match is None or not match[2]:
        raise GlobError("[ without a class that can be read", "a class looks like [a-z0-9]")
    members = ""
    for one in _MEMBER.finditer(match[2]):
        named, low, high, plain = one.groups()
        if named:
            if named not in _CLASSES:
                raise GlobError(f"unknown class [:{named}:]", "a class looks like [a-z0-9]")
            members += _CLASSES[named]
        elif low:
            if low > high:
                raise GlobError(f"the range {low}-{high} is empty")
            members += f"{low}-{high}"
        else:
            extra = {".": "\\\\", "+": "\\\\", "*": "\\."}.get(plain, "")
            members += re.escape(plain) + extra
    return match.end(), (OneOf(f"[{match[1]}{members}]"),)


def _glob(way: Way, fold: bool) -> Glob:
    pieces: list[Piece] = []
    atoms: list[str | OneOf] = []
    for atom in (*way, None):
        if isinstance(atom, str | OneOf):
            atoms.append(atom)
        elif atom is None or not pieces or atoms:  # two stars are one
            pieces.append(_piece(atoms, fold))
            atoms = []
    if len(pieces) == 1 and Star() in way:
        pieces.append(_piece([], fold))
    return Glob(
        tuple(pieces),
        _literal(way, fold),
        _literal(way[::-1], fold)[::-1],
        sum(piece.size for piece in pieces),
    )


def _piece(atoms: list[str | OneOf], fold: bool) -> Piece:
    if all(isinstance(atom, str) for atom in atoms):
        literal = "".join(atom for atom in atoms if isinstance(atom, str))
        return Piece(lower(literal) if fold else literal, None, len(atoms))
    text = "".join(re.escape(atom) if isinstance(atom, str) else atom.text for atom in atoms)
    flags = re.DOTALL | (re.IGNORECASE if fold else 0)
    return Piece("", re.compile(text, flags), len(atoms))


def _literal(way: Way, fold: bool) -> str:
    """The literal characters that way begins with."""
    literal = ""
    for atom in way:
        if not isinstance(atom, str):
            break
        literal += atom
    return lower(literal) if fold else literal


_LOWER = {upper: upper + 32 for upper in range(ord("A"), ord("Z") + 1)}


def lower(text: str) -> str:
    """ASCII letters in lower case, everything else as it is: the C locale's view."""
    return text.translate(_LOWER) if not text.isascii() else text.lower()
