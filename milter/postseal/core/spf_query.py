"""The evaluation of SPF records: pyspf's engine with our DNS, limits and macros.

NAME
    spf_query - one check_host(), and what stands between pyspf and the world

GIVES
    Query: a pyspf query whose every question, limit, macro and comparison is
    answered here; no module global of pyspf is touched.  Outcome: what came of it.

DOES NOT
    choose the identity or word the result; that is spf.

DECISIONS
    Nearly all records are without macros and in order.  spf_plain has read these
    already, and they are evaluated here; pyspf evaluates the others.  Both ways meet
    in check1(), since either kind of record may include the other.

SEE ALSO
    spf (decisions on counting), RFC 7208 sections 4.6 and 5.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from ipaddress import IPv4Address
from typing import Literal, NamedTuple

from postseal.core.names import is_at_or_below
from postseal.core.resolver import BadName, DnsFault, Kind, Record, Resolver, TemporaryDnsError
from postseal.core.spf_macro import MacroError, domain_spec, expand
from postseal.core.spf_network import ipv4, ipv6
from postseal.core.spf_plain import (
    MODIFIER,
    Plain,
    Question,
    Term,
    TermReader,
    foreseen,
    pyspf,
    read,
)
from postseal.core.spf_record import Fault, Limits, select_record
from postseal.core.transaction import Address

__all__ = ["Fault", "Identity", "Limits", "Outcome", "Query", "select_record"]

_LOCAL_MACRO = re.compile(r"%\{[sl]", re.IGNORECASE)
_P_MACRO = re.compile(r"%\{p", re.IGNORECASE)
_NESTED_MAX = 20  # includes within includes; pyspf has the same bound, and asserts it


class Identity(NamedTuple):
    """Who is checked: domain and helo in A-labels where they have them."""

    kind: Literal["mailfrom", "helo"]
    local: str
    domain: str
    helo: str


class Outcome(NamedTuple):
    """What the evaluation said.  why is set for permerror, dns for temperror."""

    word: str = ""
    why: str = "syntax"
    dns: DnsFault | None = None
    matched: bool = False
    mechanism: str = ""
    detail: str = ""
    lookups: int = 0
    voids: int = 0


class Query(TermReader):
    """One evaluation.  Method names are pyspf's: it calls them.

    What it reads of a query is set here.  Its own __init__ would make more, for nothing.
    """

    verbose = False
    exps = defexps = dict.fromkeys(("pass", "fail", "softfail", "neutral"), "")

    def __init__(
        self, client: Address, identity: Identity, resolver: Resolver, limits: Limits
    ) -> None:
        self.l, self.o, self.d = identity.local, identity.domain, identity.domain
        self.h = identity.helo
        self.p: str | None = None
        self.lookups = 0
        self.void_lookups = 0
        self.mechanism: str | None = None
        self.options: dict[str, bool] = {}
        self._client = client
        if isinstance(client, IPv4Address):
            self.A, self.v, self._kind, self._bits = "A", "in-addr", Kind.A, 32
        else:
            self.A, self.v, self._kind, self._bits = "AAAA", "ip6", Kind.AAAA, 128
        self.cidrmax = self._bits
        self._number = int(client)
        self._resolver = resolver
        self._limits = limits
        self._unfollowed = 0  # redirect= in the record being read, not counted yet
        self._counted = False  # the term being evaluated has been counted
        self._ahead: Sequence[Question] = ()
        self._missing = False
        self._fault: DnsFault | None = None

    def run(self, record: str) -> Outcome:
        """Evaluate the record of the identity's domain."""
        try:
            word = self.check1(record, self.d, 0)[0]
        except pyspf.TempError as fault:
            return self._outcome("temperror", detail=f"SPF Temporary Error: {fault}")
        except pyspf.PermError as fault:
            why = getattr(fault, "why", "missing-record" if self._missing else "syntax")
            return self._outcome("permerror", why, f"SPF Permanent Error: {fault}")
        return self._outcome(word)

    def _outcome(self, word: str, why: str = "syntax", detail: str = "") -> Outcome:
        return Outcome(
            word=word,
            why=why,
            dns=self._fault,
            matched=self.mechanism is not None,
            mechanism=self.mechanism or "",
            detail=detail,
            lookups=self.lookups,
            voids=self.void_lookups,
        )

    # -- records ---------------------------------------------------------------

    def check1(self, spf: str | None, domain: str, recursion: int) -> tuple[str, int, str]:
        """One record.  pyspf wants three results; of the last two nobody makes use."""
        if recursion > _NESTED_MAX:
            raise Fault("lookup-limit", "includes too deep")
        if spf is None:
            return "none", 250, ""
        outer = self.d, self._ahead
        self.d = domain
        try:
            if plain := self._plain(spf):
                return self._evaluated(plain, recursion), 250, ""
            return super().check0(self._reworded(spf), recursion)
        finally:
            self.d, self._ahead = outer

    def _plain(self, record: str) -> Plain | None:
        if "%" in record:
            return None
        return read(record, self.d, self._kind, self._limits.ahead)

    # -- records without macros ------------------------------------------------

    def _evaluated(self, record: Plain, recursion: int) -> str:
        """The result of the first term that matches, or of the record that redirect= names."""
        self._ahead = record.ahead
        term = self._first_match(record.terms, recursion)
        if term is None and record.redirect:
            return self._redirected(record.redirect, recursion)
        if not recursion:
            self.mechanism = term.text if term else None
        return term.result if term else "neutral"

    def _first_match(self, terms: Iterable[Term], recursion: int) -> Term | None:
        for term in terms:
            if term.name == "ip":
                if self._number >> term.shift == term.network:
                    return term
            elif term.name == "all" or self._asked(term, recursion):
                return term
        return None

    def _asked(self, term: Term, recursion: int) -> bool:
        """Whether a term matches that DNS must be asked for."""
        self.check_lookups()
        match term.name:
            case "include":
                return self._included(term, recursion)
            case "mx":
                return self._near(self.dns_mx(term.domain), term.shift)
            case "a":
                return self._near(self.dns_a(term.domain, self.A), term.shift)
            case "exists":
                return bool(self.dns_a(term.domain))
            case _:
                parent = term.domain.lower()
                return any(is_at_or_below(name.lower(), parent) for name in self.validated_ptrs())

    def _included(self, term: Term, recursion: int) -> bool:
        """RFC 7208 section 5.2."""
        record = self.dns_spf(term.domain)
        word = self.check1(record, term.domain, recursion + 1)[0]
        if word == "none":
            why = f"No valid SPF record for included domain: {term.domain}"
            raise pyspf.PermError(why, term.text)
        return word == "pass"

    def _redirected(self, domain: str, recursion: int) -> str:
        """RFC 7208 section 6.1."""
        record = self.dns_spf(domain)
        if record is None:
            raise pyspf.PermError("redirect domain has no SPF record", domain)
        return self.check1(record, domain, recursion)[0]

    # -- records for pyspf -----------------------------------------------------

    def _reworded(self, record: str) -> str:
        """Terms as pyspf should see them; notes the questions that may follow."""
        plain_local = self.l.isascii()
        terms: list[str] = []
        ahead: list[Question] = []
        self._unfollowed = 0
        for term in record.split(" "):
            beyond = not plain_local and bool(_LOCAL_MACRO.search(term))
            if "=" in term and (modifier := MODIFIER.fullmatch(term)):
                term = self._modifier(modifier[1].lower(), modifier[2], beyond)
            elif beyond:  # RFC 8616 section 4: it does not match, but its syntax still counts
                self.validate_mechanism(term)
                term = ""
            elif question := foreseen(term, self.d, self._kind):
                ahead.append(question)
            terms.append(term)
        self._ahead = ahead[: self._limits.ahead]
        return " ".join(terms)

    def _modifier(self, name: str, value: str, beyond: bool) -> str:
        """A modifier in lower case: names are case-insensitive, pyspf's comparison is not.

        beyond: it holds a local part that no domain can hold.
        """
        if name == "exp":  # checked, never fetched: spare the PTR questions of p
            value = _P_MACRO.sub("%{h", value)
        elif name == "redirect":
            if beyond:
                self.expand_domain(value)
                return ""
            self._unfollowed = 1
        return f"{name}={value}"

    def dns_spf(self, domain: str) -> str | None:
        """The record of an included domain, or of one that redirect= leads to."""
        if self._counted:
            self._counted = False
        else:
            self._count()
        record = select_record(self._ask(domain, Kind.TXT, term=True), self._limits)
        self._missing = record is None
        return record

    def get_explanation(self, spec: str) -> None:
        """Explanations are never fetched."""

    # -- limits ----------------------------------------------------------------

    def check_lookups(self) -> None:
        """pyspf calls this for each term that asks DNS, and when it reads redirect=."""
        if self._unfollowed:
            self._unfollowed = 0
            return
        self._counted = True
        self._count()
        for name, kind in self._ahead:
            self._resolver.prefetch(name, kind)
        self._ahead = ()

    def _count(self) -> None:
        self.lookups += 1
        if self.lookups > self._limits.lookups:
            raise Fault("lookup-limit", f"more than {self._limits.lookups} lookups")

    def _count_void(self) -> None:
        self.void_lookups += 1
        if self.void_lookups > self._limits.voids:
            raise Fault("void-limit", f"more than {self._limits.voids} void lookups")

    # -- questions -------------------------------------------------------------

    def _ask(self, name: str, kind: Kind, *, term: bool) -> tuple[Record, ...]:
        """The records; term: no answer counts as a void lookup.  Raises pyspf.TempError."""
        try:
            records = self._resolver.ask(name, kind).records
        except BadName:  # a macro made it, or the record names it: nothing is there
            return ()
        except TemporaryDnsError as fault:
            self._fault = fault.fault
            raise pyspf.TempError(str(fault)) from fault
        if term and not records:
            self._count_void()
        return records

    def dns_a(self, domainname: str, A: str = "A") -> list[str]:
        """Addresses of a term's own name; A is the record type."""
        self._counted = False
        return self._addresses(domainname, self._kind if A == self.A else Kind.A, term=True)

    def _addresses(self, name: str, kind: Kind, *, term: bool) -> list[str]:
        return [a for a in self._ask(name, kind, term=term) if isinstance(a, str)] if name else []

    def dns_mx(self, domainname: str) -> Iterator[str]:
        """Addresses of the mail exchangers, asked for one after the other as they are needed."""
        self._counted = False
        hosts = sorted(
            mx for mx in self._ask(domainname, Kind.MX, term=True) if isinstance(mx, tuple)
        )
        if len(hosts) > self._limits.mx_hosts:
            raise Fault("mx-limit", f"more than {self._limits.mx_hosts} MX records")
        for _, host in hosts[: self._limits.ahead]:
            if host:
                self._resolver.prefetch(host, self._kind)
        for _, host in hosts:
            yield from self._addresses(host, self._kind, term=False)

    def validated_ptrs(self) -> list[str]:
        """Names of the client that lead back to it (RFC 7208 section 5.5)."""
        term, self._counted = self._counted, False
        try:
            names = self._ask(self._client.reverse_pointer, Kind.PTR, term=term)
        except pyspf.TempError:
            return self._no_ptr([])
        validated: list[str] = []
        hosts = [str(name) for name in names[: self._limits.ptr_names]]
        for host in hosts:  # the client's to choose: slow ones must not be waited for in turn
            self._resolver.prefetch(host, self._kind)
        for host in hosts:
            try:
                if self._near(self._addresses(host, self._kind, term=False), shift=0):
                    validated.append(host)
            except pyspf.TempError:
                self._no_ptr(validated)
        return validated

    def _no_ptr(self, validated: list[str]) -> list[str]:
        """A failure under ptr is no match; a spent budget is not a failure of DNS."""
        if self._fault is DnsFault.BUDGET:
            raise pyspf.TempError("budget spent")
        return validated

    # -- macros and addresses --------------------------------------------------

    def _value(self, letter: str) -> str:
        match letter:
            case "p":
                return self.getp()
            case "s":
                return f"{self.l}@{self.o}"
            case "i":
                return self._dotted()
        value: str = getattr(self, letter)
        return value

    def _dotted(self) -> str:
        if isinstance(self._client, IPv4Address):
            return str(self._client)
        return ".".join(self._client.exploded.replace(":", "").upper())

    def getp(self) -> str:
        """%{p}: one lookup, once."""
        if not self.p:
            self._count()
            self._counted = False
            super().getp()
        return self.p or "unknown"

    def expand(self, s: str, stripdot: bool = True) -> str:
        """The value of a modifier that is not known; only its syntax matters."""
        try:
            return expand(s, self._value)
        except MacroError as fault:
            raise Fault("syntax", str(fault)) from fault

    def expand_domain(self, arg: str) -> str:
        """A domain-spec; the domain itself, where a term has none, is taken as it is."""
        if arg == self.d:
            return arg
        try:
            return domain_spec(arg, self._value)
        except MacroError as fault:
            raise Fault("syntax", f"{fault}: {arg}") from fault

    def cidrmatch(self, ipaddrs: Iterable[str], n: int) -> bool:
        """Whether the client is in one of the networks of n bits around these addresses."""
        return self._near(ipaddrs, self._bits - n)

    def _near(self, addresses: Iterable[str], shift: int) -> bool:
        """Whether the client's address is one of these, but for that many bits at the end."""
        wanted = self._number >> shift
        number = ipv4 if self._bits == 32 else ipv6
        try:
            for text in addresses:  # may ask for the next one only now
                if number(text) >> shift == wanted:
                    return True
        except ValueError as fault:
            raise Fault("syntax", str(fault)) from fault
        return False
