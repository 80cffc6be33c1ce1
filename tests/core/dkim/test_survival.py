"""survival: what Postfix will change after the signature was made."""

from __future__ import annotations

import itertools
import random

import pytest

from postseal.core.dkim.survival import (
    COUNTED,
    FEW,
    MAX_LINE,
    SAMPLE,
    WHOLE,
    BodyObserver,
    Risk,
    header_risks,
    is_at_risk,
)
from postseal.core.field import Field, Header


def seen(body: bytes, *borders: int) -> dict[Risk, str]:
    observer = BodyObserver()
    cuts = [0, *borders, len(body)]
    for start, end in itertools.pairwise(cuts):
        observer.update(body[start:end])
    return {threat.risk: threat.place for threat in observer.risks()}


LONG = b"a\r\n" + b"x" * 999 + b"\r\nb\r\n"


@pytest.mark.parametrize(
    ("body", "risks"),
    [
        pytest.param(b"", set(), id="empty"),
        pytest.param(b"plain\r\ntext", set(), id="plain"),
        pytest.param(b"x" * 998 + b"\r\n" + b"y" * 998, set(), id="998"),
        pytest.param(LONG, {Risk.LONG_BODY_LINE}, id="p-31-999"),
        pytest.param(b"x" * 1000, {Risk.LONG_BODY_LINE}, id="p-31-without-end"),
        pytest.param("für\r\n".encode(), {Risk.EIGHT_BIT_BODY}, id="p-32-8-bit"),
        pytest.param(b"a\rb\r\n", {Risk.BARE_CR}, id="bare-cr"),
        pytest.param(b"a\nb\r\n", {Risk.BARE_LF}, id="bare-lf"),
        pytest.param(b"a\r", {Risk.BARE_CR}, id="cr-at-the-end"),
        pytest.param(b"\n\r", {Risk.BARE_CR, Risk.BARE_LF}, id="turned-round"),
    ],
)
def test_risks(body: bytes, risks: set[Risk]) -> None:
    assert set(seen(body)) == risks
    for border in range(1, min(len(body), 1100)):
        assert set(seen(body, border)) == risks, border


def test_the_line_is_named() -> None:
    for borders in ((), (500,), (1, 2, 3, 4), (1004,)):
        assert "line 2 " in seen(LONG, *borders)[Risk.LONG_BODY_LINE]


def test_places() -> None:
    assert "CR without LF in line 2 " in seen(b"a\r\nb\rc\r\n")[Risk.BARE_CR]
    assert "CR without LF before line 2 " in seen(b"a\r\nb\rc\r\n", 5)[Risk.BARE_CR]
    assert "LF without CR in line 2 " in seen(b"a\r\nb\nc\r\n", 2, 5)[Risk.BARE_LF]
    assert "at the end" in seen(b"a\r\nb\r", 2)[Risk.BARE_CR]
    ends = seen(b"a\r\nb\r\n" + b"x" * 999, 1, 3, 8)
    assert "line 3 " in ends[Risk.LONG_BODY_LINE]


