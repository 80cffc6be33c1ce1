"""headerhash: selection (RFC 6376 section 5.4.2) and the deletion of b= (section 3.5)."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Collection
from types import SimpleNamespace
from typing import Any

import pytest

from postseal.core.dkim import headerhash
from postseal.core.field import Field, Header, PlainField
from support.compiled import both, needs_compiler


def test_bottom_up_and_absent_names() -> None:
    a1, b, a2 = Field(b"A", b"1"), Field(b"B", b"x"), Field(b"a", b"2")
    header = Header([a1, b, a2])
    chosen = headerhash.select(header, [b"a", b"c", b"b", b"a", b"a", b"b"])
    assert chosen == [a2, b, a1]


def test_the_own_field_is_left_out_and_its_equal_is_not() -> None:
    first, second = Field(b"D", b"1"), Field(b"D", b"1")
    header = Header([first, second])
    (chosen,) = headerhash.select(header, [b"d", b"d"], without=first)
    assert chosen is second


@pytest.mark.parametrize(
    ("value", "left"),
    [
        pytest.param(b" a=1; b=xyz", b" a=1; b=", id="last"),
        pytest.param(b" b=xyz; a=1", b" b=; a=1", id="first"),
        pytest.param(b" a=1; b =\r\n x\r\n y \r\n ; c=2", b" a=1; b =; c=2", id="fws-around-goes"),
        pytest.param(b" bh=abc=; b=x=;", b" bh=abc=; b=;", id="bh-stays"),
        pytest.param(b" z=b=1; b=2", b" z=b=1; b=", id="b-inside-a-value"),
        pytest.param(b" B=1; b=2", b" B=1; b=", id="case"),
        pytest.param(b" a=1", b" a=1", id="none"),
    ],
)
def test_without_value(value: bytes, left: bytes) -> None:
    assert headerhash.without_value(Field(b"D", value)).value == left


PIECES = [b";", b";", b"b", b"b=", b"=", b" ", b"\t", b"\r\n ", b"bh=", b"B=", b"a=b", b"\n", b"\v"]


def test_without_value_as_one_would_say_it() -> None:
    """The first tag of that name, cut at semicolons, split at "=", stripped of white space."""
    rng = random.Random(6376)
    for _ in range(5000):
        value = b"".join(rng.choices(PIECES, k=rng.randrange(14)))
        specs = value.split(b";")
        for i, spec in enumerate(specs):
            name, equals, _ = spec.partition(b"=")
            if equals and name.strip(b" \t\r\n") == b"b":
                specs[i] = name + equals
                break
        assert headerhash.without_value(Field(b"D", value)).value == b";".join(specs)


@pytest.mark.parametrize("piece", [b" ", b"; ", b";b ", b"b=", b"; b", b"\r\n "])
def test_without_value_takes_linear_time(piece: bytes) -> None:
    value = b"a=1;" + piece * (400_000 // len(piece))
    started = time.process_time()
    headerhash.without_value(Field(b"D", value))
    assert time.process_time() - started < 1


needs_c = needs_compiler(headerhash.COMPILED, "_headerhash.c")
Octets = Callable[[Header, Collection[bytes], Field, bool], bytes]
KINDS = both(headerhash.plain_octets, headerhash.octets, needs_c)


@pytest.mark.parametrize("octets", KINDS)
def test_octets_end_without_crlf(octets: Octets) -> None:
    header = Header([Field(b"From", b" a  b ")])
    own = Field(b"DKIM-Signature", b" v=1;\r\n b=x\r\n y")
    assert octets(header, [b"from"], own, True) == b"from:a b\r\ndkim-signature:v=1; b="
    assert octets(header, (b"from",), own, False) == (b"From: a  b \r\nDKIM-Signature: v=1;\r\n b=")


@pytest.mark.parametrize("octets", KINDS)
def test_octets_of_chosen_fields(octets: Octets) -> None:
    """From the bottom up, absent names nothing, the own field never, its equal yes."""
    own, equal = Field(b"D", b"b=1"), Field(b"D", b"b=1")
    header = Header([Field(b"A", b"1"), own, Field(b"a", b"2"), equal, Field(b"B", b"3")])
    names = [b"a", b"d", b"d", b"c", b"b", b"a", b"a", b"b"]
    assert octets(header, names, own, True) == b"a:2\r\nd:b=1\r\nb:3\r\na:1\r\nd:b="


@needs_c
@pytest.mark.parametrize("kind", [PlainField, Field])
def test_compiled_octets_are_those_of_python(kind: type[Field]) -> None:
    rng = random.Random(8601)

    def value() -> bytes:
        return b"".join(rng.choices(PIECES, k=rng.randrange(14)))

    for _ in range(4000):
        fields = [kind(rng.choice([b"A", b"a ", b"B", b"D"]), value()) for _ in range(9)]
        header = Header(fields[: rng.randrange(10)])
        own = rng.choice(fields)
        names = tuple(rng.choices([b"a", b"b", b"c", b"d"], k=rng.randrange(12)))
        for relaxed in (True, False):
            expected = headerhash.plain_octets(header, names, own, relaxed)
            assert headerhash.octets(header, names, own, relaxed) == expected


@needs_c
@pytest.mark.parametrize("piece", [b" ", b"; ", b";b ", b"b=", b"; b", b"\r\n "])
def test_compiled_octets_take_linear_time(piece: bytes) -> None:
    value = b"a=1;" + piece * (400_000 // len(piece))
    started = time.process_time()
    headerhash.octets(Header([]), (), Field(b"D", value), True)
    assert time.process_time() - started < 1


@needs_c
@pytest.mark.parametrize(
    ("index", "names", "field"),
    [
        pytest.param([], (), Field(b"D", b""), id="index"),
        pytest.param({b"a": 1}, (b"a",), Field(b"D", b""), id="list-of-fields"),
        pytest.param({b"a": [1]}, (b"a",), Field(b"D", b""), id="field"),
        pytest.param({}, 1, Field(b"D", b""), id="names"),
        pytest.param({}, ([],), Field(b"D", b""), id="name"),
        pytest.param({}, (), b"D", id="own"),
        pytest.param({}, (), SimpleNamespace(name="D", key="d", value="x"), id="no-bytes"),
    ],
)
def test_what_is_no_header_is_an_error(index: Any, names: Any, field: Any) -> None:
    from postseal.core.dkim import _headerhash

    for relaxed in (True, False):
        with pytest.raises((TypeError, AttributeError, SystemError)):
            _headerhash.octets(index, names, field, relaxed)
