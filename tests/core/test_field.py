"""field: exact octets, look-up by name, and the two header canonicalizations."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postseal.core import field
from postseal.core.field import Field, Header, PlainField
from support.compiled import both, needs_compiler

needs_c = needs_compiler(field.COMPILED, "_field.c")
KINDS = both(PlainField, Field, needs_c)


@pytest.mark.parametrize("kind", KINDS)
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
def test_relaxed(kind: type[Field], name: bytes, value: bytes, relaxed: bytes) -> None:
    made = kind(name, value)
    assert made.relaxed == relaxed
    assert made.relaxed is made.relaxed  # made once, for all signatures


@pytest.mark.parametrize("kind", KINDS)
def test_simple_is_what_was_written(kind: type[Field]) -> None:
    made = kind(b"SubJect ", b"  a\r\n\tb ")
    assert (made.name, made.value) == (b"SubJect ", b"  a\r\n\tb ")
    assert made.simple == b"SubJect :  a\r\n\tb \r\n"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [bytes([octet]) + b"Zz\t " for octet in range(256)])
def test_key(kind: type[Field], name: bytes) -> None:
    """Only the 26 letters have two cases; blanks go at the end alone."""
    letters = bytes(range(ord("A"), ord("Z") + 1))
    small = name.translate(bytes.maketrans(letters, bytes(range(ord("a"), ord("z") + 1))))
    assert kind(name, b"").key == small[:-2]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("length", [0, 1, 1019, 1020, 1021, 1022, 70_000])
def test_fields_of_any_length(kind: type[Field], length: int) -> None:
    """Compiled, a kilobyte is where other memory is used."""
    value = b"x" * length
    assert kind(b"A", value).simple == b"A:" + value + b"\r\n"
    assert kind(b"A", value).relaxed == b"a:" + value + b"\r\n"
    assert kind(b"A", b" " * length).relaxed == b"a:\r\n"
    assert kind(value, b"").key == value


@needs_c
@pytest.mark.parametrize("wrong", [("A", b""), (b"A", ""), (b"A",), (b"A", b"", b""), (None, b"")])
def test_only_bytes_are_taken(wrong: tuple[object, ...]) -> None:
    with pytest.raises(TypeError):
        Field(*wrong)  # type: ignore[arg-type]


@needs_c
def test_a_compiled_field_never_changes() -> None:
    made = Field(b"A", b"")
    for name in ("name", "value", "key", "relaxed", "simple", "other"):
        with pytest.raises(AttributeError):
            setattr(made, name, b"B")


PIECES = [b" ", b"\t", b"a", b"\r\n ", b"\r\n\t", b"\x0b", b"\x0c", b"\r", b"\n", b"\x1c", b"\xa0"]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=5 * settings().max_examples)
@given(st.lists(st.sampled_from(PIECES), max_size=20).map(b"".join))
def test_relaxed_equals_a_plain_reading(kind: type[Field], value: bytes) -> None:
    """RFC 6376 section 3.4.2, step by step."""
    plain = value.replace(b"\r\n", b"")
    plain = re.sub(rb"[ \t]+", b" ", plain).strip(b" ")
    assert kind(b"X", value).relaxed == b"x:" + plain + b"\r\n"


def test_header_look_up() -> None:
    fields = [Field(b"From", b" a"), Field(b"To", b" b"), Field(b"FROM ", b" c")]
    header = Header(fields)
    assert [*header.all(b"from")] == [fields[0], fields[2]]
    assert not header.all(b"cc")
    assert (b"to" in header, b"cc" in header) == (True, False)
    assert list(header) == fields
    assert len(header) == 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "index", [field.plain_index, pytest.param(field.index, id="compiled", marks=needs_c)]
)
def test_index(kind: type[Field], index: Callable[[Sequence[Field]], object]) -> None:
    """Fields of either kind: lists under each name, in the order of the header."""
    one, two, three = kind(b"X-A", b"1"), kind(b"B", b"2"), kind(b"x-a ", b"3")
    assert index((one, two, three)) == {b"x-a": [one, three], b"b": [two]}
    assert index(()) == {}


@needs_c
@pytest.mark.parametrize("wrong", [None, [1], 7])
def test_the_compiled_index_takes_fields(wrong: Sequence[Field]) -> None:
    with pytest.raises((TypeError, AttributeError)):
        field.index(wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_fields_are_values(kind: type[Field]) -> None:
    assert kind(b"A", b"1") == kind(b"A", b"1")
    assert kind(b"A", b"1") != kind(b"a", b"1")
    assert kind(b"A", b"1") != kind(b"A", b"2")
    assert kind(b"A", b"1") != b"A:1"
    assert len({kind(b"A", b"1"), kind(b"A", b"1")}) == 1
    assert repr(kind(b"A", b"\xff")) == "Field(b'A', b'\\xff')"
