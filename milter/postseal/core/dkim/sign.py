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
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

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
_WIDTH = 76  # columns; lines must stay below 78 (RFC 5322 section 2.1.1)
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


def choose_headers(header: Header, options: Options = _DEFAULT) -> tuple[bytes, ...]:
    """The names of h= for this message."""
    return headerlist.choose(header, options.signed, options.oversigned)


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
    listed = choose_headers(header, options)
    tags = [
        "v=1",
        f"a={key.algorithm}",
        f"c={_form(options.header_relaxed)}/{_form(options.body_relaxed)}",
        f"d={key.domain}",
        f"s={key.selector}",
    ]
    if options.identity and _is_within(options.identity, key.domain):
        tags.append(f"i={_quoted(options.identity)}")
    tags.append(f"t={now}")
    if options.expire_seconds:
        tags.append(f"x={now + options.expire_seconds}")
    folded = _fold(tags, listed, b64encode(digest.value))
    fields = headerhash.select(header, listed)
    covered = b"".join(
        [f.relaxed for f in fields] if options.header_relaxed else [f.simple for f in fields]
    )
    return compose(_NAME, folded, covered, options.header_relaxed, key.private)


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


def _fold(tags: Iterable[str], listed: Iterable[bytes], body_hash: bytes) -> bytes:
    """All tags but b= on lines of at most _WIDTH columns where words allow it.

    h= is folded after colons only; within a name no reader would understand it.
    """
    words = [f"{tag};".encode("ascii") for tag in tags]
    lines: list[bytes] = []
    line = words[0]
    room = _WIDTH - len(_NAME) - 2
    for word in words[1:]:
        if len(line) + 1 + len(word) <= room:
            line += b" " + word
        else:
            lines.append(line)
            line, room = word, _WIDTH - 1
    lines.append(line)
    line = b"h="
    for name in listed:
        if len(line) + len(name) + 1 > _WIDTH - 1:
            lines.append(line)
            line = b""
        line += name + b":"
    lines.append(line[:-1] + b";")
    lines.append(b"bh=" + body_hash)
    return b"\r\n ".join(lines)
