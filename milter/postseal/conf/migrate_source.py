"""Configuration files of the Sendmail family: NAME VALUE on a line.

NAME
    migrate_source - settings(): the last value of every option, and its place

GIVEN
    an opendkim.conf or the like, with its Include files.

GIVES
    Given values by lower-case name.  Raises ConfigError when a file cannot be read.

SEE ALSO
    opendkim.conf(5)
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from postseal.conf.load import MAX_FILE, octets
from postseal.conf.mistake import ConfigError, Mistake

MAX_NESTING = 5  # as OpenDKIM


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """One option as it was written."""

    name: str
    value: str
    file: str
    line: int

    @property
    def on(self) -> bool:
        """Booleans are told by their first letter."""
        return self.value[:1] in tuple("tTyY1")

    @property
    def number(self) -> int | None:
        """A number in C's notation; None when it is none."""
        text = self.value.lower()
        base = 16 if text.startswith("0x") else 8 if text.startswith("0") else 10
        try:
            return int(text, base)
        except ValueError:
            return None

    def hidden(self) -> Given:
        """The same without its value, for reports."""
        return replace(self, value="***")

    @property
    def words(self) -> tuple[str, ...]:
        """Values between commas."""
        return tuple(part.strip() for part in self.value.split(",") if part.strip())


def settings(file: Path, *, equals: bool = False) -> tuple[dict[str, Given], tuple[Given, ...]]:
    """The options that count, and those that a later one of the same name replaced.

    equals: lines are NAME = VALUE, as spf-engine has them.
    """
    counts: dict[str, Given] = {}
    replaced: list[Given] = []
    for given in _read(file, 0, "=" if equals else None):
        key = given.name.lower()
        if key in counts:
            replaced.append(counts[key])
        counts[key] = given
    return counts, tuple(replaced)


def _read(file: Path, level: int, between: str | None) -> list[Given]:
    if level > MAX_NESTING:
        what = f"Include files are nested more than {MAX_NESTING} deep"
        hint = "look for a file that includes itself"
        raise ConfigError([Mistake(file=str(file), what=what, hint=hint)])
    found: list[Given] = []
    for number, line in enumerate(lines(file), 1):
        words = line.partition("#")[0].split(between, 1)
        name = words[0].strip() if words else ""
        if not name:
            continue
        value = words[1].strip() if len(words) > 1 else ""
        if name.lower() == "include" and value:
            found += _read(Path(value), level + 1, between)
        else:
            found.append(Given(name=name, value=value, file=str(file), line=number))
    return found


def lines(file: Path) -> list[str]:
    """The lines of a text file.  Raises ConfigError."""
    data = octets(file)
    if len(data) > MAX_FILE:
        what = f"longer than {MAX_FILE} octets"
        raise ConfigError([Mistake(file=str(file), what=what, hint="is it a configuration?")])
    return data.decode("utf-8", "replace").replace("\0", "").splitlines()


def dataset(text: str, base: Path) -> tuple[str, ...] | None:
    """The entries of a small data set (csl: or file:); None for a kind that is not read."""
    prefix, colon, rest = text.partition(":")
    if colon and "," not in prefix:
        match prefix.lower():
            case "csl":
                text = rest
            case "file":
                return _entries(base / rest)
            case _:
                # An IPv6 address has colons too: OpenDKIM calls that an unknown data set.
                return None
    elif text.startswith("/"):
        return None if text.endswith(".db") else _entries(Path(text))
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _entries(file: Path) -> tuple[str, ...]:
    """One entry on a line; what follows it is joined with =, as in a csl:."""
    found = []
    for line in lines(file):
        words = line.partition("#")[0].split(None, 1)
        if words:
            found.append("=".join(word.strip() for word in words))
    return tuple(found)
