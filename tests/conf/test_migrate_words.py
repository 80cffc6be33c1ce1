"""Every option of OpenDKIM has a fate, and none is listed that does not exist."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest

from postseal.conf import migrate_dkimpy, migrate_opendkim, migrate_words
from postseal.conf.migrate_report import Fate

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "migrate"
OPTIONS = dict(
    line.split(" ", 1) for line in (VECTORS / "opendkim-options").read_text().splitlines()
)


def test_there_are_options() -> None:
    assert len(OPTIONS) > 150


def test_every_option_has_exactly_one_fate(tmp_path: Path) -> None:
    file = tmp_path / "opendkim.conf"
    file.write_text("".join(f"{name} {value}\n" for name, value in OPTIONS.items()))
    work = migrate_opendkim.migrate(file)
    unknown = [one.option for one in work.report.entries if "no such option" in one.text]
    assert unknown == []
    assert {one.option for one in work.report.entries} == set(OPTIONS)


def test_no_word_is_about_nothing() -> None:
    words = {*migrate_words.NO_EFFECT, *migrate_words.CHANGED, *migrate_words.DANGEROUS}
    assert words <= {name.lower() for name in OPTIONS}
    total = sum(map(len, (migrate_words.NO_EFFECT, migrate_words.CHANGED, migrate_words.DANGEROUS)))
    assert total == len(words)


@pytest.mark.parametrize("page", ["opendkim.conf", "dkimpy-milter.conf"])
def test_every_option_of_the_manual_has_a_fate(page: str, tmp_path: Path) -> None:
    """The manual of the installed package, so that a new release shows."""
    manual = Path(f"/usr/share/man/man5/{page}.5.gz")
    if not manual.exists():
        pytest.skip(f"{manual} is not installed")
    text = gzip.decompress(manual.read_bytes()).decode()
    names = re.findall(r"^\.I\s+([A-Z][A-Za-z0-9-]+)\s+\([A-Za-z]", text, re.M)
    names = [name for name in names if name != "Include"]
    assert len(names) > 20
    file = tmp_path / page
    file.write_text("".join(f"{name} 1\n" for name in names))
    migrate = (migrate_opendkim if page == "opendkim.conf" else migrate_dkimpy).migrate
    unknown = [one.option for one in migrate(file).report.entries if "no such" in one.text]
    assert unknown == []


def test_an_option_that_does_not_exist(tmp_path: Path) -> None:
    file = tmp_path / "opendkim.conf"
    file.write_text("Selektor x\n")
    [entry] = [one for one in migrate_opendkim.migrate(file).report.entries if one.line]
    assert entry.fate is Fate.DEAD
    assert entry.line == 1
