"""A message from a file or standard input, for the commands that take one.

NAME
    messagefile - read_message() and its one exception
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from postseal.core.field import Header
from postseal.core.message import split


class Unreadable(Exception):
    """The file cannot be read.  lines say what and where."""

    exit_status = os.EX_NOINPUT

    def __init__(self, what: str) -> None:
        self.lines = (what,)
        super().__init__(what)


def read_message(name: str) -> tuple[Header, bytes]:
    """Header and body of the file; - is standard input.  Raises Unreadable."""
    if name == "-":
        return split(sys.stdin.buffer.read())
    try:
        return split(Path(name).read_bytes())
    except OSError as error:
        hint = "check the path, and who may read it"
        raise Unreadable(f"{name}: {error.strerror} (hint: {hint})") from None
