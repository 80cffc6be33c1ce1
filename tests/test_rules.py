"""Every rule of the standards that we go by has its test: tests/vectors/rules.tsv says which.

D: DMARC, K: DKIM, S: SPF, A: ARC, H: Authentication-Results,
P: the milter protocol as Postfix and libmilter speak it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TABLE = ROOT / "tests" / "vectors" / "rules.tsv"
RULES: dict[str, Iterable[int]] = {
    "D": range(1, 40),
    "K": range(20, 31),
    "S": range(1, 9),
    "A": range(1, 5),
    "H": range(1, 10),
    "P": (1, 2, 3, 19, 20, 30, 34, 35, 36, 38, 39, 40),
}
REGISTERED = {"auth", "iprev", "dkim", "arc", "spf", "dmarc"}  # of the IANA registry

ROWS = [line.split("\t") for line in TABLE.read_text("utf-8").splitlines()]


def test_no_rule_is_missing() -> None:
    known = [f"{letter}-{n}" for letter, numbers in RULES.items() for n in numbers]
    assert [row[0] for row in ROWS] == known


@pytest.mark.parametrize(
    ("rule", "section", "words", "file", "test"), ROWS, ids=[row[0] for row in ROWS]
)
def test_the_rule_has_its_test(rule: str, section: str, words: str, file: str, test: str) -> None:
    """A function of that name; or a row whose id is that, or begins so."""
    text = (ROOT / file).read_text("utf-8")
    assert section.startswith(("RFC ", "milter ")) and words
    if test.startswith("test_"):
        assert f"def {test}(" in text
    elif file.endswith(".tsv"):
        assert re.search(rf"(?m)(^|\t){re.escape(test)}[-\t]", text)
    else:
        assert re.search(rf"\"{re.escape(test)}[-\"]", text)


def test_h_8_methods_are_registered_ones() -> None:
    """RFC 8601 section 2.7.6: nothing is written under a name of our own making."""
    text = (ROOT / "milter" / "postseal" / "core" / "report.py").read_text("utf-8")
    assert set(re.findall(r'method="([a-z]+)"', text)) == REGISTERED
