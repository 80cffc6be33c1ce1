"""listid: one readable List-Id, or none."""

from __future__ import annotations

import pytest

from postseal.core.field import Field, Header
from postseal.core.listid import list_id


def read(*values: bytes) -> str:
    return list_id(Header([Field(b"List-Id", value) for value in values]))


@pytest.mark.parametrize(
    ("value", "name"),
    [
        pytest.param(b" <a.lists.example>", "a.lists.example", id="bare"),
        pytest.param(b' "A list" <A.Lists.Example>\r\n ', "a.lists.example", id="phrase"),
        pytest.param(b" <x.example> <a.example>", "a.example", id="last"),
        pytest.param(b" a.lists.example", "", id="no-brackets"),
        pytest.param(b" <list>", "", id="one-label"),
        pytest.param(b" <a..example>", "", id="empty-label"),
        pytest.param(b" <a b.example>", "", id="blank"),
        pytest.param(b" <a.ex\xc3\xa4mple>", "", id="8-bit"),
        pytest.param(b" <a." + b"x" * 300 + b">", "", id="long"),
        pytest.param(b" <" * 10**6, "", id="hostile"),
    ],
)
def test_list_id(value: bytes, name: str) -> None:
    """RFC 2919 section 2."""
    assert read(value) == name


def test_none_and_several() -> None:
    assert read() == ""
    assert read(b" <a.example>", b" <b.example>") == ""
