"""What there is to say about [[override]] rows that can be used.

NAME
    overrides - where rows stand, and remarks(): rows that do nothing any more, or that
    anybody can meet

GIVES
    for an expired row a mistake of severity DEAD, for a row that exempts by nothing but
    what a sender writes a NOTE.

SEE ALSO
    conf/policy.py, conf/check.py (rows that are wrong).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path

from postseal.conf import overridefile
from postseal.conf.load import Configuration
from postseal.conf.mistake import ConfigError, Mistake, Severity
from postseal.tables.loading import with_severity


def places(configuration: Configuration, found: list[Mistake]) -> tuple[Configuration, ...]:
    """Where rows stand: in the configuration, then in the file that it names for them."""
    file = configuration.settings.overrides
    if file is None:
        return (configuration,)
    try:
        return configuration, overridefile.read(file, configuration.settings)
    except ConfigError as error:
        found += error.mistakes
        return (configuration,)


def files(configuration: Configuration, places: Iterable[Configuration]) -> Iterator[Path]:
    """The file of rows, wrong or not, and the lists of clients that rows name."""
    if configuration.settings.overrides is not None:
        yield configuration.settings.overrides
    for place in places:
        base = Path(place.file).absolute().parent
        for row in place.settings.override:
            for entry in row.client:
                if entry.startswith("file:"):
                    yield base / entry.removeprefix("file:")


def remarks(configuration: Configuration, today: date | None = None) -> Iterator[Mistake]:
    """In the order of the rows.  today: in UTC; left out, it is asked of the clock."""
    rows = configuration.settings.override
    if rows and today is None:
        today = datetime.now(UTC).date()
    for number, row in enumerate(rows):
        if row.until is not None and today is not None and row.until < today:
            dead = configuration.mistake(
                ("override", number, "until"),
                f"the row has expired and does nothing ({row.why})",
                "take it out, or give it a later day",
            )
            yield with_severity(dead, Severity.DEAD)
        if row.action == "accept" and not (row.dkim or row.client or row.arc):
            note = configuration.mistake(
                ("override", number),
                "is met by whatever a sender writes, forgeries included",
                "add dkim, client or arc, which prove something",
            )
            yield with_severity(note, Severity.NOTE)
