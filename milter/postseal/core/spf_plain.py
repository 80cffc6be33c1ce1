"""SPF records without macros: read once, for every message to which they apply.

NAME
    spf_plain - read(), foreseen(), and TermReader: pyspf as the reader of terms

GIVEN
    the text of a record, the domain that publishes it, and the client's kind of address.

GIVES
    Plain: the terms in the form in which they are compared and asked, in order; or None
    for a record that must be left to pyspf: not printable, not in order, or long.

DOES NOT
    say what is wrong with a record.  pyspf reads it again then, and says so.

DECISIONS
    What is remembered was written by strangers, and a term that is ready takes far more
    room than its text.  Records of more than 128 terms are left to pyspf, which forgets.

SEE ALSO
    spf_query (the evaluation), RFC 7208 sections 4.6.1 and 5.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from postseal.core.resolver import Kind
from postseal.core.spf_macro import domain_spec, expand
from postseal.core.spf_network import NETWORK, ipv4, ipv6

with warnings.catch_warnings():  # compiling pyspf warns of escapes in its texts
    warnings.simplefilter("ignore")
    import spf as pyspf

__all__ = ["MODIFIER", "Plain", "Question", "Term", "TermReader", "foreseen", "pyspf", "read"]

Question = tuple[str, Kind]

MODIFIER = re.compile(r"([a-z][a-z0-9_.-]*)=(.*)", re.IGNORECASE)
_AHEAD = re.compile(r"[+?~-]?(include|a|mx|exists)(?::([^/%]+))?(?:/.*)?", re.IGNORECASE)
_RESULTS = {"": "pass", "+": "pass", "-": "fail", "~": "softfail", "?": "neutral"}
_FAMILY = {"ip4": Kind.A, "ip6": Kind.AAAA}
_TERMS_MAX = 128


class Term(NamedTuple):
    """One mechanism.  name is "ip" for networks, which are all of the client's family."""

    text: str  # as published
    name: str
    result: str  # where it matches
    domain: str = ""
    shift: int = 0  # how many of an address's last bits do not count
    network: int = 0  # the others, as a number


class Plain(NamedTuple):
    """A record that is in order.  Its modifiers but for redirect= have no effect."""

    terms: tuple[Term, ...]
    redirect: str
    ahead: tuple[Question, ...]  # what the terms will ask first, for sending it early


class TermReader(pyspf.query):
    """pyspf's reading of terms.  Those who inherit it set d, v and cidrmax."""

    strict = True

    def validate_mechanism(self, mech: str) -> tuple[str, str, str, int, str]:
        """One term.  Plain ip4 networks, of which records mostly consist, take a short way."""
        if network := NETWORK.fullmatch(mech):
            sign, address, bits = network.groups()
            return mech, "ip4", address, int(bits or 32), _RESULTS[sign]
        return super().validate_mechanism(mech)


class _PlainReader(TermReader):
    """As much of a query as the reading of terms without macros looks at."""

    def __init__(self, domain: str, kind: Kind) -> None:
        self.d = domain
        self.v, self.cidrmax = ("in-addr", 32) if kind is Kind.A else ("ip6", 128)
        self.kind = kind

    def expand_domain(self, arg: str) -> str:
        """A domain-spec; the domain itself, where a term has none, is taken as it is."""
        return arg if arg == self.d else domain_spec(arg, _no_macro)

    def term(self, text: str) -> Term | None:
        """A mechanism; None for a network of the other family, which never matches."""
        _, name, where, bits, result = self.validate_mechanism(text)
        shift = self.cidrmax - bits
        if name not in _FAMILY:
            return Term(text, name, result, where, shift)
        if _FAMILY[name] is not self.kind:
            return None
        number = ipv4(where) if name == "ip4" else ipv6(where)
        return Term(text, "ip", result, shift=shift, network=number >> shift)


@lru_cache(maxsize=512)
def read(record: str, domain: str, kind: Kind, ahead: int) -> Plain | None:
    """A record that holds no %.  kind is A or AAAA; ahead, how many questions to foresee."""
    version, *texts = record.split(" ")
    if version.lower() != "v=spf1" or not record.isprintable():
        return None
    if len(texts) > _TERMS_MAX:
        return None
    try:
        return _read(filter(None, texts), _PlainReader(domain, kind), ahead)
    except (pyspf.PermError, ValueError):
        return None


def _read(texts: Iterable[str], reader: _PlainReader, ahead: int) -> Plain | None:
    terms: list[Term] = []
    questions: list[Question] = []
    modifiers: dict[str, str] = {}
    for text in texts:
        if "=" in text and (modifier := MODIFIER.fullmatch(text)):
            name = modifier[1].lower()
            if name in modifiers:
                return None
            modifiers[name] = _value(name, modifier[2], reader)
            continue
        if term := reader.term(text):
            terms.append(term)
        if question := foreseen(text, reader.d, reader.kind):
            questions.append(question)
    return Plain(tuple(terms), modifiers.get("redirect", ""), tuple(questions[:ahead]))


def _value(name: str, text: str, reader: _PlainReader) -> str:
    if name in ("redirect", "exp"):
        return reader.expand_domain(text)
    return expand(text, _no_macro)


def _no_macro(letter: str) -> str:
    raise ValueError(f"a macro: {letter}")


def foreseen(term: str, domain: str, kind: Kind) -> Question | None:
    """The question that a term will ask first, as far as its text tells."""
    if term.startswith("ip"):
        return None
    if found := _AHEAD.fullmatch(term):
        asked = {"include": Kind.TXT, "mx": Kind.MX, "exists": Kind.A}.get(found[1].lower(), kind)
        return found[2] or domain, asked
    return None
