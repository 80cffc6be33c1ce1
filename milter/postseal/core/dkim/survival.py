"""Will the signature survive?  What the MTA does to a message after it was signed.

NAME
    survival - see what later hops will change, while the message passes by

GIVEN
    the Header, and the body in chunks.

GIVES
    Risks, each with the place in words.

DOES NOT
    change anything.  A signature over such a message is right when it is made.

SEE ALSO
    RFC 5322 section 2.1.1 (998 octets), RFC 6376 section 5.3 (normalise first); postconf(5):
    smtp_line_length_limit, disable_mime_output_conversion.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from postseal.core.field import Header

MAX_LINE = 998  # octets without CRLF: Postfix's client breaks longer ones in two


class Risk(StrEnum):
    """Closed list: what will be changed on the way."""

    LONG_HEADER_LINE = "long-header-line"
    LONG_BODY_LINE = "long-body-line"
    EIGHT_BIT_BODY = "eight-bit-body"  # made quoted-printable for a hop without 8BITMIME
    BARE_CR = "bare-cr"
    BARE_LF = "bare-lf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threat:
    """One risk.  detail: where, in words, free of the message's text."""

    risk: Risk
    detail: str


def header_risks(header: Header) -> tuple[Threat, ...]:
    """Fields with lines that are too long."""
    found = []
    for field in header:
        if len(field.name) + len(field.value) < MAX_LINE:
            continue
        lines = (field.name + b":" + field.value).split(b"\r\n")
        longest = max(map(len, lines))
        if longest > MAX_LINE:
            name = field.name.decode("ascii", "backslashreplace")[:80]
            text = f"a line of the field {name} has {longest} octets"
            found.append(Threat(risk=Risk.LONG_HEADER_LINE, detail=text))
    return tuple(found)


class BodyObserver:
    """Looks at a body as it passes, cut anywhere.  Keeps counters only."""

    __slots__ = ("_cr", "_eight_bit", "_ends", "_lf", "_lines", "_long", "_start", "_was_cr")

    def __init__(self) -> None:
        self._eight_bit = False
        self._was_cr = False  # the last octet was a CR
        self._cr = self._lf = self._ends = 0  # octets CR and LF, and pairs of them
        self._lines = 0  # lines complete
        self._start = 0  # where the present line starts, relative to the next chunk: <= 0
        self._long = 0  # number of the first line that is too long

    def update(self, chunk: bytes) -> None:
        """The next octets of the body."""
        if not chunk:
            return
        if not self._eight_bit and not chunk.isascii():
            self._eight_bit = True
        feeds = chunk.count(b"\n")
        self._cr += chunk.count(b"\r")
        self._lf += feeds
        self._ends += chunk.count(b"\r\n") + (self._was_cr and chunk[0] == 0x0A)
        self._was_cr = chunk[-1] == 0x0D
        if not self._long:
            self._measure(chunk)
        self._lines += feeds

    def _measure(self, chunk: bytes) -> None:
        """Look for a line that is too long, in steps of a whole line's room."""
        start, seen = self._start, 0
        while True:
            room = start + MAX_LINE + 2  # its LF must come before
            end = chunk.rfind(b"\n", seen, room)
            if end >= 0:
                start = seen = end + 1
            elif room > len(chunk):
                break
            else:
                self._long = self._lines + chunk.count(b"\n", 0, seen) + 1
                return
        self._start = start - len(chunk)

    def risks(self) -> tuple[Threat, ...]:
        """What was seen."""
        found = []
        unfinished = -self._start - self._was_cr  # octets of a last line without CRLF
        long = self._long or (self._lines + 1 if unfinished > MAX_LINE else 0)
        if long:
            text = f"line {long} of the body has more than {MAX_LINE} octets"
            found.append(Threat(risk=Risk.LONG_BODY_LINE, detail=text))
        if self._eight_bit:
            text = "the body is not ASCII"
            found.append(Threat(risk=Risk.EIGHT_BIT_BODY, detail=text))
        if self._cr > self._ends:
            text = f"{self._cr - self._ends} CR without LF in the body"
            found.append(Threat(risk=Risk.BARE_CR, detail=text))
        if self._lf > self._ends:
            text = f"{self._lf - self._ends} LF without CR in the body"
            found.append(Threat(risk=Risk.BARE_LF, detail=text))
        return tuple(found)
