"""What an SPF record is made of.  (RFC 7208)

NAME
    spfterms - Kind, Term, Record and Mistake

DOES NOT
    parse (spfrecord does), ask DNS (spfwalk does) or judge (spflint does).

SEE ALSO
    RFC 7208 sections 5 (mechanisms) and 6 (modifiers).
"""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass, field
from enum import StrEnum


class Kind(StrEnum):
    """Mechanisms and modifiers of RFC 7208."""

    ALL = "all"
    INCLUDE = "include"
    A = "a"
    MX = "mx"
    PTR = "ptr"
    IP4 = "ip4"
    IP6 = "ip6"
    EXISTS = "exists"
    REDIRECT = "redirect"
    EXP = "exp"
    OTHER = "other"  # a modifier of no meaning to SPF; ignored (section 6)


MODIFIERS = frozenset({Kind.REDIRECT, Kind.EXP, Kind.OTHER})
LOOKUPS = frozenset({Kind.INCLUDE, Kind.A, Kind.MX, Kind.PTR, Kind.EXISTS, Kind.REDIRECT})
NEEDS_DOMAIN = frozenset({Kind.INCLUDE, Kind.EXISTS})
CIDR_ALLOWED = frozenset({Kind.A, Kind.MX})


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """One directive or modifier.

    domain: the domain-spec, macros unexpanded; "" when not given.  network: of ip4 and ip6.
    four, six: prefix lengths given with a or mx.  column: where it stands in the text.
    """

    kind: Kind
    qualifier: str = ""  # as written: "", "+", "-", "~" or "?"
    domain: str = ""
    network: ipaddress.IPv4Interface | ipaddress.IPv6Interface | None = None
    four: int | None = None
    six: int | None = None
    name: str = ""  # of an unknown modifier
    column: int = field(default=0, compare=False)
    text: str = field(default="", compare=False)

    def __str__(self) -> str:
        if self.kind in MODIFIERS:
            return f"{self.name or self.kind}={self.domain}"
        out = f"{self.qualifier}{self.kind}"
        if self.network is not None:
            full = self.network.network.prefixlen == self.network.max_prefixlen
            return f"{out}:{self.network.ip if full else self.network}"
        if self.domain:
            out += f":{self.domain}"
        if self.four is not None:
            out += f"/{self.four}"
        if self.six is not None:
            out += f"//{self.six}"
        return out


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """The terms of one record, in order."""

    terms: tuple[Term, ...] = ()

    def __str__(self) -> str:
        return " ".join(["v=spf1", *map(str, self.terms)])

    @property
    def ends(self) -> Term | None:
        """The first "all": nothing after it is looked at (section 5.1)."""
        return next((term for term in self.terms if term.kind is Kind.ALL), None)

    @property
    def redirect(self) -> Term | None:
        """The redirect that counts: none when there is an "all"."""
        if self.ends is not None:
            return None
        return next((term for term in self.terms if term.kind is Kind.REDIRECT), None)

    @property
    def live(self) -> tuple[Term, ...]:
        """The mechanisms up to and with the first "all"."""
        found = []
        for term in self.terms:
            if term.kind not in MODIFIERS:
                found.append(term)
            if term.kind is Kind.ALL:
                break
        return tuple(found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Mistake:
    """A syntax error: one makes every receiver answer permerror (section 4.6)."""

    column: int
    length: int
    what: str
    hint: str = ""
    instead: str | None = None  # the term to write, where that is certain; "" to drop it
