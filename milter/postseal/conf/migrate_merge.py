"""Configurations of several daemons into one, as one daemon does their work now.

NAME
    migrate_merge - merge(): the later files' options beside those of the first

SEE ALSO
    cli/migrate.py
"""

from __future__ import annotations

from typing import Any

from postseal.conf.migrate_base import Migration
from postseal.conf.migrate_report import Entry, Fate

# One daemon has one of these: the first file's.
_OPTIONS = ("socket", "userid", "umask", "syslog", "syslogfacility")
_PATHS = ("socket", "socket_mode", "user", "group", "log")
_HOSTS = "roles.internal_hosts"


def merge(first: Migration, other: Migration) -> None:
    """Put the other's options and report into the first one's."""
    first.report.entries += [
        _single(entry, first) if entry.option.lower() in _OPTIONS else entry
        for entry in other.report.entries
    ]
    tree = {name: value for name, value in other.tree.items() if name not in _PATHS}
    _into(first, first.tree, tree, "", other)
    first.daemon += f", {other.daemon}"


def _single(entry: Entry, first: Migration) -> Entry:
    return Entry(
        fate=Fate.NO_EFFECT,
        file=entry.file,
        line=entry.line,
        option=entry.option,
        value=entry.value,
        text=f"there is one daemon now, and {first.file} speaks for it",
    )


def _into(
    first: Migration, have: dict[str, Any], more: dict[str, Any], path: str, other: Migration
) -> None:
    for name, value in more.items():
        full = f"{path}.{name}" if path else name
        old = have.get(name)
        if old is None:
            have[name] = value
        elif isinstance(old, dict):
            _into(first, old, value, full, other)
        elif isinstance(old, list) and full != _HOSTS:
            have[name] = old + [one for one in value if one not in old]
        elif old != value:
            _differs(first, full, old, other)


def _differs(first: Migration, path: str, old: Any, other: Migration) -> None:
    """Say that the two do not agree."""
    first.report.entries.append(
        Entry(
            fate=Fate.CHANGED,
            file=other.file,
            line=0,
            option=path,
            value="",
            text=f"is {old} as {first.file} has it, and something else here: the first file counts",
        )
    )
