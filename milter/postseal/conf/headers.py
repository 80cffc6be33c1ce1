"""Lists of header fields in the configuration: which words can be used.

NAME
    headers - signed() and oversigned(): the lists, and what is wrong with them

SEE ALSO
    core/dkim/headerlist.py, which holds the built-in lists and makes each message's h=.
"""

from __future__ import annotations

from collections.abc import Iterable

from postseal.core.dkim import headerlist

Fault = tuple[str, str]  # the word, and why it cannot be used


def signed(words: Iterable[str]) -> tuple[frozenset[str], tuple[Fault, ...]]:
    """The fields that are signed, in lower case, From always among them."""
    names, faults = _list(headerlist.SIGNED, words)
    return names | {"from"}, faults


def oversigned(words: Iterable[str]) -> tuple[frozenset[str], tuple[Fault, ...]]:
    """The fields that are oversigned, From always among them."""
    names, faults = _list(headerlist.OVERSIGNED, words)
    return names | {"from"}, faults


def _list(
    default: tuple[bytes, ...], words: Iterable[str]
) -> tuple[frozenset[str], tuple[Fault, ...]]:
    good: list[str] = []
    faults: list[Fault] = []
    for word in words:
        try:
            headerlist.adjust((), [word])
        except headerlist.HeaderListError as error:
            faults.append((word, str(error)))
            continue
        if word.startswith("-") and word[1:].strip().lower() == "from":
            faults.append((word, "From is always signed and oversigned"))
        good.append(word)
    names = headerlist.adjust(default, good)
    return frozenset(name.decode("ascii") for name in names), tuple(faults)
