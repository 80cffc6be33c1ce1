"""One line when DNS stops answering, and one when it answers again.

NAME
    outage - Outage: look() every few seconds

GIVEN
    the counts of a resolver since its start: "answers", and its faults by name.

GIVES
    event=dns-down after FAILED questions in a row without an answer, seen at two looks;
    event=dns-up after the next answer.  What each message met stands in its own line.

DOES NOT
    ask anything itself, or change how mail is judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from postseal.core.resolver import DnsFault
from postseal.daemon.logline import logline
from postseal.daemon.logs import Log

FAILED = 10  # one message with a dead domain asks fewer questions, mostly
HINT = "mail is judged without DNS: look at these name servers, or name others in [dns]"


@runtime_checkable
class Counting(Protocol):
    """What is looked at."""

    @property
    def counters(self) -> Mapping[str, int]: ...
    @property
    def servers(self) -> str: ...


class Outage:
    """Of one process's resolver.  For one thread."""

    def __init__(self, dns: Counting, log: Log) -> None:
        self._dns = dns
        self._log = log
        self._answers = 0
        self._before: Mapping[str, int] = {}  # faults when the last answer was seen
        self._failing = False  # already at the last look
        self._down = False

    def look(self) -> None:
        """Never raises, whatever the counts are."""
        counts = dict(self._dns.counters)
        if (answers := counts.get("answers", 0)) != self._answers:
            self._answers, self._before, self._failing = answers, counts, False
            if self._down:
                self._down = False
                self._log.info(logline([("event", "dns-up")]))
            return
        failed = {one: counts.get(one, 0) - self._before.get(one, 0) for one in DnsFault}
        failing = sum(failed.values()) >= FAILED
        if failing and self._failing and not self._down:
            self._down = True
            self._tell(failed)
        self._failing = failing

    def _tell(self, failed: Mapping[DnsFault, int]) -> None:
        why = ",".join(f"{one}={count}" for one, count in failed.items() if count)
        self._log.error(
            logline([
                ("event", "dns-down"), ("failed", why), ("servers", self._dns.servers),
                ("hint", HINT),
            ])
        )  # fmt: skip
