"""A whole message in octets, taken apart as Postfix would hand it to a milter.

NAME
    message - octets of a file to Header and body

GIVEN
    a message with CRLF or LF line ends, perhaps with an mbox `From ` line on top.

GIVES
    split(): the Header with exact values, and the body with CRLF line ends.

DOES NOT
    repair: a line that is no header field ends the header, and is the first line of
    the body, as in Postfix (cleanup_message.c).

SEE ALSO
    RFC 5322 section 2.2; cli/verify.py and cli/sign.py.
"""

from __future__ import annotations

import re

from postseal.core.field import Field, Header

# Printable ASCII but no colon; white space before the colon is the obsolete form.
# Octets above 126 are let through: such names exist, and must not end the header.
_NAME = re.compile(rb"([\x21-\x39\x3b-\x7e\x80-\xff]+)[ \t]*:")


def split(data: bytes) -> tuple[Header, bytes]:
    """Header and body of a message.  Every octets string is a message; never raises."""
    data = _with_crlf(data)
    at = _after_line(data, 0) if data.startswith((b"From ", b">From ")) else 0
    fields: list[tuple[bytes, list[bytes]]] = []
    while at < len(data):
        after = _after_line(data, at)
        line = data[at:after].removesuffix(b"\r\n")
        if line.startswith((b" ", b"\t")) and fields:
            fields[-1][1].append(line)
        elif match := _NAME.match(line):
            fields.append((match[1], [line[match.end() :]]))
        else:
            at = at if line else after
            break
        at = after
    return Header(Field(name, b"\r\n".join(value)) for name, value in fields), data[at:]


def _after_line(data: bytes, at: int) -> int:
    """Where the next line begins."""
    end = data.find(b"\r\n", at)
    return len(data) if end < 0 else end + 2


def _with_crlf(data: bytes) -> bytes:
    """Every line end as CRLF; a bare LF is one too, a bare CR is not touched."""
    return data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
