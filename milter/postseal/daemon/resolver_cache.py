"""What DNS said a moment ago.

NAME
    resolver_cache - answers and faults by question, for as long as they hold

GIVES
    Cache: bounded by entries and by bytes; the oldest goes first.  An entry is
    written again each time its life ends, so that old also means not wanted.

DOES NOT
    know DNS, or the clock: the time comes with each call.

SEE ALSO
    RFC 2308 sections 5 and 7 (negative answers, failures), RFC 8767 is not done:
    a stale key must not go on passing signatures.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from postseal.core.resolver import Answer, DnsFault, Kind

Key = tuple[str, Kind]
Known = Answer | DnsFault

_ENTRY_BYTES = 400  # what Python keeps for one entry around its octets, measured
_RECORD_BYTES = 80


@dataclass(frozen=True, slots=True, kw_only=True)
class CacheLimits:
    """How much is kept, and for how many seconds at most."""

    entries: int = 10_000
    octets: int = 8 << 20
    ttl: int = 86_400  # RFC 8767 section 4 recommends a cap between a day and a week
    negative_ttl: int = 900  # a record that was just published is wanted soon
    failure_ttl: float = 5.0  # RFC 2308 section 7 allows up to five minutes


class Cache:
    """Answers with an end.  Safe to use from many threads."""

    def __init__(self, limits: CacheLimits) -> None:
        self._limits = limits
        self._kept: dict[Key, tuple[float, Known, int]] = {}
        self._octets = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._kept)

    @property
    def octets(self) -> int:
        """What is kept, in bytes, by estimate."""
        return self._octets

    def get(self, key: Key, now: float) -> Known | None:
        """What is known, if it still holds."""
        entry = self._kept.get(key)  # one step: needs no lock
        if entry is None or entry[0] <= now:
            return None
        return entry[1]

    def put(self, key: Key, known: Known, now: float) -> None:
        """Keep it as long as it says; an answer for no time at all is not kept."""
        limits = self._limits
        if isinstance(known, Answer):
            most = limits.ttl if known.records else limits.negative_ttl
            life: float = known.ttl if known.ttl < most else most
        else:
            life = limits.failure_ttl
        if life <= 0:
            return
        size = _size(known)
        if size > limits.octets >> 4:  # one answer must not push out all others
            return
        kept = self._kept
        with self._lock:
            before = kept.pop(key, None)
            if before is not None:
                self._octets -= before[2]
            kept[key] = (now + life, known, size)
            self._octets += size
            while len(kept) > limits.entries or self._octets > limits.octets:
                self._octets -= kept.pop(next(iter(kept)))[2]


def _size(known: Known) -> int:
    if isinstance(known, DnsFault):
        return _ENTRY_BYTES
    octets = _ENTRY_BYTES + len(known.name)
    for record in known.records:
        octets += _RECORD_BYTES + len(record[1] if isinstance(record, tuple) else record)
    return octets
