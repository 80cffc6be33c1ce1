"""relaxed: both forms, in Python and compiled, against the words of RFC 6376 section 3.4."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from itertools import product

import pytest

from postseal.core import relaxed
from support.compiled import both, needs_compiler

Reducer = Callable[[bytes], bytes]

# Everything that is treated apart, and something that is not.
OCTETS = [b"a", b" ", b"\t", b"\r", b"\n", b"\x0b"]
SHORT = [b"".join(made) for length in range(7) for made in product(OCTETS, repeat=length)]

needs_c = needs_compiler(relaxed.COMPILED, "_relaxed.c")
BODIES = both(relaxed.plain_body, relaxed.body, needs_c)
VALUES = both(relaxed.plain_value, relaxed.value, needs_c)


def body_as_said(data: bytes) -> bytes:
    """Section 3.4.4, but for the empty lines at the end."""
    return re.sub(rb"[ \t]+", b" ", data).replace(b" \r\n", b"\r\n")


def value_as_said(value: bytes) -> bytes:
    """Section 3.4.2, steps 2 to 5."""
    return re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")


@pytest.mark.parametrize("body", BODIES)
def test_every_short_body(body: Reducer) -> None:
    wrong = [made for made in SHORT if body(made) != body_as_said(made)]
    assert not wrong, wrong[:3]


@pytest.mark.parametrize("value", VALUES)
def test_every_short_value(value: Reducer) -> None:
    wrong = [made for made in SHORT if value(made) != value_as_said(made)]
    assert not wrong, wrong[:3]


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("length", [31, 32, 33, 34, 63, 64, 65, 66, 97])
def test_blanks_at_every_place(body: Reducer, length: int) -> None:
    """Compiled, 32 octets are looked at together: nothing is lost or doubled where they meet."""
    for at in range(length):
        for put in (b" ", b"  ", b"\t", b" \t ", b" \r\n", b"\t\r\n", b" \r", b" " * 40):
            data = b"x" * at + put + b"y" * (length - at)
            assert body(data) == body_as_said(data), data


def long_ones() -> list[bytes]:
    """Bodies of up to two slices, mostly blanks, of one pattern, or of anything."""
    dice = random.Random(6376)
    made = [
        (unit * 66_000)[: dice.choice((4095, 4096, 65_536, 65_537, 65_538))]
        for unit in (b" ", b"\t", b" \ta", b"  a", b" " * 30 + b"a", b" \r\n", b"\r\n", b"\0  ")
    ]
    for _ in range(60):
        weights = [dice.random() ** 3 for _ in OCTETS]
        count = dice.choice((100, 5000, 66_000))
        made.append(b"".join(dice.choices(OCTETS, weights, k=count))[:65_538])
    every = bytes(range(256))
    return [*made, (every + b" " * 400) * 80, every * 4 + b" " * 5000]


@pytest.mark.parametrize("body", BODIES)
def test_long_bodies(body: Reducer) -> None:
    for data in long_ones():
        assert body(data) == body_as_said(data)


@pytest.mark.parametrize("value", VALUES)
def test_long_values(value: Reducer) -> None:
    for data in long_ones():
        assert value(data) == value_as_said(data)


@needs_c
def test_what_needs_no_change_is_not_copied() -> None:
    data = b"an ordinary line\r\n" * 100
    assert relaxed.body(data) is data


@needs_c
@pytest.mark.parametrize("wrong", [None, "text", bytearray(b" "), memoryview(b" "), 1])
def test_only_bytes_are_taken(wrong: object) -> None:
    for reduce in (relaxed.body, relaxed.value):
        with pytest.raises(TypeError):
            reduce(wrong)  # type: ignore[arg-type]
