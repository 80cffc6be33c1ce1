"""DNS for one worker process, and each message's share of it.

NAME
    resolver - the network behind core.resolver.Resolver

GIVES
    Resolver, one per process, made after fork: a cache, the questions on their
    way, the servers.  Session, one per message: asks within a budget of questions
    and of seconds spent waiting, shared by all mechanisms.

DOES NOT
    run a thread.  A question is sent by whoever foresees it; the first thread that
    needs its answer receives it, and all others who want the same wait for that
    thread: one outstanding question per name and kind, however many messages.

SEE ALSO
    resolver_exchange (one question), resolver_wire (packets), resolver_cache,
    resolver_servers, resolver_breaker.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter, deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from math import ceil
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import NamedTuple, Self

from postseal.core.resolver import (
    Answer,
    BadName,
    DnsFault,
    Kind,
    TemporaryDnsError,
    question_name,
)
from postseal.daemon.resolver_breaker import Breaker
from postseal.daemon.resolver_cache import Cache, CacheLimits, Key, Known
from postseal.daemon.resolver_exchange import Exchange
from postseal.daemon.resolver_servers import Upstream

SECONDS = 20.0  # RFC 7208 section 4.6.4 asks for at least 20; Postfix waits 30 or 300
QUESTIONS = 60
# The exchange for a question, and whether it is a new one.  Without one: what is known about
# it after all; None when too many are sent ahead.
_Joined = tuple[Exchange | None, bool, Known | None]
_GATHER = 0.02  # seconds between two rounds over all sockets


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolverConfig:
    """How to ask.  Empty or None: what resolv.conf says."""

    nameservers: tuple[str, ...] = ()
    resolv_conf: Path = Path("/etc/resolv.conf")
    timeout: float | None = None  # seconds for one try at one server
    attempts: int | None = None  # tries per server
    cache: CacheLimits = field(default_factory=CacheLimits)
    in_flight: int = 256  # questions sent ahead and not yet answered; one socket each


class Usage(NamedTuple):
    """What one message cost in DNS, for its log line."""

    sent: int  # questions that went out for this message
    cached: int  # answers that were there already
    shared: int  # answers that another message had asked for
    waited: float  # seconds


class Resolver:
    """One process's DNS.  Safe to use from many threads."""

    def __init__(
        self, config: ResolverConfig | None = None, *, clock: Callable[[], float] = monotonic
    ) -> None:
        """clock is what cache, resting zones and silent servers go by; waiting is real.

        Raises ServerError for a nameserver that cannot be read.
        """
        self.config = config or ResolverConfig()
        self.clock = clock
        self.cache = Cache(self.config.cache)
        self._upstream = Upstream(
            self.config.nameservers,
            self.config.resolv_conf,
            timeout=self.config.timeout,
            attempts=self.config.attempts,
            clock=clock,
        )
        self._breaker = Breaker()
        self._flying: dict[Key, Exchange] = {}
        self.forgotten: deque[Exchange] = deque()
        self._lock = threading.Lock()
        self._gathered = 0.0
        # What has become of the questions since the start; under _lock
        self.counters: Counter[str] = Counter()

    def session(self, seconds: float = SECONDS, questions: int = QUESTIONS) -> Session:
        """A budget for one message."""
        if self.forgotten:
            self._leave_forgotten()
        return Session(self, seconds, questions)

    def _leave_forgotten(self) -> None:
        with contextlib.suppress(IndexError):  # another thread may empty it meanwhile
            while self.forgotten:
                self.leave(self.forgotten.pop())

    @property
    def in_flight(self) -> int:
        """Questions without an answer yet."""
        return len(self._flying)

    @property
    def servers(self) -> str:
        """Who would be asked now, for people."""
        return " ".join(map(str, self._upstream.plan().servers))

    def recall(self, key: Key) -> Known | None:
        """What the cache holds."""
        return self.cache.get(key, self.clock())

    def join(self, key: Key, ahead: bool, insisted: Sequence[str] = ()) -> _Joined:
        """Take part in this question; ask it, if nobody has."""
        now = self.clock()
        flying = self._flying
        with self._lock:
            exchange = flying.get(key)
            if exchange is not None:
                exchange.holders += 1
                return exchange, False, None
            # Looked at here: what has just come in is on its way no more.
            known = self.cache.get(key, now)
            if known is not None:
                return None, False, known
            if self._breaker.closed and self._breaker.rests(key[0], now, insisted):
                self.counters["resting"] += 1
                return None, False, DnsFault.TIMEOUT
            if not ahead or len(flying) < self.config.in_flight:
                flying[key] = exchange = Exchange(key, self._upstream)
                exchange.lock.acquire()  # nobody may pump before it is sent
        if exchange is None:
            return self.join(key, ahead, insisted) if self._gather() else (None, False, None)
        try:
            exchange.ask_next()
        finally:
            exchange.lock.release()
        if exchange.outcome is not None:
            self.landed(exchange)
        return exchange, True, None

    def _gather(self) -> bool:
        """Take in answers that have come though nobody needed them yet: sockets are scarce.

        Whether that made room for one more.  False when all have been looked at just now.
        """
        if monotonic() - self._gathered < _GATHER:
            return False
        self._gathered = monotonic()
        with self._lock:
            flying = list(self._flying.values())
        for exchange in flying:
            if exchange.lock.acquire(blocking=False):  # else some thread is at it
                try:
                    exchange.pump(0.0)
                finally:
                    exchange.lock.release()
                self.landed(exchange)
        return len(self._flying) < self.config.in_flight

    def landed(self, exchange: Exchange) -> None:
        """Keep the outcome for others.  The first to call this does it."""
        outcome = exchange.outcome
        if outcome is None:
            return
        key = exchange.key
        with self._lock:
            if self._flying.get(key) is not exchange:
                return
            self.cache.put(key, outcome, self.clock())
            del self._flying[key]
            self.counters["answers" if isinstance(outcome, Answer) else outcome] += 1
        if self._breaker.rows or outcome is DnsFault.TIMEOUT:
            self._remember(key[0], outcome)

    def leave(self, exchange: Exchange) -> None:
        """A session goes without this answer.  The last one takes the socket along."""
        key = exchange.key
        with self._lock:
            exchange.holders -= 1
            if exchange.holders or self._flying.get(key) is not exchange:
                return
            del self._flying[key]
            self.counters["abandoned"] += 1
        outcome = None
        with exchange.lock:  # _gather() may be at it
            if overdue := monotonic() - exchange.started > exchange.patience:
                outcome = exchange.pump(0.0)  # it may have been there for long
            exchange.close()
        if overdue:
            self._remember(key[0], outcome or DnsFault.TIMEOUT)
        if isinstance(outcome, Answer):
            self.cache.put(key, outcome, self.clock())

    def _remember(self, name: str, outcome: Known) -> None:
        """Whether this zone answers."""
        if isinstance(outcome, Answer):
            self._breaker.answered(name)
        elif outcome is DnsFault.TIMEOUT:
            self._breaker.timed_out(name, self.clock())


