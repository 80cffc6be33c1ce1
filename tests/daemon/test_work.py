"""Hostile mail of every size through the adapter: the work grows with the size, not its square.

Nothing here is timed: lines, calls and octets are counted (support/effort.py), in the daemon's
own code but without libmilter, a process or a network.  What a count cannot see, the inside of a
regular expression, gets input on which it would not end if it went back.
"""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from fuzz.session import Ctx, Share
from postseal.conf import load
from postseal.core.pipeline import Pipeline
from postseal.daemon import rulebook
from postseal.daemon.adapter import Adapter
from postseal.daemon.logs import Log
from postseal.daemon.session import HEADER_ROOM
from postseal.tables import site
from support.dkimmail import NOW
from support.effort import Effort
from support.hostile import CASES, FIELD, Case, records
from support.pipeline import ID, Keys
from support.receiver import EVERYTHING

pytestmark = pytest.mark.slow  # the largest messages there can be

STEP = 8  # from one size to the next
SIZES = (1 / STEP**2, 1 / STEP, 1.0)
MOST = 1.5 * STEP  # linear work grows by 8, quadratic by 64
SIZED = [name for name, case in CASES.items() if not case.records]
ONE_FIELD = [name for name in SIZED if FIELD * 0.9 < len(CASES[name].make(1.0).octets) < 2 * FIELD]
ENDLESS = 20  # processor seconds after which work is taken for endless; half of one is usual

Answers = list[tuple[Any, ...]]


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    text = f'authserv_id = "{ID}"\n{EVERYTHING}'
    found = site.load(load.parse(text.encode(), Path("postseal.toml")), keys=False)
    return Pipeline(rulebook.rules_of(found), Keys(), lambda: NOW)


def prepared(pipeline: Pipeline, case: Case, share: float) -> Callable[[], Answers]:
    """The message as a call that brings it in and gives what the MTA was told."""
    made = case.make(share)
    body = made.mail.body
    fields = [(name.decode(), value.replace(b"\r\n", b"\n")) for name, value in made.mail.fields]
    dns = Share(records(case))
    ctx: Any = Ctx()
    adapter = Adapter(pipeline, lambda: dns, Log(lambda _level, _line: None))

    def bring() -> Answers:
        adapter.negotiate(ctx, [0x1FF, 0x1FFFFF, 0, 0])
        adapter.connect(ctx, "mail.example.com", 2, (made.client, 40000))
        adapter.helo(ctx, "mail.example.com")
        adapter.envfrom(ctx, made.sender.encode())
        for name, value in fields:
            adapter.header(ctx, name, value)
        adapter.eoh(ctx)
        for at in range(0, len(body), 65535):
            adapter.body(ctx, body[at : at + 65535])
        adapter.eom(ctx)
        adapter.close(ctx)
        return [call for call in ctx.calls if call[0] in ("insert", "reply")]

    return bring


def counted(bring: Callable[[], Answers], limit: float = float("inf")) -> Effort:
    """The work of one message, which must have been judged or refused, if it came to an end."""
    with Effort(limit) as effort:
        told = bring()
    assert effort.steps > limit or [call for call in told if call[1] != "451"]
    return effort


@pytest.mark.parametrize("name", SIZED)
def test_work_is_linear(pipeline: Pipeline, name: str) -> None:
    case = CASES[name]
    prepared(pipeline, case, SIZES[0])()  # what is made on first use is made now
    less = counted(prepared(pipeline, case, SIZES[0]))
    for size in SIZES[1:]:
        more = counted(prepared(pipeline, case, size), MOST * less.steps)
        assert more.steps <= MOST * less.steps
        assert more.octets <= MOST * less.octets
        less = more


@pytest.mark.parametrize("name", [name for name in CASES if name not in SIZED])
def test_dns_of_any_size(pipeline: Pipeline, name: str) -> None:
    """As much work as there are octets in all answers, and that of a plain message."""
    case = CASES[name]
    given = sum(len(str(record)) for rrset in records(case).values() for record in rrset)
    bring = prepared(pipeline, case, 1.0)
    limit = 10_000 + 3 * given
    effort = counted(bring, limit)
    assert effort.steps <= limit
    assert effort.octets <= 10_000 + 16 * given


def comes_to_an_end(bring: Callable[[], Answers]) -> bool:
    """Brings the message in, in a process of its own: nothing else stops a regular expression.

    It is processor time that counts: a busy machine does not matter.
    """
    child = os.fork()
    if child == 0:
        try:
            used = int(time.process_time()) + 1
            resource.setrlimit(resource.RLIMIT_CPU, (used + ENDLESS, used + ENDLESS))
            os._exit(0 if bring() else 1)
        finally:
            os._exit(2)
    return os.waitpid(child, 0)[1] == 0


@pytest.mark.parametrize("name", ONE_FIELD)
def test_no_pattern_goes_back(pipeline: Pipeline, name: str) -> None:
    """One field as large as the daemon takes all fields together: its square is 10**13."""
    assert comes_to_an_end(prepared(pipeline, CASES[name], (HEADER_ROOM - 100_000) / FIELD))


@pytest.mark.parametrize("name", [name for name in SIZED if name.startswith("body-")])
def test_no_pattern_goes_back_in_a_body(pipeline: Pipeline, name: str) -> None:
    """Each piece of 64 kB anew: 150 squares of 10**9."""
    assert comes_to_an_end(prepared(pipeline, CASES[name], 1.0))
