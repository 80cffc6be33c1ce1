"""Author Domains: whose message does the From field say it is?

NAME
    address - read From fields to the domains that DMARC and signing are about

GIVEN
    the From fields of a message, as the octets that arrived.

GIVES
    Authors: every domain once, in the order written, and one closed reason.
    Only Why.ONE is a reading without doubt.  What cannot be read carries every
    domain that another reader might see in it, so that a policy can be strict.
    Only a crowd of domains or of fields can hide one; it is never Why.ONE.

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
from enum import StrEnum
from itertools import islice
from typing import NamedTuple

from .addresslist import Kind, Token, Unreadable, dotted, is_phrase, split, tokenize, without_route
from .field import Field, Header
from .names import BadDomain, ascii_domain

MAX_FIELD = 8192  # octets of one From field that are read; real ones stay below 1 kB
MAX_ADDRESSES = 200
MAX_TOKENS = 4000  # of one field
MAX_FIELDS = 10  # From fields that are read; RFC 5322 allows one
MAX_OCTETS = 4 * MAX_FIELD  # of all those together


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


class Authors(NamedTuple):
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


def from_fields(header: Header) -> Sequence[Field]:
    """Every From field, top to bottom; `From :` is one too (RFC 5322 section 4.5)."""
    return header.all(b"from")


def author_domains(fields: Sequence[Field]) -> Authors:
    """The Author Domains of these From fields.  Never raises."""
    if not fields:
        return Authors(why=Why.MISSING)
    if len(fields) == 1:
        return _read_field(fields[0].value)
    read = [_read_field(value) for value in _affordable([field.value for field in fields])]
    return Authors(
        why=Why.SEVERAL_FIELDS,
        domains=_unique(domain for one in read for domain in one.domains),
        addresses=sum(one.addresses for one in read),
        first_address=next((one.first_address for one in read if one.first_address), ""),
    )


def _affordable(values: list[bytes]) -> Iterator[bytes]:
    """Those that are read, in their order: the short ones, as far as the limits go."""
    octets = 0
    chosen = []
    for at in sorted(range(len(values)), key=lambda at: len(values[at]))[:MAX_FIELDS]:
        octets += min(len(values[at]), MAX_FIELD)
        if octets > MAX_OCTETS:
            break
        chosen.append(at)
    return (values[at] for at in sorted(chosen))


# Reading one field: octets -> tokens -> elements (between commas) -> addresses.

_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_CONTROL = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_ENCODED = re.compile(rb"=\?.*\?=")  # an encoded word (RFC 2047)
_NAME = re.compile(rb"[A-Za-z0-9_.\x80-\xff-]+")
_PLAUSIBLE = re.compile(rb"@[\x00-\x20]*(" + _NAME.pattern + rb")")
_PLAIN = re.compile(  # what nearly all mail has; the reading below gives the same for it
    rb"""[ \t]*(?:
      (?:(?:[A-Za-z0-9.'=?_/+&!-][A-Za-z0-9 .'=?_/+&!-]*)?|"[^"\\\x00-\x1f\x7f]*"[ ]*)
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
    text = _FOLD.sub(b"", value)
    tokens: list[Token] = []
    try:
        if len(value) > MAX_FIELD or _CONTROL.search(text):
            raise Unreadable
        tokens.extend(islice(tokenize(text), MAX_TOKENS))
        if len(tokens) == MAX_TOKENS:
            raise Unreadable
        reading = _Reading()
        for element in split(tokens):
            reading.add(element)
    except Unreadable:
        return Authors(why=Why.UNPARSABLE, domains=_plausible(text, tokens))
    return reading.result()


class _Reading:
    """What the elements read so far amount to."""

    __slots__ = ("addresses", "bad", "domains", "first", "forgiven")

    def __init__(self) -> None:
        self.domains: dict[str, None] = {}  # a set that keeps the order
        self.addresses = 0
        self.first = ""
        self.bad = False  # some address has an impossible domain
        self.forgiven = False

    def add(self, element: Sequence[Token]) -> None:
        """One element.  Raises Unreadable."""
        if not element:  # RFC 5322 section 4.4: obs-addr-list has empty members
            return
        self.addresses += 1
        if self.addresses > MAX_ADDRESSES:
            raise Unreadable
        kinds = [kind for kind, _ in element]
        if Kind.LT in kinds:
            opened = kinds.index(Kind.LT)
            if kinds[-1] is not Kind.GT:
                raise Unreadable
            domain = self._address(without_route(element[opened + 1 : -1]))
            self._display_name(element[:opened], domain)
        elif Kind.AT in kinds:
            self._address(element)
        else:
            self._bare_words(element)

    def _address(self, tokens: Sequence[Token]) -> str:
        """An addr-spec; `<>` is none.  Gives its domain, "" if that is unusable."""
        if not tokens:
            return ""
        kinds = [kind for kind, _ in tokens]
        if kinds.count(Kind.AT) != 1:
            raise Unreadable
        at = kinds.index(Kind.AT)
        local = dotted(tokens[:at], (Kind.WORD, Kind.QUOTED))
        if _ENCODED.search(local):  # decoded, it could end what we take for the address
            raise Unreadable
        if kinds[at + 1 :] == [Kind.LITERAL]:
            self.bad = True
            return ""
        try:
            domain = ascii_domain(dotted(tokens[at + 1 :], (Kind.WORD,)))
        except BadDomain:
            self.bad = True
            return ""
        self.domains[domain] = None
        self.first = self.first or f"{local.decode('utf-8', 'replace')}@{domain}"
        return domain

    def _display_name(self, tokens: Sequence[Token], domain: str) -> None:
        """Anything may stand there but a domain other than the address's own.

        Beside an `@` an encoded word could hold one: some readers decode it, and take what
        they get for the address.  Brackets are for literals, which others do not know.
        """
        kinds = [kind for kind, _ in tokens]
        if any(kind is Kind.LITERAL and b"@" in text for kind, text in tokens):
            raise Unreadable
        if Kind.AT not in kinds:
            return
        if any(_ENCODED.search(text) for _, text in tokens):
            raise Unreadable
        for name in _after_at(tokens):
            normal = _normal(name)
            if not name or (normal != domain and ("." in normal or b"." in name)):
                raise Unreadable  # without a dot it is no domain: `Ann @ Work`
        self.forgiven = True

    def _bare_words(self, tokens: Sequence[Token]) -> None:
        """`Doe` of `Doe, Ann <a@x.example>`.  Quotes and encoded words could hold an address."""
        if not is_phrase(tokens) or any(b"=?" in text or b"@" in text for _, text in tokens):
            raise Unreadable
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


# The unreadable: every domain that some other reader might find.


def _plausible(text: bytes, tokens: Sequence[Token]) -> tuple[str, ...]:
    """All that follow an `@` in the raw text, in comments and quotes too, or in the tokens.

    Of a crowd the first and the last, whatever the field's length: there readers look.
    """
    names = _PLAUSIBLE.findall(text)
    if len(names) > MAX_ADDRESSES:
        names = names[: MAX_ADDRESSES // 2] + names[-MAX_ADDRESSES // 2 :]
    return _unique([*_usable(names), *_domains_after_at(tokens)])[:MAX_ADDRESSES]


def _domains_after_at(tokens: Sequence[Token]) -> Iterator[str]:
    names = (
        found[0]
        for name in islice(_after_at(tokens), MAX_ADDRESSES)
        if (found := _NAME.match(name))
    )
    return _usable(names)


def _after_at(tokens: Sequence[Token]) -> Iterator[bytes]:
    """The name behind each `@`, b"" where something else stands.

    Blanks and comments may part it at its dots (RFC 5322 section 4.4, obs-domain).
    """
    name: bytes | None = None  # None: no `@` is open
    for kind, text in tokens:
        joins = kind is Kind.WORD and name is not None
        if joins and name and not (name.endswith(b".") or text.startswith(b".")):
            joins = False
        if joins:
            name = (name or b"") + text
            continue
        if name is not None:
            yield name
        name = b"" if kind is Kind.AT else None
    if name is not None:
        yield name


def _usable(names: Iterable[bytes]) -> Iterator[str]:
    """Normal forms of those that have two labels at least: `Ann @ Work` names no domain."""
    for name in names:
        domain = _normal(name)
        if "." in domain:
            yield domain


def _normal(name: bytes) -> str:
    """The name's normal form, "" if it has none."""
    try:
        return ascii_domain(name.strip(b".'`"))
    except BadDomain:
        return ""


def _unique(domains: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(domains))
