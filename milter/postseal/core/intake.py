"""Header fields as an MTA hands them over, one after the other.

NAME
    intake - weigh each field, keep it as it stood in the message

GIVEN
    names and values of header fields, folds as LF, perhaps without the blank that
    stood after the colon; and how much of that one message may have.

GIVES
    Intake: a collector, and the Fields in it.

DOES NOT
    know libmilter, or judge: that the room is used up is for the caller to say.

    PlainIntake is the definition; _field.c does the same where there was a compiler, because
    this runs for every field of every message.

SEE ALSO
    field
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from postseal.core.field import Field


class PlainIntake:
    """The header fields of one message while they come in; then of the next one.

    limit: octets that one message may have, where each field counts its own and `cost` more.
    leading_space: whether values come with the white space that stood after the colon.
    Without it one blank was taken away; nearly every field had it.
    """

    __slots__ = ("_cost", "_fields", "_leading_space", "_limit", "room")

    def __init__(self, limit: int, cost: int, leading_space: bool) -> None:
        self._limit = limit
        self._cost = cost
        self._leading_space = leading_space
        self._fields: list[Field] = []
        self.room = limit  # octets that may still come; below zero once too many did

    def add(self, name: str, value: bytes, /) -> None:
        """Keep a field, while there is room: its folds as CRLF."""
        if not self.weigh(len(name) + len(value)):
            return
        value = value.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        self._fields.append(Field(name.encode(), value if self._leading_space else b" " + value))

    def weigh(self, octets: int, /) -> bool:
        """Take of the room.  Whether it was there; once it was not, it never is."""
        if self.room >= 0:
            self.room -= octets + self._cost
        return self.room >= 0

    def hand_over(self) -> tuple[Field, ...]:
        """The fields that came, which are then forgotten; the room they took stays taken."""
        fields = tuple(self._fields)
        self._fields.clear()
        return fields

    def renew(self) -> None:
        """Forget all, for the next message."""
        self._fields.clear()
        self.room = self._limit


if TYPE_CHECKING:
    Intake = PlainIntake
else:
    try:
        from postseal.core._field import Intake
    except ImportError:
        Intake = PlainIntake
