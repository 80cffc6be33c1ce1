"""Small refile: data sets of hosts and domains, as lists without patterns.

NAME
    migrate_patterns - plain(): what a file of patterns lists, in the forms that we read

GIVEN
    the lines of a refile: data set, such as the TrustedHosts of many a howto.

GIVES
    the entries that mean the same here, and the patterns that have no such form.

DOES NOT
    serve signing tables, which are read as they are.

SEE ALSO
    tables/hosts.py, which reads the entries; opendkim(8), on data sets.
"""

from __future__ import annotations

import re

ANY_HOST = ("0.0.0.0/0", "::/0")
_PLAIN = re.compile(r"!?(?:\[[0-9A-Fa-f.:]+\](?:/[0-9]+)?|[0-9A-Za-z_.:/-]+)")
_BELOW = re.compile(r"!?\*?(?:\.[0-9A-Za-z_-]+)+")
_OCTETS = re.compile(r"(!?)((?:[0-9]{1,3}\.){1,3})\*?(?:\.\*)*")


def plain(entries: tuple[str, ...], everything: tuple[str, ...]) -> tuple[list[str], list[str]]:
    """Entries without patterns, and what cannot be written so.  everything is what * stands for."""
    good: list[str] = []
    rest: list[str] = []
    for entry in entries:
        octets = _OCTETS.fullmatch(entry)
        if entry == "*":
            good += everything
        elif octets and "*" in entry:
            count = octets[2].count(".")
            good.append(f"{octets[1]}{octets[2]}{'0.' * (3 - count)}0/{8 * count}")
        elif "*" in entry and _BELOW.fullmatch(entry):
            good.append(entry.replace("*", ""))
        elif _PLAIN.fullmatch(entry):
            good.append(entry)
        else:
            rest.append(entry)
    return good, rest