class Session:
    """One message's DNS: a core.resolver.Resolver.  For one thread at a time.

    Within a message an answer does not change, whatever its time to live: it is
    one transaction (RFC 1035 section 3.2.1).  Answers that are there already cost
    nothing, also when the budget is spent.
    """

    def __init__(self, resolver: Resolver, seconds: float, questions: int) -> None:
        self._resolver = resolver
        self._seconds = self._seconds_left = seconds
        self._questions = self._questions_left = questions
        self._seconds_kept = 0.0  # of what is left, for who comes later; see ration()
        self._questions_kept = 0
        self._insisted: Sequence[str] = ()
        self._known: dict[Key, Known] = {}
        self._held: dict[Key, Exchange] = {}
        self._cached = 0
        self._shared = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __del__(self) -> None:
        # Forgotten, not closed: its sockets must not stay.  This may run in the middle
        # of anything, so that no lock can be taken here.
        if getattr(self, "_held", None):
            self._resolver.forgotten.extend(self._held.values())

    @property
    def usage(self) -> Usage:
        """What was used so far."""
        sent = self._questions - self._questions_left
        return Usage(sent, self._cached, self._shared, self._seconds - self._seconds_left)

    def ask(self, name: str, kind: Kind, /) -> Answer:
        """Answer, waiting if need be.  Raises TemporaryDnsError or BadName, nothing else."""
        key = (name, kind)
        known = self._known.get(key)
        if known is None:
            exchange = self._held.pop(key, None)
            if exchange is not None:  # it was foreseen: in normal form
                known = self._await(exchange)
            else:
                known = self._find((question_name(name), kind))
            if known is not DnsFault.BUDGET:
                self._known[key] = known
        if isinstance(known, Answer):
            return known
        raise TemporaryDnsError(known, question_name(name), kind)

    def prefetch(self, name: str, kind: Kind, /) -> None:
        """Send the question without waiting, because ask() will probably follow."""
        try:
            key = (question_name(name), kind)
        except BadName:
            return
        if key in self._known or key in self._held:
            return
        exchange, _ = self._join(key, True)
        if exchange is not None:
            self._held[key] = exchange

    def insist(self, domains: Sequence[str], /) -> None:
        """Ask for what is at, below or above these though names beside it are silent."""
        self._insisted = domains

    def ration(self, share: float, /) -> None:
        """Until the next call, use at most this share of what is left: what was kept, too."""
        seconds, questions = self._seconds_left, self._questions_left
        self._seconds_kept = seconds - seconds * share
        self._questions_kept = questions - ceil(questions * share)

    def close(self) -> None:
        """Drop what was asked for and is no longer wanted.  May be called again."""
        if self._held:
            for exchange in self._held.values():
                self._resolver.leave(exchange)
            self._held.clear()

    def _find(self, key: Key) -> Known:
        """Look in the message, in the cache, among the questions on their way; or ask."""
        if (known := self._known.get(key)) is not None:
            return known
        exchange = self._held.pop(key, None)
        if exchange is None:
            if (known := self._resolver.recall(key)) is not None:
                self._cached += 1
                return known
            exchange, known = self._join(key, False)
            if exchange is None:
                return known or DnsFault.BUDGET
        return self._await(exchange)

    def _join(self, key: Key, ahead: bool) -> tuple[Exchange | None, Known | None]:
        """Take part in a question at this message's expense; neither when it has spent all."""
        if self._questions_left <= self._questions_kept or self._seconds_left <= self._seconds_kept:
            return None, None
        exchange, new, known = self._resolver.join(key, ahead, self._insisted)
        if new:
            self._questions_left -= 1
        elif exchange is not None:
            self._shared += 1
        return exchange, known

    def _await(self, exchange: Exchange) -> Known:
        """Receive the answer, or wait for the thread that does."""
        outcome = exchange.outcome
        if outcome is not None:
            return outcome
        began = monotonic()
        left = self._seconds_left - self._seconds_kept
        if left < 0.0:
            left = 0.0
        if exchange.lock.acquire(timeout=left):
            asked = exchange.questions
            try:
                outcome = exchange.pump(began + left, self._nudge)
            finally:
                exchange.lock.release()
                self._questions_left -= exchange.questions - asked  # those behind CNAMEs
            self._resolver.landed(exchange)
        self._seconds_left -= monotonic() - began
        if outcome is None:
            self._held[exchange.key] = exchange  # close() will leave it
            return DnsFault.BUDGET
        return outcome

    def _nudge(self) -> None:
        """A server is silent: what else this message wants of it is asked again as well,
        lest every name waits for itself, one after the other."""
        for other in self._held.values():
            if other.lock.acquire(blocking=False):  # else some thread is at it
                asked = other.questions
                try:
                    other.pump(0.0)
                finally:
                    other.lock.release()
                    self._questions_left -= other.questions - asked
                self._resolver.landed(other)
