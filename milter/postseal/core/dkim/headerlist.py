"""Which header fields are signed, and which once more than they occur.

NAME
    headerlist - the default lists, changes to them, and the h= of one message

GIVES
    names in lower case, in the order of h=.

SEE ALSO
    RFC 6376 sections 5.4, 5.4.1 and 8.15; RFC 8058 section 4 (List-Unsubscribe-Post).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

# What a reader is shown or a program acts on.
SIGNED: tuple[bytes, ...] = (
    b"from",
    b"to",
    b"cc",
    b"subject",
    b"date",
    b"reply-to",
    b"sender",
    b"message-id",
    b"in-reply-to",
    b"references",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
    b"content-disposition",
    b"content-id",
    b"content-description",
    b"content-language",
    b"resent-date",
    b"resent-from",
    b"resent-sender",
    b"resent-to",
    b"resent-cc",
    b"resent-message-id",
    b"list-id",
    b"list-help",
    b"list-unsubscribe",
    b"list-unsubscribe-post",
    b"list-subscribe",
    b"list-post",
    b"list-owner",
    b"list-archive",
)

# Fields of which there may be one; a second one would be shown in its place.
OVERSIGNED: tuple[bytes, ...] = (
    b"from",
    b"to",
    b"cc",
    b"subject",
    b"date",
    b"reply-to",
    b"sender",
    b"message-id",
    b"mime-version",
    b"content-type",
    b"content-transfer-encoding",
)

# Fields that every hop may add or change (RFC 6376 section 5.4.1).
_NEVER = frozenset(
    (
        b"received",
        b"return-path",
        b"authentication-results",
        b"received-spf",
        b"dkim-signature",
        b"delivered-to",
        b"bcc",
        b"resent-bcc",
    )
)
# Postfix adds these after the milters to mail that lacks them, so an absent one
# must not be promised to stay absent.
_ADDED_LATER = frozenset((b"date", b"message-id"))


class HeaderListError(ValueError):
    """A list of header fields cannot be used.  The message says why."""


def adjust(default: Iterable[bytes], changes: Iterable[str]) -> tuple[bytes, ...]:
    """A list out of `*` (the default), `+Name`, `-Name` and plain names.

    Only `+` and `-` change the default, plain names replace it, as in OpenDKIM's SignHeaders.
    Raises HeaderListError.
    """
    words = list(changes)
    names: dict[bytes, None] = {}
    if not words or all(word[:1] in ("+", "-") for word in words):
        names = dict.fromkeys(default)
    for word in words:
        if word == "*":
            names |= dict.fromkeys(default)
        elif word.startswith("-"):
            names.pop(_name(word[1:]), None)
        else:
            names[_checked(_name(word.removeprefix("+")))] = None
    return tuple(names)


def _name(word: str) -> bytes:
    name = word.strip().lower()
    if not name or not name.isascii() or not name.isprintable() or set(name) & set(" :;"):
        raise HeaderListError(f"{word!r} is not the name of a header field")
    return name.encode("ascii")


def _checked(name: bytes) -> bytes:
    if is_never_signed(name):
        raise HeaderListError(f"{name.decode()} is changed on the way and cannot be signed")
    return name


def is_never_signed(name: bytes) -> bool:
    """Whether signing that field (lower case) would only break signatures."""
    return name in _NEVER or name.startswith(b"arc-")


class Plan(NamedTuple):
    """What the lists of an operator come to: the same for every message.

    names: what may be signed, each once, From first.
    once_more: what is named once more than it occurs; also_absent: even if it does not occur.
    """

    names: tuple[bytes, ...]
    once_more: frozenset[bytes]
    also_absent: frozenset[bytes]

    def listed(self, counts: Iterable[int]) -> tuple[bytes, ...]:
        """The names of h=, for a message in which each of names occurs so often."""
        listed: list[bytes] = []
        for name, present in zip(self.names, counts, strict=True):
            if present:
                listed += [name] * (present + (name in self.once_more))
            elif name in self.also_absent:
                listed.append(name)
        return tuple(listed)


@lru_cache(maxsize=64)
def plan(signed: tuple[bytes, ...] = SIGNED, oversigned: tuple[bytes, ...] = OVERSIGNED) -> Plan:
    """From is always first, and oversigned (RFC 6376 sections 5.4 and 8.15)."""
    names = [name for name in (b"from", *signed) if not is_never_signed(name)]
    once_more = frozenset((b"from", *oversigned))
    return Plan(tuple(dict.fromkeys(names)), once_more, once_more - _ADDED_LATER)
