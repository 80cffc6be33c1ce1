"""What a generation of workers is made of, put together before they are forked.

NAME
    app - Application: settings, engine and resolver of one configuration

GIVES
    the parts that worker.py and supervisor.py need.  Everything that can fail (key files,
    tables) has been read when there is an Application, so that a bad configuration never
    reaches a worker.

DOES NOT
    hold sockets or threads: it is made in the supervisor and used after fork().
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from postseal.conf.model import Settings
from postseal.daemon.engine import Engine, MessageResolver
from postseal.daemon.logline import Value
from postseal.daemon.logs import Log

# Called once in every worker, after fork: gives what makes each message's resolver.
ResolverMaker = Callable[[], Callable[[], MessageResolver]]

# Given that worker's resolvers and log; runs until the process ends, and never raises.
Background = Callable[[Callable[[], MessageResolver], Log], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Application:
    """One configuration, ready to run."""

    settings: Settings
    engine: Engine
    resolvers: ResolverMaker
    recipients: bool = False  # whether a rule asks for RCPT TO
    summary: Callable[[], Iterable[Sequence[tuple[str, Value]]]] = tuple  # log lines for its end
    macros: tuple[str, ...] = ()  # milter macros that the operator's rules ask for, without braces
    background: Background | None = None  # runs in a thread of one worker, beside mail
    files: tuple[str | Path, ...] = ()  # what it was read from: a change calls for a reload
    began: int | None = None  # when reading began, in nanoseconds since 1970


# Reads the configuration again, with keys and tables.  Raises Unusable.
Loader = Callable[[], Application]


class Unusable(Exception):
    """The configuration cannot be used.

    lines: every mistake, ready to be shown.  files: where a change may mend them.
    """

    def __init__(self, lines: tuple[str, ...], files: tuple[str | Path, ...] = ()) -> None:
        self.lines = lines
        self.files = files
        super().__init__("\n".join(lines))
