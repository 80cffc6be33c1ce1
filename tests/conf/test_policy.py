"""[[override]] as it is written, and what becomes of it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from postseal.conf import load
from postseal.conf.policy import Override, end_of


def row(text: str) -> Override:
    text = f'[[override]]\naction = "accept"\nwhy = "x"\n{text}\n'
    [made] = load.parse(text.encode(), Path("/p.toml")).settings.override
    return made


@pytest.mark.parametrize(
    ("text", "read"),
    [
        pytest.param('from = "A.Example."', ("a.example",), id="normal-form"),
        pytest.param('from = [".a.example", "b"]', (".a.example", "b"), id="below"),
        pytest.param('from = "bücher.example"', ("xn--bcher-kva.example",), id="u-label"),
        pytest.param('from = "Ann@a.example"', ("ann@a.example",), id="mailbox"),
    ],
)
def test_names(text: str, read: tuple[str, ...]) -> None:
    assert row(text).from_ == read


@pytest.mark.parametrize("text", ["until = 2027-01-31", 'until = "2027-01-31"'])
def test_the_last_day_is_in_force(text: str) -> None:
    made = row(f'client = "::1"\n{text}')
    assert made.until == date(2027, 1, 31)
    assert made.expires == 1801440000  # 2027-02-01T00:00:00Z


def test_without_a_day_it_stays() -> None:
    assert row('client = "::1"').expires is None


def test_the_end_of_a_year() -> None:
    assert end_of(date(1970, 12, 31)) == 365 * 86400
