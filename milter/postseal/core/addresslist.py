"""Address lists taken apart: octets to tokens, tokens to what stands between commas.

NAME
    addresslist - the lexical half of reading RFC 5322 address fields

GIVEN
    one unfolded field value without control octets.

GIVES
    tokens without blanks and comments; elements of the list, with groups opened up.
    Raises Unreadable, and nothing else.

DOES NOT
    recurse: comments nest by a counter, groups do not nest.

SEE ALSO
    RFC 5322 sections 3.2, 3.4 and 4.4; address, which gives them a meaning.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import StrEnum
from itertools import pairwise


class Unreadable(Exception):
    """Not an address list in any form of RFC 5322 that has one reading."""


class Kind(StrEnum):
    WORD = "word"  # a run of atom characters and dots, 8-bit octets included
    QUOTED = "quoted"
    LITERAL = "literal"
    AT = "@"
    LT = "<"
    GT = ">"
    COMMA = ","
    COLON = ":"
    SEMI = ";"


Token = tuple[Kind, bytes]

_TOKEN = re.compile(
    rb"""[ \t]*(?:
      (?P<WORD>[^\x00-\x20()<>\[\]:;@\\,"\x7f]+)
    | (?P<SPECIAL>[@<>,:;])
    | (?P<QUOTED>"[^"\\]*(?:\\.[^"\\]*)*")
    | (?P<COMMENT>\()
    | (?P<LITERAL>\[[^\[\]\\]*\])
    )""",
    re.VERBOSE,
)
_ROUTE = re.compile(r"(?:(?:, )*@ word ?)+(?:, ?)*")  # kinds of token: obs-domain-list
_COMMENT_MARK = re.compile(rb"[()]|\\.")


def tokenize(text: bytes) -> Iterator[Token]:
    """Tokens without blanks and comments.  Raises Unreadable."""
    at = 0
    end = len(text.rstrip(b" \t"))
    while at < end:
        found = _TOKEN.match(text, at)
        if not found:
            raise Unreadable
        at = found.end()
        kind = found.lastgroup or ""
        if kind == "COMMENT":
            at = _after_comment(text, at)
        elif kind == "SPECIAL":
            special = found[kind]
            yield Kind(special.decode("ascii")), special
        else:
            yield Kind[kind], found[kind]


def _after_comment(text: bytes, at: int) -> int:
    """Where the comment ends whose first parenthesis is before at.  Nesting by a counter."""
    depth = 1
    for mark in _COMMENT_MARK.finditer(text, at):
        if mark[0] == b"(":
            depth += 1
        elif mark[0] == b")":
            depth -= 1
            if not depth:
                return mark.end()
    raise Unreadable


def split(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    """What stands between commas, groups opened up.  Raises Unreadable.

    A colon outside angle brackets ends a group's name, a semicolon the group;
    groups do not nest (RFC 5322 section 3.4), so that a flag is enough.
    """
    start = 0
    in_angle = in_group = after_group = False
    for at, (kind, _) in enumerate(tokens):
        match kind:
            case Kind.LT | Kind.GT:
                if in_angle is (kind is Kind.LT):
                    raise Unreadable
                in_angle = not in_angle
                continue
            case _ if in_angle or kind not in (Kind.COMMA, Kind.COLON, Kind.SEMI):
                continue
            case Kind.COLON:
                name = tokens[start:at]
                if in_group or after_group or not is_phrase(name):
                    raise Unreadable
                if any(b"@" in text for _, text in name):  # quoted; for others an address
                    raise Unreadable
                in_group = True
            case _:
                if after_group and at > start:  # text between a group's end and the comma
                    raise Unreadable
                if kind is Kind.SEMI and not in_group:
                    raise Unreadable
                yield tokens[start:at]
                after_group = kind is Kind.SEMI
                in_group = in_group and not after_group
        start = at + 1
    if in_angle or in_group or (after_group and start < len(tokens)):
        raise Unreadable
    yield tokens[start:]


def is_phrase(tokens: Sequence[Token]) -> bool:
    return bool(tokens) and all(kind in (Kind.WORD, Kind.QUOTED) for kind, _ in tokens)


def dotted(tokens: Sequence[Token], allowed: tuple[Kind, ...]) -> bytes:
    """Tokens that blanks or comments parted, joined again; only dots may be at the joints."""
    if not tokens or any(kind not in allowed for kind, _ in tokens):
        raise Unreadable
    for (_, left), (_, right) in pairwise(tokens):
        if not (left.endswith(b".") or right.startswith(b".")):
            raise Unreadable
    return b"".join(text for _, text in tokens)


def without_route(tokens: Sequence[Token]) -> Sequence[Token]:
    """`@a,@b:` off an addr-spec (obs-route); what the route names plays no part in delivery."""
    kinds = [kind for kind, _ in tokens]
    if Kind.COLON not in kinds:
        return tokens
    colon = kinds.index(Kind.COLON)
    if colon + 1 == len(kinds) or not _ROUTE.fullmatch(" ".join(kinds[:colon])):
        raise Unreadable
    return tokens[colon + 1 :]
