"""DKIM: vouch for a message.

NAME
    sign - make one DKIM-Signature

GIVEN
    the Header as it will leave, the body's digest, a SigningKey, Options.

GIVES
    the Field to insert at the top.

DOES NOT
    choose who signs, or read files and the clock.

SEE ALSO
    RFC 6376 section 5; headerlist (what is signed); compose (how).
"""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache, reduce
from itertools import chain
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from postseal.core import names
from postseal.core.canon import BodyDigest, BodyKey
from postseal.core.dkim import crypto, headerhash, headerlist
from postseal.core.dkim.compose import compose
from postseal.core.dkim.signature import parse
from postseal.core.dkim.values import SignatureError
from postseal.core.field import Field, Header
from postseal_keys import keypair
from postseal_keys.console import Problem

_NAME = b"DKIM-Signature"
_FOLD = b"\r\n "
_WIDTH = 76  # columns; lines must stay below 78 (RFC 5322 section 2.1.1)
_KEPT = 1024  # beginnings of signatures that are remembered: one for each key, or author with i=
_SHAPES = 128  # lists of names that are remembered ...
_FEW = 256  # ... for messages with no more signed fields than this
SAMPLE = 16  # one message in so many, with SelfCheck.SAMPLE; a power of two
# dkim-quoted-printable leaves these as they are (RFC 6376 section 2.11).
_PLAIN = frozenset(set(range(0x21, 0x7F)) - set(b"=;"))


