"""Command lines as Perl's Getopt::Long reads them when it bundles.

NAME
    options - one table per tool, from which parser, --help and manual are made

GIVEN
    a table of Option and the arguments of a command.

GIVES
    Values: what was given or, where nothing was, the default.  Short options
    may be bundled (``-Sd example.com``) and their arguments attached
    (``-b2048``); long ones may be shortened as far as they stay clear, are
    read in any case, and SWITCHes have ``--no-`` forms; options may follow
    arguments; ``--`` ends them.

DOES NOT
    act on anything, or exit.  Raise anything but Problem.

SEE ALSO
    Getopt::Long(3perl), which opendkim-genkey uses; a test compares the two.
"""

from __future__ import annotations

import difflib
import re
import textwrap
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from postseal_keys.console import USAGE, Problem

Value = bool | int | str | tuple[str, ...] | None

_NUMBER = re.compile(r"[-+]?[0-9]+")
_NUMBER_MAX = 20  # digits; keeps int() away from its own limit


class Takes(Enum):
    """What an option takes."""

    NOTHING = auto()  # given or not
    SWITCH = auto()  # like NOTHING, with --no- forms
    COUNT = auto()  # counted
    NUMBER = auto()
    TEXT = auto()
    TEXTS = auto()  # may be given several times


