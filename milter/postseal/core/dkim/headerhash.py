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

    plain_octets() is the definition; _headerhash.c does the same where there was a compiler.
    COMPILED tells which one is used.

SEE ALSO
    RFC 6376 sections 3.4, 3.5 (b=), 3.7, 5.4.2.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from hashlib import sha256

from postseal.core.field import Field, Header
from postseal.core.taglist import FWS


def select(header: Header, names: Collection[bytes], without: Field | None = None) -> list[Field]:
    """The fields that names stands for, each name taking the next instance from the bottom up.

    A name that has no instance left stands for nothing (RFC 6376 section 5.4.2).
    `without` is the signature's own field, which cannot cover itself.
    """
    left = {name: list(header.all(name)) for name in set(names)}
    if without is not None and without.key in left:
        left[without.key] = [field for field in left[without.key] if field is not without]
    return [left[name].pop() for name in names if left[name]]


def without_value(field: Field) -> Field:
    """The field with the value of b= deleted, white space around it included.

    By hand and not by a pattern: patterns for this are quadratic in white space, and
    leave some of it behind.
    """
    specs = field.value.split(b";")
    for i, spec in enumerate(specs):
        if not spec.lstrip(FWS).startswith(b"b"):  # as nearly all tags
            continue
        name, equals, _ = spec.partition(b"=")
        if equals and name.strip(FWS) == b"b":
            specs[i] = name + equals
            break
    return Field(field.name, b";".join(specs))


def canonical(fields: Iterable[Field], relaxed: bool) -> bytes:
    """The fields as they are hashed, each with its CRLF."""
    if relaxed:
        return b"".join([field.relaxed for field in fields])
    return b"".join([field.simple for field in fields])


def plain_octets(header: Header, names: Collection[bytes], field: Field, relaxed: bool) -> bytes:
    """What a signature in `field` over `names` signs: it comes last, b= deleted, without CRLF."""
    chosen = select(header, names, without=field)
    return canonical((*chosen, without_value(field)), relaxed)[:-2]


def _compiled_octets(
    header: Header, names: Collection[bytes], field: Field, relaxed: bool
) -> bytes:
    return _headerhash.octets(header.index, names, field, relaxed)


try:
    from postseal.core.dkim import _headerhash
except ImportError:
    COMPILED = False
    octets = plain_octets
else:
    COMPILED = True
    octets = _compiled_octets


def digest(header: Header, names: Collection[bytes], field: Field, relaxed: bool) -> bytes:
    """SHA-256 of what a signature in `field` over `names` signs."""
    return sha256(octets(header, names, field, relaxed)).digest()
