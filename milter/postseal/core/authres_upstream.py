"""Authentication-Results of a host in front of us that the operator trusts.

NAME
    authres_upstream - what our own MX has found, as far as it fits this message

GIVEN
    a header that came from a client the operator trusts, the identifiers that host
    writes, and the identities of the message as we see them.

GIVES
    Upstream: domains that SPF and DKIM authenticated there, fit for dmarc.evaluate,
    and the statements that were read.  Never raises.

DOES NOT
    read any field but the topmost, nor one that stands lower than the upstream host
    could have put it; believe a result about an identity that this message does
    not have; repair: a statement that is not in the grammar is left out.

NOTES
    It is on the upstream host to remove what a sender forges in its name: a forged
    field directly below its Received looks like its own.

SEE ALSO
    RFC 8601 sections 1.6, 2.2 and 5; authres_claims, for mail from everybody else.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum

from .authres_claims import KEY, Garbled, after_comment, normal_id
from .field import Field, Header
from .names import BadDomain, ascii_domain

MAX_FIELD = 16384  # octets; beyond, the field is not read
MAX_STATEMENTS = 50


class Why(StrEnum):
    """Closed list: what became of the upstream's results."""

    READ = "read"  # and what fits is in the result; that may be nothing
    ABSENT = "absent"  # no Authentication-Results at all
    NOT_TOPMOST = "not-topmost"  # the topmost is of somebody else
    TOO_LOW = "too-low"  # more Received fields above it than that host adds
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Statement:
    """`method=result` and its properties, names in lower case, as `ptype.name`."""

    method: str
    result: str
    properties: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str | None:
        """The property's value; None when it is missing or there twice."""
        found = [value for key, value in self.properties if key == name]
        return found[0] if len(found) == 1 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identities:
    """The message's own: what a result must be about to count.

    sender is the MAIL FROM domain, helo the HELO name (which counts for the null
    reverse-path alone), signatures the (d=, s=) of every DKIM-Signature; in normal form.
    """

    sender: str | None = None
    helo: str | None = None
    signatures: Collection[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """What the upstream host found and this message bears out."""

    why: Why
    authserv_id: str = ""
    spf_pass_domain: str | None = None
    dkim_pass_domains: tuple[str, ...] = ()
    statements: tuple[Statement, ...] = ()


def read_upstream(
    header: Header,
    upstream_ids: Collection[str],
    identities: Identities,
    *,
    received_above: int = 1,
) -> Upstream:
    """The topmost field, if one of upstream_ids wrote it.

    received_above: how many Received fields the upstream host may have put above
    it; it adds one itself, a content filter there another.
    """
    found = _topmost(header)
    if found is None:
        return Upstream(why=Why.ABSENT)
    field, received = found
    if len(field.value) > MAX_FIELD:
        return Upstream(why=Why.UNREADABLE)
    parts = _parts(field.value)
    if parts is None:
        return Upstream(why=Why.UNREADABLE)
    authserv_id = _authserv_id(parts[0])
    if authserv_id is None:
        return Upstream(why=Why.UNREADABLE)
    if authserv_id not in {normal_id(one) for one in upstream_ids}:
        return Upstream(why=Why.NOT_TOPMOST, authserv_id=authserv_id)
    if received > received_above:
        return Upstream(why=Why.TOO_LOW, authserv_id=authserv_id)
    read = (_statement(part) for part in parts[1 : MAX_STATEMENTS + 1])
    said = tuple(one for one in read if one)
    return Upstream(
        why=Why.READ,
        authserv_id=authserv_id,
        spf_pass_domain=_spf(said, identities),
        dkim_pass_domains=tuple(dict.fromkeys(_dkim(said, identities))),
        statements=said,
    )


def statements(value: bytes) -> tuple[Statement, ...]:
    """Whatever stands in the grammar of a resinfo; () when the field cannot be taken apart.

    Serves ARC-Authentication-Results too: its instance and identifier are no statements.
    """
    parts = _parts(value) if len(value) <= MAX_FIELD else None
    read = (_statement(part) for part in (parts or [])[: MAX_STATEMENTS + 2])
    return tuple(one for one in read if one)


def _topmost(header: Header) -> tuple[Field, int] | None:
    """The first Authentication-Results, and how many Received stand above it."""
    received = 0
    for field in header:
        if field.key == KEY:
            return field, received
        received += field.key == b"received"
    return None


# Taking the field apart: comments out, then at semicolons, then each by the grammar.

_CONTROL = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|(?<!\r)\n|\r(?!\n[ \t])")
_PIECE = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"|[;(]|[^";()]+')
_QUOTED = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_ID = re.compile(rf"\s*({_QUOTED}|[^\s\";=@]+)(?:\s+0*1)?\s*")
_METHOD = re.compile(r"\s*([A-Za-z][A-Za-z0-9-]*)\s*(?:/\s*0*1\s*)?=\s*([A-Za-z]+)(?=\s|\Z)")
_REASON = re.compile(rf"\s+reason=(?:{_QUOTED}|[^\s\"=]+)(?=\s|\Z)")
_PROPERTY = re.compile(
    r"\s+([A-Za-z]+)\.([A-Za-z][A-Za-z0-9_-]*)="
    rf"((?:{_QUOTED})(?:@[^\s\"=@]+)?|[^\s\"]*@[^\s\"=@]+|[^\s\"=]+={{0,2}})(?=\s|\Z)"
)


