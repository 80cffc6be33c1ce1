"""The three kinds of table over a store that answers as it likes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from postseal.core.signing import SigningUnavailable
from postseal.tables.asking import Asker
from postseal.tables.cached import Limits
from postseal.tables.remote import Remote, RemoteKeys, RemoteLogins, RemoteSenders
from postseal.tables.store import Author, Found


class Fake:
    """Rows in the order they are given, whatever the question."""

    def __init__(self, *rows: tuple[str, str]) -> None:
        self.rows = list(rows)
        self.asked: list[tuple[list[str], Author]] = []

    def find(self, keys: Sequence[str], author: Author, /) -> Found:
        self.asked.append((list(keys), author))
        return self.rows

    def close(self) -> None:
        pass


def remote(fake: Fake) -> Remote:
    return Remote("t", fake, Asker(1, 20), Limits(), lambda _level, _pairs: None)


def senders(*rows: tuple[str, str]) -> list[tuple[str, str]]:
    found = RemoteSenders(remote(Fake(*rows))).of("joe", "a.example")
    return [(row.pattern, row.key) for row in found]


def test_all_forms_are_asked_for_at_once() -> None:
    fake = Fake()
    assert not list(RemoteSenders(remote(fake)).of("Joe", "a.b.example"))
    assert fake.asked == [
        (
            ["joe@a.b.example", "a.b.example", "joe@.b.example", ".b.example",
             "joe@.example", ".example", "joe@*", "*"],
            Author(address="joe@a.b.example", local="joe", domain="a.b.example"),
        )
    ]  # fmt: skip


def test_an_answer_is_asked_for_once() -> None:
    fake = Fake(("a.example", "k"))
    table = RemoteSenders(remote(fake))
    for _ in range(3):
        assert [row.key for row in table.of("joe", "a.example")] == ["k"]
    assert len(fake.asked) == 1


def test_the_most_specific_row_is_first_whatever_the_order() -> None:
    rows = [("*", "1"), (".example", "2"), ("a.example", "3"), ("joe@a.example", "4")]
    assert [key for _, key in senders(*rows)] == ["4", "3", "2", "1"]


def test_rows_of_one_sender_stay_in_their_order() -> None:
    rows = [("a.example", "z"), ("*", "x"), ("a.example", "a")]
    assert [key for _, key in senders(*rows)] == ["z", "a", "x"]


def test_a_database_that_knows_no_case() -> None:
    assert senders(("A.Example", "k")) == [("a.example", "k")]


def test_rows_that_nobody_asked_for_are_left_out() -> None:
    assert senders(("b.example", "k"), ("%", "k")) == []


def test_a_bad_row_counts_where_it_is_met() -> None:
    """The rows before it are used; one that is not used does not matter."""
    fake = Fake(("joe@a.example", "k"), ("a.example", ":@x"))
    found = RemoteSenders(remote(fake)).of("joe", "a.example")
    assert next(found).key == "k"
    with pytest.raises(SigningUnavailable, match=r"table t, row 'a\.example'"):
        next(found)


def keys(*rows: tuple[str, str]) -> RemoteKeys:
    return RemoteKeys(remote(Fake(*rows)), Path("/base"))


def test_a_key() -> None:
    entry = keys(("k", "A.example:s:./file")).get("k")
    assert entry is not None
    assert (entry.domain, entry.selector) == ("a.example", "s")
    assert entry.path("x.example") == Path("/base/file")


def test_names_of_keys_have_case() -> None:
    assert keys(("K", "a.example:s:/f")).get("k") is None


def test_the_first_row_of_a_key_counts() -> None:
    entry = keys(("k", "a.example:one:/f"), ("k", "a.example:two:/f")).get("k")
    assert entry is not None
    assert entry.selector == "one"


def test_a_key_row_that_cannot_be_used() -> None:
    table = keys(("k", "a.example:s"))
    for _ in range(2):
        with pytest.raises(SigningUnavailable, match="table t, row 'k': the key is missing"):
            table.get("k")


@pytest.mark.parametrize(
    ("rows", "login", "allowed"),
    [
        pytest.param([("joe@a.example", "ann"), ("joe@a.example", "bob")], "bob", True, id="all"),
        pytest.param([("a.example", "*"), ("joe@a.example", "ann")], "bob", False, id="specific"),
        pytest.param([("a.example", "*")], "bob", True, id="domain"),
        pytest.param([("a.example", "*")], "", False, id="no-login"),
        pytest.param([("a.example", "ANN")], "Ann", True, id="case"),
        pytest.param([("joe@a.example", "")], "ann", False, id="empty-row"),
        pytest.param([("joe@a.example", ""), ("joe@a.example", "%")], "joe@a.example", True,
                     id="beside-an-empty-row"),
        pytest.param([], "ann", False, id="no-row"),
    ],
)  # fmt: skip
def test_logins(rows: list[tuple[str, str]], login: str, allowed: bool) -> None:
    assert RemoteLogins(remote(Fake(*rows))).allows(login, "joe@a.example") is allowed
