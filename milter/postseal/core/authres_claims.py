"""Forged Authentication-Results: which incoming fields claim to be ours.

NAME
    authres_claims - find the fields that must be removed

GIVEN
    Authentication-Results fields as a stranger wrote them, and our identifiers.

GIVES
    whether a field's authserv-id is one of ours in the eyes of any reader we can
    think of; and the indexes to delete, highest first, because each deletion
    moves those below it up (CVE-2022-48521).

DOES NOT
    parse results: a field that is broken further on is still a claim.  When the
    beginning is garbled and holds one of our names, it counts as a claim; so does a
    beginning with an encoded word anywhere in it, or of a size that nobody writes.

SEE ALSO
    RFC 8601 sections 2.2, 2.5 and 5.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from .field import Field, Header
from .names import BadDomain, ascii_domain

KEY = b"authentication-results"
SUPPORTED_VERSION = 1

_MAX_MARKS = 100  # parentheses of one comment, pieces of a beginning; beyond is garbled
_MAX_STRANGE = 250  # fields of one message read that do not begin as nearly all do
_MAX_WORD = 1024  # octets of the identifier and what clings to it; beyond is garbled

_PLAIN = re.compile(rb"[ \t]*([A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)*);")
_BLANK = re.compile(rb"[\x00-\x20\x7f]*")
_LEAD = re.compile(rb"[\x00-\x20\x7f;,]*")  # nothing that could be an identifier
_PIECE = re.compile(  # a comment begins, a quoted-string, or plain octets
    rb"""(?P<comment>\()
    | (?P<quoted>"[^"\\]*(?:\\.[^"\\]*)*")
    | (?P<plain>[^\x00-\x20\x7f;"(]+)""",
    re.DOTALL | re.VERBOSE,
)
_COMMENT_MARK = re.compile(rb"[()]|\\.", re.DOTALL)
_NAME = re.compile(r"[^\x00-,/:-@\[-^`{-\x7f]+")  # letters, digits, `-._` and all non-ASCII
_SAID = re.compile(r"[^\W_]")  # a letter or a digit
_DROPPED = re.compile(r"[\\\ufffd]")  # backslashes outside quotes, octets that are no UTF-8
_NOT_ASCII = re.compile(r"[^\x00-\x7f]")  # which some readers drop as well
_ENCODED = b"=?"  # begins an encoded word (RFC 2047), which many readers decode wherever it stands
_INSTANCE = re.compile(rb"[\x00-\x20\x7f]*[iI][\x00-\x20\x7f]*=[\x00-\x20\x7f]*[0-9]+(?=[^0-9])")
_VERSION = re.compile(rb"[0-9]+(?=[\x00-\x20\x7f;(]|\Z)")


def normal_id(text: str) -> str:
    """An authserv-id for comparison: A-labels and lower case, no final dot.

    Identifiers need not be domain names (RFC 8601 section 2.5); others are
    compared without regard to case.
    """
    try:
        return ascii_domain(text)
    except BadDomain:
        return text.casefold().strip(".")


def claims(field: Field, authserv_ids: Collection[str]) -> bool:
    """Whether this field says it was written by one of these, for any plausible reader."""
    return _claims(field.value, {normal_id(one) for one in authserv_ids})


def instances_to_delete(header: Header, authserv_ids: Collection[str]) -> tuple[int, ...]:
    """1-based indexes among the Authentication-Results fields, highest first.

    Those that claim one of our identifiers, and those of a version that we, and so
    perhaps our readers, do not understand (RFC 8601 section 5).  Of strange ones no more are
    read than any honest message has: four megabytes of them would take ten seconds.
    """
    if KEY not in header:
        return ()
    ours = {normal_id(one) for one in authserv_ids}
    found: list[int] = []
    strange = 0
    for index, field in enumerate(header.all(KEY), 1):
        if plain := _PLAIN.match(field.value):  # what nearly all fields begin with
            gone = normal_id(plain[1].decode("ascii")) in ours
        else:
            strange += 1
            gone = strange > _MAX_STRANGE or _must_go(field.value, ours)
        if gone:
            found.append(index)
    return tuple(reversed(found))


def _must_go(value: bytes, ours: Collection[str]) -> bool:
    return _claims(value, ours) or _has_other_version(value)


def _claims(value: bytes, ours: Collection[str]) -> bool:
    if arc := _INSTANCE.match(value):  # as in ARC-Authentication-Results, which some read alike
        value = value[arc.end() :]
    try:
        words, statement, end = _beginning(value)
    except Garbled as garbled:
        return _could_claim(value, ours, garbled)
    if _ENCODED in value[:end]:  # in a comment, too: decoded, it may end there
        return True
    if any(normal_id(text) in ours for text in (statement, statement.rstrip("0123456789"))):
        return True
    return any(name in ours for word in words for name in _names(word))


def _could_claim(value: bytes, ours: Collection[str], garbled: Garbled) -> bool:
    """Whether any word could be our name, once somebody makes sense of it."""
    if _ENCODED in value:
        return True
    text = value.lower().decode("utf-8", "replace")
    if garbled.huge:
        return _SAID.search(text) is not None
    return any(one in text or one in _DROPPED.sub("", text) for one in ours)


def _names(word: str) -> Iterator[str]:
    """The names within: `id`, `<id>`, `id/jobid`, `id,` and the like."""
    yield normal_id(word)
    dropped = _DROPPED.sub("", word)
    yield normal_id(dropped)
    yield normal_id(_NOT_ASCII.sub("", dropped))
    for name in _NAME.findall(word):
        yield normal_id(name)


def _has_other_version(value: bytes) -> bool:
    """`id 2;`: a version is there and is not ours."""
    try:
        word = _PIECE.match(value, _after_cfws(value, 0))
        found = _VERSION.match(value, _after_cfws(value, word.end())) if word else None
    except Garbled:
        return False
    return found is not None and found[0].lstrip(b"0") != b"%d" % SUPPORTED_VERSION


# The beginning of a field, as different readers would take it apart.


class Garbled(Exception):
    """It cannot be taken apart: something is unclosed, or huge: out of all proportion."""

    def __init__(self, huge: bool = False) -> None:
        self.huge = huge
        super().__init__()


def _beginning(value: bytes) -> tuple[tuple[str, str], str, int]:
    """Two readings of the first word, the first statement run together, and where that ends.

    `my.(c)"id" (d) 1; spf=...` has the first word `my.` for who ends it at a
    comment, `my.id` for who takes comments out, and the statement `my.id1`.
    Quotes are opened everywhere.  Raises Garbled.
    """
    first = word = statement = b""
    at = _after_cfws(value, 0, _LEAD)
    for _ in range(_MAX_MARKS):
        piece = _PIECE.match(value, at)
        if piece and piece["comment"]:
            first = first or (b"" if word else statement)
            at = after_comment(value, at)[0]
        elif piece:
            statement += _unquoted(piece[0]) if piece["quoted"] else piece[0]
            at = piece.end()
        elif value[at : at + 1] == b'"':
            raise Garbled
        elif at == len(value) or value[at : at + 1] == b";":
            break
        else:  # a blank: the first word is over
            word = word or statement
            at = _after_blank(value, at)
        if len(statement) > _MAX_WORD:
            break
    else:
        if not word:
            raise Garbled(huge=True)
    word = word or statement
    if len(word) > _MAX_WORD:
        raise Garbled(huge=True)
    return (_text(first or word), _text(word)), _text(statement), at


def _after_cfws(value: bytes, at: int, blank: re.Pattern[bytes] = _BLANK) -> int:
    """Where the first thing stands that is neither blank nor comment.  Raises Garbled."""
    marks = 0
    while True:
        at = _after_blank(value, at, blank)
        if value[at : at + 1] != b"(":
            return at
        at, marks = after_comment(value, at, marks)


def _after_blank(value: bytes, at: int, blank: re.Pattern[bytes] = _BLANK) -> int:
    found = blank.match(value, at)
    return found.end() if found else at


def after_comment(value: bytes, at: int, marks: int = 0) -> tuple[int, int]:
    """Behind the comment that begins at at, and the marks seen.  Raises Garbled."""
    depth = 0
    for mark in _COMMENT_MARK.finditer(value, at):
        marks += 1
        if marks > _MAX_MARKS:
            raise Garbled(huge=True)
        depth += {b"(": 1, b")": -1}.get(mark[0], 0)
        if not depth:
            return mark.end(), marks
    raise Garbled


def _unquoted(text: bytes) -> bytes:
    return re.sub(rb"\\(.)", rb"\1", text[1:-1], flags=re.DOTALL)


def _text(octets: bytes) -> str:
    return octets.decode("utf-8", "replace").strip()
