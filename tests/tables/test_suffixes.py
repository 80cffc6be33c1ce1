"""suffixes: the public suffix list as a value."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from postseal.conf.load import parse
from postseal.tables import site
from postseal.tables.suffixes import SuffixList, SuffixListError, load

pytest.importorskip("publicsuffixlist", reason="optional dependency publicsuffixlist is missing")

RULES = "// comment\ncom\nuk\nco.uk\n*.ck\n!www.ck\nрф\ngithub.io\n\n"


@pytest.fixture
def mine(tmp_path: Path) -> SuffixList:
    path = tmp_path / "list.dat"
    path.write_text(RULES, "utf-8")
    return load(path)


@pytest.mark.parametrize(
    ("name", "organizational"),
    [
        pytest.param("a.b.example.com", "example.com", id="below"),
        pytest.param("example.com", "example.com", id="itself"),
        pytest.param("com", "com", id="a-suffix"),
        pytest.param("a.example.co.uk", "example.co.uk", id="two-labels"),
        pytest.param("co.uk", "co.uk", id="a-suffix-of-two-labels"),
        pytest.param("a.b.c.ck", "b.c.ck", id="wildcard"),
        pytest.param("a.www.ck", "www.ck", id="exception"),
        pytest.param("a.b.xn--p1ai", "b.xn--p1ai", id="a-label-of-a-u-label-rule"),
        pytest.param("a.b.github.io", "b.github.io", id="private"),
        pytest.param("a.b.unlisted", "b.unlisted", id="unlisted"),
    ],
)
def test_organizational_domain(mine: SuffixList, name: str, organizational: str) -> None:
    assert mine.organizational_domain(name) == organizational


def test_the_list_of_the_package() -> None:
    assert load().organizational_domain("a.example.co.uk") == "example.co.uk"


@pytest.mark.parametrize(
    ("content", "what"),
    [
        pytest.param(None, "cannot be read", id="missing"),
        pytest.param(b"\xff\xfe", "cannot be read", id="not-utf-8"),
        pytest.param(b"<html>not found</html>", "no rule for com", id="something-else"),
        pytest.param(b"", "no rule for com", id="empty"),
    ],
)
def test_no_list(tmp_path: Path, content: bytes | None, what: str) -> None:
    path = tmp_path / "list.dat"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SuffixListError, match=what) as caught:
        load(path)
    assert caught.value.hint


def test_without_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "publicsuffixlist", None)
    with pytest.raises(SuffixListError, match="not installed") as caught:
        load()
    assert "tree walk" in caught.value.hint


def test_the_list_is_looked_at_for_changes(tmp_path: Path) -> None:
    (tmp_path / "list.dat").write_text("com\n")
    text = b'[dmarc]\ndiscovery = "both"\nsuffix_list = "list.dat"\n'
    assert tmp_path / "list.dat" in site.load(parse(text, tmp_path / "p.toml")).files
