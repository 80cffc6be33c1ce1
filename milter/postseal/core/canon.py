"""Body hashes, made while the body passes by.

NAME
    canon - canonicalise and hash a body in chunks, once for all signatures

GIVEN
    the body in chunks as libmilter cuts them: anywhere, between CR and LF too.

GIVES
    for each BodyKey wanted the SHA-256 of the canonical body, and its length.

DOES NOT
    keep the body.  What must wait for the next chunk (blanks, a CR, empty lines)
    is held as two flags and a counter, so memory is constant; every step is linear
    in the octets, however many of them are blanks or line ends.  A bare LF or CR
    is an octet like any other.

SEE ALSO
    RFC 6376 sections 3.4.3, 3.4.4, 3.5 (l=), errata 1376 and 1384.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from typing import NamedTuple

from postseal.core import relaxed

# Above this a chunk is cut: the copies then stay in the processor's cache, which made
# 5 MB four times as fast as one piece.
_SLICE = 65536
_TAB, _BLANK = b"\t "  # as numbers: bytes find them faster
_EMPTY_LINES = b"\r\n" * (_SLICE // 2)


class BodyKey(NamedTuple):
    """One way to hash a body: the form, and how many canonical octets count (l=), None for all."""

    relaxed: bool
    limit: int | None = None


class BodyDigest(NamedTuple):
    """value: SHA-256 of the canonical octets up to the limit; length: of the whole, in octets."""

    value: bytes
    length: int


class _Hash:
    """SHA-256 of the first octets, for every limit: read once, copied where a limit is reached."""

    __slots__ = ("_ahead", "_all", "_reached", "_sum", "length")

    def __init__(self, limits: tuple[int | None, ...]) -> None:
        self._sum = sha256()
        self._all = None in limits
        self._ahead = sorted([n for n in limits if n is not None], reverse=True)
        self._reached: dict[int, bytes] = {}
        self.length = 0  # octets so far, hashed or not

    def update(self, data: bytes) -> None:
        while self._ahead and self._ahead[-1] <= self.length + len(data):
            limit = self._ahead.pop()
            part = data[: limit - self.length]
            self._sum.update(part)
            self._reached[limit] = self._sum.digest()  # it may be fed on after that
            data = data[len(part) :]
            self.length = limit
        if self._all or self._ahead:
            self._sum.update(data)
        self.length += len(data)

    def digest(self, limit: int | None) -> bytes:
        """Of the octets up to the limit; of all where there were fewer."""
        if limit is not None and limit in self._reached:
            return self._reached[limit]
        return self._sum.digest()


class _Simple:
    """The simple body.  Empty lines wait in a counter; relaxed shares that."""

    __slots__ = ("_cr", "_empty", "_ended", "_hash", "limits")

    def __init__(self, limits: tuple[int | None, ...]) -> None:
        self.limits = limits
        self._hash = _Hash(limits)
        self._empty = 0  # CRLFs held back
        self._cr = False  # a CR held back, after them
        self._ended = False

    def update(self, chunk: bytes) -> None:
        """The next octets of the body, cut anywhere."""
        if len(chunk) <= _SLICE:
            self._take(chunk)
            return
        for start in range(0, len(chunk), _SLICE):
            self._take(chunk[start : start + _SLICE])

    def _take(self, chunk: bytes) -> None:
        if self._cr:
            chunk = b"\r" + chunk
        self._cr = chunk.endswith(b"\r")
        self._pass_on(chunk[:-1] if self._cr else chunk)

    def digest(self, limit: int | None) -> BodyDigest:
        """The digest for one of the limits.  No chunk may follow."""
        if not self._ended:
            self._ended = True
            self._end()
        return BodyDigest(self._hash.digest(limit), self._hash.length)

    def _end(self) -> None:
        if self._cr:  # it belonged to no line end
            self._release(b"\r")
        self._hash.update(b"\r\n")  # the one that ends the last line, added where there was none

    def _pass_on(self, data: bytes) -> None:
        """Data without the CRLFs at its end is hashed, after those that were held."""
        ends = 0
        if data.endswith(b"\r\n"):
            ends = _line_ends(data)
            data = data[: -2 * ends]
        if data:
            self._release(data)
        self._empty += ends

    def _release(self, data: bytes) -> None:
        """Empty lines that were held turned out not to be the last ones: they come before data."""
        octets = 2 * self._empty
        self._empty = 0
        while octets:
            block = min(octets, _SLICE)
            self._hash.update(_EMPTY_LINES[:block])
            octets -= block
        self._hash.update(data)


class _Relaxed(_Simple):
    """The relaxed body: runs of blanks made one, those before a line end dropped."""

    __slots__ = ("_blank",)

    def __init__(self, limits: tuple[int | None, ...]) -> None:
        super().__init__(limits)
        self._blank = False  # a run of blanks held back, after the empty lines, before the CR

    def _take(self, chunk: bytes) -> None:
        if self._cr:
            chunk = b"\r" + chunk
        if self._blank:
            chunk = b" " + chunk
        if _BLANK in chunk or _TAB in chunk:  # base64 has none
            chunk = relaxed.body(chunk)
        self._cr = chunk.endswith(b"\r")
        if self._cr:
            chunk = chunk[:-1]
        self._blank = chunk.endswith(b" ")
        self._pass_on(chunk[:-1] if self._blank else chunk)

    def _end(self) -> None:
        if self._cr:
            self._release(b" \r" if self._blank else b"\r")
        if self._hash.length:  # a body of empty lines is empty
            self._hash.update(b"\r\n")


def _line_ends(data: bytes) -> int:
    """How many CRLFs stand at the end of data, which ends in one."""
    if not data.endswith(b"\r\n\r\n"):
        return 1
    if _EMPTY_LINES.startswith(data):  # nothing else: 64 KB of it would be slow below
        return len(data) // 2
    text = data.rstrip(b"\r\n")
    # The tail may be any mixture of CR and LF.  Pairs reach back to where one of them is doubled.
    tail = data[len(text) :]
    start = max(tail.rfind(b"\r\r") + 1, tail.rfind(b"\n\n") + 1)
    return (len(tail) - start) // 2  # a lone LF at the start of them drops out here


class BodyHashes:
    """Every body hash a message needs, fed together: each form is made once for all limits."""

    __slots__ = ("_forms",)

    def __init__(self, keys: Iterable[BodyKey]) -> None:
        limits: dict[bool, dict[int | None, None]] = {}
        for key in keys:
            limits.setdefault(key.relaxed, {})[key.limit] = None
        self._forms = [
            (relaxed, _form(relaxed, tuple(wanted))) for relaxed, wanted in limits.items()
        ]

    def update(self, chunk: bytes) -> None:
        """The next octets of the body, cut anywhere."""
        for _, form in self._forms:
            form.update(chunk)

    def digests(self) -> dict[BodyKey, BodyDigest]:
        """The digest of each key.  No update() may follow."""
        return {
            BodyKey(relaxed, limit): form.digest(limit)
            for relaxed, form in self._forms
            for limit in form.limits
        }


class BodyHasher:
    """One body hash."""

    __slots__ = ("_form", "_limit")

    def __init__(self, key: BodyKey) -> None:
        self._limit = key.limit
        self._form = _form(key.relaxed, (key.limit,))

    def update(self, chunk: bytes) -> None:
        """The next octets of the body, cut anywhere."""
        self._form.update(chunk)

    def digest(self) -> BodyDigest:
        """The digest.  No update() may follow."""
        return self._form.digest(self._limit)


def _form(relaxed: bool, limits: tuple[int | None, ...]) -> _Simple:
    return _Relaxed(limits) if relaxed else _Simple(limits)
