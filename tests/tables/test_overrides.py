"""overrides: rows that do nothing any more, and rows that prove nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from postseal.conf import load
from postseal.conf.mistake import Severity
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
