"""One log line: key=value pairs that no sender can forge.

NAME
    logline - pairs in, one line of printable ASCII out

GIVEN
    pairs in the order they are to be read.  Keys are ours; values may come from anybody.

GIVES
    `key=value key="quoted value"`.  A value with anything but plain printable
    ASCII, or with a space, a quote, a backslash or `=`, is quoted and escaped, so
    that a line can be split at spaces outside quotes and cannot hold a second line.

DOES NOT
    write anything; that is logs.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

VALUE_MAX = 256  # characters of one value; a sender chooses many of them
LINE_MAX = 3800  # with a syslog header still below the 4096 octets that one write keeps whole

_plain = re.compile(r"[!#-<>-\[\]-~]{1,256}").fullmatch  # without space " = and backslash

Value = str | int | float


def logline(pairs: Iterable[tuple[str, Value]]) -> str:
    """The pairs as one line.  Pairs that do not fit LINE_MAX are left out, and the line says so."""
    parts = [
        f"{key}={value if not isinstance(value, str) or _plain(value) else quoted(value)}"
        for key, value in pairs
    ]
    line = " ".join(parts)
    return line if len(line) <= LINE_MAX else _shortened(parts)


def quoted(text: str) -> str:
    """The text in double quotes, escaped as Python would, cut to VALUE_MAX characters."""
    cut = text[:VALUE_MAX]
    # backslash, controls, non-ASCII and lone surrogates become escapes of ASCII alone
    escaped = cut.encode("unicode_escape").decode("ascii").replace('"', '\\"')
    return f'"{escaped}"' if cut == text else f'"{escaped}..."'


def _shortened(parts: Iterable[str]) -> str:
    mark = "truncated=yes"
    kept: list[str] = []
    room = LINE_MAX - len(mark)
    for part in parts:
        room -= len(part) + 1
        if room < 0:
            break
        kept.append(part)
    return " ".join([*kept, mark])
