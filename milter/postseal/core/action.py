"""What may happen to a message: one action, and edits to its header.

NAME
    action - Accept, Hold, Reject, Defer; Delete and Insert; forged() counts

DOES NOT
    choose among them; that is policy.decide().
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

MARK = "X-Postseal-Quarantine"  # the field that says what is to be looked at with suspicion


@dataclass(frozen=True, slots=True)
class Accept:
    """Let the message go on to the MTA's next step."""

    word = "accept"


@dataclass(frozen=True, slots=True)
class Hold:
    """Put the message into Postfix's hold queue; released with `postsuper -H`."""

    reason: str
    word = "hold"


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse for good at end of message, with an SMTP reply."""

    text: str
    code: int = 550
    enhanced: str = "5.7.1"
    word = "reject"


@dataclass(frozen=True, slots=True)
class Defer:
    """Refuse for now; the client will try again."""

    text: str
    code: int = 451
    enhanced: str = "4.7.0"
    word = "defer"


Action = Accept | Hold | Reject | Defer


@dataclass(frozen=True, slots=True)
class Delete:
    """Remove the index-th field of that name, counted from 1 as the milter saw them.

    Of several in one name the highest index comes first: a deleted field no
    longer counts, so ascending order would miss every second one (CVE-2022-48521).
    """

    name: str
    index: int


class Insert(NamedTuple):
    """Put a field at that place; 0 is above everything, Postfix's own Received included.

    value is what follows the colon, its leading space included, folded with LF
    and white space as libmilter wants it.
    """

    position: int
    name: str
    value: str


Edit = Delete | Insert


def forged(edits: Iterable[Edit]) -> int:
    """How many fields are removed that claim to hold our results."""
    return sum(isinstance(edit, Delete) and edit.name == "Authentication-Results" for edit in edits)
