"""What the operator's rules came to, and in whose name.

NAME
    decision - Decision and Local

SEE ALSO
    policy.py, which makes them; report.py and explain.py, which tell them.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from postseal.core.action import Accept, Action


class Kind(StrEnum):
    """Closed list: why something else was done than the Domain Owner asks for."""

    OVERRIDE = "override"
    LIST = "mailing-list"
    SEALER = "trusted-sealer"


@dataclass(frozen=True, slots=True)
class Local:
    """A local policy that applied.  text may quote a sender; row counts overrides from 1."""

    kind: Kind
    text: str
    row: int = 0


_ACCEPT = Accept()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What to do.  mark is the text of the quarantine field, "" for none."""

    action: Action = _ACCEPT
    mark: str = ""
    local: Local | None = None
