"""The signature field put together, by dkimpy with OpenSSL's arithmetic.

NAME
    compose - a signed DKIM-Signature or ARC field out of its tags

GIVEN
    the tags before b=, folded; the signed header in canonical form, as one piece.

GIVES
    the field with b= filled in and folded.

DOES NOT
    choose what is signed.  dkimpy gets a hash that has begun with the header, and no header: its
    own selection is quadratic in the fields, and canonicalises all of them for every signature.

SEE ALSO
    dkim.DomainSigner.gen_header, the one function of dkimpy that is used: for
    "ed25519-sha256" it asks the key object it was given for the signature, whatever that
    object is, and so leaves the arithmetic to us for RSA too.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import NamedTuple

import dkim as dkimpy

from postseal.core import relaxed
from postseal.core.dkim import crypto
from postseal.core.field import Field

_FOLD = b"\r\n "
_WIDTH = 74  # columns, as far as whole tags fit
_B_WIDTH = 71  # octets of b= on a line, as dkimpy folds it


class _Signed(NamedTuple):
    signature: bytes


class _Key(NamedTuple):
    """A private key with the one method that dkimpy calls."""

    private: crypto.PrivateKey

    def sign(self, digest: bytes) -> _Signed:
        return _Signed(crypto.sign(self.private, digest))


class _Canon(NamedTuple):
    """Canonicalization as dkimpy calls it: of no header, and of the field itself.

    before: what stands in the field in front of the tags that dkimpy is given.
    """

    name: bytes
    before: bytes
    is_relaxed: bool

    def canonicalize_headers(self, headers: list[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
        if not headers:
            return headers
        value = self.before + headers[0][1]
        if self.is_relaxed:
            return [(self.name.lower(), relaxed.value(value))]
        return [(self.name, value)]


class _Composer(dkimpy.DomainSigner):
    """A signer without a message, whose hash begins with what is signed."""

    signature_algorithm = b"ed25519-sha256"
    debug_content = False
    linesep = b"\r\n"

    def __init__(self, signed: bytes) -> None:
        self.headers = []
        self.hasher = partial(sha256, signed)


def compose(
    name: bytes, tags: bytes, signed: bytes, is_relaxed: bool, private: crypto.PrivateKey
) -> Field:
    """The field: ` tags; b=...`.

    tags: `v=1; a=...` to the last one before b=, folded, lines after the first starting
    with CRLF and a blank.  signed: the canonical signed fields, each with its CRLF.
    """
    # dkimpy looks for b= with a pattern that is slow: it gets b= alone.
    before = b" %b;\r\n" % tags
    b = _generate(_Canon(name, before, is_relaxed), [(b"b", b"")], signed, private)
    lines = [b[at : at + _B_WIDTH] for at in range(0, len(b), _B_WIDTH)]
    return Field(name, before + b" " + _FOLD.join(lines))


def compose_plain(
    name: bytes, tags: Mapping[bytes, bytes], signed: bytes, private: crypto.PrivateKey
) -> Field:
    """The field with its tags in the order of their names, relaxed, folded after semicolons only.

    This is the form that ARC's test suite writes.  A value is never folded, so that the
    relaxed form, which later seals sign, does not depend on the width of a line.
    """
    canon = _Canon(name, b"", is_relaxed=True)
    first, *rest = _generate(canon, [*tags.items(), (b"b", b"")], signed, private).split(b"; ")
    lines = [b" " + first]
    for word in rest:
        if len(lines[-1]) + len(word) > _WIDTH:
            lines[-1] += b";"
            lines.append(b" " + word)
        else:
            lines[-1] += b"; " + word
    return Field(name, b"\r\n".join(lines))


def _generate(
    canon: _Canon,
    fields: list[tuple[bytes, bytes]],
    signed: bytes,
    private: crypto.PrivateKey,
) -> bytes:
    """The tags, in the order of their names, with b= filled in; not folded."""
    composer = _Composer(signed)
    made = composer.gen_header(fields, [], canon, canon.name, _Key(private), standardize=True)
    return made.removesuffix(b"\r\n")
