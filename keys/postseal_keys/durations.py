"""Lengths of time as people write them.

NAME
    durations - "90", "10m", "1h30m", "2d" as seconds, and back

SEE ALSO
    systemd.time(7), whose plain forms these are.
"""

from __future__ import annotations

import re

from postseal_keys.console import Problem

_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400, "w": 604_800}
_PART = re.compile(r"([0-9]{1,9})([smhdw])")
_WHOLE = re.compile(r"(?:[0-9]{1,9}[smhdw])+")


def seconds(text: str, *, what: str = "a time") -> int:
    """Read a length of time; a bare number is seconds.  Raises Problem."""
    word = text.strip().lower()
    if re.fullmatch(r"[0-9]{1,9}", word):
        return int(word)
    if not _WHOLE.fullmatch(word):
        raise Problem(
            f"{what}: '{text[:40]}' is not a length of time", hint="write 90, 10m, 1h30m or 2d"
        )
    return sum(int(number) * _UNITS[unit] for number, unit in _PART.findall(word))


def shown(length: float) -> str:
    """A length of time in its largest units: "1h 30m"."""
    rest = int(length)
    parts = []
    for unit in "wdhms":
        number, rest = divmod(rest, _UNITS[unit])
        if number:
            parts.append(f"{number}{unit}")
    return " ".join(parts[:2]) or "0s"
