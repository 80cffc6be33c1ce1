"""Each cross-check sees the fault through the model too; the texts are in test_load.py."""

from __future__ import annotations

from pathlib import Path

from postseal.conf import check
from postseal.conf.model import Settings, Sign, SignKey
from postseal.conf.remote import RemoteTable


def test_a_key_without_a_domain_names_the_key() -> None:
    key = SignKey(selector="s", file=Path("k"))
    [found] = check.check(Settings(sign=Sign(key=(key,))))
    assert found.path == ("sign", "key")
    assert ("sign", "domain") in found.uses


def test_two_tables_of_one_name() -> None:
    one = RemoteTable(name="a", url="redis://h/0")
    [found] = check.check(Settings(table=(one, RemoteTable(name="b", url="x:y"), one)))
    assert found.path == ("table", 2, "name")
    assert ("table", 0, "name") in found.uses
