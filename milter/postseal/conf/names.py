"""Which header fields are signed: the built-in list, and changes to it.

NAME
    names - chosen(): `*`, `+NAME`, `-NAME` and plain names as one set

SEE ALSO
    RFC 6376 section 5.4 (what to sign, what not), RFC 8058 section 4 (List-Unsubscribe-Post).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

DEFAULT_HEADERS = frozenset(
    {
        "from",
        "sender",
        "reply-to",
        "subject",
        "date",
        "message-id",
        "to",
        "cc",
        "in-reply-to",
        "references",
        "mime-version",
        "content-type",
        "content-transfer-encoding",
        "content-id",
        "content-description",
        "content-disposition",
        "content-language",
        "list-id",
        "list-help",
        "list-unsubscribe",
        "list-unsubscribe-post",
        "list-subscribe",
        "list-post",
        "list-owner",
        "list-archive",
        "resent-date",
        "resent-from",
        "resent-sender",
        "resent-to",
        "resent-cc",
        "resent-message-id",
    }
)
NEVER_SIGNED = frozenset(
    {
        "return-path",
        "received",
        "authentication-results",
        "dkim-signature",
        "bcc",
        "resent-bcc",
        "arc-seal",
        "arc-message-signature",
        "arc-authentication-results",
        "received-spf",
    }
)
_NAME = re.compile(r"[!-9;-~]{1,76}")  # RFC 5322 section 2.2


def never_signed(name: str) -> bool:
    """Whether servers on the way change, remove or add this field."""
    return name.lower() in NEVER_SIGNED


def chosen(words: Iterable[str]) -> tuple[frozenset[str], tuple[tuple[str, str], ...]]:
    """The lower-case names to sign, and (word, why) for each word that cannot be used.

    Without `*` the list starts empty, unless all words are changes.  From is always in
    it (RFC 6376 section 5.4).
    """
    given = tuple(words)
    changes_only = all(word.startswith(("+", "-")) for word in given)
    names = set(DEFAULT_HEADERS) if "*" in given or changes_only else set()
    faults: list[tuple[str, str]] = []
    for word in given:
        name = word.lstrip("+-").lower() if word[:1] in "+-" else word.lower()
        if word == "*":
            continue
        if not _NAME.fullmatch(name):
            faults.append((word, "is not the name of a header field"))
        elif word.startswith("-"):
            if name == "from":
                faults.append((word, "cannot be left out: From is always signed"))
            names.discard(name)
        elif never_signed(name):
            faults.append((word, "is never signed, because servers change or remove it"))
        else:
            names.add(name)
    return frozenset(names | {"from"}), tuple(faults)
