"""field: exact octets, look-up by name, and the two header canonicalizations."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postseal.core.field import Field, Header


@pytest.mark.parametrize(
    ("name", "value", "relaxed"),
    [
        pytest.param(b"A", b" X ", b"a:X\r\n", id="6376-3.4.5-first"),
        pytest.param(b"B ", b" Y\t\r\n\tZ  ", b"b:Y Z\r\n", id="6376-3.4.5-second"),
        pytest.param(b"SubJect", b" AbC", b"subject:AbC\r\n", id="value-keeps-case"),
        pytest.param(b"A", b"", b"a:\r\n", id="empty"),
        pytest.param(b"A", b" \t\r\n ", b"a:\r\n", id="blank"),
        pytest.param(b"A", b" \x0ba\x0c ", b"a:\x0ba\x0c\r\n", id="d16-vt-ff-stay"),
        pytest.param(b"A", b" a\rb", b"a:a\rb\r\n", id="bare-cr-stays"),
        pytest.param(b"A", b" a\nb", b"a:a\nb\r\n", id="bare-lf-stays"),
        pytest.param(b"A", b" a\r\nb", b"a:ab\r\n", id="crlf-without-blank"),
        pytest.param(b"A", b" \x85\xa0x", b"a:\x85\xa0x\r\n", id="other-blanks-stay"),
        pytest.param(b"A", b" caf\xe9 \xff", b"a:caf\xe9 \xff\r\n", id="8-bit"),
        pytest.param(b"A\t ", b"x", b"a:x\r\n", id="blank-before-colon"),
    ],
)
def test_relaxed(name: bytes, value: bytes, relaxed: bytes) -> None:
    assert Field(name, value).relaxed == relaxed


def test_simple_is_what_was_written() -> None:
    assert Field(b"SubJect ", b"  a\r\n\tb ").simple == b"SubJect :  a\r\n\tb \r\n"


PIECES = [b" ", b"\t", b"a", b"\r\n ", b"\r\n\t", b"\x0b", b"\x0c", b"\r", b"\n", b"\x1c", b"\xa0"]


@settings(max_examples=5 * settings().max_examples)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map(b"".join))
def test_relaxed_equals_a_plain_reading(value: bytes) -> None:
    """RFC 6376 section 3.4.2, step by step."""
    plain = value.replace(b"\r\n", b"")
    plain = re.sub(rb"[ \t]+", b" ", plain).strip(b" ")
    assert Field(b"X", value).relaxed == b"x:" + plain + b"\r\n"


def test_header_look_up() -> None:
    fields = [Field(b"From", b" a"), Field(b"To", b" b"), Field(b"FROM ", b" c")]
    header = Header(fields)
    assert [*header.all(b"from")] == [fields[0], fields[2]]
    assert not header.all(b"cc")
    assert (b"to" in header, b"cc" in header) == (True, False)
    assert list(header) == fields
    assert len(header) == 3


def test_fields_are_values() -> None:
    assert Field(b"A", b"1") == Field(b"A", b"1")
    assert Field(b"A", b"1") != Field(b"a", b"1")
    assert len({Field(b"A", b"1"), Field(b"A", b"1")}) == 1