_VALUED = (Takes.NUMBER, Takes.TEXT, Takes.TEXTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One row of a tool's table.  default is what a user would write."""

    short: str = ""
    long: str = ""
    takes: Takes = Takes.NOTHING
    value: str = ""  # the argument's name in texts
    default: str | None = None
    shown_default: bool = True  # say the default in texts
    doc: str = ""
    quiet_no: bool = False  # a SWITCH whose --no- forms no text mentions

    @property
    def key(self) -> str:
        """The name Values knows the option by."""
        return self.long or self.short

    @property
    def names(self) -> tuple[str, ...]:
        """All names, without dashes."""
        return tuple(name for name in (self.short, self.long) if name)


class Values:
    """What a command line said, with defaults filled in."""

    def __init__(self, options: Sequence[Option]) -> None:
        self._values: dict[str, Value] = {o.key: _default(o) for o in options}
        self._given: set[str] = set()
        self.arguments: tuple[str, ...] = ()

    def set(self, key: str, value: Value) -> None:
        """Remember what was given; counted options add up."""
        self._values[key] = value
        self._given.add(key)

    def given(self, key: str) -> bool:
        """Whether the option stood on the command line."""
        return key in self._given

    def flag(self, key: str) -> bool:
        """Whether the option is on."""
        return bool(self._values[key])

    def count(self, key: str) -> int:
        """How often a counted option was given, or the number of a NUMBER option."""
        value = self._values[key]
        return value if isinstance(value, int) else 0

    def text(self, key: str) -> str:
        """The text; empty when there is neither text nor default."""
        value = self._values[key]
        return value if isinstance(value, str) else ""

    def texts(self, key: str) -> tuple[str, ...]:
        """Everything a TEXTS option was given, in order."""
        value = self._values[key]
        return value if isinstance(value, tuple) else ()

    def optional(self, key: str) -> str | None:
        """The text, or None when there is neither text nor default."""
        value = self._values[key]
        return value if isinstance(value, str) else None


def _default(option: Option) -> Value:
    match option.takes:
        case Takes.TEXT:
            return option.default
        case Takes.TEXTS:
            return () if option.default is None else (option.default,)
        case Takes.NUMBER:
            return None if option.default is None else int(option.default)
        case Takes.COUNT:
            return 0
        case Takes.NOTHING | Takes.SWITCH:
            return option.default == "on"


def parse(argv: Sequence[str], options: Sequence[Option], *, code: int = USAGE) -> Values:
    """Read the command line.  Raises Problem with the exit status code."""
    return _Parser(options, code).parse(argv)


class _Parser:
    def __init__(self, options: Sequence[Option], code: int) -> None:
        self._code = code
        self._values = Values(options)
        self._by_name: dict[str, tuple[Option, bool]] = {}
        for option in options:
            for name in option.names:
                self._by_name[name] = (option, True)
                if option.takes is Takes.SWITCH:
                    self._by_name[f"no{name}"] = (option, False)
                    self._by_name[f"no-{name}"] = (option, False)

    def parse(self, argv: Sequence[str]) -> Values:
        waiting = deque(argv)
        arguments: list[str] = []
        while waiting:
            word = waiting.popleft()
            if word == "--":
                arguments += waiting
                break
            if word.startswith(("--", "+")):
                self._long(word, waiting)
            elif word.startswith("-") and word != "-":
                self._short(word, waiting)
            else:
                arguments.append(word)
        self._values.arguments = tuple(arguments)
        return self._values

    def _long(self, word: str, waiting: deque[str]) -> None:
        name, inline = word.removeprefix("--"), None
        if word.startswith("+"):
            name = word[1:]  # Getopt::Long takes "+" for "--", without "=value"
        elif (at := name.find("=", 1)) > 0:
            name, inline = name[:at], name[at + 1 :]
        name = self._complete(name.lower())
        found = self._by_name.get(name)
        if found is None:
            raise self._unknown(word)
        option, positive = found
        if option.takes not in _VALUED:
            if inline is not None:
                raise self._problem(f"the option --{name} takes no value")
            self._switch(option, positive)
            return
        self._store(option, self._value(option, f"--{name}", inline, waiting))

    def _short(self, word: str, waiting: deque[str]) -> None:
        name, rest = word[1], word[2:]
        found = self._by_name.get(name)
        if found is None:
            raise self._unknown(f"-{name}")
        option = found[0]
        if option.takes not in _VALUED:
            self._switch(option, True)
            if rest:
                waiting.appendleft("-" + rest)
            return
        if option.takes is Takes.NUMBER and (number := _NUMBER.match(rest)):
            # "-b1024v" is "-b 1024 -v"
            if rest[number.end() :]:
                waiting.appendleft("-" + rest[number.end() :])
            rest = number[0]
        self._store(option, self._value(option, f"-{name}", rest or None, waiting))

    def _switch(self, option: Option, positive: bool) -> None:
        if option.takes is Takes.COUNT:
            self._values.set(option.key, self._values.count(option.key) + 1)
        else:
            self._values.set(option.key, positive)

    def _store(self, option: Option, value: int | str) -> None:
        if option.takes is not Takes.TEXTS or not isinstance(value, str):
            self._values.set(option.key, value)
            return
        before = self._values.texts(option.key) if self._values.given(option.key) else ()
        self._values.set(option.key, (*before, value))

    def _value(
        self, option: Option, shown: str, inline: str | None, waiting: deque[str]
    ) -> int | str:
        if inline == "" or (inline is None and not waiting):
            raise self._problem(f"the option {shown} needs a value")
        text = waiting.popleft() if inline is None else inline
        if option.takes in (Takes.TEXT, Takes.TEXTS):
            return text
        if not _NUMBER.fullmatch(text) or len(text) > _NUMBER_MAX:
            raise self._problem(f"{shown}: a number is expected, not '{text[:40]}'")
        return int(text)

    def _complete(self, name: str) -> str:
        """The full name of a shortened one; itself when it is whole or unknown."""
        if not name or name in self._by_name:
            return name
        hits = sorted(known for known in self._by_name if known.startswith(name))
        meant = {(self._by_name[hit][0].key, self._by_name[hit][1]) for hit in hits}
        if len(meant) > 1:
            shown = ", ".join(f"--{hit}" for hit in hits if len(hit) > 1)
            raise self._problem(f"the option --{name} could be any of {shown}")
        return hits[0] if hits else name

    def _unknown(self, shown: str) -> Problem:
        word = shown[:40].lstrip("-+").partition("=")[0].lower()
        known = [name for name in self._by_name if len(name) > 1]
        close = difflib.get_close_matches(word, known, n=1, cutoff=0.7) if len(word) > 2 else []
        hint = f"did you mean --{close[0]}? " if close else ""
        return self._problem(f"unknown option {shown[:40]}", hint)

    def _problem(self, message: str, hint: str = "") -> Problem:
        return Problem(message, hint=f"{hint}--help lists the options", code=self._code)


def help_text(
    usage: str, about: str, options: Sequence[Option], examples: Mapping[str, str], more: str = ""
) -> str:
    """What --help prints: usage, the table, and examples (command -> what it does)."""
    lines = [f"usage: {usage}", "", *textwrap.wrap(about, 78), "", "Options:"]
    for option in options:
        left = "  " + spelled(option)
        doc = textwrap.wrap(described(option), 78 - 28) or [""]
        if len(left) < 27:
            lines.append(left.ljust(28) + doc[0])
            doc = doc[1:]
        else:
            lines.append(left)
        lines += [" " * 28 + line for line in doc]
    if more:
        lines += ["", more]
    lines += ["", "Examples:"]
    for command, what in examples.items():
        lines += [f"  {command}", *textwrap.wrap(what, 74, initial_indent="      ")]
    return "\n".join(lines) + "\n"


def spelled(option: Option) -> str:
    """The option as a user types it: ``-d, --domain=NAME``."""
    no = "[no-]" if option.takes is Takes.SWITCH and not option.quiet_no else ""
    if not option.long:
        return f"-{option.short}" + (f" {option.value}" if option.value else "")
    value = f"={option.value}" if option.value else ""
    short = f"-{option.short}, " if option.short else ""
    return f"{short}--{no}{option.long}{value}"


def described(option: Option) -> str:
    """The option's text with its default."""
    if option.default is None or not option.shown_default:
        return option.doc
    return f"{option.doc} Default: {option.default or 'empty'}."
