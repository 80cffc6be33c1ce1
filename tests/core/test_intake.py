"""intake: what an MTA hands over becomes the octets that stood in the message."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.core import field
from postseal.core.field import Field
from postseal.core.intake import Intake, PlainIntake
from support.compiled import both, needs_compiler

needs_c = needs_compiler(field.COMPILED, "_field.c")
KINDS = both(PlainIntake, Intake, needs_c)
COST = 10


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("leading_space", [True, False])
@pytest.mark.parametrize(
    ("told", "stood"),
    [
        pytest.param(b"", b"", id="empty"),
        pytest.param(b" x", b" x", id="no-fold"),
        pytest.param(b" x\n y", b" x\r\n y", id="fold"),
        pytest.param(b"\n y\n\tz", b"\r\n y\r\n\tz", id="fold-at-once"),
        pytest.param(b" x\r\n y", b" x\r\n y", id="crlf-once"),
        pytest.param(b"\r\n\n", b"\r\n\r\n", id="crlf-and-lf"),
        pytest.param(b"\r\r\n", b"\r\r\n", id="cr-before-crlf"),
        pytest.param(b"a\rb\n", b"a\rb\r\n", id="bare-cr-stays"),
        pytest.param(b"\0 \xff\xa0", b"\0 \xff\xa0", id="any-octet"),
    ],
)
def test_values(kind: type[Intake], leading_space: bool, told: bytes, stood: bytes) -> None:
    intake = kind(1000, COST, leading_space)
    intake.add("X-Name ", told)
    (made,) = intake.hand_over()
    assert (made.name, made.key) == (b"X-Name ", b"x-name")
    assert made.value == (stood if leading_space else b" " + stood)


@pytest.mark.parametrize("kind", KINDS)
@given(st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b" ", b"a"])).map(b"".join))
def test_every_line_end_is_crlf(kind: type[Intake], told: bytes) -> None:
    intake = kind(1000, COST, True)
    intake.add("X", told)
    (made,) = intake.hand_over()
    assert made.value == told.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


@pytest.mark.parametrize("kind", KINDS)
def test_order_and_names_in_utf_8(kind: type[Intake]) -> None:
    intake = kind(1000, COST, True)
    for name in ("b", "a", "b", "grüße"):
        intake.add(name, b"")
    assert [made.name for made in intake.hand_over()] == [b"b", b"a", b"b", "grüße".encode()]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("value", "kept"),
    [
        pytest.param(b"x" * (100 - COST - 1), 1, id="to-the-last-octet"),
        pytest.param(b"x" * (100 - COST), 0, id="one-more"),
    ],
)
def test_the_room_is_name_value_and_cost(kind: type[Intake], value: bytes, kept: int) -> None:
    intake = kind(100, COST, True)
    intake.add("N", value)
    assert intake.room == kept - 1
    assert len(intake.hand_over()) == kept


@pytest.mark.parametrize("kind", KINDS)
def test_what_did_not_fit_never_does(kind: type[Intake]) -> None:
    """A smaller field after it is not kept either: the message is refused."""
    intake = kind(100, COST, True)
    intake.add("A", b"")
    intake.add("B", b"x" * 100)
    overdrawn = intake.room
    assert overdrawn < 0
    intake.add("C", b"")
    assert not intake.weigh(0)
    assert intake.room == overdrawn
    assert [made.name for made in intake.hand_over()] == [b"A"]


@pytest.mark.parametrize("kind", KINDS)
def test_other_things_take_room_too(kind: type[Intake]) -> None:
    intake = kind(100, COST, True)
    assert intake.weigh(90)
    assert intake.room == 0
    assert not intake.weigh(0)


@pytest.mark.parametrize("kind", KINDS)
def test_handing_over_keeps_the_room_taken(kind: type[Intake]) -> None:
    intake = kind(100, COST, True)
    intake.add("A", b"x")
    assert len(intake.hand_over()) == 1
    assert intake.hand_over() == ()
    assert intake.room == 100 - COST - 2


@pytest.mark.parametrize("kind", KINDS)
def test_renewed_for_the_next_message(kind: type[Intake]) -> None:
    intake = kind(100, COST, True)
    add = intake.add  # bound once, for every message of a connection
    add("A", b"")
    add("B", b"x" * 100)
    intake.renew()
    assert intake.room == 100
    add("C", b"")
    assert intake.hand_over() == (Field(b"C", b""),)


@needs_c
@pytest.mark.parametrize(
    "wrong", [("A",), ("A", b"", b""), (b"A", b""), ("A", "x"), ("A", None), (None, b"")]
)
def test_only_text_and_bytes_are_taken(wrong: tuple[object, ...]) -> None:
    intake = Intake(100, COST, True)
    with pytest.raises(TypeError):
        intake.add(*wrong)  # type: ignore[arg-type]
    assert intake.hand_over() == ()


@needs_c
def test_a_name_that_is_no_text_is_an_error() -> None:
    intake = Intake(100, COST, True)
    with pytest.raises(UnicodeEncodeError):
        intake.add("\ud800", b"")
    assert intake.hand_over() == ()


@needs_c
def test_nothing_is_kept_that_was_given_away() -> None:
    """The compiled types count their references by hand."""
    value = b"x" * 50
    before = sys.getrefcount(value)
    intake = Intake(10_000, COST, True)
    for _ in range(20):
        intake.add("A", value)
    kept = intake.hand_over()
    index = field.index(kept)
    assert sys.getrefcount(value) == before + 20
    assert [made.relaxed for made in kept] == [b"a:" + value + b"\r\n"] * 20
    del kept, index
    intake.add("A", value)
    intake.renew()
    assert sys.getrefcount(value) == before
