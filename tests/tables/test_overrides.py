"""overrides: rows that do nothing any more, and rows that prove nothing."""

from __future__ import annotations

from datetime import date
from ipaddress import ip_address
from pathlib import Path

import pytest

from postseal.conf import load
from postseal.conf.mistake import ConfigError, Severity
from postseal.daemon.rulebook import rules_of
from postseal.tables import overrides, site

TODAY = date(2026, 11, 21)


def told(text: str, action: str = "accept") -> list[tuple[str, Severity]]:
    text = f'[[override]]\naction = "{action}"\nwhy = "moving"\n{text}\n'
    place = load.parse(text.encode(), Path("/p.toml"))
    return [(str(one), one.severity) for one in overrides.remarks(place, TODAY)]


def test_an_expired_row_is_dead() -> None:
    [(text, severity)] = told('dkim = "a.b"\nuntil = 2026-11-20')
    assert severity is Severity.DEAD
    assert text.startswith("/p.toml:5: override[1].until: the row has expired")
    assert "(moving)" in text


@pytest.mark.parametrize("day", ["2026-11-21", "2027-01-01"])
def test_a_row_in_force_is_not(day: str) -> None:
    assert told(f'dkim = "a.b"\nuntil = {day}') == []


@pytest.mark.parametrize("text", ['from = "a.b"', 'list_id = "a.b"', 'recipient = "a@b.c"'])
def test_an_exemption_that_anybody_can_claim_is_noted(text: str) -> None:
    [(said, severity)] = told(text)
    assert severity is Severity.NOTE
    assert "whatever a sender writes" in said
    assert told(text, "reject") == []


@pytest.mark.parametrize("proof", ['dkim = "a.b"', 'client = "192.0.2.1"', 'arc = "a.b"'])
def test_an_exemption_with_a_proof_is_not(proof: str) -> None:
    assert told(f'from = "a.b"\n{proof}') == []


def test_the_site_has_the_remarks_and_the_clients(tmp_path: Path) -> None:
    text = '[[override]]\naction = "hold"\nwhy = "x"\nclient = "192.0.2.0/24"\nuntil = 2020-01-01\n'
    made = site.load(load.parse(text.encode(), tmp_path / "p.toml"))
    assert [one.severity for one in made.remarks] == [Severity.DEAD]
    assert len(made.clients) == 1
    assert len(made.clients[0]) == 1


# -- rows in a file of their own ----------------------------------------------------------------

MAIN = b'[[override]]\nfrom = "a.b"\naction = "hold"\nwhy = "first"\n'
ROWS = '[[override]]\nclient = "file:hosts"\ndkim = "c.d"\naction = "accept"\nwhy = "second"\n'


def made(tmp_path: Path, rows: str, written: str = "file:more/rows.toml") -> site.Site:
    """A site whose rows stand in two places; the list of clients is beside the second."""
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "rows.toml").write_text(rows)
    (tmp_path / "more" / "hosts").write_text("192.0.2.0/24\n")
    text = b'overrides = "%b"\n' % written.encode() + MAIN
    return site.load(load.parse(text, tmp_path / "p.toml"))


@pytest.mark.parametrize("written", ["file:more/rows.toml", "more/rows.toml"])
def test_rows_of_the_file_come_after_those_of_the_configuration(
    tmp_path: Path, written: str
) -> None:
    found = made(tmp_path, ROWS, written)
    assert [row.why for row in found.overrides] == ["first", "second"]
    rules = rules_of(found).overrides
    assert [(row.number, row.why) for row in rules] == [(1, "first"), (2, "second")]
    assert rules[0].client is None
    assert rules[1].client is not None
    assert rules[1].client.matches(ip_address("192.0.2.7"), "")
    assert not rules[1].client.matches(ip_address("198.51.100.7"), "")


def test_the_file_and_the_lists_it_names_are_watched(tmp_path: Path) -> None:
    names = {Path(one).relative_to(tmp_path).as_posix() for one in made(tmp_path, ROWS).files}
    assert names == {"p.toml", "more/rows.toml", "more/hosts"}


def test_mistakes_in_the_file_are_named_and_it_is_watched_nevertheless(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        made(tmp_path, ROWS + '[[override]]\naction = "hold"\nwhy = "x"\n')
    assert str(caught.value).startswith(f"{tmp_path}/more/rows.toml:6: override[2]: has no")
    assert tmp_path / "more" / "rows.toml" in map(Path, caught.value.files)


def test_a_missing_file_is_a_mistake_and_watched(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="none: cannot be read") as caught:
        site.load(load.parse(b'overrides = "file:none"\n', tmp_path / "p.toml"))
    assert tmp_path / "none" in map(Path, caught.value.files)


def test_remarks_name_the_file(tmp_path: Path) -> None:
    old = '[[override]]\ndkim = "c.d"\naction = "accept"\nuntil = 2020-01-01\nwhy = "x"\n'
    remarks = made(tmp_path, old).remarks
    assert [one.severity for one in remarks] == [Severity.DEAD]
    assert str(remarks[0]).startswith(f"{tmp_path}/more/rows.toml:4: override[1].until: the row")


@pytest.mark.parametrize("text", ['overrides = "file:"\n', "overrides = 3\n"])
def test_what_names_no_file(text: str) -> None:
    with pytest.raises(ConfigError, match=r"p\.toml:1: overrides: expected"):
        load.parse(text.encode(), Path("/p.toml"))


def test_an_empty_name_is_no_file() -> None:
    assert load.parse(b'overrides = ""\n', Path("/p.toml")).settings.overrides is None
