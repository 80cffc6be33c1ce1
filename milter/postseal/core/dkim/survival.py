"""Will the signature survive?  What the MTA does to a message after it was signed.

NAME
    survival - see what later hops will change, while the message passes by

GIVEN
    the Header, and the body in chunks.

GIVES
    Threats, each with the place in words.

DOES NOT
    change anything.  A signature over such a message is right when it is made.

NOTES
    It runs beside the body hash and must not cost what that costs.  Line lengths are found by
    looking for one line end in every stretch of a line's room.  Single CR and LF, which
    Postfix has taken out before a milter sees them, are looked for in the first SAMPLE octets
    of each chunk.  Behind WHOLE octets, one chunk in FEW is looked at.

SEE ALSO
    RFC 5322 section 2.1.1 (998 octets), RFC 6376 section 5.3 (normalise first); postconf(5):
    smtp_line_length_limit, disable_mime_output_conversion.
"""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from operator import attrgetter

from postseal.core.field import Field, Header

MAX_LINE = 998  # octets without CRLF: Postfix's client breaks longer ones in two
SAMPLE = 1024  # octets of each chunk in which single CR and LF are looked for
WHOLE = 1 << 20
FEW = 4
COUNTED = 1 << 18  # octets of a body in which places are told by line, not by octet

_name_and_value = attrgetter("name", "value")


class Risk(StrEnum):
    """Closed list: what will be changed on the way."""

    LONG_HEADER_LINE = "long-header-line"
    LONG_BODY_LINE = "long-body-line"
    EIGHT_BIT_BODY = "eight-bit-body"  # made quoted-printable for a hop without 8BITMIME
    BARE_CR = "bare-cr"
    BARE_LF = "bare-lf"


@dataclass(frozen=True, slots=True, kw_only=True)
class Threat:
    """One risk.  place: where, in words, free of the message's text; "" for everywhere."""

    risk: Risk
    place: str = ""

    def __str__(self) -> str:
        return f"{self.risk}: {self.place}" if self.place else self.risk.value


def header_risks(header: Header, signed: Container[bytes]) -> tuple[Threat, ...]:
    """Fields with lines that are too long, or with a CR alone, among those that are signed.

    signed: names in lower case.
    """
    found = []
    stray = _has_bare_cr(b"\0".join([field.value for field in header]))
    for field in header:
        fits = len(field.name) + len(field.value) < MAX_LINE
        if (fits and not stray) or field.key not in signed:
            continue
        name = field.name.decode("ascii", "backslashreplace")[:80]
        if stray and _has_bare_cr(field.value):
            found.append(Threat(risk=Risk.BARE_CR, place=f"a CR without LF in the field {name}"))
        lines = (field.name + b":" + field.value).split(b"\r\n")
        longest = max(map(len, lines))
        if longest > MAX_LINE:
            place = f"a line of the field {name} has {longest} octets"
            found.append(Threat(risk=Risk.LONG_HEADER_LINE, place=place))
    return tuple(found)


def is_at_risk(fields: Iterable[Field]) -> bool:
    """Whether header_risks() may find something among these: one look at all fields together."""
    whole = list(map(b":".join, map(_name_and_value, fields)))
    return max(map(len, whole), default=0) > MAX_LINE or _has_bare_cr(b"\0".join(whole))


def _has_bare_cr(octets: bytes) -> bool:
    return octets.count(b"\r") > octets.count(b"\r\n")


