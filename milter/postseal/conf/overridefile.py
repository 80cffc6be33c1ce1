"""The file of override rows: [[override]] tables apart from postseal.toml.

NAME
    overridefile - read(): the rows of a file, or every mistake in it

GIVEN
    the file, and the Settings it belongs to: some rows only work beside other options.

GIVES
    a Configuration that holds those rows and their lines, its other settings being the
    ones given; or ConfigError.  Each bad row is named, by its line and number.

SEE ALSO
    conf/policy.py (a row), tables/overrides.py, postseal.toml(5).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from postseal.conf import check, explain, load
from postseal.conf.load import Configuration
from postseal.conf.mistake import ConfigError, Mistake
from postseal.conf.model import MAX_OVERRIDES, Settings
from postseal.conf.policy import Override

ROW = "[[override]]"


def read(file: Path, settings: Settings) -> Configuration:
    """The rows.  Raises ConfigError with all mistakes, unreadable file included."""
    tree, index = load.toml(load.octets(file), str(file))
    place = Configuration(settings=settings, file=str(file), index=index)
    mistakes = [
        place.mistake((name,), "cannot stand in this file", f"it holds {ROW} rows alone")
        for name in tree
        if name != "override"
    ]
    rows = tree.get("override", [])
    if not isinstance(rows, list):
        raise ConfigError([place.mistake(("override",), f"is no row: write {ROW}", "")])
    if len(rows) > MAX_OVERRIDES:
        raise ConfigError([place.mistake((), f"has more than {MAX_OVERRIDES} rows")])
    read_rows: list[Override] = []
    for number, row in enumerate(rows):
        wrong = list(_mistakes(place, number, row, settings, read_rows))
        mistakes += wrong
    if mistakes:
        raise ConfigError(mistakes)
    made = settings.model_copy(update={"override": tuple(read_rows)})
    return Configuration(settings=made, file=str(file), index=index)


def _mistakes(
    place: Configuration, number: int, row: Any, settings: Settings, good: list[Override]
) -> Iterator[Mistake]:
    """What is wrong with one row; a row that can be read is added to good."""
    try:
        made = Override.model_validate(row, context={"base": str(Path(place.file).parent)})
    except ValidationError as error:
        for one in error.errors(include_url=False):
            one["loc"] = ("override", number, *one["loc"])
            yield place.mistake(*explain.explain(one))
        return
    good.append(made)
    for finding in check.override(made, ("override", number), settings):
        yield place.mistake(finding.path, finding.what, finding.hint)
