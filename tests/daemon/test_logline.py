"""A log line can be read back whatever a sender put into it."""

from __future__ import annotations

import random
import re

import pytest

from postseal.daemon.logline import LINE_MAX, VALUE_MAX, Value, logline

PAIR = re.compile(r'([a-z_]+)=("(?:[^"\\]|\\.)*"|[^ "=\\]*)(?: |$)')


def read(line: str) -> list[tuple[str, str]]:
    """The pairs of a line, as somebody's log reader would take it apart."""
    found, place = [], 0
    while place < len(line):
        match = PAIR.match(line, place)
        assert match, line[place:]
        value = match[2]
        if value.startswith('"'):
            value = value[1:-1].replace('\\"', '"').encode().decode("unicode_escape")
        found.append((match[1], value))
        place = match.end()
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param("a.example", "k=a.example", id="plain"),
        pytest.param(12, "k=12", id="number"),
        pytest.param("", 'k=""', id="empty"),
        pytest.param("a b", 'k="a b"', id="space"),
        pytest.param("a=b", 'k="a=b"', id="equals"),
        pytest.param('a"b', 'k="a\\"b"', id="quote"),
        pytest.param("a\\", 'k="a\\\\"', id="backslash-at-the-end"),
        pytest.param('\\"', 'k="\\\\\\""', id="backslash-and-quote"),
        pytest.param("a\r\nqueue_id=x", 'k="a\\r\\nqueue_id=x"', id="line-break"),
        pytest.param("\x00\x1b[2J", 'k="\\x00\\x1b[2J"', id="control"),
        pytest.param("ö\u2028", 'k="\\xf6\\u2028"', id="not-ascii"),
        pytest.param("\udc80", 'k="\\udc80"', id="lone-surrogate"),
    ],
)
def test_value(value: Value, expected: str) -> None:
    assert logline([("k", value)]) == expected


def test_order_is_kept() -> None:
    assert logline([("queue_id", "4X"), ("role", "inbound"), ("ms", 3)]) == (
        "queue_id=4X role=inbound ms=3"
    )


def test_long_value_is_cut() -> None:
    (pair,) = read(logline([("k", "a" * (VALUE_MAX + 1))]))
    assert pair == ("k", "a" * VALUE_MAX + "...")
    assert logline([("k", "a" * VALUE_MAX)]) == "k=" + "a" * VALUE_MAX


def test_long_line_is_cut_between_pairs() -> None:
    line = logline([("queue_id", "4X"), *((f"k_{'a' * n}", "b" * 250) for n in range(30))])
    pairs = read(line)
    assert len(line) <= LINE_MAX
    assert pairs[0] == ("queue_id", "4X")
    assert pairs[-1] == ("truncated", "yes")
    assert all(value == "b" * 250 for _, value in pairs[1:-1])


@pytest.mark.parametrize("last", range(200, 232))
def test_no_line_is_longer_than_one_write_keeps_whole(last: int) -> None:
    """Whatever is left of the room when the first pair does not fit."""
    pairs = [(f"k{n:02}", "b" * 250) for n in range(14)]
    line = logline([*pairs, ("last", "c" * last), ("more", "d" * 200)])
    assert len(line) <= LINE_MAX and line.endswith(" truncated=yes")


def test_nothing_a_sender_writes_is_lost_or_forged() -> None:
    rng = random.Random(2026)
    alphabet = 'ab =\\"\n\r\t\x00\x7fö\U0001f600\udcff'
    for _ in range(3000):
        values = ["".join(rng.choices(alphabet, k=rng.randrange(12))) for _ in range(3)]
        line = logline([("x", values[0]), ("y", values[1]), ("z", values[2])])
        assert line.isascii()
        assert line.isprintable()
        assert read(line) == [("x", values[0]), ("y", values[1]), ("z", values[2])]
