"""Keys by name, before there is any mail; and what cannot be named is said."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest

from postseal.conf import load
from postseal.conf.mistake import Severity
from postseal.tables import site
from postseal.tables.chooser import TableChooser
from postseal.tables.listing import plain_domain
from support.sites import private

pytestmark = pytest.mark.skipif(os.name != "posix", reason="key files have modes")


def made(tmp_path: Path, keys: str, senders: str) -> tuple[TableChooser, list[str]]:
    """The chooser of these two tables, and the notes on check_published."""
    file = tmp_path / "postseal.toml"
    text = f'[sign]\ncheck_published = "warn"\nkey_table = "{keys}"\nsigning_table = "{senders}"\n'
    file.write_text(text)
    found = site.load(load.read(file))
    assert isinstance(found.chooser, TableChooser)
    notes = [one for one in found.remarks if one.key == "sign.check_published"]
    assert {one.severity for one in notes} <= {Severity.NOTE}
    found.close()
    return found.chooser, [one.what for one in notes]


def names(chooser: TableChooser) -> Sequence[str]:
    return sorted({key.name.replace("._domainkey.", " ") for key in chooser.listed()})


@pytest.mark.parametrize(
    ("pattern", "domain"),
    [
        ("a.example", "a.example"),
        ("joe@a.example", "a.example"),
        ("*@a.example", "a.example"),
        (".a.example", ""),
        ("joe@.a.example", ""),
        ("*@*.a.example", ""),
        ("*", ""),
        ("[a-z]@a.exam*", ""),
    ],
)
def test_a_row_for_one_domain(pattern: str, domain: str) -> None:
    assert plain_domain(pattern) == domain


def test_the_domains_that_the_signing_table_names(tmp_path: Path) -> None:
    private(tmp_path / "k")
    chooser, notes = made(
        tmp_path,
        f"csl:all=%:s:{tmp_path}/k,one=c.example:t:{tmp_path}/k,d.example=%:u:{tmp_path}/k",
        "csl:a.example=all,joe@b.example=all,.x.example=one,c.example=one,d.example=%",
    )
    assert names(chooser) == ["s a.example", "s b.example", "t c.example", "u d.example"]
    assert [key.load().query_name.partition(".")[0] for key in chooser.listed()]
    assert not notes


def test_patterns_leave_domains_out(tmp_path: Path) -> None:
    private(tmp_path / "k")
    chooser, (note,) = made(
        tmp_path, f"csl:all=%:s:{tmp_path}/k", "csl:a.example=all,.b.example=all"
    )
    assert names(chooser) == ["s a.example"]
    assert "row 'all' of key_table has the domain %" in note
    assert "only domains that it names in full are checked" in note


@pytest.mark.parametrize("place", ["%", "%/%", "%/10%.k"])
def test_files_name_domains_too(tmp_path: Path, place: str) -> None:
    """One row and a file for each domain: what PostfixAdmin's database goes with."""
    path = f"{tmp_path}/keys/{place}"
    for domain in ("a.example", "sub.b.example", "not a domain", "stranger.test"):
        private(Path(path.replace("%", domain)))
    chooser, notes = made(tmp_path, f"csl:all=%:s:{path}", "csl:.example=all")
    assert names(chooser) == ["s a.example", "s sub.b.example"]
    assert not notes


def test_senders_elsewhere(tmp_path: Path) -> None:
    private(tmp_path / "keys/a.example")
    place = "redis://127.0.0.1:9/0?prefix=x"
    chooser, (note,) = made(
        tmp_path, f"csl:k=%:s:{tmp_path}/keys/%,l=%:s:{tmp_path}/keys/a.example", place
    )
    assert names(chooser) == ["s a.example"]
    assert chooser.domains == {"a.example"}  # a stranger who uses it is told of
    assert "row 'l' of key_table has the domain %" in note
    assert "kept elsewhere: none are checked" in note


def test_keys_elsewhere(tmp_path: Path) -> None:
    chooser, (note,) = made(tmp_path, "redis://127.0.0.1:9/0?hash=x", "csl:a.example=k")
    assert names(chooser) == []
    assert "nobody lists what a table elsewhere holds" in note
