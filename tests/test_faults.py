"""Every known fault of the libraries has its test: tests/vectors/faults.tsv says which."""

from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "tests" / "vectors" / "faults.tsv"
# S: pyspf, A: dkimpy's ARC, D: dkimpy's DKIM, R: authres, M: DMARC as other libraries have it.
LAST = {"S": 12, "A": 6, "D": 19, "R": 4, "M": 6}

ROWS = [line.split("\t") for line in TABLE.read_text("utf-8").splitlines()]


def test_no_row_is_missing() -> None:
    known = {f"{letter}{n}" for letter, last in LAST.items() for n in range(1, last + 1)}
    named = [row[0] for row in ROWS]
    assert known <= set(named) and len(set(named)) == len(named)


@pytest.mark.parametrize(("name", "file", "test", "what"), ROWS, ids=[row[0] for row in ROWS])
def test_the_row_has_its_test(name: str, file: str, test: str, what: str) -> None:
    """A function of that name, or a row of that id."""
    text = (ROOT / file).read_text("utf-8")
    assert what
    if test.startswith("test_"):
        assert f"def {test}(" in text
    else:
        assert f'"{test}"' in text
