"""The kinds of table over a store that answers as it likes."""

from __future__ import annotations

import random
from collections.abc import Sequence
from ipaddress import ip_address
from pathlib import Path

import pytest

from postseal.core.signing import SigningUnavailable
from postseal.tables.asking import Asker
from postseal.tables.cached import Limits
from postseal.tables.hosts import HostList, build
from postseal.tables.remote import Remote, RemoteHosts, RemoteKeys, RemoteLogins, RemoteSenders
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


def test_a_client_is_asked_for_by_everything_it_is_in() -> None:
    fake = Fake()
    assert RemoteHosts(remote(fake)).says(ip_address("192.0.2.1"), "Mx.B.example") is None
    ((keys, author),) = fake.asked
    assert keys[:11] == [
        "!mx.b.example", "mx.b.example", "!.b.example", ".b.example", "!.example", ".example",
        "!192.0.2.1", "!192.0.2.1/32", "192.0.2.1", "192.0.2.1/32", "!192.0.2.0/31",
    ]  # fmt: skip
    assert keys[-2:] == ["!0.0.0.0/0", "0.0.0.0/0"]
    assert author == Author(address="192.0.2.1", domain="Mx.B.example")


def test_a_client_of_whom_nothing_is_known_is_not_asked_for() -> None:
    fake = Fake()
    assert RemoteHosts(remote(fake)).says(None, "") is None
    assert not fake.asked


def test_a_name_of_many_labels_does_not_make_the_question_long() -> None:
    fake = Fake()
    RemoteHosts(remote(fake)).says(None, "x." * 120 + "b.example")
    ((keys, _),) = fake.asked
    assert len(keys) == 26
    assert keys[-2:] == ["!.example", ".example"]


def test_each_client_is_remembered_by_itself() -> None:
    fake = Fake()
    table = RemoteHosts(remote(fake))
    for name in ("a.example", "b.example", "a.example"):
        table.says(ip_address("2001:db8::1"), name)
    assert len(fake.asked) == 2


class Held(Fake):
    """A store that has rows, and gives those that are asked for."""

    def find(self, keys: Sequence[str], author: Author, /) -> Found:
        super().find(keys, author)
        return [row for row in self.rows if row[0] in keys]


@pytest.mark.parametrize("seed", range(20))
def test_hosts_elsewhere_count_as_hosts_in_a_list(seed: int) -> None:
    rng = random.Random(seed)
    pool = [
        "a.example", "mx.a.example", ".a.example", ".example", "192.0.2.1", "192.0.2.0/24",
        "192.0.0.0/16", "0.0.0.0/0", "2001:db8::1", "2001:db8::/32", "::/0", "192.0.2.1/32",
    ]  # fmt: skip
    entries = [("!" * rng.randrange(2)) + one for one in rng.sample(pool, rng.randrange(1, 7))]
    here, _ = build(entries)
    there = HostList(beyond=[RemoteHosts(remote(Held(*((one, "x") for one in entries))))])
    for address in ("192.0.2.1", "192.0.2.2", "192.0.9.9", "8.8.8.8", "2001:db8::1", "::1"):
        for name in ("", "a.example", "MX.a.example", "x.mx.a.example", "b.test"):
            client = ip_address(address), name
            assert there.matches(*client) is here.matches(*client), (entries, client)


def test_entries_of_the_list_come_before_tables() -> None:
    fake = Held(("192.0.2.1", "x"), ("192.0.2.2", "x"))
    made, _ = build(["!192.0.2.1", "b.example"])
    made.beyond.append(RemoteHosts(remote(fake)))
    assert not made.matches(ip_address("192.0.2.1"), "")
    assert made.matches(None, "b.example")
    assert not fake.asked
    assert made.matches(ip_address("192.0.2.2"), "")
    assert not made.matches(ip_address("192.0.2.3"), "")
