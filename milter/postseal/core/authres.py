"""Authentication-Results: the field we write, and which incoming ones must go.

NAME
    authres - compose a field from results, filtered value by value

GIVEN
    results whose values may come from anybody: domains, local parts, selectors,
    reasons that repeat what a library or a name server said.

GIVES
    the field's value, folded, ASCII, in the grammar of RFC 8601 section 2.2.

DOES NOT
    trust a value.  What is a token, a domain or a plain address is printed as it
    is; anything else becomes a quoted-string of harmless characters.  No CR, LF
    or control character, and none of `; ( ) = " \\` out of a value is ever printed,
    because many readers of this field split at them without parsing quotes.

SEE ALSO
    RFC 8601 sections 2.2, 2.7 and 4; RFC 2045 section 5.1 (token);
    authres_claims, for the fields that pretend to be ours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from .authres_claims import claims, instances_to_delete

__all__ = ["MethodResult", "Property", "claims", "compose", "instances_to_delete"]

MAX_VALUE = 320  # a local part of 64, the @, a domain of 253 (RFC 5321 section 4.5.3.1)
MAX_TEXT = 200  # of a reason or a comment
# Of a line of 78, where RFC 5322 section 2.1.1 wants a fold, less the tab and blank before and the
# `;` behind.  Values are never cut, so lines stay below 998.
_ROOM = 75


class Property(NamedTuple):
    """One `ptype.name=value`.  ptype and name are ours, value is anybody's."""

    ptype: str
    name: str
    value: str


class MethodResult(NamedTuple):
    """One `method=result`.  method and result are words of the IANA registry."""

    method: str
    result: str
    reason: str = ""
    comment: str = ""
    properties: Sequence[Property] = ()


def compose(authserv_id: str, results: Sequence[MethodResult]) -> bytes:
    """The value of one field, without leading space; folds are CRLF and a tab.

    The comment follows the result, the reason the comment, then the properties
    in their order.  Without results it says `none` (RFC 8601 section 2.2).
    """
    name = authserv_id if _TOKEN.fullmatch(authserv_id) else _quoted(authserv_id)
    if not results:
        return f"{name}; none".encode("ascii")
    return ";\r\n\t".join((name, *map(_resinfo, results))).encode("ascii")


def _resinfo(result: MethodResult) -> str:
    """One statement, folded between its parts."""
    method, word, reason, comment, properties = result
    words = [_pair(method, "=", word)]
    if comment:
        words.append(f"({_text(comment)})")
    if reason:
        words.append(f'reason="{_text(reason)}"')
    words += [f"{_pair(ptype, '.', name)}={value(raw)}" for ptype, name, raw in properties]
    return _folded(words)


@lru_cache(maxsize=128)
def _pair(first: str, mark: str, second: str) -> str:
    """Two words with a mark between them; they are ours, a dozen of each."""
    return f"{_word(first)}{mark}{_word(second)}"


def _folded(words: list[str]) -> str:
    line = " ".join(words)
    if len(line) <= _ROOM:  # as most are
        return line
    lines = []
    line = words[0]
    for word in words[1:]:
        if len(line) + len(" ") + len(word) > _ROOM:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}"
    lines.append(line)
    return "\r\n\t ".join(lines)


# Values.  Printable ASCII less the characters that mean something to some reader.

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~-]+")  # RFC 2045 token
_ADDRESS = re.compile(  # [local-part] "@" domain-name, the local part a dot-atom without =
    r"(?:[A-Za-z0-9!#$%&'*+/?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/?^_`{|}~-]+)*)?"
    r"@[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?"
    r"(?:\.[A-Za-z0-9_](?:[A-Za-z0-9_-]*[A-Za-z0-9_])?)*"
)
_PLAIN = re.compile(f"{_TOKEN.pattern}|{_ADDRESS.pattern}")
_NOT_HARMLESS = re.compile(r"[^ !#-'*-:<>-\[\]-~]")  # of `" ( ) ; = \`, control and 8-bit
_QUOTED = re.compile(r'"[^"\\]*"')
_NOT_WORD = re.compile(r"[^A-Za-z0-9_-]")
_SPOKEN = str.maketrans({'"': "'", "\\": "/", ";": ",", "(": "[", ")": "]", "=": ":"})


def value(raw: str) -> str:
    """A value from anybody, fit to be printed: token, address or quoted-string."""
    if len(raw) <= MAX_VALUE and _PLAIN.fullmatch(raw):
        return raw
    local, at, domain = raw[: MAX_VALUE + 1].rpartition("@")
    if at and len(raw) <= MAX_VALUE and _ADDRESS.fullmatch(at + domain):
        # An identity must look like one (section 2.2), be its local part what it may.
        local = local[1:-1] if _QUOTED.fullmatch(local) else local
        return f"{_quoted(local)}{at}{domain}"
    return _quoted(raw[:MAX_VALUE])


def _quoted(raw: str) -> str:
    return f'"{_NOT_HARMLESS.sub("?", raw)}"'


def _text(raw: str) -> str:
    """Words for people: punctuation that could end them is replaced by its like."""
    return _harmless(raw[:MAX_TEXT])


@lru_cache(maxsize=256)
def _harmless(text: str) -> str:
    """Mostly one of a few dozen sentences of ours."""
    return _NOT_HARMLESS.sub("?", text.translate(_SPOKEN))


def _word(raw: str) -> str:
    return raw if raw.isalpha() and raw.isascii() else _NOT_WORD.sub("", raw)
