"""ARC sets: which fields of a header make the chain.

NAME
    chain - collect and check the ARC sets of a message

GIVEN
    a Header.

GIVES
    Chain: sets 1 to N, each with its three fields, tags read; or ChainError.

DOES NOT
    verify anything.

SEE ALSO
    RFC 8617 sections 4.1, 4.2 and 5.2 (steps 1 to 3).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from postseal.core import taglist
from postseal.core.canon import BodyKey
from postseal.core.dkim.values import (
    SignatureError,
    SignatureFault,
    read_algorithm,
    read_base64,
    read_body_hash,
    read_canonicalization,
    read_field_names,
    read_limit,
    read_name,
    read_query_name,
    read_times,
    require,
)
from postseal.core.field import Field, Header

MAX_INSTANCE = 50  # RFC 8617 section 4.2.1

AAR = b"arc-authentication-results"
AMS = b"arc-message-signature"
SEAL = b"arc-seal"


class ChainFault(StrEnum):
    """Closed list: why the fields make no chain."""

    INSTANCE = "instance"  # i= absent, not a number, or not from 1 to 50
    STRUCTURE = "structure"  # not exactly one field of each kind for each of 1 to N
    CV = "cv"  # cv= is not "none" at 1 and "pass" above
    CV_FAIL = "cv-fail"  # a sealer has found the chain broken before
    SEAL_SYNTAX = "seal-syntax"


class ChainError(ValueError):
    """The fields make no chain.  instance: where, 0 when it cannot be said."""

    def __init__(self, why: ChainFault, detail: str, instance: int = 0) -> None:
        self.why = why
        self.detail = detail
        self.instance = instance
        super().__init__(f"{why}: {detail}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Seal:
    """One ARC-Seal's claims."""

    field: Field
    domain: str
    selector: str
    query_name: str
    key_type: str
    value: bytes  # b= decoded
    cv: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MessageSignature:
    """One ARC-Message-Signature's claims."""

    field: Field
    domain: str
    query_name: str
    key_type: str
    value: bytes
    names: tuple[bytes, ...]
    header_relaxed: bool
    body_key: BodyKey
    body_hash: bytes
    expires: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ArcSet:
    """The three fields of one instance.  signature is None when its tags cannot be used."""

    instance: int
    results: Field
    signed: Field
    seal: Seal
    signature: MessageSignature | None


Chain = tuple[ArcSet, ...]


def highest_instance(header: Header) -> int:
    """The highest readable i=, 0 without any: where a new set has to be counted from.

    Of no more fields than a chain can have, from the top, where the newest stand.
    """
    found = 0
    for key in (AAR, AMS, SEAL):
        for field in header.all(key)[: MAX_INSTANCE + 1]:
            number = _instance(key, field)
            if number is not None and number > found:
                found = number
    return found


def newest_cv(header: Header) -> str:
    """cv= of the newest seal, "" when it cannot be read."""
    newest, cv = 0, ""
    for field in header.all(SEAL)[: MAX_INSTANCE + 1]:
        number = _instance(SEAL, field)
        if number is not None and number > newest:
            newest = number
            cv = _tags(field).get("cv", b"").lower().decode("ascii", "replace")
    return cv


def collect(header: Header) -> Chain:
    """The sets in order, () without any.  Raises ChainError, and nothing else."""
    kinds = {key: header.all(key) for key in (AAR, AMS, SEAL)}
    counts = {key: len(fields) for key, fields in kinds.items()}
    number = max(counts.values())
    if number == 0:
        return ()
    if number > MAX_INSTANCE:  # before any of them is read
        raise ChainError(ChainFault.INSTANCE, f"more than {MAX_INSTANCE} ARC sets")
    if min(counts.values()) != number:
        raise ChainError(ChainFault.STRUCTURE, "the ARC sets are not complete")
    ordered = {key: _in_order(key, fields) for key, fields in kinds.items()}
    seals = [_seal(i, field) for i, field in enumerate(ordered[SEAL], 1)]
    _check_cv(seals)
    return tuple(
        ArcSet(instance=i, results=aar, signed=ams, seal=seal, signature=_message_signature(ams))
        for i, (aar, ams, seal) in enumerate(zip(ordered[AAR], ordered[AMS], seals, strict=True), 1)
    )


