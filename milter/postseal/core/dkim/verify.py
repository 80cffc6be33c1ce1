"""DKIM: which domains vouch for this message?

NAME
    verify - check every signature of a message, up to a limit

GIVEN
    the Header at its end (prepare), the body digests and a Resolver at the end of the
    message (finish).

GIVES
    one Result for each signature, top to bottom.  Never raises for anything a sender
    or a DNS server can do.

DOES NOT
    see the body, choose what happens to the message, or know DMARC.  A result that is not
    a pass means no more than no signature (RFC 6376 section 6.1).

SEE ALSO
    RFC 6376 section 6; RFC 8301; RFC 8463; RFC 8601 section 2.7.1 (result words);
    RFC 6008 (header.b).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from postseal.core import names
from postseal.core.canon import BodyDigest, BodyKey
from postseal.core.dkim import headerhash, keyrecord
from postseal.core.dkim.crypto import is_signed
from postseal.core.dkim.keyrecord import KeyFault, KeyRecord, KeyRecordError
from postseal.core.dkim.signature import Signature, parse
from postseal.core.dkim.values import Evidence, SignatureError
from postseal.core.field import Field, Header
from postseal.core.resolver import BadName, Kind, Resolver, TemporaryDnsError

_B_LENGTH = 8  # characters of header.b, when that tells the signatures apart (RFC 6008)
_B_LIMIT = 64


class Status(StrEnum):
    """Result word for Authentication-Results (RFC 8601 section 2.7.1)."""

    NONE = "none"  # there is no signature
    PASS = "pass"  # noqa: S105 - verified
    FAIL = "fail"  # read, and does not verify, or has expired
    POLICY = "policy"  # not acceptable here: part of the body unsigned, weak key, over the limit
    NEUTRAL = "neutral"  # could not be judged: from the future, or failing in test mode
    TEMPERROR = "temperror"  # the key could not be fetched; asking later may help
    PERMERROR = "permerror"  # the signature or its key record is unusable


class Why(StrEnum):
    """Closed list of reasons: programs match on it (log, --json), people read detail."""

    NOT_SIGNED = "not-signed"
    VERIFIED = "verified"
    # fail
    BODY_CHANGED = "body-hash-mismatch"
    HEADER_CHANGED = "signature-mismatch"
    EXPIRED = "expired"
    # policy
    PARTIAL_BODY = "body-partly-signed"
    EXTRA_FROM = "from-not-all-signed"
    TOO_MANY = "too-many-signatures"
    KEY_TOO_SMALL = "key-too-small"
    SHA1 = "sha1"
    # neutral
    FUTURE = "from-the-future"
    BODY_UNSEEN = "body-not-seen"
    # temperror
    DNS = "dns"
    # permerror: the signature
    SYNTAX = "syntax"
    MISSING_TAG = "missing-tag"
    VERSION = "version"
    ALGORITHM = "algorithm"
    CANONICALIZATION = "canonicalization"
    QUERY = "query-method"
    FROM_NOT_SIGNED = "from-not-signed"
    IDENTITY = "identity"
    NAME = "bad-name"
    TIMES = "times"
    BODY_SHORT = "body-shorter-than-signed"
    # permerror: the key
    NO_KEY = "no-key"
    KEY_SYNTAX = "key-syntax"
    KEY_VERSION = "key-version"
    KEY_REVOKED = "key-revoked"
    KEY_TYPE = "key-type"
    KEY_HASH = "key-hash"
    KEY_SERVICE = "key-service"
    KEY_UNREADABLE = "key-unreadable"
    KEY_TOO_LARGE = "key-too-large"
    KEY_STRICT = "key-strict"  # t=s, and i= is in a sub-domain


class Result(NamedTuple):
    """What became of one signature.

    domain, selector, identity and algorithm are empty where they could not be read; names
    are A-labels.  b: enough of the signature to tell it from the others (RFC 6008).
    testing: the key is published with t=y; the result must not count for policy,
    pass included (RFC 6376 section 3.6.1).  detail: words for people, free of sender's text.
    """

    status: Status
    why: Why
    domain: str = ""
    selector: str = ""
    identity: str = ""
    algorithm: str = ""
    b: str = ""
    key_bits: int = 0
    testing: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much work one message may cause, and what is accepted."""

    signatures: int = 10  # verified; the rest is reported as policy
    read: int = 100  # parsed, so that aligned ones can be chosen among them
    reported: int = 20  # unusable or surplus ones with a result of their own
    header_octets: int = 4_000_000  # hashed for all signatures together, but one is always tried
    skew: int = 300  # seconds by which clocks may differ
    min_rsa_bits: int = keyrecord.MIN_BITS


class _Finding(NamedTuple):
    """A Result before header.b is cut to length."""

    evidence: Evidence
    status: Status
    why: Why
    detail: str
    key: KeyRecord | None = None


