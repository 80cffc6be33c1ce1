"""DKIM-Signature: what a signature claims, read strictly.

NAME
    signature - parse one DKIM-Signature field

GIVEN
    a Field, octets as they came.

GIVES
    Signature: every claim checked for syntax, names in A-labels; or SignatureError
    with a closed reason and whatever could be read for the report.

DOES NOT
    look at the message, the clock or DNS.  `a=rsa-sha1` is read and refused later, by
    verify, so that the report can name it.

SEE ALSO
    RFC 6376 sections 3.5 and 6.1.1; RFC 8301 (algorithms); RFC 8463 (Ed25519);
    RFC 8616 section 4 (names and local parts in UTF-8).
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from postseal.core import names, taglist
from postseal.core.canon import BodyKey
from postseal.core.dkim.values import (
    ALGORITHMS,
    Evidence,
    SignatureError,
    SignatureFault,
    check_query,
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
    unquote,
)
from postseal.core.field import Field

MAX_IDENTITY = 1024  # octets of i=, more than any address may have

_REQUIRED = ("v", "a", "b", "bh", "d", "h", "s")


class Signature(NamedTuple):
    """One signature's claims.  Times in seconds since 1970."""

    field: Field
    evidence: Evidence
    key_type: str  # "rsa" or "ed25519": what k= of the key must say
    hash_name: str  # "sha256" or "sha1"
    names: tuple[bytes, ...]  # h=, lower case
    header_relaxed: bool
    body_key: BodyKey
    body_hash: bytes
    value: bytes  # b= decoded
    timestamp: int | None
    expires: int | None
    query_name: str
    identity_domain: str

    @property
    def domain(self) -> str:
        """d=, the name that the signature vouches with."""
        return self.evidence.domain


def parse(field: Field) -> Signature:
    """Read the field.  Raises SignatureError, and nothing else."""
    try:
        tags = taglist.parse(field.value)
    except taglist.TagListError as error:
        raise SignatureError(SignatureFault.SYNTAX, str(error)) from None
    try:
        return _signature(field, tags)
    except SignatureError as error:
        error.evidence = _evidence(tags)
        raise


def _signature(field: Field, tags: Mapping[str, bytes]) -> Signature:
    require(tags, _REQUIRED)
    if tags["v"] != b"1":
        raise SignatureError(SignatureFault.VERSION, "v= is not 1")
    algorithm, key_type, hash_name = read_algorithm(tags["a"])
    if "q" in tags:
        check_query(tags["q"])
    header_relaxed, body_relaxed = read_canonicalization(tags)
    domain = read_name("d", tags["d"])
    selector = read_name("s", tags["s"])
    query_name = read_query_name(selector, domain)
    identity, identity_domain = _identity(tags["i"], domain) if "i" in tags else ("", domain)
    timestamp, expires = read_times(tags)
    value, text = read_base64("b", tags["b"])
    return Signature(
        field=field,
        evidence=Evidence(
            domain=domain,
            selector=selector,
            identity=identity or f"@{domain}",
            algorithm=algorithm,
            b=text.decode("ascii"),
        ),
        key_type=key_type,
        hash_name=hash_name,
        names=_signed_names(tags["h"]),
        header_relaxed=header_relaxed,
        body_key=BodyKey(body_relaxed, read_limit(tags)),
        body_hash=read_body_hash(tags["bh"], hash_name),
        value=value,
        timestamp=timestamp,
        expires=expires,
        query_name=query_name,
        identity_domain=identity_domain,
    )


def _evidence(tags: Mapping[str, bytes]) -> Evidence:
    """What a report can say of a signature that could not be used."""
    found: dict[str, str] = {}
    for tag, key in (("d", "domain"), ("s", "selector")):
        with suppress(names.BadDomain):
            found[key] = names.ascii_domain(tags.get(tag, b""))
    algorithm = tags.get("a", b"").lower()
    if algorithm in ALGORITHMS:
        found["algorithm"] = algorithm.decode("ascii")
    with suppress(SignatureError):
        found["b"] = read_base64("b", tags.get("b", b""))[1].decode("ascii")
    return Evidence(**found)


def _identity(value: bytes, domain: str) -> tuple[str, str]:
    """i= as `local@domain`, and its domain, which must be d= or below it."""
    if len(value) > MAX_IDENTITY:
        raise SignatureError(SignatureFault.SYNTAX, "i= is too long")
    local, at, host = unquote("i", value).rpartition(b"@")
    if not at:
        raise SignatureError(SignatureFault.IDENTITY, "i= has no @")
    below = read_name("i", host)
    if not names.is_at_or_below(below, domain):
        raise SignatureError(SignatureFault.IDENTITY, "i= is neither at nor below d=")
    try:
        text = local.decode("utf-8")
    except UnicodeDecodeError:
        raise SignatureError(SignatureFault.SYNTAX, "i= is not UTF-8") from None
    if not text.isprintable():  # a line end would go into a header of ours
        raise SignatureError(SignatureFault.SYNTAX, "i= holds a control character")
    return f"{text}@{below}", below


def _signed_names(value: bytes) -> tuple[bytes, ...]:
    """h=.  From must be among the names (RFC 6376 section 5.4)."""
    listed = read_field_names(value)
    if b"" in listed:
        raise SignatureError(SignatureFault.SYNTAX, "h= has an empty name")
    if b"from" not in listed:
        raise SignatureError(SignatureFault.FROM_NOT_SIGNED, "h= does not name From")
    return listed
