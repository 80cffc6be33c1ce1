"""ARC: add a set to the chain.

NAME
    seal - make the three fields of a new ARC set

GIVEN
    the Header as it will leave, the body's digest, what verify found, our own
    authentication results as text, and a key.

GIVES
    the fields, topmost first, to insert at the very top after every other change; none
    where no set may be added.

DOES NOT
    choose what to seal.  ARC is on its way to Historic; sealing is off unless switched on.

SEE ALSO
    RFC 8617 section 5.1.
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass

from postseal.core.arc.chain import AAR, AMS, MAX_INSTANCE, SEAL, ChainError, collect
from postseal.core.arc.verify import ArcResult, Status
from postseal.core.canon import BodyDigest, BodyKey
from postseal.core.dkim import headerhash, headerlist
from postseal.core.dkim.compose import compose_plain
from postseal.core.dkim.sign import SigningKey
from postseal.core.field import Field, Header

BODY_KEY = BodyKey(relaxed=True)  # the digest that seal() wants

# RFC 8617 section 4.1.2: DKIM signatures should be covered, so that they can be judged later.
SIGNED: tuple[bytes, ...] = (*headerlist.SIGNED, b"dkim-signature")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What a message signature covers.  names: the h= value itself, None for what is there."""

    signed: tuple[bytes, ...] = SIGNED
    names: tuple[bytes, ...] | None = None


_DEFAULT = Options()


def seal(
    header: Header,
    key: SigningKey,
    digest: BodyDigest,
    found: ArcResult,
    results: bytes,
    options: Options = _DEFAULT,
    *,
    now: int,
) -> tuple[Field, ...]:
    """ARC-Seal, ARC-Message-Signature and ARC-Authentication-Results, or () for none.

    key: RSA, if others shall be able to verify: most know Ed25519 for DKIM only.
    digest: of BODY_KEY.  results: what an Authentication-Results field of ours would hold,
    authserv-id first, filtered, folded with CRLF and a blank.  now: seconds since 1970.

    No set is added to a chain that has ended, that has fifty sets, or whose state could not be
    found out for want of DNS: a seal would call it broken for ever.
    """
    instance = found.highest + 1
    if found.ended or found.is_temporary or instance > MAX_INSTANCE:
        return ()
    number = b"%d" % instance
    aar = Field(b"ARC-Authentication-Results", b" i=%b; %b" % (number, results.strip()))
    ams = _message_signature(header, key, digest, options, number, now)
    tags = {
        b"i": number,
        b"cv": found.status.value.encode("ascii"),
        **_signer(key, now),
    }
    covered = b"" if found.status is Status.FAIL else _earlier(header)
    covered += aar.relaxed + ams.relaxed
    sealed = compose_plain(b"ARC-Seal", tags, covered, key.private)
    return sealed, ams, aar


def _message_signature(
    header: Header,
    key: SigningKey,
    digest: BodyDigest,
    options: Options,
    number: bytes,
    now: int,
) -> Field:
    names = options.names
    if names is None:
        names = _choose(header, options.signed)
    names = tuple([name for name in names if name not in (AAR, AMS, SEAL)])
    tags = {
        b"i": number,
        b"c": b"relaxed/relaxed",
        b"h": b":".join(names),
        b"bh": b64encode(digest.value),
        **_signer(key, now),
    }
    covered = b"".join([field.relaxed for field in headerhash.select(header, names)])
    return compose_plain(b"ARC-Message-Signature", tags, covered, key.private)


def _choose(header: Header, signed: tuple[bytes, ...]) -> tuple[bytes, ...]:
    """Each name as often as it occurs; From once more, as in DKIM."""
    names = [b"from"] * (len(header.all(b"from")) + 1)
    for name in signed:
        if name != b"from":
            names += [name] * len(header.all(name))
    return tuple(names)


def _signer(key: SigningKey, now: int) -> dict[bytes, bytes]:
    return {
        b"a": key.algorithm.encode("ascii"),
        b"d": key.domain.encode("ascii"),
        b"s": key.selector.encode("ascii"),
        b"t": b"%d" % now,
    }


def _earlier(header: Header) -> bytes:
    """The sets before ours, as section 5.1.1 orders them."""
    try:
        chain = collect(header)
    except ChainError:  # then found says fail, and we are not called
        return b""
    return b"".join(
        [link.results.relaxed + link.signed.relaxed + link.seal.field.relaxed for link in chain]
    )
