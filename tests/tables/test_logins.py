"""Who may write as whom."""

from __future__ import annotations

import pytest

from postseal.conf.mistake import Severity
from postseal.tables import rows
from postseal.tables.findings import Report
from postseal.tables.logins import Logins, read
from postseal.tables.source import Form, Source


def table(text: str, form: Form = Form.FILE) -> tuple[Logins, list[tuple[int, Severity]]]:
    report = Report("t")
    made = read(rows.rows(Source(form, text), text.encode()), form is Form.REFILE, report)
    return made, [(one.line, one.severity) for one in report.mistakes()]


@pytest.mark.parametrize(
    ("text", "form", "login", "address", "allowed"),
    [
        pytest.param("a@b.c joe", Form.FILE, "joe", "a@b.c", True, id="one"),
        pytest.param("a@b.c joe", Form.FILE, "ann", "a@b.c", False, id="other-login"),
        pytest.param("a@b.c joe", Form.FILE, "joe", "x@b.c", False, id="other-author"),
        pytest.param("A@B.c Joe", Form.FILE, "JOE", "a@b.C", True, id="case"),
        pytest.param("b.c joe, ann", Form.FILE, "ann", "x@b.c", True, id="list"),
        pytest.param("b.c joe ann", Form.FILE, "ann", "x@b.c", True, id="blanks"),
        pytest.param("b.c joe\na@b.c ann", Form.FILE, "joe", "a@b.c", False, id="nearest-decides"),
        pytest.param(".c joe", Form.FILE, "joe", "a@b.c", True, id="below"),
        pytest.param("* %", Form.FILE, "a@b.c", "A@b.c", True, id="own"),
        pytest.param("* %", Form.FILE, "x@b.c", "a@b.c", False, id="not-own"),
        pytest.param("b.c *", Form.FILE, "anybody", "a@b.c", True, id="everybody"),
        pytest.param("b.c *", Form.FILE, "", "a@b.c", False, id="nobody-authenticated"),
        pytest.param("*=%", Form.CSL, "a@b.c", "a@b.c", True, id="list-in-the-option"),
        pytest.param("*@b.c joe\n* ann", Form.REFILE, "joe", "a@b.c", True, id="pattern"),
        pytest.param("*@b.c joe\n* ann", Form.REFILE, "ann", "a@b.c", False, id="pattern-first"),
        pytest.param("bücher.c joe", Form.FILE, "joe", "a@xn--bcher-kva.c", True, id="u-label"),
        pytest.param("", Form.FILE, "joe", "a@b.c", False, id="empty-table"),
    ],
)
def test_allows(text: str, form: Form, login: str, address: str, allowed: bool) -> None:
    made, said = table(text, form)
    assert not said
    assert made.allows(login, address) is allowed


@pytest.mark.parametrize("row", ["a@b.c", "a@b.c ,", "a@bü..c joe", "a@b \0"])
def test_refused(row: str) -> None:
    made, said = table(f"\n{row}")
    assert said == [(2, Severity.ERROR)]
    assert not made.rows


def test_unsafe_patterns_and_second_rows() -> None:
    assert table("a|b joe", Form.REFILE)[1] == [(1, Severity.ERROR)]
    assert table("a@b x\nA@b y")[1] == [(2, Severity.DEAD)]
