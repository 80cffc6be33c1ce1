"""Zones that do not answer must not hold every thread.

NAME
    resolver_breaker - remember silent zones for a short time

GIVES
    Breaker: after some timeouts in a row under one name, without any answer in
    between, that name is not asked for a few seconds.  Three circles are watched:
    the last three labels (so that example.co.uk stands for itself), the last two,
    and everything; each wider one takes more to trip, because it hurts more.

DOES NOT
    wait, or know about packets.

A sender can only trip a circle in which nobody else gets answers: one answer
starts the count again.  What a policy is looked for at is asked nevertheless (insisted).
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from postseal.core.names import is_at_or_below

_CIRCLES = ((3, 3), (2, 12), (0, 48))  # (labels, timeouts in a row)
_WINDOW = 30.0  # seconds: older timeouts do not count
_REST = 10.0  # seconds for which a tripped circle is not asked
_REST_ALL = 2.0  # the same for everything: the name server may be back any moment
_MOST = 4096  # circles remembered


def _domain(name: str) -> str:
    """What stands behind the last label that begins with an underscore; all of it without."""
    _, mark, after = f".{name}".rpartition("._")
    return after.partition(".")[2] if mark else name


def _circles(name: str) -> Iterator[tuple[str, int]]:
    """The circles a name is in, with the count that trips each.

    What stands before an underscore label belongs to the domain below it:
    s._domainkey.example.com counts as example.com.
    """
    domain = _domain(name)
    labels = domain.split(".") if domain else []
    for size, count in _CIRCLES:
        if size == 0 or len(labels) >= size or (size == 3 and labels):
            yield f"{size} " + (".".join(labels[-size:]) if size else ""), count


def _concerns(name: str, insisted: Sequence[str]) -> bool:
    domain = _domain(name)
    return any(is_at_or_below(domain, one) or is_at_or_below(one, domain) for one in insisted)


class Breaker:
    """Timeouts in a row, by zone.  Safe to use from many threads.

    Mostly there are none: while rows and closed are empty, nothing rests, and answers need not
    be told.  Who has many questions looks there first.
    """

    def __init__(self) -> None:
        self.rows: dict[str, tuple[int, float]] = {}  # timeouts in a row, time of the last
        self.closed: dict[str, float] = {}  # not asked before
        self._lock = threading.Lock()

    def rests(self, name: str, now: float, insisted: Sequence[str] = ()) -> bool:
        """Whether this name is not to be asked now.

        insisted: domains that are asked for as long as they answer themselves: what is at,
        below or above them rests by its narrowest circle alone.  That nothing at all answers
        proves nothing where little mail comes: the silent names may all be a sender's.
        """
        with self._lock:
            resting = [c for c, _ in _circles(name) if self.closed.get(c, now) > now]
        if resting and _concerns(name, insisted):
            resting = [circle for circle in resting if circle.startswith("3 ")]
        return bool(resting)

    def timed_out(self, name: str, now: float) -> None:
        """No server answered this name within its time."""
        with self._lock:
            for circle, limit in _circles(name):
                count, last = self.rows.pop(circle, (0, now))
                count = 1 if now - last > _WINDOW else count + 1
                if count >= limit:
                    self.closed[circle] = now + (_REST if circle != "0 " else _REST_ALL)
                    count = limit - 1  # afterwards one more is enough
                self.rows[circle] = (count, now)
            self._forget(now)

    def answered(self, name: str) -> None:
        """Some answer came, whatever it said."""
        with self._lock:
            for circle, _ in _circles(name):
                self.rows.pop(circle, None)
                self.closed.pop(circle, None)

    def _forget(self, now: float) -> None:
        if len(self.closed) > _MOST:
            self.closed = {c: until for c, until in self.closed.items() if until > now}
        while len(self.rows) > _MOST:
            del self.rows[next(iter(self.rows))]
