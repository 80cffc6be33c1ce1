"""SigningTable rows: dead ones named with the reason, broken ones refused.

The order of look-ups is in test_differential.py, against the program it comes from.
"""

from __future__ import annotations

import pytest

from postseal.conf.mistake import Mistake, Severity
from postseal.tables import rows
from postseal.tables.findings import Report
from postseal.tables.senders import Senders, read
from postseal.tables.source import Form, Source


def table(text: str, form: Form, *, multiple: bool = False) -> tuple[Senders, list[Mistake]]:
    report = Report("st")
    found = rows.rows(Source(form, text), text.encode())
    return read(found, form is Form.REFILE, multiple, report), report.mistakes()


@pytest.mark.parametrize(
    ("row", "hint"),
    [
        pytest.param("@example.com k", "write example.com", id="no-local-part"),
        pytest.param("*@example.com k", "write example.com", id="pattern"),
        pytest.param("*.example.com k", "write .example.com", id="pattern-below"),
        pytest.param("joe@*.example.com k", "write joe@.example.com", id="pattern-below-user"),
        pytest.param("ex*.com k", "use refile:", id="pattern-within"),
        pytest.param("example.com. k", "final dot", id="final-dot"),
        pytest.param("joe@ k", "final dot", id="no-domain"),
    ],
)
def test_dead_in_a_file(row: str, hint: str) -> None:
    made, [found] = table(f"a.b k\n{row}", Form.FILE)
    assert (found.line, found.severity) == (2, Severity.DEAD)
    assert "matches nobody" in found.what
    assert hint in found.hint
    assert len(made.rows) == 1


@pytest.mark.parametrize(
    ("row", "hint"),
    [
        pytest.param("example.com k", "write *@example.com", id="domain-alone"),
        pytest.param(".example.com k", "write *@example.com", id="dotted"),
        pytest.param("@example.com k", "write *@example.com", id="no-local-part"),
        pytest.param("*@example.com. k", "final dot", id="final-dot"),
        pytest.param(" *@example.com k", "", id="leading-blank"),
    ],
)
def test_dead_in_a_refile(row: str, hint: str) -> None:
    made, [found] = table(f"a@b k\n{row}", Form.REFILE)
    assert (found.line, found.severity) == (2, Severity.DEAD)
    assert hint in found.hint
    assert len(made.rows) == 1


@pytest.mark.parametrize("form", [Form.FILE, Form.REFILE])
@pytest.mark.parametrize(
    ("row", "part"),
    [
        ("a@b", "name of the key"),
        ("a@b :x@y", "name of the key"),
        ("a@b k:x", "not an identity"),
        ("a@b k:é@x", "not an identity"),
        ("a@b k:a;b@x", "not an identity"),
        ("a@bü..com k", "not a domain name"),
        ("a@b \0", "NUL"),
    ],
)
def test_refused(form: Form, row: str, part: str) -> None:
    made, [found] = table(row, form)
    assert (found.line, found.severity) == (1, Severity.ERROR)
    assert part in found.what
    assert not made.rows


def test_a_pattern_that_is_not_safe_is_refused_with_its_hint() -> None:
    [found] = table("a|b k", Form.REFILE)[1]
    assert found.severity is Severity.ERROR
    assert "two rows" in found.hint


@pytest.mark.parametrize("everybody", ["*", "*@*", "**"])
def test_rows_after_everybody(everybody: str) -> None:
    text = f"{everybody} k\n*@a.b l"
    [found] = table(text, Form.REFILE)[1]
    assert (found.line, found.severity) == (2, Severity.DEAD)
    assert not table(text, Form.REFILE, multiple=True)[1]


def test_the_same_sender_twice() -> None:
    text = "a@b k\nA@B l"
    for form in (Form.FILE, Form.REFILE):
        [found] = table(text, form)[1]
        assert (found.line, found.severity) == (2, Severity.DEAD)
    made, said = table(text, Form.REFILE, multiple=True)
    assert not said
    assert [row.key for row in made.of("A", "b")] == ["k", "l"]


def test_u_labels_meet_a_labels() -> None:
    domain = "xn--bcher-kva.example"
    for text, form in (("bücher.example k", Form.FILE), ("*@Bücher.example k", Form.REFILE)):
        made, said = table(text, form)
        assert not said
        assert [row.key for row in made.of("joe", domain)] == ["k"]


def test_all_matches_come_in_the_order_of_the_look_ups() -> None:
    made, _ = table("* f\n.com d\njoe@* e\nexample.com b\njoe@example.com a\njoe@.com c", Form.FILE)
    assert "".join(row.key for row in made.of("JOE", "example.com")) == "abcdef"
    assert "".join(row.key for row in made.of("ann", "example.com")) == "bdf"


def test_local_parts_outside_ascii() -> None:
    made, said = table("jörg@example.com k", Form.FILE)
    assert not said
    assert list(made.of("jörg", "example.com"))
    assert not list(made.of("JÖRG", "example.com"))  # no case rules outside ASCII
