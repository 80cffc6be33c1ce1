"""The relaxed forms: white space that means nothing, made one blank or none.

NAME
    relaxed - body() and value(), compiled where there was a compiler

GIVEN
    octets of a body, cut between lines or anywhere else, or the value of a header field.

GIVES
    the octets with their blanks reduced.  Linear, whatever the octets are.

DOES NOT
    hold anything back: what stands at the end of a piece is canon's to keep.

    plain_body() and plain_value() are the definition; _relaxed.c does the same some five
    times as fast, and on nothing but blanks ten times.  COMPILED tells which one is used.

SEE ALSO
    RFC 6376 sections 3.4.2 and 3.4.4; canon (bodies), field (headers).
"""

from __future__ import annotations

from collections.abc import Callable

# Octets as numbers: bytes look for a number seven times as fast as for bytes of length 1.
_TAB, _LF, _VT, _FF, _CR, _BLANK = b"\t\n\v\f\r "

_SLICE = 65536  # octets, and two before them, that can be squeezed at once
_TABS = bytes.maketrans(b"\t", b" ")
_RUN = b" " * 32
_OCTETS = bytes(range(256))
_SQUEEZED_FROM = 4096  # octets; below, the loop of replacements is faster
# One octet of each in every octet of a slice.
_BLANKS, _LOW, _HIGH = (
    int.from_bytes(octet * (_SLICE + 2), "little") for octet in (b" ", b"\x7f", b"\x80")
)


def plain_body(data: bytes) -> bytes:
    """Runs of blanks made one, those before CRLF dropped.  Whole lines or not."""
    if _TAB in data:
        data = data.translate(_TABS)
    elif _BLANK not in data:  # base64
        return data
    if b"  " in data:
        # Nobody writes so many blanks; the loop alone costs ten times more for some of them.
        blanks = data.count(b" ")
        if blanks > len(data) * 3 // 4:
            data = data.replace(_RUN, b" ")
            blanks = data.count(b" ")
        if _SQUEEZED_FROM <= len(data) <= _SLICE + 2 and blanks > len(data) >> 2:
            data = _squeeze(data)
        while b"  " in data:  # halves each run: at most 12 times for a slice
            data = data.replace(b"  ", b" ")
    return data.replace(b" \r\n", b"\r\n")


def _squeeze(data: bytes) -> bytes:
    """Runs of blanks reduced, at the same cost however many there are.

    Each blank that another one follows is overwritten with an octet that the data do not
    have, on all octets at once as one long number; then that octet is deleted.  Data that
    have all 256 octets come back as they are.
    """
    spare = b"\0" if 0 not in data else _OCTETS.translate(None, data)[:1]
    if not spare:
        return data
    word = int.from_bytes(data, "little")
    other = word ^ _BLANKS  # zero where there is a blank
    blank = ((((other & _LOW) + _LOW) | other) & _HIGH) ^ _HIGH  # 0x80 there, nothing elsewhere
    drop = blank & (blank >> 8)
    word ^= (drop >> 7) * (spare[0] ^ ord(" "))
    return word.to_bytes(len(data), "little").translate(None, spare)


def plain_value(value: bytes) -> bytes:
    """Unfolded, runs of blanks made one, none at either end."""
    # split() also splits at VT and FF, which are not WSP, and at a CR or LF that is no fold;
    # the slower path keeps them.
    if _VT in value or _FF in value or _has_bare_line_end(value):
        blank = value.replace(b"\r\n", b"").replace(b"\t", b" ")
        return b" ".join(part for part in blank.split(b" ") if part)
    return b" ".join(value.split())


def _has_bare_line_end(value: bytes) -> bool:
    """Whether a CR or LF is no part of a fold."""
    if _LF not in value and _CR not in value:
        return False
    folds = value.count(b"\r\n ") + value.count(b"\r\n\t")
    return value.count(b"\r") != folds or value.count(b"\n") != folds


Reducer = Callable[[bytes], bytes]

try:
    from postseal.core import _relaxed
except ImportError:
    COMPILED = False
    body: Reducer = plain_body
    value: Reducer = plain_value
else:
    COMPILED = True
    body, value = _relaxed.body, _relaxed.value