def _in_order(key: bytes, fields: Sequence[Field]) -> list[Field]:
    """The fields by i=, which must be 1 to their number."""
    found: dict[int, Field] = {}
    for field in fields:
        number = _instance(key, field)
        if number is None:
            raise ChainError(ChainFault.INSTANCE, f"{key.decode()} without a usable i=")
        if number in found:
            raise ChainError(ChainFault.STRUCTURE, f"{key.decode()} occurs twice", number)
        found[number] = field
    if max(found) != len(found):
        raise ChainError(ChainFault.STRUCTURE, f"{key.decode()} is missing")
    return [found[number] for number in sorted(found)]


def _instance(key: bytes, field: Field) -> int | None:
    """i= of an ARC field; in ARC-Authentication-Results it must stand first."""
    if key == AAR:
        name, equals, value = field.value.partition(b";")[0].partition(b"=")
        if not equals or b";" not in field.value or name.strip(taglist.FWS) != b"i":
            return None
        text = value.strip(taglist.FWS)
    else:
        text = _tags(field).get("i", b"")
    if not text.isdigit() or len(text) > 2:
        return None
    number = int(text)
    return number if 1 <= number <= MAX_INSTANCE else None


def _tags(field: Field) -> dict[str, bytes]:
    try:
        return taglist.parse(field.value)
    except taglist.TagListError:
        return {}


def _seal(instance: int, field: Field) -> Seal:
    """RFC 8617 section 4.1.3."""
    tags = _tags(field)
    try:
        require(tags, ("a", "b", "cv", "d", "s"))
        if "h" in tags:
            raise SignatureError(SignatureFault.SYNTAX, "h= is not allowed in ARC-Seal")
        _, key_type, _ = _modern(tags["a"])
        domain, selector = read_name("d", tags["d"]), read_name("s", tags["s"])
        read_times(tags)
        return Seal(
            field=field,
            domain=domain,
            selector=selector,
            query_name=read_query_name(selector, domain),
            key_type=key_type,
            value=read_base64("b", tags["b"])[0],
            cv=tags["cv"].lower().decode("ascii", "replace"),
        )
    except SignatureError as error:
        raise ChainError(ChainFault.SEAL_SYNTAX, error.detail, instance) from None


def _modern(value: bytes) -> tuple[str, str, str]:
    """a=, which must not be of the time of SHA-1 (RFC 8301)."""
    read = read_algorithm(value)
    if read[2] != "sha256":
        raise SignatureError(SignatureFault.ALGORITHM, "rsa-sha1 is not accepted")
    return read


def _check_cv(seals: list[Seal]) -> None:
    """RFC 8617 section 5.2 steps 2 and 3 C."""
    for instance, seal in enumerate(seals, 1):
        if seal.cv == "fail":
            raise ChainError(ChainFault.CV_FAIL, "the chain was found broken before", instance)
    for instance, seal in enumerate(seals, 1):
        if seal.cv != ("none" if instance == 1 else "pass"):
            raise ChainError(ChainFault.CV, "cv= is not what this place needs", instance)


def _message_signature(field: Field) -> MessageSignature | None:
    """RFC 8617 section 4.1.2: a DKIM signature without v=, whose i= is the instance."""
    tags = _tags(field)
    try:
        require(tags, ("a", "b", "bh", "d", "s"))
        if "h" not in tags:
            return None
        names = read_field_names(tags["h"])
        if SEAL in names:
            return None
        _, key_type, hash_name = _modern(tags["a"])
        # Without c= the drafts and every implementation mean relaxed; RFC 8617 says nothing.
        header_relaxed, body_relaxed = read_canonicalization({"c": b"relaxed/relaxed"} | tags)
        domain, selector = read_name("d", tags["d"]), read_name("s", tags["s"])
        _, expires = read_times(tags)
        return MessageSignature(
            field=field,
            domain=domain,
            query_name=read_query_name(selector, domain),
            key_type=key_type,
            value=read_base64("b", tags["b"])[0],
            names=tuple(name for name in names if name),
            header_relaxed=header_relaxed,
            body_key=BodyKey(body_relaxed, read_limit(tags)),
            body_hash=read_body_hash(tags["bh"], hash_name),
            expires=expires,
        )
    except SignatureError:
        return None
