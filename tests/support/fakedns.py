"""DNS as a value: what a test's world answers, visible at the top of its file.

    DNS = FakeDns(
        records={
            ("example.com", "TXT"): (b"v=spf1 mx -all",),
            ("example.com", "MX"): ((10, "mx.example.com"),),
            ("mx.example.com", "A"): ("192.0.2.1",),
            ("alias.example.com", "CNAME"): ("example.com",),
        },
        broken={"slow.example"},  # or {"sick.example": DnsFault.SERVFAIL}
    )

A name with no records, and with nothing below it, does not exist (NXDOMAIN);
an empty non-terminal exists without data, as in a real zone.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence, Set
from math import ceil
from types import MappingProxyType

from postseal.core.resolver import (
    Answer,
    DnsFault,
    Kind,
    Record,
    TemporaryDnsError,
    question_name,
)

_EMPTY: Mapping[tuple[str, str], Iterable[Record]] = MappingProxyType({})
_CHAIN = 10


class FakeDns:
    """core.resolver.Resolver over a table.

    records: by (name, kind) the records in the form of core.resolver.Kind; "CNAME" is
        followed.  missing: names that are NXDOMAIN whatever stands below them.
    broken: names without an answer, all kinds: a set (timeout) or name -> DnsFault;
        broken_kinds: the same for one (name, kind).
    limit: questions allowed before BUDGET; None for no limit.
    asked, prefetched: the questions in order, a repeated one every time.
    """

    def __init__(
        self,
        records: Mapping[tuple[str, str], Iterable[Record]] = _EMPTY,
        *,
        broken: Set[str] | Mapping[str, DnsFault] = frozenset(),
        broken_kinds: Mapping[tuple[str, str], DnsFault] = MappingProxyType({}),
        missing: Iterable[str] = (),
        secure: bool = False,
        ttl: int = 300,
        limit: int | None = None,
    ) -> None:
        self._records = {
            (question_name(name), str(kind)): tuple(rr) for (name, kind), rr in records.items()
        }
        faults = broken if isinstance(broken, Mapping) else dict.fromkeys(broken, DnsFault.TIMEOUT)
        self._broken = {question_name(name): fault for name, fault in faults.items()}
        self._broken_kinds = {
            (question_name(name), str(k)): f for (name, k), f in broken_kinds.items()
        }
        self._missing = {question_name(name) for name in missing}
        self._exists = {suffix for name, _ in self._records for suffix in _suffixes(name)}
        self._secure = secure
        self._ttl = ttl
        self._allowed = self._limit = limit
        self._used = 0
        self._lock = threading.Lock()
        self.insisted: tuple[str, ...] = ()
        self.asked: list[tuple[str, Kind]] = []
        self.prefetched: list[tuple[str, Kind]] = []

    @property
    def questions(self) -> int:
        """How often ask() was called."""
        return len(self.asked)

    def ask(self, name: str, kind: Kind, /) -> Answer:
        """Answer from the table.  Raises TemporaryDnsError and BadName as the real one does."""
        key = question_name(name)
        with self._lock:
            self.asked.append((key, kind))
            spent = self._limit is not None and self._used >= self._limit
            self._used += not spent
        if spent:
            raise TemporaryDnsError(DnsFault.BUDGET, key, kind)
        target = key
        for _ in range(_CHAIN):
            if fault := self._broken.get(target) or self._broken_kinds.get((target, kind)):
                raise TemporaryDnsError(fault, key, kind)
            alias = self._records.get((target, "CNAME"))
            if not alias:
                break
            target = question_name(str(alias[0]))
        else:
            raise TemporaryDnsError(DnsFault.MALFORMED, key, kind)
        exists = target in self._exists and target not in self._missing
        records = self._records.get((target, kind), ()) if exists else ()
        return Answer(key, kind, records, exists, self._ttl, self._secure)

    def prefetch(self, name: str, kind: Kind, /) -> None:
        """Note that the question was foreseen."""
        with self._lock:
            self.prefetched.append((name.removesuffix(".").lower(), kind))

    def insist(self, domains: Sequence[str], /) -> None:
        """Note them."""
        self.insisted = tuple(domains)

    def ration(self, share: float, /) -> None:
        """Let that share of the questions that are left be asked until the next call."""
        if self._allowed is not None:
            self._limit = self._used + ceil((self._allowed - self._used) * share)


def _suffixes(name: str) -> Iterable[str]:
    labels = name.split(".")
    return (".".join(labels[start:]) for start in range(len(labels)))
