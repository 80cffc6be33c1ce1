"""ARC: is the chain of those who handled this message unbroken?

NAME
    verify - validate the ARC sets of a message

GIVEN
    the Header at its end (prepare), the body digests and a Resolver at the end of the
    message (finish).

GIVES
    one ArcResult.  Never raises for anything a sender or a DNS server can do.

DOES NOT
    trust anybody: that a sealer sealed says nothing about what it is worth.

SEE ALSO
    RFC 8617 section 5.2.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from hashlib import sha256

from postseal.core.arc.chain import (
    ArcSet,
    Chain,
    ChainError,
    MessageSignature,
    collect,
    highest_instance,
    newest_cv,
)
from postseal.core.canon import BodyDigest, BodyKey
from postseal.core.dkim import headerhash, keyrecord
from postseal.core.dkim.crypto import is_signed
from postseal.core.dkim.keyrecord import KeyRecordError
from postseal.core.field import Header
from postseal.core.resolver import BadName, Kind, Resolver, TemporaryDnsError

# Octets of header hashed to find oldest-pass, which is only for information.
_OLDER_OCTETS = 4_000_000
_AHEAD = 10  # names of keys worth asking for before they are needed


class Status(StrEnum):
    """Result word for Authentication-Results, and value of cv= (RFC 8617 section 4.4)."""

    NONE = "none"  # the message has no ARC set
    PASS = "pass"  # noqa: S105 - the newest message signature and every seal are valid
    FAIL = "fail"  # anything else; it means no more than none


class Why(StrEnum):
    """Closed list of reasons."""

    NO_CHAIN = "no-chain"
    VALID = "valid"
    # The sets themselves (ChainFault)
    INSTANCE = "instance"
    STRUCTURE = "structure"
    CV = "cv"
    CV_FAIL = "cv-fail"
    SEAL_SYNTAX = "seal-syntax"
    # A message signature
    SIGNATURE_SYNTAX = "signature-syntax"
    BODY_CHANGED = "body-hash-mismatch"
    PARTIAL_BODY = "body-partly-signed"
    EXPIRED = "expired"
    HEADER_CHANGED = "signature-mismatch"
    # A seal
    SEAL_INVALID = "seal-mismatch"
    # Either one's key
    NO_KEY = "no-key"
    BAD_KEY = "bad-key"
    DNS = "dns"  # no answer: the chain may be good


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealer:
    """Who sealed: d= and s= in A-labels."""

    domain: str
    selector: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcResult:
    """What became of the chain.

    instances: sets found, 0 when they make no chain.  highest: the highest readable i=.
    failed: the instance that failed, 0 for none.  oldest_pass: the lowest instance whose message
    signature still fits, 0 when all do; only with a pass.  sealers and assessments: of
    instance 1 to N, with a pass only; an assessment is the value of an
    ARC-Authentication-Results field, octets as they came.  from_signed: whether the newest
    message signature covers From; without that nothing may be concluded about the author.
    ended: the newest seal says cv=fail, and nobody may add another (section 5.1 step 2).
    """

    status: Status
    why: Why
    instances: int = 0
    highest: int = 0
    failed: int = 0
    oldest_pass: int = 0
    sealers: tuple[Sealer, ...] = ()
    assessments: tuple[bytes, ...] = ()
    from_signed: bool = False
    ended: bool = False
    detail: str = ""

    @property
    def is_temporary(self) -> bool:
        """Whether asking later may give another result: then nothing should be sealed now."""
        return self.why is Why.DNS


def prepare(header: Header, now: int, *, skew: int = 300, min_rsa_bits: int = 1024) -> PreparedArc:
    """Read the chain.  now: seconds since 1970; skew: seconds by which clocks may differ.

    Never raises.
    """
    try:
        chain = collect(header)
    except ChainError as error:
        broken = ArcResult(
            status=Status.FAIL,
            why=Why(error.why.value),
            highest=highest_instance(header),
            failed=error.instance,
            ended=newest_cv(header) == "fail",
            detail=error.detail,
        )
        return PreparedArc(header, (), broken, now - skew, min_rsa_bits)
    nothing = ArcResult(status=Status.NONE, why=Why.NO_CHAIN) if not chain else None
    return PreparedArc(header, chain, nothing, now - skew, min_rsa_bits)


class _Invalid(Exception):
    """A signature or seal of the chain does not hold."""

    def __init__(self, why: Why, instance: int, detail: str) -> None:
        self.why = why
        self.instance = instance
        self.detail = detail


class PreparedArc:
    """The chain of one message, read; waiting for the body."""

    __slots__ = ("_chain", "_expired", "_header", "_known", "_min_bits", "body_keys", "query_names")

    def __init__(
        self,
        header: Header,
        chain: Chain,
        known: ArcResult | None,
        expired: int,
        min_rsa_bits: int,
    ) -> None:
        self._header = header
        self._chain = chain
        self._known = known
        self._expired = expired  # x= before this moment is past
        self._min_bits = min_rsa_bits
        claims = [link.signature for link in chain if link.signature]
        self.body_keys: frozenset[BodyKey] = frozenset([claim.body_key for claim in claims])
        newest = chain[-1].signature if chain else None
        wanted = [newest.query_name] if newest else []
        wanted += [link.seal.query_name for link in reversed(chain)]
        # The newest only: a long chain must not use up the message's questions beforehand.
        self.query_names: tuple[str, ...] = tuple(dict.fromkeys(wanted))[:_AHEAD]

    def finish(self, digests: Mapping[BodyKey, BodyDigest], resolver: Resolver) -> ArcResult:
        """The result.  digests: of every key in body_keys.  Waits for DNS.  Never raises."""
        if self._known:
            return self._known
        count = len(self._chain)
        try:
            oldest = self._check_signatures(digests, resolver)
            self._check_seals(resolver)
        except _Invalid as fault:
            return ArcResult(
                status=Status.FAIL,
                why=fault.why,
                instances=count,
                highest=count,
                failed=fault.instance,
                detail=fault.detail,
            )
        newest = self._chain[-1].signature
        return ArcResult(
            status=Status.PASS,
            why=Why.VALID,
            instances=count,
            highest=count,
            oldest_pass=oldest,
            sealers=tuple(
                Sealer(domain=link.seal.domain, selector=link.seal.selector) for link in self._chain
            ),
            assessments=tuple(link.results.value for link in self._chain),
            from_signed=newest is not None and b"from" in newest.names,
        )

    def _check_signatures(self, digests: Mapping[BodyKey, BodyDigest], resolver: Resolver) -> int:
        """Steps 4 and 5: the newest must hold; of the others, how far back they do."""
        self._check_signature(self._chain[-1], digests, resolver)
        octets = sum([len(field.name) + len(field.value) for field in self._header])
        room = _OLDER_OCTETS
        for link in reversed(self._chain[:-1]):
            room -= octets
            if room < 0:
                return link.instance + 1
            try:
                self._check_signature(link, digests, resolver)
            except _Invalid:
                return link.instance + 1
        return 0

    def _check_signature(
        self, link: ArcSet, digests: Mapping[BodyKey, BodyDigest], resolver: Resolver
    ) -> None:
        claim = link.signature
        if claim is None:
            text = "the ARC-Message-Signature is malformed"
            raise _Invalid(Why.SIGNATURE_SYNTAX, link.instance, text)
        if claim.expires is not None and claim.expires < self._expired:
            raise _Invalid(Why.EXPIRED, link.instance, "the ARC-Message-Signature has expired")
        _check_body(claim, digests.get(claim.body_key), link.instance)
        digest = headerhash.digest(self._header, claim.names, claim.field, claim.header_relaxed)
        self._check(
            (claim.query_name, claim.key_type, claim.value),
            digest,
            resolver,
            Why.HEADER_CHANGED,
            link.instance,
        )

    def _check_seals(self, resolver: Resolver) -> None:
        """Step 6.  Seal i covers all fields of sets 1 to i: one running hash serves them all."""
        running = sha256()
        digests = []
        for link in self._chain:
            running.update(link.results.relaxed + link.signed.relaxed)
            sealed = running.copy()
            sealed.update(headerhash.without_value(link.seal.field).relaxed[:-2])
            digests.append(sealed.digest())
            running.update(link.seal.field.relaxed)
        for link, digest in zip(reversed(self._chain), reversed(digests), strict=True):
            seal = link.seal
            self._check(
                (seal.query_name, seal.key_type, seal.value),
                digest,
                resolver,
                Why.SEAL_INVALID,
                link.instance,
            )

    def _check(
        self,
        claim: tuple[str, str, bytes],
        digest: bytes,
        resolver: Resolver,
        mismatch: Why,
        instance: int,
    ) -> None:
        """One signature over a digest.  Raises _Invalid."""
        query_name, key_type, value = claim
        try:
            texts = resolver.ask(query_name, Kind.TXT).texts
            keys = keyrecord.candidates(texts, key_type, self._min_bits)
        except TemporaryDnsError as error:
            text = f"the key could not be fetched: {error.fault}"
            raise _Invalid(Why.DNS, instance, text) from None
        except BadName:
            raise _Invalid(Why.NO_KEY, instance, "s= and d= make no DNS name") from None
        except KeyRecordError as error:
            why = Why.NO_KEY if error.why is keyrecord.KeyFault.NO_KEY else Why.BAD_KEY
            raise _Invalid(why, instance, error.detail) from None
        if not any(is_signed(key.key, value, digest) for key in keys):
            raise _Invalid(mismatch, instance, "the signature does not fit the header")


def _check_body(claim: MessageSignature, body: BodyDigest | None, instance: int) -> None:
    if body is None or body.value != claim.body_hash:
        raise _Invalid(Why.BODY_CHANGED, instance, "the body was changed")
    limit = claim.body_key.limit
    if limit is not None and limit != body.length:
        raise _Invalid(Why.PARTIAL_BODY, instance, "l= is not the length of the body")