def test_far_down_a_place_is_an_octet() -> None:
    body = b"0123456789\r\n" * (COUNTED // 8)
    chunks = range(65535, len(body), 65535)
    assert seen(body, *chunks) == {}
    found = seen(body + b"x" * 1200, *chunks)[Risk.LONG_BODY_LINE]
    assert f"at octet {len(body) + 1} " in found


def test_single_line_ends_are_looked_for_at_the_start_of_each_chunk() -> None:
    calm = b"0123456789\r\n" * SAMPLE
    assert set(seen(calm + b"a\rb\nc\r\n", len(calm))) == {Risk.BARE_CR, Risk.BARE_LF}
    assert seen(calm + b"a\rb\nc\r\n") == {}


@pytest.mark.parametrize("size", [0, SAMPLE, 3 * WHOLE])
def test_all_of_it_is_looked_at_where_that_is_wanted(size: int) -> None:
    body = b"0123456789\r\n" * (size // 12) + b"a\rb\nc\r\n" + b"x" * 1200 + b"\r\n"
    for step in (len(body), 65535):
        observer = BodyObserver(thorough=True)
        for at in range(0, len(body), step):
            observer.update(body[at : at + step])
        found = {threat.risk for threat in observer.risks()}
        assert found == {Risk.BARE_CR, Risk.BARE_LF, Risk.LONG_BODY_LINE}


def test_far_behind_some_chunks_are_looked_at() -> None:
    calm = b"0123456789\r\n" * (WHOLE // 12 + 1)
    chunk = b"ab\r\n" + b"x" * 1200 + b"\r\n"
    for lead in range(2 * FEW):
        body = calm + b"y\r\n" * lead + chunk * FEW
        start = len(calm) + 3 * lead
        borders = (*range(len(calm), start, 3), *range(start, len(body), len(chunk)))
        assert set(seen(body, *borders)) == {Risk.LONG_BODY_LINE}
    pieces = range(len(calm), len(calm) + 400, 7)  # a line's start lies in a chunk not looked at
    assert seen(calm + b"z" * 600 + b"\r\n", *pieces) == {}
    assert seen(calm + b"a\r\n" * 40, *range(len(calm), len(calm) + 118, 2)) == {}


def test_far_behind_the_others_are_not_looked_at() -> None:
    """Of the second to fifth chunk of a body the fourth alone, as one in FEW is."""
    calm = b"0123456789\r\n" * (WHOLE // 12 + 1)
    found = []
    for lead in range(FEW):
        observer = BodyObserver()
        for piece in (calm, *[b"y\r\n"] * lead, b"a\rb\r\n"):
            observer.update(piece)
        found.append(bool(observer.risks()))
    assert found == [False, False, True, False]


def test_a_line_may_begin_in_a_chunk_that_is_not_looked_at() -> None:
    calm = b"0123456789\r\n" * (WHOLE // 12 + 1)
    for lead in range(FEW):
        pieces = [calm, *[b"y\r\n"] * lead, b"x" * 900, *[b"\r\nq"] * (FEW - 1), b"w" * 500]
        borders = list(itertools.accumulate(map(len, pieces)))
        assert seen(b"".join(pieces), *borders[:-1]) == {}


def test_a_cr_at_the_end_is_not_of_the_line() -> None:
    assert set(seen(b"x" * MAX_LINE + b"\r")) == {Risk.BARE_CR}


def test_the_sample_may_end_within_a_line_end() -> None:
    for length in range(SAMPLE - 3, SAMPLE + 3):
        assert seen(b"x" * 500 + b"\r\n" + b"y" * (length - 502) + b"\r\nz\r\n") == {}


def test_only_the_first_long_line_is_named() -> None:
    body = b"x" * 1200 + b"\r\n" + b"y" * 1200 + b"\r\n"
    for borders in ((), (1100,), (1202,)):
        assert "line 1 " in seen(body, *borders)[Risk.LONG_BODY_LINE]


def test_against_a_plain_reading() -> None:
    rng = random.Random(5322)
    for _ in range(300):
        lines = [b"x" * rng.choice([0, 5, 500, 997, 998, 999, 1000, 1500]) for _ in range(6)]
        body = b"\r\n".join(lines)
        borders = sorted(rng.randrange(len(body) + 1) for _ in range(4))
        wanted = any(len(line) > MAX_LINE for line in lines)
        assert (Risk.LONG_BODY_LINE in seen(body, *borders)) == wanted


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (b" a\r\n b", []),
        (b" a\rb", [Risk.BARE_CR]),
        (b" a\r\n b\r", [Risk.BARE_CR]),
        (b" a\rb" + b"y" * 1000, [Risk.BARE_CR, Risk.LONG_HEADER_LINE]),
    ],
)
def test_a_cr_alone_in_a_field(value: bytes, found: list[Risk]) -> None:
    header = Header([Field(b"Subject", value)])
    assert [threat.risk for threat in header_risks(header, {b"subject"})] == found
    assert header_risks(header, set()) == ()
    assert all("the field Subject" in one.place for one in header_risks(header, {b"subject"}))


def test_header_lines() -> None:
    good = Field(b"References", b" " + b"<1@example.com>\r\n " * 200 + b"x")
    bad = Field(b"X-Long", b" short\r\n " + b"y" * 998)
    signed = {b"references", b"x", b"x-long"}
    assert header_risks(Header([good]), signed) == ()
    assert header_risks(Header([Field(b"X", b"y" * 996)]), signed) == ()
    assert len(header_risks(Header([Field(b"X", b"y" * 997)]), signed)) == 1
    (threat,) = header_risks(Header([good, bad]), signed)
    assert threat.risk is Risk.LONG_HEADER_LINE
    assert "X-Long" in threat.place
    assert str(threat).startswith("long-header-line: ")
    assert header_risks(Header([good, bad]), {b"references"}) == ()  # what is not signed may change


def test_one_look_at_all_fields_misses_nothing() -> None:
    """It may see too much, where a long name is not that of the long line; never too little."""
    rng = random.Random(998)
    found = 0
    for _ in range(2000):
        fields = []
        for _ in range(rng.randrange(4)):
            name = b"X" * rng.choice([1, 3, 40]) + b" " * rng.choice([0, 0, 0, 900])
            words = [
                rng.choice([b"", b"y", b"\r", b"\n", b"\r\n "]),
                b"z" * rng.randrange(940, 999),
            ]
            fields.append(Field(name, b" " + b"".join(rng.sample(words * 2, rng.randrange(4)))))
        risks = header_risks(Header(fields), {field.key for field in fields})
        found += bool(risks)
        assert is_at_risk(fields) or not risks
    assert found > 500
    assert not is_at_risk([])
    assert not is_at_risk([Field(b"To", b"\r\n " + b"y" * 990), Field(b"X", b" a\r\n\tb")])
