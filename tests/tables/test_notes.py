"""What a configuration says and perhaps does not mean."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace

import pytest

from postseal.conf import host, load
from postseal.conf.mistake import Mistake, Severity
from postseal.tables import site


def remarks(folder: Path, text: str) -> list[Mistake]:
    return list(site.load(load.parse(text.encode(), folder / "p.toml")).remarks)


@pytest.mark.parametrize(
    ("text", "noted"),
    [
        ("# nothing", True),
        ('authserv_id = "mx"\n', False),
        ('authserv_id = "mx.example.org"\n', False),
    ],
)
def test_a_host_without_a_full_name(
    text: str, noted: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Results forged under the name that Postfix goes by would stay."""
    monkeypatch.setattr(host, "_hosts", lambda: "")
    monkeypatch.setattr(os, "uname", lambda: SimpleNamespace(nodename="mx"))
    found = remarks(tmp_path, text)
    assert [one.key for one in found] == (["authserv_id"] if noted else [])
    if noted:
        assert "written as mx" in found[0].what and "postconf -h myhostname" in found[0].hint


@pytest.mark.parametrize(
    ("socket", "better"),
    [
        ("inet:8891", "inet:8891@127.0.0.1"),
        ("inet:8891@0.0.0.0", "inet:8891@127.0.0.1"),
        ("inet:0.0.0.0:8891", "inet:8891@127.0.0.1"),
        ("inet6:8891", "inet6:8891@::1"),
        ("inet6:8891@::", "inet6:8891@::1"),
        ("inet6:8891@::0", "inet6:8891@::1"),
    ],
)
def test_a_socket_open_to_everybody(socket: str, better: str, tmp_path: Path) -> None:
    [note] = remarks(tmp_path, f'socket = "{socket}"\n')
    assert (note.line, note.key, note.severity) == (1, "socket", Severity.NOTE)
    assert f"as {better}: " in note.hint


@pytest.mark.parametrize(
    "socket", ["inet:8891@127.0.0.1", "inet:8891@localhost", "inet6:8891@::1", "unix:/run/p"]
)
def test_a_socket_that_is_not(socket: str, tmp_path: Path) -> None:
    assert not remarks(tmp_path, f'socket = "{socket}"\n')


TABLES = """\
[sign]
key_table = "table:one"
signing_table = "table:two"
sender_login = "table:three"
[dns]
seconds = {dns}
"""
TABLE = """\
[[table]]
name = "{name}"
url = "sqlite:t.db?table=t&key=k&value=v"
timeout = {seconds}
"""


@pytest.mark.parametrize(
    ("dns", "seconds", "noted"),
    [(239, (20, 20, 20), False), (239, (20, 20, 21), True), (120, (60, 60, 60), True)],
)
def test_time_outs_that_add_up_beyond_postfix(
    dns: int, seconds: tuple[int, ...], noted: bool, tmp_path: Path
) -> None:
    with closing(sqlite3.connect(tmp_path / "t.db")) as database:
        database.execute("CREATE TABLE t (k TEXT, v TEXT)")
    names = ("one", "two", "three")
    tables = [
        TABLE.format(name=name, seconds=one) for name, one in zip(names, seconds, strict=True)
    ]
    text = TABLES.format(dns=dns) + "".join(tables)
    found = [one for one in remarks(tmp_path, text) if one.severity is Severity.NOTE]
    assert [one.key for one in found] == (["dns.seconds"] if noted else [])
    if noted:
        assert f"may wait {dns + sum(seconds)} seconds" in found[0].what
        assert f"table two {seconds[1]}" in found[0].what
        assert found[0].line == 6


def test_defaults_are_well_below_what_postfix_waits(tmp_path: Path) -> None:
    assert not remarks(tmp_path, "# nothing")


A, B = (TABLE.format(name=name, seconds=3) for name in "ab")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        pytest.param(A + B, [2, 6], id="nothing-asks"),
        pytest.param('[roles]\npeers = ["table:b"]\n' + A + B, [4], id="one"),
    ],
)
def test_a_table_that_nothing_asks(text: str, lines: list[int], tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "t.db") as made:
        made.execute("CREATE TABLE t (k TEXT, v TEXT)")
    made.close()
    found = [one for one in remarks(tmp_path, text) if "nothing asks this table" in one.what]
    assert [one.line for one in found] == lines
    assert {one.severity for one in found} == {Severity.NOTE}
