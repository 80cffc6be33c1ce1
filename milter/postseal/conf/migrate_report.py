"""What became of the options of another daemon's configuration.

NAME
    migrate_report - Fate, Entry and Report

SEE ALSO
    conf/migrate_opendkim.py, cli/migrate.py
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from postseal.conf.mistake import visible


class Fate(StrEnum):
    """What became of one option or row."""

    KEPT = "kept"  # has the same meaning in postseal.toml
    CHANGED = "changed"  # means something else now, or cannot be had
    NO_EFFECT = "without effect"  # is no longer needed; nothing changes without it
    DANGEROUS = "dangerous"  # was left out or mended, because it opened a hole or lost mail
    DEAD = "dead"  # an entry that could never match


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One line of the report."""

    fate: Fate
    file: str
    line: int
    option: str
    value: str
    text: str

    def __str__(self) -> str:
        value = f" {self.value}" if self.value else ""
        line = f":{self.line}" if self.line else ""
        return visible(f"{self.file}{line}: {self.option}{value}: {self.text}")


@dataclass(slots=True)
class Report:
    """All entries, in the order they were found."""

    entries: list[Entry] = field(default_factory=list)

    def text(self) -> str:
        """The report for people: one paragraph per fate, the ones to look at first."""
        parts = []
        order = (Fate.DANGEROUS, Fate.DEAD, Fate.CHANGED, Fate.KEPT, Fate.NO_EFFECT)
        for fate in order:
            lines = [f"  {entry}" for entry in self.entries if entry.fate is fate]
            if lines:
                parts.append("\n".join([f"{fate.value} ({len(lines)}):", *lines]))
        return "\n\n".join(parts) + "\n" if parts else ""