_Slot = Signature | _Finding


def prepare(
    header: Header,
    limits: Limits,
    now: int,
    prefer: Collection[str] = (),
) -> Prepared:
    """Read the signatures and choose those to verify.  Never raises.

    now: seconds since 1970.  prefer: domains in A-labels; when there are more signatures
    than the limit, those at, above or below such a domain go first.  Those are also judged
    first, so that nobody else's keys can use up the time for theirs.
    """
    fields = header.all(b"dkim-signature")
    slots = [_claim(field, limits, now) for field in fields[: limits.read]]
    usable = [i for i, slot in enumerate(slots) if isinstance(slot, Signature)]
    room = _room(header, len(usable), limits)
    if len(usable) > room:
        for i in _concerned_first(usable, slots, prefer)[room:]:
            slots[i] = _Finding(slots[i].evidence, Status.POLICY, Why.TOO_MANY, _SURPLUS)
    return Prepared(header, _curtail(slots, len(fields), limits.reported), limits, prefer)


_SURPLUS = "more signatures than are verified"


def _claim(field: Field, limits: Limits, now: int) -> _Slot:
    """The signature, or what is to be said of it without verifying."""
    try:
        claim = parse(field)
    except SignatureError as error:
        return _Finding(error.evidence, Status.PERMERROR, Why(error.why.value), error.detail)
    if claim.hash_name != "sha256":  # RFC 8301 section 3.1
        return _Finding(claim.evidence, Status.POLICY, Why.SHA1, "rsa-sha1 is not accepted")
    if claim.expires is not None and claim.expires + limits.skew < now:
        return _Finding(claim.evidence, Status.FAIL, Why.EXPIRED, "the signature has expired")
    if claim.timestamp is not None and claim.timestamp - limits.skew > now:
        text = "the signature is from the future"
        return _Finding(claim.evidence, Status.NEUTRAL, Why.FUTURE, text)
    return claim


