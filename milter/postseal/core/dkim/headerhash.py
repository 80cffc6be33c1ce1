"""The header hash: which fields a signature covers, and the octets that are hashed.

NAME
    headerhash - select, canonicalise and hash the signed header

GIVEN
    a Header, the names in h=, the signature's own field, and the canonicalization.

GIVES
    octets or their SHA-256.  Linear: every field is looked at once per signature, and
    its relaxed form is made once per message.

DOES NOT
    judge.  DKIM and ARC share it.

SEE ALSO
    RFC 6376 sections 3.4, 3.5 (b=), 3.7, 5.4.2.
"""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from postseal.core import taglist
from postseal.core.field import Field, Header


def select(header: Header, names: Iterable[bytes], without: Field | None = None) -> list[Field]:
    """The fields that names stands for, each name taking the next instance from the bottom up.

    A name that has no instance left stands for nothing (RFC 6376 section 5.4.2).
    `without` is the signature's own field, which cannot cover itself.
    """
    chosen: list[Field] = []
    left: dict[bytes, list[Field]] = {}
    for name in names:
        fields = left.get(name)
        if fields is None:
            left[name] = fields = list(header.all(name))
            if without is not None and name == without.key:
                fields[:] = [field for field in fields if field is not without]
        if fields:
            chosen.append(fields.pop())
    return chosen


def without_value(field: Field, tag: bytes = b"b") -> Field:
    """The field with the value of b= deleted, white space around it included.

    By hand and not by a pattern: patterns for this are quadratic in white space, and
    leave some of it behind.
    """
    specs = field.value.split(b";")
    for i, spec in enumerate(specs):
        name, equals, _ = spec.partition(b"=")
        if equals and name.strip(taglist.FWS) == tag:
            specs[i] = name + equals
            break
    return Field(field.name, b";".join(specs))


def octets(fields: Iterable[Field], own: Field, relaxed: bool) -> bytes:
    """What is hashed: the fields, then own (b= deleted) without its CRLF."""
    if relaxed:
        parts = [field.relaxed for field in fields]
        parts.append(own.relaxed[:-2])
    else:
        parts = [field.simple for field in fields]
        parts.append(own.simple[:-2])
    return b"".join(parts)


def digest(header: Header, names: Iterable[bytes], field: Field, relaxed: bool) -> bytes:
    """SHA-256 of what a signature in `field` over `names` signs."""
    chosen = select(header, names, without=field)
    return sha256(octets(chosen, without_value(field), relaxed)).digest()
