"""Small refile: data sets of hosts and domains, as lists without patterns.

NAME
    migrate_patterns - hosts() and domains(): what a file of patterns lists, as we read it

GIVEN
    the lines of a refile: data set, such as the TrustedHosts of many a howto.

GIVES
    Listed: the entries that mean the same here, those that never matched, and the patterns
    that have no other form.

DOES NOT
    serve signing tables, which are read as they are.

SEE ALSO
    tables/hosts.py, which reads the entries; opendkim(8), on data sets.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_PLAIN = re.compile(r"!?(?:\[[0-9A-Fa-f.:]+\](?:/[0-9]+)?|[0-9A-Za-z_.:/-]+)")
_BELOW = re.compile(r"!?\*(?:\.[0-9A-Za-z_-]+)+")
_OCTETS = re.compile(r"(!?)((?:[0-9]{1,3}\.){1,3})\*(?:\.\*)*")


@dataclass(slots=True)
class Listed:
    """What became of the entries."""

    good: list[str] = field(default_factory=list)
    dead: list[str] = field(default_factory=list)
    odd: list[str] = field(default_factory=list)


def hosts(entries: tuple[str, ...]) -> Listed:
    """Entries of InternalHosts and its like.

    OpenDKIM asks for the exception first (!mx.example.org), and a * at the front of a
    pattern matches that as well: no client is listed by *.example.org.
    """
    made = Listed()
    for entry in entries:
        octets = _OCTETS.fullmatch(entry)
        if octets:
            count = octets[2].count(".")
            made.good.append(f"{octets[1]}{octets[2]}{'0.' * (3 - count)}0/{8 * count}")
        elif entry.startswith("*"):
            made.dead.append(entry)
        elif _BELOW.fullmatch(entry):
            made.good.append(entry.replace("*", ""))
        else:
            (made.good if _PLAIN.fullmatch(entry) else made.odd).append(entry)
    return made


def domains(entries: tuple[str, ...]) -> Listed:
    """Entries of Domain: * is every domain."""
    made = Listed()
    for entry in entries:
        below = _BELOW.fullmatch(entry) and not entry.startswith("!")
        known = below or entry == "*" or _PLAIN.fullmatch(entry)
        (made.good if known else made.odd).append(entry[1:] if below else entry)
    return made
