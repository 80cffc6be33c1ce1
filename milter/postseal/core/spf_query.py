"""The evaluation of SPF records: pyspf's engine with our DNS, limits and macros.

NAME
    spf_query - one check_host(), and what stands between pyspf and the world

GIVES
    Query: a pyspf query whose every question, limit, macro and comparison is
    answered here; no module global of pyspf is touched.  Outcome: what came of it.

DOES NOT
    choose the identity or word the result; that is spf.

SEE ALSO
    spf (decisions on counting), RFC 7208 sections 4.6 and 5.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address
from typing import NamedTuple

from postseal.core.resolver import BadName, DnsFault, Kind, Resolver, TemporaryDnsError
from postseal.core.spf_macro import MacroError, domain_spec, expand
from postseal.core.spf_network import NETWORK, ipv4, ipv6
from postseal.core.transaction import Address

with warnings.catch_warnings():  # compiling pyspf warns of escapes in its texts
    warnings.simplefilter("ignore")
    import spf as pyspf

_VERSION = re.compile(rb"v=spf1(?: |$)", re.IGNORECASE)
_MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE)
_LOCAL_MACRO = re.compile(r"%\{[sl]", re.IGNORECASE)
_P_MACRO = re.compile(r"%\{p", re.IGNORECASE)
_RESULTS = {"": "pass", "+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_AHEAD = re.compile(r"[+?~-]?(include|a|mx|exists)(?::([^/%]+))?(?:/.*)?", re.IGNORECASE)
_NESTED_MAX = 20  # includes within includes; pyspf has the same bound, and asserts it


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one evaluation.  lookups and voids as in RFC 7208 section 4.6.4."""

    lookups: int = 10
    voids: int = 2
    record_octets: int = 4096
    mx_hosts: int = 10
    ptr_names: int = 10
    ahead: int = 4  # questions of later terms that are sent along with the first one


class Identity(NamedTuple):
    """Who is checked: domain and helo in A-labels where they have them."""

    kind: str
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


