"""Keys that are not published: said in the log, and left out where another will do.

NAME
    published - Board (what is known of every key), Watcher (finds out), PublishedChooser

GIVEN
    the keys of a configuration; a resolver.

GIVES
    a warning for every key that verifiers will not find as it is here, once, and again when that
    changes; with "fallback", choices in which such a key is replaced.

HOW
    One thread in one worker asks, a few questions a second, at start and then daily.  What it
    finds it writes into memory that all workers share, one octet for each key.  No
    message waits for any of this.  DNS that gives no answer changes nothing.

SEE ALSO
    sign.check_published in postseal.toml(5); core/dkim/publication.py.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from mmap import mmap

from postseal.core.dkim.publication import State, compare
from postseal.core.dkim.sign import UnusableKey
from postseal.core.resolver import BadName, Kind, TemporaryDnsError
from postseal.core.signing import Choice, KeyChooser
from postseal.daemon.engine import MessageResolver
from postseal.daemon.guard import fault_of
from postseal.daemon.logline import logline
from postseal.daemon.logs import Log
from postseal.tables.keyring import KeyFault
from postseal.tables.listing import Listed

DAY = 86400.0  # seconds between two rounds over all keys
AGAIN = 600.0  # seconds until keys without an answer are asked for again
PACE = 0.1  # seconds between two keys: 10,000 of them take a quarter of an hour

_STATES = tuple(State)
_NUMBERS = {state: number for number, state in enumerate(_STATES)}
_BAD = {_NUMBERS[state] for state in State if state.is_bad}
_UNLOADABLE = (KeyFault, UnusableKey)


class Board:
    """The state of every key, in memory shared with all processes that are forked later."""

    def __init__(self, keys: Iterable[Listed], before: Board | None = None) -> None:
        """before: the board of the configuration before this one, whose states still hold."""
        self.keys = tuple({key.name: key for key in keys}.values())
        self._place = {key.name: number for number, key in enumerate(self.keys)}
        self._states = mmap(-1, len(self.keys) + 1)  # shared, and zero: UNKNOWN
        for key in self.keys if before is not None and before.suspects else ():
            assert before is not None
            self[key.name] = before[key.name]

    def __getitem__(self, name: str) -> State:
        place = self._place.get(name)
        return State.UNKNOWN if place is None else _STATES[self._states[place]]

    def __setitem__(self, name: str, state: State) -> None:
        mended = self[name].is_bad
        self._states[self._place[name]] = _NUMBERS[state]
        if state.is_bad or mended:
            self._states[len(self.keys)] = not _BAD.isdisjoint(self._states[: len(self.keys)])

    @property
    def suspects(self) -> bool:
        """Whether any key is bad: the one thing that every message looks at."""
        return bool(self._states[len(self.keys)])

    def others(self, domain: str) -> list[Listed]:
        """The domain's keys that are known to be published."""
        return [
            key for key in self.keys if key.domain == domain and self[key.name] is State.PUBLISHED
        ]


class PublishedChooser:
    """A chooser that leaves out keys which nobody can verify with."""

    def __init__(self, inner: KeyChooser, board: Board) -> None:
        self._inner = inner
        self._board = board

    def choose(self, address: str, /) -> tuple[Choice, ...]:
        choices = self._inner.choose(address)
        if not self._board.suspects:
            return choices
        return tuple(self._replaced(choices))

    def _replaced(self, choices: Sequence[Choice]) -> list[Choice]:
        """Without bad keys, as long as each of their domains keeps a signature."""
        good = [one for one in choices if not self._board[one.key.query_name].is_bad]
        served = {one.key.domain for one in good}
        for choice in choices:
            domain = choice.key.domain
            if domain not in served:
                good.append(self._instead_of(choice))
                served.add(domain)
        return good

    def _instead_of(self, choice: Choice) -> Choice:
        """Another key of the domain; the same again when there is none."""
        for other in self._board.others(choice.key.domain):
            with suppress(*_UNLOADABLE):
                return Choice(key=other.load(), identity=choice.identity)
        return choice


class Watcher:
    """Looks the keys up, and tells the board and the log."""

    def __init__(
        self,
        board: Board,
        resolver: Callable[[], MessageResolver],
        log: Log,
        *,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._board = board
        self._resolver = resolver
        self._log = log
        self._sleep = sleep

    def run(self) -> None:
        """Rounds without end.  Never raises: it is a thread of its own."""
        try:
            while True:
                self.day()
        except Exception as error:
            fault = fault_of(error)
            pairs = [("event", "key-check-ended"), ("error", fault.error), ("where", fault.where)]
            self._log.error(logline(pairs))

    def day(self) -> None:
        """All keys once; those without an answer again and again; then the rest of the day."""
        left = DAY
        silent = self.round(self._board.keys)
        while silent and left > AGAIN:
            self._sleep(AGAIN)
            left -= AGAIN
            silent = self.round(silent)
        self._sleep(left)

    def round(self, keys: Iterable[Listed]) -> list[Listed]:
        """Look these keys up; gives those that DNS did not answer for."""
        silent = []
        for key in keys:
            found = self._look(key)
            if found is None:
                silent.append(key)
            else:
                self._note(key, *found)
            self._sleep(PACE)
        return silent

    def _look(self, key: Listed) -> tuple[State, str] | None:
        """What is published; None when that cannot be told now."""
        resolver = self._resolver()
        try:
            texts = resolver.ask(key.name, Kind.TXT).texts
            return compare(key.load().public, texts)
        except (TemporaryDnsError, BadName):
            return None
        except _UNLOADABLE:  # said when it was read, or when mail wants it
            return None
        finally:
            resolver.close()

    def _note(self, key: Listed, state: State, why: str) -> None:
        before = self._board[key.name]
        if state is before:
            return
        self._board[key.name] = state
        if state.is_bad:
            self._log.warning(
                logline([
                    ("event", "key-not-published"), ("key", key.name), ("state", state.value),
                    ("why", why),
                    ("hint", "signatures by it will fail; postseal-testkey shows both halves"),
                ])
            )  # fmt: skip
        elif before.is_bad:
            self._log.info(logline([("event", "key-published"), ("key", key.name)]))
