"""removed: what is kept of a removed field is harmless and bounded."""

from __future__ import annotations

import pytest

from postseal.core.action import Delete
from postseal.core.field import Field, Header
from postseal.core.removed import MAX_FIELDS, MAX_TEXT, folded, texts


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param(b" a;\r\n\tb", b"a; b", id="unfolded"),
        pytest.param(b"", b"", id="empty"),
        pytest.param(b" \x00\r\x1b[1m\x7f\xff", b"? ?[1m??", id="nothing-unprintable"),
        pytest.param(b"x" * 100, b"x" * 76 + b"\r\n\t" + b"x" * 24, id="no-long-line"),
    ],
)
def test_text(value: bytes, kept: bytes) -> None:
    assert folded(value) == kept


@pytest.mark.parametrize("value", [b"y" * 10**6, b"y " * 10**6, b"\r\n" * 10**6], ids=repr)
def test_bounded(value: bytes) -> None:
    made = folded(value)
    assert len(made) <= MAX_TEXT + MAX_TEXT // 25
    assert all(len(line) <= 78 for line in made.split(b"\r\n"))
    assert all(line.startswith(b"\t") and line.strip() for line in made.split(b"\r\n")[1:])


def test_each_edit_finds_its_field() -> None:
    header = Header([Field(b"Authentication-Results", b" %d" % n) for n in range(1, 4)])
    gone = [Delete("Authentication-Results", 3), Delete("Authentication-Results", 1)]
    assert list(texts(header, gone)) == [b"3", b"1"]


def test_only_some_are_kept() -> None:
    count = MAX_FIELDS + 3
    header = Header([Field(b"Authentication-Results", b" x")] * count)
    gone = [Delete("Authentication-Results", n) for n in range(count, 0, -1)]
    assert len(list(texts(header, gone))) == MAX_FIELDS