class Fault(pyspf.PermError):
    """A permanent error with one of the words of spf.Why."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(detail or why)
        self.why = why


def select_record(texts: Iterable[bytes], limits: Limits) -> str | None:
    """The SPF record among TXT records (RFC 7208 section 4.5); None without one.

    Raises Fault: many-records, record-too-long, record-not-ascii.
    """
    records = [text for text in texts if _VERSION.match(text)]
    if not records:
        return None
    if len(records) > 1:
        raise Fault("many-records")
    if len(records[0]) > limits.record_octets:
        raise Fault("record-too-long", f"{len(records[0])} octets")
    try:
        return records[0].decode("ascii")
    except UnicodeDecodeError:
        raise Fault("record-not-ascii") from None


class Query(pyspf.query):
    """One evaluation.  Method names are pyspf's: it calls them."""

    def __init__(
        self, client: Address, identity: Identity, resolver: Resolver, limits: Limits
    ) -> None:
        sender = f"{identity.local}@{identity.domain}"
        super().__init__(i="", s=sender, h=identity.helo)
        self._set_client(client)
        # pyspf cuts at the first @; a quoted local part may hold one.
        self.l, self.o, self.d = identity.local, identity.domain, identity.domain
        self._client = client
        self._kind = Kind.A if isinstance(client, IPv4Address) else Kind.AAAA
        self._bits = client.max_prefixlen
        self._number = int(client)
        self._resolver = resolver
        self._limits = limits
        self._plain_local = identity.local.isascii()
        self._unfollowed = 0  # redirect= in the record being read, not counted yet
        self._counted = False  # the term being evaluated has been counted
        self._ahead: list[tuple[str, Kind]] = []
        self._missing = False
        self._fault: DnsFault | None = None

    def _set_client(self, client: Address) -> None:
        """As pyspf's set_ip(), which would read the address from text again."""
        self.ipaddr = client
        self.c = str(client)
        self.iplist = False
        if isinstance(client, IPv4Address):
            self.A, self.v, self.i, self.cidrmax = "A", "in-addr", self.c, 32
        else:
            nibbles = client.exploded.replace(":", "").upper()
            self.A, self.v, self.i, self.cidrmax = "AAAA", "ip6", ".".join(nibbles), 128

    def run(self, record: str) -> Outcome:
        """Evaluate the record of the identity's domain."""
        word, _, detail = self.check(record)
        error = self.perm_error
        why = getattr(error, "why", "missing-record" if self._missing else "syntax")
        return Outcome(
            word=word,
            why=why,
            dns=self._fault,
            matched=self.mechanism is not None,
            mechanism=self.mechanism or "",
            detail=detail if word in ("permerror", "temperror") else "",
            lookups=self.lookups,
            voids=self.void_lookups,
        )

    # -- records ---------------------------------------------------------------

    def check1(self, spf: str | None, domain: str, recursion: int) -> tuple[str, int, str]:
        """One record; the recursion is ours to stop, pyspf would assert."""
        if recursion > _NESTED_MAX:
            raise Fault("lookup-limit", "includes too deep")
        return super().check1(spf, domain, recursion)

    def check0(self, spf: str | None, recursion: int) -> tuple[str, int, str]:
        """One record, with what pyspf reads differently from RFC 7208 put right first."""
        outer = self._ahead
        text = self._prepared(spf) if spf else spf
        try:
            return super().check0(text, recursion)
        finally:
            self._ahead = outer

    def _prepared(self, record: str) -> str:
        """Terms as pyspf should see them; notes the questions that may follow."""
        if "%" in record:
            return self._reworded(record)
        text, ahead, self._unfollowed = _plain_record(
            record, self.d, self._kind, self._limits.ahead
        )
        self._ahead = [*ahead]
        return text

    def _reworded(self, record: str) -> str:
        terms: list[str] = []
        self._ahead = []
        self._unfollowed = 0
        for term in record.split(" "):
            beyond = not self._plain_local and bool(_LOCAL_MACRO.search(term))
            if "=" in term and (modifier := _MODIFIER.fullmatch(term)):
                term = self._modifier(modifier[1].lower(), modifier[2], beyond)
            elif beyond:  # RFC 8616 section 4: it does not match, but its syntax still counts
                self.validate_mechanism(term)
                term = ""
            else:
                self._foresee(term)
            terms.append(term)
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

    def _foresee(self, term: str) -> None:
        if len(self._ahead) >= self._limits.ahead or term.startswith("ip"):
            return
        if found := _AHEAD.fullmatch(term):
            name = found[1].lower()
            kind = {"include": Kind.TXT, "mx": Kind.MX, "exists": Kind.A}.get(name, self._kind)
            self._ahead.append((found[2] or self.d, kind))

    def validate_mechanism(self, mech: str) -> tuple[str, str, str, int, str]:
        """One term.  Plain ip4 networks, of which records mostly consist, take a short way."""
        if network := NETWORK.fullmatch(mech):
            sign, address, bits = network.groups()
            return mech, "ip4", address, int(bits or 32), _RESULTS[sign]
        if "%" in mech:
            return super().validate_mechanism(mech)
        return _plain_term(mech, self.d, self.v, self.cidrmax)

    def dns_spf(self, domain: str) -> str | None:
        """The record of an included domain, or of one that redirect= leads to."""
        if self._counted:
            self._counted = False
        else:
            self._count()
        texts = [t for t in self._ask(domain, Kind.TXT, term=True) if isinstance(t, bytes)]
        record = select_record(texts, self._limits)
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
        self._ahead = []

    def _count(self) -> None:
        self.lookups += 1
        if self.lookups > self._limits.lookups:
            raise Fault("lookup-limit", f"more than {self._limits.lookups} lookups")

    def _count_void(self) -> None:
        self.void_lookups += 1
        if self.void_lookups > self._limits.voids:
            raise Fault("void-limit", f"more than {self._limits.voids} void lookups")

    # -- questions -------------------------------------------------------------

    def _ask(self, name: str, kind: Kind, *, term: bool) -> tuple[object, ...]:
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
        return self._addresses(domainname, Kind(A), term=True)

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
                if self.cidrmatch(self._addresses(host, self._kind, term=False), self._bits):
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
        if letter == "p":
            return self.getp()
        value: str = getattr(self, letter)
        return value

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
        shift = self._bits - n
        wanted = self._number >> shift
        read = ipv4 if self._bits == 32 else ipv6
        try:
            for text in ipaddrs:  # may ask for the next one only now
                if read(text) >> shift == wanted:
                    return True
        except ValueError as fault:
            raise Fault("syntax", str(fault)) from fault
        return False


class _Term(Query):
    """As much of a query as the reading of a term without macros looks at."""

    def __init__(self, domain: str, version: str, bits: int) -> None:
        self.strict = True
        self.d = domain
        self.v = version
        self.cidrmax = bits


@lru_cache(maxsize=1024)
def _plain_record(
    record: str, domain: str, kind: Kind, most: int
) -> tuple[str, tuple[tuple[str, Kind], ...], int]:
    """Of a record without macros: the terms, at most that many questions ahead, unfollowed."""
    reader = _Term(domain, "", 0)
    reader._kind, reader._limits = kind, Limits(ahead=most)
    reader._plain_local = True
    text = reader._reworded(record)
    return text, tuple(reader._ahead), reader._unfollowed


@lru_cache(maxsize=4096)
def _plain_term(mech: str, domain: str, version: str, bits: int) -> tuple[str, str, str, int, str]:
    """validate_mechanism() of pyspf: the same for every message to which the same term applies."""
    return pyspf.query.validate_mechanism(_Term(domain, version, bits), mech)
