"""openarc.conf: what each option becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from postseal.conf import load, migrate_openarc
from postseal.conf.migrate_base import Migration
from postseal.conf.model import Settings

KEY = "Domain a.example\nSelector s\nKeyFile /k\n"


def migrated(folder: Path, text: str) -> Migration:
    file = folder / "openarc.conf"
    file.write_text(text)
    return migrate_openarc.migrate(file)


def settings(work: Migration) -> Settings:
    return load.parse(work.result().encode(), Path("/etc/postseal/postseal.toml")).settings


@pytest.mark.parametrize(
    ("mode", "seals", "verifies"),
    [
        ("", True, True),
        ("Mode sv\n", True, True),
        ("Mode s\n", True, False),
        ("Mode v\n", False, True),
    ],
)
def test_mode(mode: str, seals: bool, verifies: bool, tmp_path: Path) -> None:
    work = migrated(tmp_path, mode + KEY)
    arc = settings(work).arc
    assert (arc.seal, arc.verify) == (seals, verifies)
    assert (arc.domain, arc.selector) == (("a.example", "s") if seals else ("", ""))
    fates = {one.fate.value for one in work.report.entries}
    assert fates == ({"kept"} if seals else {"kept", "dead"})


@pytest.mark.parametrize(
    ("line", "fate"),
    [
        ("MinimumKeySizeRSA 2048", "kept"),
        ("SealHeaderChecks /x", "changed"),
        ("InternalHosts 10.0.0.0/8", "changed"),
        ("MaximumHeaders 9", "without effect"),
        ("Selector s", "dead"),
        ("Nonsense 1", "dead"),
    ],
)
def test_option(line: str, fate: str, tmp_path: Path) -> None:
    work = migrated(tmp_path, line + "\n")
    assert [one.fate.value for one in work.report.entries] == [fate]
    assert settings(work).verify.minimum_key_bits == (2048 if "2048" in line else 1024)
