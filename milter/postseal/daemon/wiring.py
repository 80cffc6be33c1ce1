"""From Settings to the parts that run: the one place where everything meets.

NAME
    wiring - configuration, keys, rules, engine and resolver put together

GIVES
    parts() and loader(): an Application, or Unusable with every mistake.

DOES NOT
    open sockets, fork, or judge.

SEE ALSO
    rulebook.py (Settings as Rules), tables/site.py (what is read).
"""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from postseal.conf.mistake import ConfigError, Severity
from postseal.conf.model import Settings
from postseal.core.pipeline import Pipeline
from postseal.core.signing import KeyChooser
from postseal.daemon import app
from postseal.daemon.hits import Hits
from postseal.daemon.logline import logline
from postseal.daemon.logs import open_log
from postseal.daemon.published import Board, PublishedChooser, Watcher
from postseal.daemon.resolver import Resolver, ResolverConfig, Session
from postseal.daemon.resolver_cache import CacheLimits
from postseal.daemon.rulebook import rules_of
from postseal.daemon.turn import OneThread
from postseal.tables import site
from postseal.tables.cached import Tell
from postseal.tables.chooser import DomainChooser, TableChooser

# A disk that is full leaves such files, and nothing in them means: sign for nobody, as root.
EMPTIED = "is empty, and was not before (hint: was a disk full? if it is meant, write a comment)"


class Unusable(app.Unusable):
    """The configuration cannot be used."""

    exit_status = os.EX_CONFIG


@dataclass(frozen=True, slots=True)
class Sessions:
    """Gives each message its share of a process's resolver."""

    resolver: Resolver
    seconds: float
    questions: int

    def __call__(self) -> Session:
        return self.resolver.session(self.seconds, self.questions)

    @property
    def counters(self) -> Mapping[str, int]:
        """What has become of the questions so far."""
        return self.resolver.counters

    @property
    def servers(self) -> str:
        """Who is asked now."""
        return self.resolver.servers


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """One configuration, put together."""

    settings: Settings
    pipeline: Pipeline
    macros: tuple[str, ...]
    recipients: bool = False  # whether a rule asks for RCPT TO
    hits: Hits | None = None  # None without overrides
    files: tuple[str | Path, ...] = ()
    remarks: tuple[str, ...] = ()  # rows without effect, and what was perhaps not meant
    board: Board | None = None  # what is known of published keys, where that is wanted

    def sessions(self) -> Sessions:
        """A process's resolver, as what gives each message its budget.  Call it after fork."""
        dns = self.settings.dns
        resolver = Resolver(
            ResolverConfig(
                nameservers=tuple(dns.nameservers),
                timeout=dns.timeout,
                attempts=dns.attempts,
                cache=CacheLimits(entries=dns.cache_entries),
            )
        )
        return Sessions(resolver, dns.seconds, dns.queries)

    def background(self) -> app.Background | None:
        """The thread that looks up published keys."""
        board = self.board
        if board is None:
            return None
        return lambda resolvers, log: Watcher(board, resolvers, log).run()


def loader(file: str | None) -> app.Loader:
    """What reads the configuration again at every reload."""
    board: Board | None = None
    filled: frozenset[str] = frozenset()

    def load_again() -> app.Application:
        nonlocal board, filled
        began = time.time_ns()
        with _uncollected():
            made = parts(file, before=board)
        empty = _empty(made.files)
        if emptied := sorted(filled & empty):
            raise Unusable(tuple(f"{one}: {EMPTIED}" for one in emptied), made.files)
        board, filled = made.board, frozenset(map(str, made.files)) - empty
        _remark(made)
        return app.Application(
            settings=made.settings,
            engine=made.pipeline,
            resolvers=made.sessions,
            macros=made.macros,
            recipients=made.recipients,
            summary=made.hits.lines if made.hits else tuple,
            files=made.files,
            began=began,
            background=made.background(),
        )

    return load_again


def _empty(files: Iterable[str | Path]) -> frozenset[str]:
    """Those without a single octet."""
    found = set()
    for one in files:
        with suppress(OSError):
            if not Path(one).stat().st_size:
                found.add(str(one))
    return frozenset(found)


@contextmanager
def _uncollected() -> Iterator[None]:
    """What is made here lives as long as the process, or until its last reference is gone.

    The collector need not look for it while it grows, which took a third of the time for 100,000
    domains; and must not later, because it writes to everything it looks at, and nothing of that
    would be shared any more with the workers.
    """
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
    gc.collect()  # what was only needed to make it: it would stay for ever
    gc.freeze()


def _teller(settings: Settings) -> Tell:
    """What logs that a table stopped answering, and that it answers again."""
    told = settings.log
    log = open_log(told.target, told.facility, told.level)

    def tell(level: str, pairs: list[tuple[str, str]]) -> None:
        getattr(log, level)(logline(pairs))

    return tell


def _remark(made: Parts) -> None:
    """Log what check-config would point out in a configuration that can be used."""
    told = made.settings.log
    log = open_log(told.target, told.facility, told.level)
    for remark in made.remarks:
        log.warning(logline([("event", "config-remark"), ("what", remark)]))


def parts(
    file: str | None,
    *,
    sign: bool = True,
    thorough: bool = False,
    before: Board | None = None,
) -> Parts:
    """Read, check and build everything.  Raises Unusable with every mistake.

    sign False leaves the keys alone: for a command that only verifies and may be
    run by somebody who cannot read them.  thorough verifies every signature that is made.
    before: what was known of the keys until now.
    """
    try:
        found = site.read(Path(file) if file else None, keys=sign, tell=_teller)
    except ConfigError as error:
        wrong = [str(one) for one in error.mistakes if one.severity is Severity.ERROR]
        raise Unusable(tuple(wrong), error.files) from None
    rules = rules_of(found)
    hits = Hits([row.why for row in rules.overrides]) if rules.overrides else None
    board = _board(found, before)
    return Parts(
        settings=found.settings,
        board=board,
        pipeline=Pipeline(
            rules,
            _chooser(found, board),
            time.time,
            hits.hit if hits else _uncounted,
            OneThread(),
        ),
        macros=rules.origins.macro_names,
        recipients=any(row.recipient for row in rules.overrides),
        hits=hits,
        remarks=tuple(map(str, found.remarks)),
        files=found.files,
    )


def _board(found: site.Site, before: Board | None) -> Board | None:
    """None where nobody wants to know what is published."""
    if found.settings.sign.check_published == "off":
        return None
    chooser = found.chooser
    if not isinstance(chooser, DomainChooser | TableChooser):
        return None
    return Board(chooser.listed(), before)


def _chooser(found: site.Site, board: Board | None) -> KeyChooser:
    if board is not None and found.settings.sign.check_published == "fallback":
        return PublishedChooser(found.chooser, board)
    return found.chooser


def _uncounted(_row: int) -> None:
    """There are no overrides."""
