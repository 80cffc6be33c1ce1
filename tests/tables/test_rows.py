"""Rows, cut as OpenDKIM cuts them."""

from __future__ import annotations

from pathlib import Path

import pytest

from postseal.tables.rows import MAX_FILE, MAX_LINE, NotARow, Row, TableError, read, rows
from postseal.tables.source import Form, Source

FILE, REFILE = Source(Form.FILE, "t"), Source(Form.REFILE, "t")


@pytest.mark.parametrize(
    ("line", "row"),
    [
        pytest.param(b"a b", Row("a", "b", 1), id="two-words"),
        pytest.param(b"a \t b c ", Row("a", "b c", 1), id="value-keeps-inner-blanks"),
        pytest.param(b"a", Row("a", None, 1), id="key-alone"),
        pytest.param(b"a b#c", Row("a", "b", 1), id="comment-anywhere"),
        pytest.param(b"a b\r", Row("a", "b", 1), id="crlf"),
        pytest.param(b"a\x0bb", Row("a", "b", 1), id="vertical-tab"),
        pytest.param(b"a\xc2\xa0b c", Row("a\xa0b", "c", 1), id="no-break-space-is-not-a-blank"),
    ],
)
def test_row(line: bytes, row: Row) -> None:
    assert list(rows(FILE, line + b"\n")) == [row]


def test_empty_lines_and_comments_count_as_lines() -> None:
    assert list(rows(FILE, b"\n# x\n   \n a b")) == [Row("a", "b", 4)]


def test_a_leading_blank_ends_a_refile_row() -> None:
    assert list(rows(FILE, b" a b")) == [Row("a", "b", 1)]
    [found] = rows(REFILE, b" a b")
    assert isinstance(found, NotARow)
    assert "blank" in found.why


@pytest.mark.parametrize(
    ("line", "part"),
    [(b"a \xff", "UTF-8"), (b"a \0b", "NUL"), (b"a " + b"x" * MAX_LINE, "longer")],
)
def test_not_a_row(line: bytes, part: str) -> None:
    [found] = rows(FILE, line)
    assert isinstance(found, NotARow)
    assert part in found.why


def test_what_is_not_utf8_is_shown_in_ascii() -> None:
    [found] = rows(FILE, b"a \xff 'b' \\")
    assert isinstance(found, NotARow)
    assert found.text == r"a \xff 'b' \\"


def test_list() -> None:
    found = list(rows(Source(Form.CSL, ""), b" a = b=c ,, d,e="))
    assert found == [Row("a", "b=c", 0), Row("d", None, 0), Row("e", "", 0)]


def test_a_list_is_its_own_data(tmp_path: Path) -> None:
    assert read(Source(Form.CSL, "a=b"), tmp_path) == b"a=b"


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(TableError, match="No such file"):
        read(FILE, tmp_path)
    with pytest.raises(TableError, match="directory"):
        read(Source(Form.FILE, "."), tmp_path)
    with (tmp_path / "t").open("wb") as file:
        file.truncate(MAX_FILE + 1)
    with pytest.raises(TableError, match="longer"):
        read(FILE, tmp_path)
