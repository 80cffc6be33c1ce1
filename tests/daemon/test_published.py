"""published: keys compared with DNS, in the log, and replaced where that is wanted."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import partial

import pytest

from postseal.core.dkim import sign
from postseal.core.dkim.publication import State
from postseal.core.dkim.sign import SigningKey, UnusableKey
from postseal.core.resolver import DnsFault, Record
from postseal.core.signing import Choice, NoKeys
from postseal.daemon.logs import Level, Log
from postseal.daemon.published import AGAIN, DAY, Board, PublishedChooser, Watcher
from postseal.tables.listing import Listed
from support.dkimmail import ED25519, ED25519_RECORD, KEYS, RSA, RSA_RECORD
from support.fakedns import FakeDns

RSA_KEY = sign.signing_key(RSA, "example.com", "s1")
ED_KEY = sign.signing_key(ED25519, "example.com", "ed")
OLD_KEY = sign.signing_key(RSA, "example.com", "old")
S1, ED = RSA_KEY.query_name, ED_KEY.query_name


def listed(key: SigningKey) -> Listed:
    return Listed(domain=key.domain, selector=key.selector, load=lambda: key)


class Session(FakeDns):
    """A table that can be closed, as one message's resolver is."""

    sent = 0
    closed = 0

    @property
    def usage(self) -> Session:
        return self

    def close(self) -> None:
        Session.closed += 1


class World:
    """A board, its watcher, DNS that changes, a log, and time that passes only in sleep()."""

    def __init__(self, *keys: SigningKey, before: Board | None = None) -> None:
        self.records: Mapping[tuple[str, str], tuple[Record, ...]] = KEYS
        self.broken: set[str] = set()
        self.lines: list[tuple[Level, str]] = []
        self.slept: list[float] = []
        self.board = Board(map(listed, keys or (RSA_KEY, ED_KEY)), before)
        self.watcher = Watcher(self.board, self._session, self._log(), sleep=self.slept.append)

    def _session(self) -> Session:
        faults = dict.fromkeys(self.broken, DnsFault.SERVFAIL)
        return Session(self.records, broken=faults)

    def _log(self) -> Log:
        return Log(lambda level, line: self.lines.append((level, line)))

    def round(self) -> list[str]:
        return [key.name for key in self.watcher.round(self.board.keys)]

    @property
    def states(self) -> list[State]:
        return [self.board[key.name] for key in self.board.keys]


def test_published_keys_are_not_worth_a_line() -> None:
    world = World()
    before = Session.closed
    assert world.round() == []
    assert Session.closed == before + 2
    assert world.states == [State.PUBLISHED] * 2
    assert world.lines == [] and not world.board.suspects


def test_a_key_that_is_not_published_is_said_once() -> None:
    world = World()
    world.records = {(S1, "TXT"): (RSA_RECORD,)}
    world.round()
    ((level, line),) = world.lines
    assert level is Level.WARNING
    assert f"event=key-not-published key={ED} state=missing" in line and "hint=" in line
    world.round()
    assert len(world.lines) == 1


def test_every_change_is_said() -> None:
    world = World(RSA_KEY)
    world.records = {(S1, "TXT"): (b"v=DKIM1; p=",)}
    world.round()
    world.records = {}
    world.round()
    world.records = KEYS
    world.round()
    said = [line.partition(" why=")[0] for _, line in world.lines]
    assert said == [
        f"event=key-not-published key={S1} state=revoked",
        f"event=key-not-published key={S1} state=missing",
        f"event=key-published key={S1}",
    ]
    assert not world.board.suspects


@pytest.mark.parametrize("known", [State.UNKNOWN, State.PUBLISHED, State.MISSING])
def test_no_answer_changes_nothing(known: State) -> None:
    world = World(RSA_KEY)
    world.board[S1] = known
    world.broken = {S1}
    assert world.round() == [S1]
    assert world.states == [known] and world.lines == []


def test_a_key_that_cannot_be_made_ready_is_not_called_unpublished() -> None:
    def fail() -> SigningKey:
        raise UnusableKey("no")

    world = World()
    world.board.keys = (Listed(domain="example.com", selector="s1", load=fail),)
    world.round()
    assert world.board[S1] is State.UNKNOWN and world.lines == []


def test_keys_without_an_answer_are_asked_for_again() -> None:
    world = World()
    world.broken = {ED}
    sleep: list[float] = []

    def mend(seconds: float) -> None:
        sleep.append(seconds)
        if sleep.count(AGAIN) == 3:
            world.broken = set()

    world.watcher._sleep = mend
    world.watcher.day()
    assert world.states == [State.PUBLISHED] * 2
    assert sleep.count(AGAIN) == 3
    assert sleep[-1] == DAY - 3 * AGAIN  # and then it waits for tomorrow


