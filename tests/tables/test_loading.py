"""Parts of reading a site that are easier to see alone."""

from __future__ import annotations

from pathlib import Path

from postseal.conf import load
from postseal.conf.mistake import Mistake, Severity
from postseal.tables.hosts import HostList
from postseal.tables.loading import hosts_file, with_severity


def test_severity() -> None:
    made = with_severity(Mistake(file="f", what="w"), Severity.NOTE)
    assert made == Mistake(file="f", what="w", severity=Severity.NOTE)


def test_hosts_file_adds_to_the_list(tmp_path: Path) -> None:
    (tmp_path / "h").write_text("a.example\n\n# c\n.b.example # d\n")
    made, found = HostList(), list[Mistake]()
    hosts_file(load.default(), ("roles", "peers"), tmp_path / "h", made, found)
    assert not found
    assert made.matches(None, "x.b.example")