class BodyObserver:
    """Looks at a body as it passes, cut anywhere.  Keeps counters only.

    thorough: at all of it, where otherwise samples must do for what is rare and costs time.
    """

    # fmt: off
    __slots__ = (
        "_chunks", "_cr", "_eight_bit", "_lf", "_lines", "_long", "_octets", "_sample", "_start",
        "_was_cr", "_whole",
    )
    # fmt: on

    def __init__(self, *, thorough: bool = False) -> None:
        self._sample = None if thorough else SAMPLE
        self._whole = inf if thorough else WHOLE
        self._eight_bit = False
        self._was_cr = False  # the last octet was a CR
        self._cr = self._lf = self._long = ""  # where the first one was
        self._chunks = self._octets = 0  # before the present chunk
        self._lines = 0  # line ends before the present chunk, as long as they are counted
        self._start = 0  # where the present line starts, relative to the next chunk: <= 0;
        # 0 also where that is not known

    def update(self, chunk: bytes) -> None:
        """The next octets of the body."""
        if not chunk:
            return
        self._chunks += 1
        if self._octets < self._whole or self._chunks % FEW == 0:
            self._see(chunk)
        else:
            self._start = 0
        self._was_cr = chunk[-1] == 0x0D
        self._octets += len(chunk)

    def _see(self, chunk: bytes) -> None:
        if not self._eight_bit and not chunk.isascii():
            self._eight_bit = True
        self._look(chunk)
        if not self._long:
            self._measure(chunk)
        if self._octets <= COUNTED:
            self._lines += chunk.count(b"\r\n") + (self._was_cr and chunk[0] == 0x0A)

    def _look(self, chunk: bytes) -> None:
        """Look for a CR or LF alone, in part of the chunk."""
        if self._was_cr and chunk[0] != 0x0A and not self._cr:
            self._cr = f"a CR without LF before {self._place(chunk, 0)}"
        sample = chunk[: self._sample]
        if sample[-1] == 0x0D:  # what follows is not known yet, or not in the sample
            sample = sample[:-1]
        pairs = sample.count(b"\r\n")
        if not self._cr and sample.count(b"\r") > pairs:
            self._cr = f"a CR without LF in {self._place(chunk, _bare_cr(sample))}"
        skip = int(self._was_cr and chunk[0] == 0x0A)
        if not self._lf and sample.count(b"\n") - skip > pairs:
            self._lf = f"an LF without CR in {self._place(chunk, _bare_lf(sample, skip))}"

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
                self._long = f"{self._place(chunk, seen)} has more than {MAX_LINE} octets"
                return
        self._start = start - len(chunk)

    def _place(self, chunk: bytes, at: int) -> str:
        """The line that chunk[at] is in, when lines are counted so far."""
        if self._octets > COUNTED:
            return f"the body's line at octet {self._octets + at + 1}"
        lines = self._lines + chunk.count(b"\r\n", 0, at) + (self._was_cr and chunk[0] == 0x0A)
        return f"line {lines + 1} of the body"

    def risks(self) -> tuple[Threat, ...]:
        """What was seen."""
        long, cr = self._long, self._cr
        unfinished = -self._start - self._was_cr  # octets of a last line without CRLF
        if not long and unfinished > MAX_LINE:
            long = f"{self._place(b' ', 0)} has more than {MAX_LINE} octets"
        if not cr and self._was_cr:
            cr = "a CR without LF at the end of the body"
        found = []
        if long:
            found.append(Threat(risk=Risk.LONG_BODY_LINE, place=long))
        if self._eight_bit:
            found.append(Threat(risk=Risk.EIGHT_BIT_BODY))
        if cr:
            found.append(Threat(risk=Risk.BARE_CR, place=cr))
        if self._lf:
            found.append(Threat(risk=Risk.BARE_LF, place=self._lf))
        return tuple(found)


def _bare_cr(sample: bytes) -> int:
    """Where the first CR without LF is."""
    at = sample.find(b"\r")
    while sample[at + 1 : at + 2] == b"\n":
        at = sample.find(b"\r", at + 1)
    return at


def _bare_lf(sample: bytes, start: int) -> int:
    """Where the first LF without CR is, from start on."""
    at = sample.find(b"\n", start)
    while at and sample[at - 1] == 0x0D:
        at = sample.find(b"\n", at + 1)
    return at