def test_keys_that_never_get_an_answer_do_not_lengthen_the_day() -> None:
    world = World()
    world.broken = {ED}
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        assert sum(slept) <= DAY + 2 * len(slept)  # the paces between keys come on top

    world.watcher._sleep = sleep
    world.watcher.day()
    assert (slept.count(AGAIN), sum(slept) >= DAY) == (DAY // AGAIN, True)


def test_the_thread_never_raises() -> None:
    world = World()

    def end(_seconds: float) -> None:
        raise RuntimeError("boom")

    world.watcher._sleep = end
    world.watcher.run()
    assert world.lines[-1][0] is Level.ERROR and "boom" in world.lines[-1][1]


def test_all_processes_see_the_same_board() -> None:
    world = World()
    pid = os.fork()
    if pid == 0:
        world.board[ED] = State.REVOKED
        os._exit(0)
    os.waitpid(pid, 0)
    assert world.board[ED] is State.REVOKED and world.board.suspects


def test_a_reload_keeps_what_was_known() -> None:
    world = World()
    world.records = {(S1, "TXT"): (RSA_RECORD,)}
    world.round()
    after = World(RSA_KEY, ED_KEY, before=world.board)
    after.records = world.records
    after.round()
    assert after.states == [State.PUBLISHED, State.MISSING] and after.lines == []
    assert World(RSA_KEY, before=world.board).states == [State.PUBLISHED]


# With "fallback".


class Chosen(NoKeys):
    def __init__(self, *keys: SigningKey) -> None:
        self.keys = keys

    def choose(self, _address: str, /) -> tuple[Choice, ...]:
        return tuple(Choice(key=key, identity="@example.com") for key in self.keys)


GOOD, BAD, OLD = State.PUBLISHED, State.MISSING, OLD_KEY.query_name
BOTH = {S1: State.PUBLISHED, ED: State.PUBLISHED}


@pytest.mark.parametrize(
    ("chosen", "states", "signing"),
    [
        pytest.param((RSA_KEY, ED_KEY), BOTH, [S1, ED], id="both-published"),
        pytest.param((RSA_KEY, ED_KEY), {}, [S1, ED], id="nothing-known"),
        pytest.param((RSA_KEY, ED_KEY), {**BOTH, ED: State.MISSING}, [S1], id="one-left-out"),
        pytest.param((ED_KEY,), {**BOTH, ED: State.REVOKED}, [S1], id="the-other-instead"),
        pytest.param((ED_KEY,), {ED: State.DIFFERENT}, [ED], id="the-other-not-known"),
        pytest.param((ED_KEY, RSA_KEY), {ED: BAD}, [S1], id="what-is-not-known-stays"),
        pytest.param((ED_KEY,), {ED: State.MISSING, S1: State.MISSING}, [ED], id="none-published"),
        pytest.param((ED_KEY, OLD_KEY), {S1: GOOD, ED: BAD, OLD: BAD}, [S1], id="one-for-two"),
        pytest.param((), {**BOTH, ED: State.MISSING}, [], id="not-ours"),
    ],
)
def test_fallback(
    chosen: tuple[SigningKey, ...], states: Mapping[str, State], signing: list[str]
) -> None:
    world = World(RSA_KEY, ED_KEY, OLD_KEY)
    for name, state in states.items():
        world.board[name] = state
    made = PublishedChooser(Chosen(*chosen), world.board).choose("a@example.com")
    assert [choice.key.query_name for choice in made] == signing
    assert all(choice.identity == "@example.com" for choice in made)


def test_another_domains_key_is_no_replacement() -> None:
    other = sign.signing_key(RSA, "other.example", "s1")
    world = World(other, ED_KEY)
    world.board[other.query_name] = State.PUBLISHED
    world.board[ED] = State.MISSING
    made = PublishedChooser(Chosen(ED_KEY, other), world.board).choose("a@example.com")
    assert {choice.key.query_name for choice in made} == {ED, other.query_name}


def test_a_replacement_that_cannot_be_read_is_none() -> None:
    def fail() -> SigningKey:
        raise UnusableKey("no")

    load: Callable[[], SigningKey] = partial(sign.signing_key, ED25519, "example.com", "ed")
    board = Board(
        [
            Listed(domain="example.com", selector="s1", load=fail),
            Listed(domain="example.com", selector="ed", load=load),
        ]
    )
    board[S1], board[ED] = State.PUBLISHED, State.MISSING
    made = PublishedChooser(Chosen(ED_KEY), board).choose("a@example.com")
    assert [choice.key.query_name for choice in made] == [ED]


def test_published_means_as_it_is_here() -> None:
    world = World()
    world.records = {(S1, "TXT"): (ED25519_RECORD,), (ED, "TXT"): (RSA_RECORD,)}
    world.round()
    assert world.states == [State.UNUSABLE] * 2
