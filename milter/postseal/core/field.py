"""Header fields as the exact octets that signatures are made of.

NAME
    field - one header field, and the header as an ordered, indexed whole

GIVEN
    octets: the name as it was written, and everything after the colon with its
    leading white space; folds are CRLF followed by white space, and the final
    CRLF is not part of the value.

GIVES
    Field, and Header: the fields in order, with look-up by name.  The relaxed
    canonical form is made once per field, on first use, for all signatures.

DOES NOT
    decode, unfold or judge.

    PlainField and plain_index() are the definition; _field.c does the same where there was
    a compiler.  COMPILED tells which one is used.

SEE ALSO
    intake, which makes fields of what an MTA hands over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from postseal.core import relaxed


class PlainField:
    """One header field.  Never changed after it was made."""

    __slots__ = ("_relaxed", "key", "name", "value")

    def __init__(self, name: bytes, value: bytes) -> None:
        self.name = name
        self.value = value
        # Obsolete syntax has blanks before the colon: still that field (RFC 5322 section 4.5).
        self.key = name.rstrip(b" \t").lower()
        self._relaxed: bytes | None = None

    def __repr__(self) -> str:
        return f"Field({self.name!r}, {self.value!r})"

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, PlainField) and self.name == other.name and self.value == other.value
        )

    def __hash__(self) -> int:
        return hash((self.name, self.value))

    @property
    def simple(self) -> bytes:
        """The field as it was written, with its CRLF (RFC 6376 section 3.4.1)."""
        return b"%b:%b\r\n" % (self.name, self.value)

    @property
    def relaxed(self) -> bytes:
        """Lower-case name, unfolded, runs of blanks made one (RFC 6376 section 3.4.2)."""
        if self._relaxed is None:
            self._relaxed = b"%b:%b\r\n" % (self.key, relaxed.value(self.value))
        return self._relaxed


def plain_index(fields: Iterable[Field]) -> dict[bytes, list[Field]]:
    """Fields by their keys, each list in the order of the fields."""
    index: dict[bytes, list[Field]] = {}
    for field in fields:
        if field.key in index:
            index[field.key].append(field)
        else:
            index[field.key] = [field]
    return index


if TYPE_CHECKING:
    Field = PlainField
    index = plain_index
    COMPILED: bool
else:
    try:
        from postseal.core._field import Field, index
    except ImportError:
        COMPILED = False
        Field, index = PlainField, plain_index
    else:
        COMPILED = True


class Header:
    """The header of one message: fields in order, and an index by lower-case name."""

    __slots__ = ("fields", "index")

    def __init__(self, fields: Iterable[Field]) -> None:
        self.fields: tuple[Field, ...] = tuple(fields)
        self.index = index(self.fields)

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def all(self, key: bytes) -> Sequence[Field]:
        """Every field of that lower-case name, top to bottom."""
        return self.index.get(key, ())

    def count(self, key: bytes) -> int:
        """How many fields have that lower-case name."""
        return len(self.index.get(key, ()))

    def __contains__(self, key: bytes) -> bool:
        return key in self.index
