"""Names for new keys.

NAME
    selectors - fill a pattern such as {year}{month}, and never use a selector twice

SEE ALSO
    RFC 6376 section 3.1: a selector that was used for another key must not come back.
"""

from __future__ import annotations

import string
import time
from collections.abc import Container

from postseal_keys import names
from postseal_keys.console import CONFIG, Problem

FIELDS = ("year", "month", "day", "kind", "hour")
_KINDS = {"rsa": "r", "ed25519": "e"}


def check(pattern: str) -> None:
    """Raise Problem for a pattern that cannot be filled."""
    fill(pattern, "rsa", 0)


def fill(pattern: str, kind: str, now: int) -> str:
    """The pattern with the date (UTC) and the kind of key; Ed25519 is told apart by an "e"."""
    at = time.gmtime(now)
    values = {
        "year": f"{at.tm_year:04d}",
        "month": f"{at.tm_mon:02d}",
        "day": f"{at.tm_mday:02d}",
        "hour": f"{at.tm_hour:02d}",
        "kind": _KINDS[kind],
    }
    try:
        used = [field for _, field, _, _ in string.Formatter().parse(pattern) if field is not None]
    except ValueError as error:
        raise Problem(f"selector: {error}", hint="such as {year}{month}", code=CONFIG) from None
    unknown = [field for field in used if field not in values]
    if unknown:
        raise Problem(
            f"selector: {{{unknown[0][:20]}}} is not known",
            hint=f"use {', '.join('{' + field + '}' for field in FIELDS)}",
            code=CONFIG,
        )
    text = pattern
    for field, value in values.items():
        text = text.replace("{" + field + "}", value)
    if kind == "ed25519" and "kind" not in used:
        text += "e"
    return names.selector(text)


def choose(pattern: str, kind: str, now: int, taken: Container[str]) -> str:
    """A selector that is not taken: the filled pattern, else with a letter behind it."""
    base = fill(pattern, kind, now)
    suffixes: list[str] = ["", *string.ascii_lowercase]
    for suffix in suffixes:
        if suffix == "e" and kind == "rsa":
            continue  # would look like an Ed25519 key's
        if base + suffix not in taken:
            return base + suffix
    raise Problem(
        f"every selector from {base} to {base}z has been used",
        hint="put {day} or {hour} into the pattern",
        code=CONFIG,
    )