class UnusableKey(ValueError):
    """The key, or its domain or selector, cannot sign.  The message says why, never the key."""

    def __init__(self, text: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(text)


@dataclass(frozen=True, slots=True, eq=False)
class SigningKey:
    """One private key and the name it is published under.  Domain and selector in A-labels."""

    domain: str
    selector: str
    algorithm: str  # the a= value
    private: crypto.PrivateKey
    public: crypto.PublicKey

    def __repr__(self) -> str:
        return f"SigningKey({self.query_name}, {self.algorithm})"

    @property
    def query_name(self) -> str:
        """Where the public key is published."""
        return f"{self.selector}._domainkey.{self.domain}"


def signing_key(private: crypto.PrivateKey, domain: str, selector: str) -> SigningKey:
    """A SigningKey for a key object.  Raises UnusableKey."""
    try:
        domain, selector = names.ascii_domain(domain), names.ascii_domain(selector)
    except names.BadDomain as error:
        raise UnusableKey(f"{selector!r} at {domain!r} is not a DNS name: {error}") from None
    if len(domain) + len(selector) + len("._domainkey.") > names.MAX_NAME:
        raise UnusableKey("selector and domain together are too long for DNS")
    is_ed25519 = isinstance(private, Ed25519PrivateKey)
    return SigningKey(
        domain=domain,
        selector=selector,
        algorithm="ed25519-sha256" if is_ed25519 else "rsa-sha256",
        private=private,
        public=private.public_key(),
    )


def load(data: bytes, domain: str, selector: str, *, where: str = "key") -> SigningKey:
    """A SigningKey from PEM (PKCS#1, PKCS#8), DER or base64.  where names it in messages.

    Raises UnusableKey.  Takes some 40 ms for RSA, because the primes are checked: once per key.
    """
    try:
        private = keypair.load(data, where=where)
    except Problem as problem:
        raise UnusableKey(str(problem), getattr(problem, "hint", "")) from None
    return signing_key(private, domain, selector)


class SelfCheck(StrEnum):
    """Which signatures are verified when they are made."""

    ALL = "all"
    SAMPLE = "sample"
    OFF = "off"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """How to sign.  Names in lower case; expire_seconds None for no x=; identity "" for no i=.

    self_check: which signatures are to be held against the public half: `all`, `off`, or one
    message in SAMPLE.  watch: whether to look for what will break the signature on its way.
    """

    header_relaxed: bool = True
    body_relaxed: bool = True
    signed: tuple[bytes, ...] = headerlist.SIGNED
    oversigned: tuple[bytes, ...] = headerlist.OVERSIGNED
    expire_seconds: int | None = None
    identity: str = ""
    self_check: SelfCheck = SelfCheck.SAMPLE
    watch: bool = True

    def checks(self, digest: BodyDigest) -> bool:
        """Whether this message's signatures are to be checked: always the same for one body."""
        if self.self_check is SelfCheck.SAMPLE:
            return digest.value[0] < 256 // SAMPLE
        return self.self_check is SelfCheck.ALL

    @property
    def body_key(self) -> BodyKey:
        """Which digest sign() wants.  Never with a limit: l= is not made."""
        return BodyKey(self.body_relaxed)


_DEFAULT = Options()


class Coverage(NamedTuple):
    """What a signature of a message covers: the same for every key.

    fields: in the order they are signed; octets: their canonical form; names: h=, folded.
    """

    fields: list[Field]
    octets: bytes
    names: bytes


def cover(header: Header, options: Options = _DEFAULT) -> Coverage:
    """What every signature of this message will cover: sign() in its first half."""
    plan = headerlist.plan(options.signed, options.oversigned)
    instances = list(map(header.all, plan.names))
    counts = tuple(map(len, instances))
    # h= names each field as often as it occurs, so that all are taken: from the bottom up.
    fields = list(chain.from_iterable(map(reversed, instances)))
    names = _h_of_few(plan, counts) if len(fields) <= _FEW else _h(plan, counts)
    return Coverage(fields, headerhash.canonical(fields, options.header_relaxed), names)


def sign(
    header: Header,
    key: SigningKey,
    digest: BodyDigest,
    options: Options = _DEFAULT,
    *,
    now: int,
) -> Field:
    """The DKIM-Signature for this header and body.

    digest: of options.body_key.  now: seconds since 1970.  The value starts with a blank, is
    folded with CRLF and a blank, and does not end in CRLF.
    """
    return sign_covered(cover(header, options), key, digest, options, options.identity, now)


def sign_covered(
    covered: Coverage,
    key: SigningKey,
    digest: BodyDigest,
    options: Options,
    identity: str,
    now: int,
) -> Field:
    """sign() for one key of several.  covered: of the same options, identity: instead of theirs."""
    form = f"{_form(options.header_relaxed)}/{_form(options.body_relaxed)}"
    tags = _opening(key.algorithm, form, key.domain, key.selector, identity)
    tags = _with_tag(tags, b"t=%d;" % now)
    if options.expire_seconds:
        tags = _with_tag(tags, b"x=%d;" % (now + options.expire_seconds))
    tags = _FOLD.join((tags, covered.names, b"bh=" + b64encode(digest.value)))
    return compose(_NAME, tags, covered.octets, options.header_relaxed, key.private)


def self_check(field: Field, header: Header, key: SigningKey, digest: BodyDigest) -> bool:
    """Whether a verifier with the public half accepts what sign() made.  Never raises."""
    try:
        claim = parse(field)
    except SignatureError:
        return False
    hashed = headerhash.digest(header, claim.names, field, claim.header_relaxed)
    return claim.body_hash == digest.value and crypto.is_signed(key.public, claim.value, hashed)


def _form(relaxed: bool) -> str:
    return "relaxed" if relaxed else "simple"


def _is_within(identity: str, domain: str) -> bool:
    """Whether i= may be this: at or below d=.  One that may not is left out."""
    below = names.mailbox_domain(identity)
    return below is not None and names.is_at_or_below(below, domain)


def _quoted(identity: str) -> str:
    """i= as dkim-quoted-printable, its domain in A-labels."""
    local, _, _ = identity.rpartition("@")
    text = "".join(
        chr(octet) if octet in _PLAIN else f"={octet:02X}" for octet in local.encode("utf-8")
    )
    return f"{text}@{names.mailbox_domain(identity)}"


@lru_cache(maxsize=_KEPT)
def _opening(algorithm: str, form: str, domain: str, selector: str, identity: str) -> bytes:
    """The tags before t=, folded: the same for every signature of a key."""
    tags = ["v=1;", f"a={algorithm};", f"c={form};", f"d={domain};", f"s={selector};"]
    if identity and _is_within(identity, domain):
        tags.append(f"i={_quoted(identity)};")
    return reduce(_with_tag, [tag.encode("ascii") for tag in tags])


def _with_tag(tags: bytes, tag: bytes) -> bytes:
    """The tags and one more, on a new line where it does not fit into _WIDTH columns."""
    _, fold, line = tags.rpartition(_FOLD)
    room = _WIDTH - 1 if fold else _WIDTH - len(_NAME) - 2
    return tags + (b" " if len(line) + 1 + len(tag) <= room else _FOLD) + tag


def _h(plan: headerlist.Plan, counts: tuple[int, ...]) -> bytes:
    """h= for a message in which each name of the plan occurs so often.

    Folded after colons only; within a name no reader would understand it.
    """
    lines: list[bytes] = []
    line = b"h="
    for name in plan.listed(counts):
        if len(line) + len(name) + 1 > _WIDTH - 1:
            lines.append(line)
            line = b""
        line += name + b":"
    lines.append(line[:-1] + b";")
    return _FOLD.join(lines)


# Nearly all messages of a host have one of a few dozen sets of fields.
_h_of_few = lru_cache(maxsize=_SHAPES)(_h)