def _parts(value: bytes) -> list[str] | None:
    """The statements, comments replaced by a blank; None when it cannot be taken apart."""
    if _CONTROL.search(value):
        return None
    value = value.replace(b"\r\n", b"")
    parts = [b""]
    at = 0
    while at < len(value):
        piece = _PIECE.match(value, at)
        if not piece:
            return None
        at = piece.end()
        if piece[0] == b"(":
            try:
                at = after_comment(value, piece.start())[0]
            except Garbled:
                return None
            parts[-1] += b" "
        elif piece[0] == b";":
            parts.append(b"")
        else:
            parts[-1] += piece[0]
    return [part.decode("utf-8", "replace") for part in parts]


def _authserv_id(text: str) -> str | None:
    found = _ID.fullmatch(text)
    return normal_id(_open(found[1])) if found else None


def _statement(text: str) -> Statement | None:
    """One resinfo; None when anything in it is not in the grammar."""
    head = _METHOD.match(text)
    if not head:
        return None
    at = head.end()
    if reason := _REASON.match(text, at):
        at = reason.end()
    properties = []
    while found := _PROPERTY.match(text, at):
        properties.append((f"{found[1]}.{found[2]}".lower(), _open(found[3])))
        at = found.end()
    if text[at:].strip():
        return None
    return Statement(head[1].lower(), head[2].lower(), tuple(properties))


def _open(text: str) -> str:
    """A quoted-string's content; the rest of an address with a quoted local part stays."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


# Only what is about this message.


def _spf(statements: tuple[Statement, ...], mine: Identities) -> str | None:
    """The authenticated MAIL FROM domain; with the null reverse-path that of HELO."""
    for one in statements:
        if (one.method, one.result) != ("spf", "pass"):
            continue
        if mine.sender and _domain(one.get("smtp.mailfrom")) == mine.sender:
            return mine.sender
        if not mine.sender and mine.helo and _domain(one.get("smtp.helo")) == mine.helo:
            return mine.helo
    return None


def _dkim(statements: tuple[Statement, ...], mine: Identities) -> Iterator[str]:
    """d= of signatures that passed there and are still here."""
    for one in statements:
        if (one.method, one.result) != ("dkim", "pass"):
            continue
        domain = _domain(one.get("header.d") or one.get("header.i"))
        selector = one.get("header.s")
        for signed, by in mine.signatures:
            if domain == signed and selector in (None, by):
                yield signed


def _domain(value: str | None) -> str | None:
    """The domain of `domain`, `@domain` or `local@domain`, in normal form."""
    try:
        return ascii_domain(value.rpartition("@")[2]) if value else None
    except BadDomain:
        return None
