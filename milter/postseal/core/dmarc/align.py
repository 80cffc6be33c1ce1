"""Identifier Alignment: which authenticated domains speak for the Author Domain.

NAME
    align - compare authenticated domains with one Author Domain under one record

GIVES
    evidence such as "dkim example.com", at most one for each mechanism; a DNS
    fault met on the way is kept, since only the verdict can tell if it matters.

SEE ALSO
    RFC 9989 sections 4.4 and 4.10.2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from ..names import BadDomain, ascii_domain
from ..resolver import TemporaryDnsError
from .record import Alignment, Record
from .walk import Discovery

MAX_IDENTIFIERS = 10  # DKIM domains looked at, and as many with a temporary fault


class Facts(NamedTuple):
    """Identifiers in normal form, (mechanism, domain), each once."""

    passed: tuple[tuple[str, str], ...]
    unsure: tuple[tuple[str, str], ...]


def pairs(spf: str | None, dkim: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Both mechanisms' identifiers as (mechanism, domain)."""
    from_spf = [("spf", domain) for domain in normal((spf,))] if spf else []
    return tuple(from_spf + [("dkim", domain) for domain in normal(dkim)])


def normal(domains: Iterable[str]) -> tuple[str, ...]:
    """Those that are names, in normal form, each once (RFC 9989 section 5.3.1)."""
    found: dict[str, None] = {}
    for domain in domains:
        try:
            found[ascii_domain(domain)] = None
        except BadDomain:
            continue
    return tuple(found)


class Aligner:
    """Alignment with one Author Domain under one record; keeps the first DNS fault."""

    __slots__ = ("_author", "_discovery", "_modes", "fault")

    def __init__(self, author: str, record: Record, discovery: Discovery) -> None:
        self._author = author
        self._modes = {"spf": record.aspf, "dkim": record.adkim}
        self._discovery = discovery
        self.fault: TemporaryDnsError | None = None

    def aligned(self, pairs: Sequence[tuple[str, str]]) -> list[str]:
        """The first aligned identifier of each mechanism, as evidence.

        Equal names first: they need no question (section 4.10.2).
        """
        evidence: dict[str, str] = {}
        ordered = sorted(pairs, key=lambda pair: pair[1] != self._author)  # stable
        for mechanism, domain in ordered[: MAX_IDENTIFIERS + 1]:
            if mechanism not in evidence and self._is_aligned(mechanism, domain):
                evidence[mechanism] = f"{mechanism} {domain}"
        return list(evidence.values())

    def _is_aligned(self, mechanism: str, domain: str) -> bool:
        if domain == self._author:
            return True
        if self._modes[mechanism] is Alignment.STRICT:
            return False
        try:
            return self._discovery.aligned(self._author, domain)
        except TemporaryDnsError as fault:
            self.fault = self.fault or fault
            return False
