"""postseal(8) explains every word of a log line that is ours."""

from __future__ import annotations

import re

import pytest

from support.manpages import MAN
from test_architecture import ROOT

SOURCE = ROOT / "milter" / "postseal"
STORIES = ("core/report.py", "core/checking.py", "core/outbound.py")
IN_STORIES = re.compile(r'(?:pairs|story)\["(\w+)"\]|^ +"(\w+)": [^{]', re.M)
AROUND = re.compile(r'\("(\w+)", ')  # what the adapter puts before and after a story
EVENT = re.compile(r'\bevent="([a-z-]+)"|\("event", "([a-z-]+)"\)')
ELSEWHERE = {"event", "error", "hint", "actions"}  # of lines about no message


def words(pattern: re.Pattern[str], *files: str) -> set[str]:
    found = pattern.finditer("\n".join((SOURCE / one).read_text() for one in files))
    return {one[one.lastindex or 0] for one in found}


PAIRS = words(IN_STORIES, *STORIES) | words(AROUND, "daemon/adapter.py") - ELSEWHERE
EVENTS = words(EVENT, *(str(one.relative_to(SOURCE)) for one in SOURCE.rglob("*.py")))
LOG = (MAN / "postseal.8").read_text("utf-8").split(".Sh LOG\n")[1].split("\n.Sh ")[0]


def test_the_words_are_found() -> None:
    assert {"queue_id", "role", "dkim", "removed", "signed", "ms", "dns"} <= PAIRS
    assert {"ready", "worker-died", "reload-refused", "table-down"} <= EVENTS


@pytest.mark.parametrize("word", sorted(PAIRS))
def test_pairs_of_a_message(word: str) -> None:
    assert f"Li {word}=" in LOG


@pytest.mark.parametrize("word", sorted(EVENTS))
def test_events(word: str) -> None:
    assert re.search(rf"\bLi {word}( ,|\n| :)", LOG)
