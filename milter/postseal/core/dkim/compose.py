"""The signature field put together, by dkimpy with OpenSSL's arithmetic.

NAME
    compose - a signed DKIM-Signature or ARC field out of its tags

GIVEN
    the tags before b=, folded; the signed header in canonical form, as one piece.

GIVES
    the field with b= filled in and folded.

DOES NOT
    choose what is signed.  dkimpy gets one header that is canonical already: its own
    selection is quadratic in the fields, and canonicalises all of them for every signature.

SEE ALSO
    dkim.DomainSigner.gen_header, the one function of dkimpy that is used: for
    "ed25519-sha256" it asks the key object it was given for the signature, whatever that
    object is, and so leaves the arithmetic to us for RSA too.
"""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import NamedTuple

import dkim as dkimpy

from postseal.core.dkim import crypto
from postseal.core.field import Field

# gen_header folds b= twice: with this place-holder, which decides where the hashed text
# folds, and with the signature.  As long as both are longer than the rest of a line, the folds
# before the signature are the same, which `simple` depends on.
_PLACE_HOLDER = b"0" * 72
_FOLD = b"\r\n "
_FULL = range(43, 49)  # octets of a line without room for "; b=" and _SHORT more
_SHORT = 16
_WIDTH = 74  # columns, as far as whole tags fit


class _Signed(NamedTuple):
    signature: bytes


class _Key(NamedTuple):
    """A private key with the one method that dkimpy calls."""

    private: crypto.PrivateKey

    def sign(self, digest: bytes) -> _Signed:
        return _Signed(crypto.sign(self.private, digest))


class _Canon:
    """Canonicalization as dkimpy calls it: of our one piece, and of the field itself.

    before: what stands in the field in front of the tags that dkimpy is given.
    """

    __slots__ = ("_before", "_ready", "_relaxed")

    def __init__(self, ready: list[tuple[bytes, bytes]], before: bytes, relaxed: bool) -> None:
        self._ready = ready
        self._before = before
        self._relaxed = relaxed

    def canonicalize_headers(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        if headers is self._ready:
            return headers
        name, tail = headers[0]
        value = b" " + self._before + tail[1:]
        if not self._relaxed:
            return [(name, value)]
        name, _, value = Field(name, value).relaxed.partition(b":")
        return [(name, value)]


class _Composer(dkimpy.DomainSigner):
    """A signer without a message."""

    def __init__(self, ready: list[tuple[bytes, bytes]]) -> None:
        self.headers = ready
        self.signature_algorithm = b"ed25519-sha256"
        self.hasher = sha256
        self.debug_content = False
        self.linesep = b"\r\n"


def compose(
    name: bytes, tags: bytes, signed: bytes, relaxed: bool, private: crypto.PrivateKey
) -> Field:
    """The field: ` tags; b=...`.

    tags: `v=1; a=...` to the last one before b=, folded, lines after the first starting
    with CRLF and a blank.  signed: the canonical signed fields, each with its CRLF.
    """
    # dkimpy folds from the last fold on, and looks for b= with a pattern that is slow: it gets
    # the last line alone.
    before, fold, last = tags.rpartition(_FOLD)
    if b"=" not in last:  # it goes on from the line above
        before, fold, last = b"", b"", tags
    tag, _, text = last.partition(b"=")
    # bh= of SHA-256 has a line to itself, with a fold before b= and no other.
    full = len(last) in _FULL and b" " not in last
    fields = [(tag, text), (b"b", _PLACE_HOLDER[: _SHORT if full else None])]
    return _generate(name, fields, signed, relaxed, private, before=before + fold)


def compose_plain(
    name: bytes, tags: Mapping[bytes, bytes], signed: bytes, private: crypto.PrivateKey
) -> Field:
    """The field with its tags in the order of their names, relaxed, folded after semicolons only.

    This is the form that ARC's test suite writes.  A value is never folded, so that the
    relaxed form, which later seals sign, does not depend on the width of a line.
    """
    field = _generate(name, [*tags.items(), (b"b", b"")], signed, True, private, plain=True)
    first, *rest = field.value.split(b"; ")
    lines = [first]
    for word in rest:
        if len(lines[-1]) + len(word) > _WIDTH:
            lines[-1] += b";"
            lines.append(b" " + word)
        else:
            lines[-1] += b"; " + word
    return Field(name, b"\r\n".join(lines))


def _generate(
    name: bytes,
    fields: list[tuple[bytes, bytes]],
    signed: bytes,
    relaxed: bool,
    private: crypto.PrivateKey,
    *,
    before: bytes = b"",
    plain: bool = False,
) -> Field:
    first, colon, rest = signed.partition(b":")
    ready = [(first, rest)] if colon else []
    names = [first.lower()] if colon else []
    value = _Composer(ready).gen_header(
        fields, names, _Canon(ready, before, relaxed), name, _Key(private), standardize=plain
    )
    return Field(name, b" " + before + value.removesuffix(b"\r\n"))
