"""findings: order, carets, and text that cannot harm a terminal."""

from __future__ import annotations

import json
import random

import pytest

from postseal_keys.findings import (
    WINDOW,
    Finding,
    Harm,
    by_harm,
    caret,
    foremost,
    plain,
    text,
    worst,
    zone_line,
)


def one(harm: Harm, **more: object) -> Finding:
    fields: dict[str, object] = {"harm": harm, "code": "c", "where": "w", "what": "x", **more}
    return Finding(**fields)  # type: ignore[arg-type]


def test_worst_first_and_otherwise_as_made() -> None:
    made = [one(Harm.ADVICE, what="1"), one(Harm.ERROR), one(Harm.ADVICE, what="2")]
    assert [f.what for f in by_harm(made)] == ["x", "1", "2"]
    assert worst(made) is Harm.ERROR
    assert worst([]) is Harm.GOOD


def test_a_flood_is_told_in_short() -> None:
    flood = [one(Harm.ADVICE, what=str(n)) for n in range(1000)] + [one(Harm.ERROR)]
    told = foremost(flood, 10)
    assert len(told) == 11
    assert told[-2].harm is Harm.ERROR
    assert told[-1].what.startswith("991 more")
    assert foremost(flood[:10], 10) == flood[:10]


@pytest.mark.parametrize("length", [1, 40, WINDOW, WINDOW + 1, 300, 5000])
def test_the_caret_stands_under_its_column(length: int) -> None:
    rng = random.Random(length)
    record = "".join(rng.choices("abcdefgh", k=length))
    for column in {0, 1, length // 2, length - 1}:
        marked = record[:column] + "#" + record[column + 1 :]
        shown, carets = caret(marked, column)
        assert shown[carets.index("^")] in "#…"
        assert len(shown) <= WINDOW
        if 1 < column < length - 2:
            assert shown[carets.index("^")] == "#"


def test_carets_end_with_the_window() -> None:
    shown, carets = caret("x" * 1000, 500, 400)
    assert len(carets) <= WINDOW == len(shown)


def test_control_characters_are_shown_as_something_else() -> None:
    finding = one(
        Harm.ERROR, where="a\x1b[1m", what="b\r\n", hint="\x07", record="\x1b]0;", column=1
    )
    printed = "".join(text(finding))
    assert not set(printed) & set("\x1b\r\n\x07")


def test_plain_is_json_and_keeps_what_matters() -> None:
    finding = one(Harm.WARNING, record="\x00é", column=1, publish=("line",))
    row = json.loads(json.dumps(plain(finding)))
    assert row["harm"] == "warning"
    assert (row["record"], row["column"], row["publish"]) == ("\x00é", 1, ["line"])
    assert "hint" not in row


def test_a_zone_line_is_cut_and_quoted() -> None:
    line = zone_line("n.example", "a" * 255 + '"\\b')
    assert line == 'n.example. IN TXT "' + "a" * 255 + '" "\\"\\\\b"'
