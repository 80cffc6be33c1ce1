"""Rules over milter macros: NAME=VALUE|VALUE.

NAME
    macros - which messages a rule speaks of, by what the MTA says of them

GIVEN
    rules as in roles.macros and roles.never_sign.

GIVES
    MacroRules: whether any rule holds for the macros of a message.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class MacroRules:
    """Names without braces, with the values that count; an empty set asks for any value."""

    rules: tuple[tuple[str, frozenset[str]], ...] = ()

    @classmethod
    def parse(cls, rules: Iterable[str]) -> MacroRules:
        """From `name=v|v` and `name`; braces around the name are dropped."""
        made = []
        for rule in rules:
            name, equals, values = rule.partition("=")
            words = frozenset(value.strip() for value in values.split("|")) if equals else ()
            made.append((bare(name), frozenset(words)))
        return cls(tuple(made))

    def hold(self, macros: Mapping[str, str]) -> str:
        """The name of the first macro whose rule holds; "" when none does.

        The keys of macros may have braces or not.
        """
        for name, values in self.rules:
            value = macros.get(name) or macros.get(f"{{{name}}}") or ""
            if value and (not values or value in values):
                return name
        return ""


def bare(name: str) -> str:
    """A macro's name without braces and blanks."""
    return name.strip().removeprefix("{").removesuffix("}")
