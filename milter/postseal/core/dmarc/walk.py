"""The DNS Tree Walk: which records stand above a name, and whose name it is.

NAME
    walk - discover DMARC Policy Records and Organizational Domains

GIVEN
    domain names in normal form, and a Resolver.

GIVES
    Walk: the records met from the longest name to the shortest, and the
    Organizational Domain that follows from them.  Discovery keeps what it has
    asked, so that the walks of one message share their questions.

DOES NOT
    take a fault for "no record": TemporaryDnsError comes through, and comes
    again when the same name is needed again.

SEE ALSO
    RFC 9989 sections 4.10, 4.10.1 and 4.10.2.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from ..names import is_at_or_below, labels
from ..resolver import BadName, Kind, Resolver, TemporaryDnsError
from .record import Psd, Record, is_record, parse

MAX_QUERIES = 8  # of one walk (RFC 9989 section 4.10)
_REST = MAX_QUERIES - 1  # labels that remain at most after the first step


def policy_names(domain: str) -> tuple[str, ...]:
    """The domains whose `_dmarc` name a full walk asks for, in order; 8 at most.

    The domain itself, then its ancestors; a name of 8 labels or more jumps to 7.
    """
    parts = labels(domain)
    rest = parts[1:][-_REST:]
    return (domain, *(".".join(rest[start:]) for start in range(len(rest))))


class Method(StrEnum):
    """How Organizational Domains are found, in the words of RFC 9990 section 3.1.1.5."""

    TREEWALK = "treewalk"
    PSL = "psl"  # a public suffix list, as RFC 7489 had it; see suffix


class Spot(NamedTuple):
    """What stands at one `_dmarc` name.  exists: DNS has that name, with or without TXT."""

    domain: str
    record: Record | None = None
    exists: bool = False
    note: str = ""  # why there is no record although something was published


class Walk(NamedTuple):
    """What one walk found.  spots: those with a record, longest name first."""

    start: str
    spots: tuple[Spot, ...]
    organizational_domain: str
    notes: tuple[str, ...] = ()

    def at(self, domain: str) -> Record | None:
        """The record found at that very domain."""
        return next((spot.record for spot in self.spots if spot.domain == domain), None)

    @property
    def policy(self) -> tuple[str, Record] | None:
        """Domain and record that apply to the start (RFC 9989 section 4.10.1).

        That of the start itself, else of its Organizational Domain, else of its
        Public Suffix Domain.
        """
        for domain in (self.start, self.organizational_domain):
            if record := self.at(domain):
                return domain, record
        for spot in self.spots:
            if spot.record and spot.record.psd is Psd.YES:
                return spot.domain, spot.record
        return None


class Discovery:
    """The walks of one message.  Asks each name once.

    share: another Discovery, whose answers are used and which gets those found here.
    """

    __slots__ = ("_resolver", "_spots", "_walks")

    method = Method.TREEWALK

    def __init__(self, resolver: Resolver, share: Discovery | None = None) -> None:
        self._resolver = resolver
        self._spots: dict[str, Spot | TemporaryDnsError] = share._spots if share else {}
        self._walks: dict[str, Walk] = {}

    def spot(self, domain: str) -> Spot:
        """What stands at `_dmarc.<domain>`.  Raises TemporaryDnsError."""
        known = self._spots.get(domain)
        if known is None:
            try:
                known = self._ask(domain)
            except TemporaryDnsError as fault:
                known = fault
            self._spots[domain] = known
        if isinstance(known, TemporaryDnsError):
            raise known
        return known

    def _ask(self, domain: str) -> Spot:
        try:
            answer = self._resolver.ask(f"_dmarc.{domain}", Kind.TXT)
        except BadName:  # too long with its prefix: nothing can be published there
            return Spot(domain)
        records = [text for text in answer.texts if is_record(text)]
        if len(records) > 1:  # section 4.10 steps 2 and 6: all of them are discarded
            note = f"{len(records)} DMARC records at {domain}, none of them counts"
            return Spot(domain, exists=True, note=note)
        return Spot(domain, parse(records[0]) if records else None, answer.exists)

    def walk(self, domain: str) -> Walk:
        """The walk from that domain.  Raises TemporaryDnsError."""
        if domain not in self._walks:
            self._walks[domain] = self._walk(domain)
        return self._walks[domain]

    def organization(self, domain: str) -> str:
        """Its Organizational Domain if that is known without a question, else ""."""
        walk = self._walks.get(domain)
        return walk.organizational_domain if walk else ""

    def _walk(self, domain: str) -> Walk:
        spots: list[Spot] = []
        notes: list[str] = []
        for name in policy_names(domain):
            spot = self.spot(name)
            if spot.note:
                notes.append(spot.note)
            if spot.record:
                spots.append(spot)
                if spot.record.psd is not Psd.UNSAID:
                    break
        return Walk(domain, tuple(spots), organizational_domain(domain, spots), tuple(notes))

    def aligned(self, author: str, identifier: str) -> bool:
        """Relaxed alignment: the same Organizational Domain.  Raises TemporaryDnsError.

        An Organizational Domain is its name or an ancestor of it: an identifier
        that is not below the author's is told apart without a question.
        """
        if author == identifier:
            return True
        organizational = self.walk(author).organizational_domain
        if not is_at_or_below(identifier, organizational):
            return False
        return self.walk(identifier).organizational_domain == organizational


def organizational_domain(start: str, spots: list[Spot]) -> str:
    """By the rules of RFC 9989 section 4.10.2, from the records met, longest name first."""
    for spot in spots:
        if not spot.record:
            continue
        if spot.record.psd is Psd.NO:
            return spot.domain
        if spot.record.psd is Psd.YES and spot.domain != start:
            below = len(labels(spot.domain)) + 1
            return ".".join(labels(start)[-below:])
    with_record = [spot.domain for spot in spots if spot.record]
    return with_record[-1] if with_record else start
