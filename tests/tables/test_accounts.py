"""Users and groups that are named and do not exist."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from postseal.conf import load
from postseal.conf.mistake import ConfigError, Mistake
from postseal.tables import accounts, site

UNIX = 'socket = "unix:/run/s"\n'


def mistakes(text: str) -> list[Mistake]:
    return list(accounts.mistakes(load.parse(text.encode(), Path("/etc/p.toml"))))


@pytest.mark.parametrize(
    ("text", "key", "line"),
    [
        ('user = "no-such-user"\n', "user", 1),
        ('user = "nobody"\ngroup = "no-such-group"\n', "group", 2),
        (UNIX + 'socket_group = "no-such-group"\n', "socket_group", 2),
    ],
)
def test_missing_ones_are_named_with_a_way_out(
    text: str, key: str, line: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    [found] = mistakes(text)
    assert (found.key, found.line) == (key, line)
    assert "there is no" in found.what and found.hint


def test_who_is_not_root_becomes_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert not mistakes('user = "no-such-user"\ngroup = "no-such-group"\n')
    assert mistakes(UNIX + 'socket_group = "no-such-group"\n')


def test_those_that_are_there_are_good(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert not mistakes(UNIX + 'user = "nobody"\ngroup = "nogroup"\nsocket_group = "nogroup"\n')


def test_the_daemon_does_not_start_without_the_group_of_its_socket() -> None:
    text = UNIX + 'socket_group = "no-such-group"\n'
    with pytest.raises(ConfigError, match=r"2: socket_group: there is no group"):
        site.load(load.parse(text.encode(), Path("/etc/p.toml")))
