"""Author Domains: whose message does the From field say it is?

NAME
    address - read From fields to the domains that DMARC and signing are about

GIVEN
    the From fields of a message, as the octets that arrived.

GIVES
    Authors: every domain once, in the order written, and one closed reason.
    Only Why.ONE is a reading without doubt.  What cannot be read carries every
    domain that another reader might see in it, so that a policy can be strict:
    nothing a sender writes makes a domain disappear from here.

DOES NOT
    recurse, decode encoded words, look inside comments and quoted strings of a
    readable field, or raise.  Work grows with length, and length is capped.

NOTES
    Some mail is not RFC 5322 but has one reading only: `Doe, Ann <a@x.example>`
    and `a@x.example <a@x.example>`.  It is read, and forgiven is set.  Dots and
    8-bit text in display names are so usual that they are not even noted.

SEE ALSO
    RFC 5322 sections 3.4, 3.4.1 and 4.4, RFC 6532, RFC 6854,
    RFC 9989 sections 5.3.1 and 11.5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice, pairwise

from .field import Field, Header
from .names import BadDomain, ascii_domain

MAX_FIELD = 8192  # octets of one From field that are read; real ones stay below 1 kB
MAX_ADDRESSES = 200
MAX_FIELDS = 10  # From fields that are read, two times MAX_FIELD together; RFC 5322 allows one


class Why(StrEnum):
    """Closed list: what the From fields turned out to be."""

    ONE = "one"  # one field, readable, one domain: however many addresses
    MISSING = "missing"
    SEVERAL_FIELDS = "several-fields"
    UNPARSABLE = "unparsable"  # or too long, too many addresses, control octets
    NO_DOMAIN = "no-domain"  # an empty field, an empty group, a bare word
    BAD_DOMAIN = "bad-domain"  # an address literal, or nothing that DNS can hold
    SEVERAL_DOMAINS = "several-domains"


class Status(StrEnum):
    """How far the domains can be relied on."""

    SOUND = "sound"  # exactly one Author Domain
    DOUBTFUL = "doubtful"  # domains were found, but not exactly one beyond doubt
    NONE = "none"  # no domain at all


@dataclass(frozen=True, slots=True, kw_only=True)
class Authors:
    """The Author Domains of a message.

    domains are in normal form (names.ascii_domain), each once.  addresses counts
    those that were read.  first_address is `local@domain` of the first one that
    has a usable domain, the local part as written; "" if there is none.
    """

    why: Why
    domains: tuple[str, ...] = ()
    addresses: int = 0
    first_address: str = ""
    forgiven: bool = False

    @property
    def status(self) -> Status:
        if self.why is Why.ONE:
            return Status.SOUND
        return Status.DOUBTFUL if self.domains else Status.NONE

    @property
    def domain(self) -> str | None:
        """The one Author Domain; None when there is any doubt."""
        return self.domains[0] if self.why is Why.ONE else None


def from_fields(header: Header) -> tuple[Field, ...]:
    """Every From field, top to bottom; `From :` is one too (RFC 5322 section 4.5)."""
    return tuple(field for field in header if field.key.rstrip(b" \t") == b"from")


def author_domains(fields: Sequence[Field]) -> Authors:
    """The Author Domains of these From fields.  Never raises."""
    if not fields:
        return Authors(why=Why.MISSING)
    if len(fields) == 1:
        return _read_field(fields[0].value)
    read: list[Authors] = []
    octets = 0
    for field in fields[:MAX_FIELDS]:
        octets += len(field.value)
        if octets > 2 * MAX_FIELD:
            break
        read.append(_read_field(field.value))
    return Authors(
        why=Why.SEVERAL_FIELDS,
        domains=_unique(domain for one in read for domain in one.domains),
        addresses=sum(one.addresses for one in read),
        first_address=next((one.first_address for one in read if one.first_address), ""),
    )


# Reading one field: octets -> tokens -> elements (between commas) -> addresses.


class _Unreadable(Exception):
    """Not an address list in any form of RFC 5322 that has one reading."""


class _Kind(StrEnum):
    WORD = "word"  # a run of atom characters and dots, 8-bit octets included
    QUOTED = "quoted"
    LITERAL = "literal"
    AT = "@"
    LT = "<"
    GT = ">"
    COMMA = ","
    COLON = ":"
    SEMI = ";"


_Token = tuple[_Kind, bytes]

_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_TOKEN = re.compile(
    rb"""[ \t]*(?:
      (?P<WORD>[^\x00-\x20()<>\[\]:;@\\,"\x7f]+)
    | (?P<SPECIAL>[@<>,:;])
    | (?P<QUOTED>"[^"\\]*(?:\\.[^"\\]*)*")
    | (?P<COMMENT>\()
    | (?P<LITERAL>\[[^\[\]\\]*\])
    )""",
    re.VERBOSE,
)
_ROUTE = re.compile(r"(?:(?:, )*@ word ?)+(?:, ?)*")  # kinds of token: obs-domain-list
_COMMENT_MARK = re.compile(rb"[()]|\\.")
_NAME = re.compile(rb"[A-Za-z0-9_.\x80-\xff-]+")
_PLAUSIBLE = re.compile(rb"@[\x00-\x20]*(" + _NAME.pattern + rb")")


_PLAIN = re.compile(  # what nearly all mail has; the reading below gives the same for it
    rb"""[ \t]*(?:
      (?:[A-Za-z0-9 .'-]*|"[^"\\\x00-\x1f\x7f]*"[ ]*)
      <([A-Za-z0-9._+=-]+@)([A-Za-z0-9.-]+)>
    | ([A-Za-z0-9._+=-]+@)([A-Za-z0-9.-]+)
    )[ \t]*""",
    re.VERBOSE,
)


def _read_field(value: bytes) -> Authors:
    if len(value) <= MAX_FIELD and (plain := _PLAIN.fullmatch(value)):
        local, name = plain[1] or plain[3], plain[2] or plain[4]
        try:
            domain = ascii_domain(name)
        except BadDomain:
            return _read_list(value)
        first = f"{local.decode('ascii')}{domain}"
        return Authors(why=Why.ONE, domains=(domain,), addresses=1, first_address=first)
    return _read_list(value)


def _read_list(value: bytes) -> Authors:
    text = _FOLD.sub(b"", value[: MAX_FIELD + 1])
    tokens: list[_Token] = []
    try:
        if len(value) > MAX_FIELD or _CONTROL.search(text):
            raise _Unreadable
        tokens.extend(_tokens(text))
        reading = _Reading()
        for element in _elements(tokens):
            reading.add(element)
    except _Unreadable:
        return Authors(why=Why.UNPARSABLE, domains=_plausible(text, tokens))
    return reading.result()


def _tokens(text: bytes) -> Iterator[_Token]:
    """Tokens without blanks and comments.  Raises _Unreadable."""
    at = 0
    end = len(text.rstrip(b" \t"))
    while at < end:
        found = _TOKEN.match(text, at)
        if not found:
            raise _Unreadable
        at = found.end()
        kind = found.lastgroup or ""
        if kind == "COMMENT":
            at = _after_comment(text, at)
        elif kind == "SPECIAL":
            special = found[kind]
            yield _Kind(special.decode("ascii")), special
        else:
            yield _Kind[kind], found[kind]


def _after_comment(text: bytes, at: int) -> int:
    """Where the comment ends whose first parenthesis is before at.  Nesting by a counter."""
    depth = 1
    for mark in _COMMENT_MARK.finditer(text, at):
        if mark[0] == b"(":
            depth += 1
        elif mark[0] == b")":
            depth -= 1
            if not depth:
                return mark.end()
    raise _Unreadable


def _elements(tokens: Sequence[_Token]) -> Iterator[Sequence[_Token]]:
    """What stands between commas, groups opened up.  Raises _Unreadable.

    A colon outside angle brackets ends a group's name, a semicolon the group;
    groups do not nest (RFC 5322 section 3.4), so that a flag is enough.
    """
    start = 0
    in_angle = in_group = after_group = False
    for at, (kind, _) in enumerate(tokens):
        match kind:
            case _Kind.LT | _Kind.GT:
                if in_angle is (kind is _Kind.LT):
                    raise _Unreadable
                in_angle = not in_angle
                continue
            case _ if in_angle or kind not in (_Kind.COMMA, _Kind.COLON, _Kind.SEMI):
                continue
            case _Kind.COLON:
                if in_group or after_group or not _is_phrase(tokens[start:at]):
                    raise _Unreadable
                in_group = True
            case _:
                if after_group and at > start:  # text between a group's end and the comma
                    raise _Unreadable
                if kind is _Kind.SEMI and not in_group:
                    raise _Unreadable
                yield tokens[start:at]
                after_group = kind is _Kind.SEMI
                in_group = in_group and not after_group
        start = at + 1
    if in_angle or in_group or (after_group and start < len(tokens)):
        raise _Unreadable
    yield tokens[start:]


def _is_phrase(tokens: Sequence[_Token]) -> bool:
    return bool(tokens) and all(kind in (_Kind.WORD, _Kind.QUOTED) for kind, _ in tokens)


class _Reading:
    """What the elements read so far amount to."""

    __slots__ = ("addresses", "bad", "domains", "first", "forgiven")

    def __init__(self) -> None:
        self.domains: dict[str, None] = {}  # a set that keeps the order
        self.addresses = 0
        self.first = ""
        self.bad = False  # some address has an impossible domain
        self.forgiven = False

    def add(self, element: Sequence[_Token]) -> None:
        """One element.  Raises _Unreadable."""
        if not element:  # RFC 5322 section 4.4: obs-addr-list has empty members
            return
        self.addresses += 1
        if self.addresses > MAX_ADDRESSES:
            raise _Unreadable
        kinds = [kind for kind, _ in element]
        if _Kind.LT in kinds:
            opened = kinds.index(_Kind.LT)
            if kinds[-1] is not _Kind.GT:
                raise _Unreadable
            domain = self._address(_without_route(element[opened + 1 : -1]))
            self._display_name(element[:opened], domain)
        elif _Kind.AT in kinds:
            self._address(element)
        else:
            self._bare_words(element)

    def _address(self, tokens: Sequence[_Token]) -> str:
        """An addr-spec; `<>` is none.  Gives its domain, "" if that is unusable."""
        if not tokens:
            return ""
        kinds = [kind for kind, _ in tokens]
        if kinds.count(_Kind.AT) != 1:
            raise _Unreadable
        at = kinds.index(_Kind.AT)
        local = _dotted(tokens[:at], (_Kind.WORD, _Kind.QUOTED))
        if kinds[at + 1 :] == [_Kind.LITERAL]:
            self.bad = True
            return ""
        try:
            domain = ascii_domain(_dotted(tokens[at + 1 :], (_Kind.WORD,)))
        except BadDomain:
            self.bad = True
            return ""
        self.domains[domain] = None
        self.first = self.first or f"{local.decode('utf-8', 'replace')}@{domain}"
        return domain

    def _display_name(self, tokens: Sequence[_Token], domain: str) -> None:
        """Anything may stand there but a domain other than the address's own."""
        kinds = [kind for kind, _ in tokens]
        if _Kind.AT not in kinds:
            return
        for kind, following in zip(kinds, [*kinds[1:], _Kind.GT], strict=True):
            if kind is _Kind.AT and following is not _Kind.WORD:
                raise _Unreadable
        if any(other != domain for other in _domains_after_at(tokens)):
            raise _Unreadable
        self.forgiven = True

    def _bare_words(self, tokens: Sequence[_Token]) -> None:
        """`Doe` of `Doe, Ann <a@x.example>`.  An encoded word could hold an address."""
        if not _is_phrase(tokens) or any(b"=?" in text for _, text in tokens):
            raise _Unreadable
        self.forgiven = True

    def result(self) -> Authors:
        domains = tuple(self.domains)
        if self.bad:
            why = Why.BAD_DOMAIN
        elif not domains:
            why = Why.NO_DOMAIN
        else:
            why = Why.ONE if len(domains) == 1 else Why.SEVERAL_DOMAINS
        return Authors(
            why=why,
            domains=domains,
            addresses=self.addresses,
            first_address=self.first,
            forgiven=self.forgiven,
        )


def _dotted(tokens: Sequence[_Token], allowed: tuple[_Kind, ...]) -> bytes:
    """Tokens that blanks or comments parted, joined again; only dots may be at the joints."""
    if not tokens or any(kind not in allowed for kind, _ in tokens):
        raise _Unreadable
    for (_, left), (_, right) in pairwise(tokens):
        if not (left.endswith(b".") or right.startswith(b".")):
            raise _Unreadable
    return b"".join(text for _, text in tokens)


def _without_route(tokens: Sequence[_Token]) -> Sequence[_Token]:
    """`@a,@b:` off an addr-spec (obs-route); what the route names plays no part in delivery."""
    kinds = [kind for kind, _ in tokens]
    if _Kind.COLON not in kinds:
        return tokens
    colon = kinds.index(_Kind.COLON)
    if not _ROUTE.fullmatch(" ".join(kinds[:colon])):
        raise _Unreadable
    return tokens[colon + 1 :]


# The unreadable: every domain that some other reader might find.


def _plausible(text: bytes, tokens: Sequence[_Token]) -> tuple[str, ...]:
    """All that follow an `@` in the raw text, in comments and quotes too, or in the tokens."""
    raw = (match[1] for match in _PLAUSIBLE.finditer(text))
    named = _unique([*_usable(islice(raw, MAX_ADDRESSES)), *_domains_after_at(tokens)])
    return named[:MAX_ADDRESSES]


def _domains_after_at(tokens: Sequence[_Token]) -> Iterator[str]:
    words = (
        name[0]
        for (left, _), (kind, right) in pairwise(tokens)
        if left is _Kind.AT and kind is _Kind.WORD and (name := _NAME.match(right))
    )
    return _usable(islice(words, MAX_ADDRESSES))


def _usable(names: Iterable[bytes]) -> Iterator[str]:
    """Normal forms of those that have two labels at least: `Ann @ Work` names no domain."""
    for name in names:
        try:
            domain = ascii_domain(name.strip(b"."))
        except BadDomain:
            continue
        if "." in domain:
            yield domain


def _unique(domains: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(domains))
