"""Plain test messages.

NAME
    mail - message(), and what a delivered one holds
"""

from __future__ import annotations

import uuid
from email.utils import formatdate

BODY = b"Hello,\r\n\r\nthis is a test.\r\n.a line with a dot\r\nBye\r\n"


def unique(word: str = "m") -> str:
    """A word nobody else uses in this run."""
    return f"{word}-{uuid.uuid4().hex[:12]}"


def message(
    author: str, *more: str, body: bytes = BODY, recipient: str = "to@rcpt.example"
) -> bytes:
    """A complete message with CRLF line ends.  author is the value of From; more are fields."""
    fields = (
        *more,
        f"From: {author}",
        f"To: {recipient}",
        "Subject: test",
        f"Date: {formatdate()}",
        f"Message-ID: <{unique()}@test.example>",
    )
    return "".join(f"{one}\r\n" for one in fields).encode("utf-8") + b"\r\n" + body


def header_fields(content: bytes, name: str) -> list[bytes]:
    """The unfolded values of every field of that name, top first."""
    head = content.partition(b"\r\n\r\n")[0].replace(b"\r\n ", b" ").replace(b"\r\n\t", b" ")
    wanted = name.lower().encode() + b":"
    return [
        line[len(wanted) :].strip()
        for line in head.split(b"\r\n")
        if line.lower().startswith(wanted)
    ]


def body_of(content: bytes) -> bytes:
    """Everything below the empty line."""
    return content.partition(b"\r\n\r\n")[2]
