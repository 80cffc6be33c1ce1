"""What reading tables brings to light, row by row.

NAME
    findings - Report: mistakes collected under a file's name
"""

from __future__ import annotations

from dataclasses import dataclass, field

from postseal.conf.mistake import Mistake, Severity

MAX_FOUND = 200  # mistakes of one file that are worth showing


@dataclass(slots=True)
class Report:
    """Mistakes in one file.  line is where a table stands that is written in an option."""

    file: str
    line: int = 0
    found: list[Mistake] = field(default_factory=list)
    left_out: int = 0

    def add(
        self,
        line: int,
        key: str,
        what: str,
        hint: str = "",
        severity: Severity = Severity.ERROR,
    ) -> None:
        """One more.  Too many of them are counted only."""
        if len(self.found) >= MAX_FOUND:
            self.left_out += 1
            return
        shown = key if len(key) <= 60 else f"{key[:57]}..."
        self.found.append(
            Mistake(
                file=self.file,
                line=line or self.line,
                key=shown,
                what=what,
                hint=hint,
                severity=severity,
            )
        )

    def dead(self, line: int, key: str, what: str, hint: str = "") -> None:
        """A row that no sender can ever come to."""
        self.add(line, key, what, hint, Severity.DEAD)

    def mistakes(self) -> list[Mistake]:
        """All of them, with a last line for those that were left out."""
        if not self.left_out:
            return self.found
        rest = Mistake(file=self.file, what=f"{self.left_out} more mistakes are not shown")
        return [*self.found, rest]