def _room(header: Header, wanted: int, limits: Limits) -> int:
    """How many signatures may be verified: fewer when each has a huge header to hash."""
    if wanted < 2:
        return limits.signatures
    octets = sum([len(field.name) + len(field.value) for field in header])
    return min(limits.signatures, max(1, limits.header_octets // (octets + 1)))


def _concerns(domain: str, prefer: Collection[str]) -> bool:
    return any(
        names.is_at_or_below(domain, other) or names.is_at_or_below(other, domain)
        for other in prefer
    )


def _concerned_first(
    indexes: Iterable[int], slots: Sequence[_Slot], prefer: Collection[str]
) -> list[int]:
    """The indexes in their order, those of signatures that concern these domains in front."""
    return sorted(indexes, key=lambda i: not _concerns(slots[i].evidence.domain, prefer))


def _curtail(slots: Sequence[_Slot], present: int, room: int) -> tuple[_Slot, ...]:
    """At most `room` findings beside the signatures to verify, and one for all the others."""
    kept: list[_Slot] = []
    for slot in slots:
        if isinstance(slot, _Finding):
            if not room:
                continue
            room -= 1
        kept.append(slot)
    if present > len(kept):
        text = f"{present - len(kept)} more signatures, neither verified nor listed"
        kept.append(_Finding(Evidence(), Status.POLICY, Why.TOO_MANY, text))
    return tuple(kept)


class Prepared:
    """The signatures of one message, read and chosen; waiting for the body."""

    __slots__ = ("_header", "_limits", "_order", "_slots", "body_keys", "query_names")

    def __init__(
        self,
        header: Header,
        slots: tuple[_Slot, ...],
        limits: Limits,
        prefer: Collection[str] = (),
    ) -> None:
        self._header = header
        self._limits = limits
        self._slots = slots
        self._order: Sequence[int] = range(len(slots))
        if len(slots) > 1:
            # What others sign may wait for slow name servers of theirs, until no time is left.
            self._order = _concerned_first(self._order, slots, prefer)
        claims = [slot for i in self._order if isinstance(slot := slots[i], Signature)]
        self.body_keys: frozenset[BodyKey] = frozenset([claim.body_key for claim in claims])
        self.query_names: tuple[str, ...] = tuple(
            dict.fromkeys([claim.query_name for claim in claims])
        )

    @property
    def signatures(self) -> tuple[Signature, ...]:
        """Those that will be verified."""
        return tuple([slot for slot in self._slots if isinstance(slot, Signature)])

    def finish(
        self, digests: Mapping[BodyKey, BodyDigest], resolver: Resolver
    ) -> tuple[Result, ...]:
        """One Result for each signature, in header order; a single `none` without any.

        digests: of every key in body_keys.  Waits for DNS.  Never raises.
        """
        if not self._slots:
            return (Result(status=Status.NONE, why=Why.NOT_SIGNED, detail="not signed"),)
        judged: dict[int, _Finding] = {}
        for i in self._order:
            slot = self._slots[i]
            judged[i] = slot if isinstance(slot, _Finding) else self._judge(slot, digests, resolver)
        findings = [judged[i] for i in range(len(judged))]
        length = _b_length([finding.evidence.b for finding in findings])
        return tuple([_result(finding, length) for finding in findings])

    def _judge(
        self, claim: Signature, digests: Mapping[BodyKey, BodyDigest], resolver: Resolver
    ) -> _Finding:
        evidence = claim.evidence
        body = digests.get(claim.body_key)
        if body is None:
            return _Finding(evidence, Status.NEUTRAL, Why.BODY_UNSEEN, "the body was not read")
        wrong = _body_fault(claim, body)
        try:
            texts = resolver.ask(claim.query_name, Kind.TXT).texts
            keys = keyrecord.candidates(texts, claim.key_type, self._limits.min_rsa_bits)
        except TemporaryDnsError as error:
            if wrong:  # needs no key to be known
                return wrong
            text = f"the key could not be fetched: {error.fault}"
            return _Finding(evidence, Status.TEMPERROR, Why.DNS, text)
        except BadName:
            return _Finding(evidence, Status.PERMERROR, Why.NAME, "s= and d= make no DNS name")
        except KeyRecordError as error:
            status = Status.POLICY if error.why is KeyFault.KEY_TOO_SMALL else Status.PERMERROR
            return _Finding(evidence, status, Why(error.why.value), error.detail)
        return _excuse_test(wrong._replace(key=keys[0]) if wrong else self._try(claim, keys, body))

    def _try(self, claim: Signature, keys: Sequence[KeyRecord], body: BodyDigest) -> _Finding:
        """The body hash is right.  Is the header signed, by any of the keys?"""
        evidence = claim.evidence
        digest = headerhash.digest(self._header, claim.names, claim.field, claim.header_relaxed)
        for key in keys:
            if not is_signed(key.key, claim.value, digest):
                continue
            if key.strict and claim.identity_domain != claim.domain:
                text = "the key (t=s) does not allow i= in a sub-domain"
                return _Finding(evidence, Status.PERMERROR, Why.KEY_STRICT, text, key)
            limit = claim.body_key.limit
            if limit is not None and limit < body.length:  # RFC 6376 section 8.2
                text = f"{body.length - limit} octets at the end of the body are not signed"
                return _Finding(evidence, Status.POLICY, Why.PARTIAL_BODY, text, key)
            if len(self._header.all(b"from")) > claim.names.count(b"from"):  # section 8.15
                text = "there is a From field that is not signed"
                return _Finding(evidence, Status.POLICY, Why.EXTRA_FROM, text, key)
            return _Finding(evidence, Status.PASS, Why.VERIFIED, "", key)
        text = "the signature does not fit the header"
        return _Finding(evidence, Status.FAIL, Why.HEADER_CHANGED, text, keys[0])


def _body_fault(claim: Signature, body: BodyDigest) -> _Finding | None:
    limit = claim.body_key.limit
    if limit is not None and limit > body.length:  # RFC 6376 section 3.5
        text = f"l= counts {limit - body.length} octets more than the body has"
        return _Finding(claim.evidence, Status.PERMERROR, Why.BODY_SHORT, text)
    if body.value != claim.body_hash:
        text = "the body was changed"
        return _Finding(claim.evidence, Status.FAIL, Why.BODY_CHANGED, text)
    return None


def _excuse_test(finding: _Finding) -> _Finding:
    """A domain that tests DKIM is not blamed for a failure (RFC 6376 section 3.6.1)."""
    key = finding.key
    if key is None or not key.testing or finding.status is not Status.FAIL:
        return finding
    return finding._replace(
        status=Status.NEUTRAL, detail=f"{finding.detail}; the domain tests DKIM (t=y)"
    )


def _b_length(texts: Sequence[str]) -> int:
    """How many characters of b= tell the signatures of this message apart."""
    length = _B_LENGTH
    if len(texts) > 1:
        distinct = len(set(texts))
        while length < _B_LIMIT and len({text[:length] for text in texts}) < distinct:
            length += 1
    return length


def _result(finding: _Finding, b_length: int) -> Result:
    evidence, key = finding.evidence, finding.key
    return Result(
        status=finding.status,
        why=finding.why,
        domain=evidence.domain,
        selector=evidence.selector,
        identity=evidence.identity,
        algorithm=evidence.algorithm,
        b=evidence.b[:b_length],
        key_bits=key.bits if key else 0,
        testing=key.testing if key else False,
        detail=finding.detail,
    )
