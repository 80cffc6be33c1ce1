"""The text of fields that were removed, under a name that claims nothing.

NAME
    removed - fields to insert in place of Authentication-Results that were deleted

GIVEN
    the header, the edits that delete, and the name the operator wants.

GIVES
    at most MAX_FIELDS values of printable ASCII, folded, each cut at MAX_TEXT octets.

DOES NOT
    read them: they are kept for people who look into a forgery.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from postseal.core.action import Delete
from postseal.core.field import Header

MAX_FIELDS = 5
MAX_TEXT = 2000
_LINE = 76

_NOT_PLAIN = re.compile(rb"[^ -~]")


def texts(header: Header, deleted: Iterable[Delete]) -> Iterator[bytes]:
    """The value for each field that goes, lowest first, folded with CRLF."""
    fields = header.all(b"authentication-results")
    for edit in list(deleted)[:MAX_FIELDS]:
        yield folded(fields[edit.index - 1].value)


def folded(value: bytes) -> bytes:
    """One value, harmless: white space made single blanks, what is not printable a `?`."""
    lines: list[bytes] = []
    line = b""
    for word in _NOT_PLAIN.sub(b"?", b" ".join(value[:MAX_TEXT].split())).split(b" "):
        for at in range(0, len(word), _LINE) or (0,):
            piece = word[at : at + _LINE]
            if line and len(line) + len(piece) >= _LINE:
                lines.append(line)
                line = piece
            else:
                line = b"%b %b" % (line, piece) if line else piece
    return b"\r\n\t".join([*lines, line])
