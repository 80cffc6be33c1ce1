"""postseal.toml read: text in, Settings out, or every mistake at once.

NAME
    load - read(), parse() and default() give a Configuration

GIVES
    Configuration: the Settings, and on which line each option stands, so that
    whoever finds fault with a value later (a key file, a table) can say where.
    Or ConfigError with all mistakes.

DOES NOT
    open key files or tables; tables/site.py does.

SEE ALSO
    conf/explain.py (the words of mistakes), conf/check.py (options against each other).
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from postseal.conf import check, explain, lines, plainfile
from postseal.conf.mistake import ConfigError, Mistake
from postseal.conf.model import Settings

DEFAULT_FILE = Path("/etc/postseal/postseal.toml")
MAX_FILE = 1 << 20  # octets; a configuration has a few thousand

_AT = re.compile(r"\s*\(at (?:line (\d+), column \d+|end of document)\)$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Configuration:
    """Settings and where they were written; file is "" when there was none."""

    settings: Settings
    file: str = ""
    index: lines.Index = field(default_factory=lambda: lines.Index(""))

    def mistake(self, path: lines.Path, what: str, hint: str = "") -> Mistake:
        """A mistake in the option at path, such as ("sign", "key", 0, "file")."""
        return Mistake(
            file=self.file or "built-in defaults",
            line=self.index.line_of(path),
            key=explain.dotted(path),
            what=what,
            hint=hint,
        )


class PartlyRead(ConfigError):
    """Some options cannot be used.  rest is the configuration without them, so that whoever
    reads what it names can find the remaining mistakes; bad are their paths."""

    def __init__(
        self, mistakes: Iterable[Mistake], rest: Configuration, bad: Iterable[lines.Path]
    ) -> None:
        super().__init__(mistakes)
        self.rest = rest
        self.bad = frozenset(bad)


def default() -> Configuration:
    """What applies without a file."""
    return Configuration(settings=Settings())


def read(file: Path | None = None) -> Configuration:
    """The configuration in file; without one, the defaults.  Raises ConfigError."""
    if file is None:
        return default()
    if not (data := octets(file)).strip():  # nobody writes that; a full disk does
        hint = "was a disk full? if the defaults are meant, write a comment"
        raise ConfigError([Mistake(file=str(file), what="is empty", hint=hint)], [file])
    return parse(data, file)


def octets(file: Path) -> bytes:
    """What is in the file, as far as toml() looks.  Raises ConfigError."""
    try:
        return plainfile.read(file, MAX_FILE + 1)
    except OSError as error:
        hint = "check the name, and who may read it"
        raise ConfigError(
            [Mistake(file=str(file), what=f"cannot be read: {error.strerror}", hint=hint)],
            [file],
        ) from None


def parse(data: bytes, file: Path) -> Configuration:
    """The configuration in data; file names it, and is what relative paths count from."""
    tree, index = toml(data, str(file))
    context = {"base": str(file.absolute().parent)}
    errors: list[ErrorDetails] = []
    try:
        settings: Settings | None = Settings.model_validate(tree, context=context)
    except ValidationError as error:
        errors = error.errors(include_url=False)
        settings = _without(tree, errors, context)
    place = Configuration(settings=settings or Settings(), file=str(file), index=index)
    mistakes = [
        place.mistake(path, what, hint) for path, what, hint in map(explain.explain, errors)
    ]
    if settings is None:
        raise ConfigError(mistakes)
    bad = {explain.location(error) for error in errors}
    findings = [one for one in check.check(settings) if not touches(one.uses, bad)]
    mistakes += [place.mistake(one.path, one.what, one.hint) for one in findings]
    if mistakes:
        raise PartlyRead(mistakes, place, bad.union(*(one.uses for one in findings)))
    return place


def toml(data: bytes, name: str) -> tuple[dict[str, Any], lines.Index]:
    """The tree and its line numbers.  Raises ConfigError: TOML stops at its first mistake."""
    line = 0
    try:
        if len(data) > MAX_FILE:
            raise ValueError(f"longer than {MAX_FILE} octets")
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
        return tomllib.loads(text), lines.Index(text)
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        what, hint = "not UTF-8 text", "save it as UTF-8, or as ASCII alone"
    except RecursionError:
        what, hint = "nested too deeply", ""
    except tomllib.TOMLDecodeError as error:
        what = str(error)
        at = _AT.search(what)
        line = int(at[1]) if at and at[1] else data.count(b"\n") + 1
        what = f"not TOML: {_AT.sub('', what)}"
        hint = 'text stands in quotes: name = "value"; tables look like [sign]'
    except ValueError as error:
        what, hint = str(error), ""
    raise ConfigError([Mistake(file=name, line=line, what=what, hint=hint)])


def _without(
    tree: dict[str, Any], errors: Iterable[ErrorDetails], context: dict[str, str]
) -> Settings | None:
    """The Settings when every option in error is left out, to look for further mistakes."""
    for error in errors:
        path = explain.location(error)
        numbers = [at for at, part in enumerate(path) if isinstance(part, int)]
        node: Any = tree
        *way, last = path[: numbers[0]] if numbers else path  # a list goes as a whole
        for part in way:
            node = node.get(part) if isinstance(node, dict) else None
        if isinstance(node, dict):
            node.pop(last, None)
    try:
        return Settings.model_validate(tree, context=context)
    except ValidationError:
        return None


def touches(uses: Iterable[lines.Path], bad: AbstractSet[lines.Path]) -> bool:
    """Whether what looked at these options looked at one that was already found wrong."""
    return any(path[: len(one)] == one or one[: len(path)] == path for path in uses for one in bad)
