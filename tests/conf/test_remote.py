"""Addresses of tables as they are shown to the administrator: never with a password."""

from __future__ import annotations

import pytest

from postseal.conf.remote import shown


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("pgsql://u:hush@h/d", "pgsql://u:***@h/d"),
        ("PgSQL://u:hush@h/d", "PgSQL://u:***@h/d"),
        ("dsn:mysql://u:hush@3306+h/d", "dsn:mysql://u:***@3306+h/d"),
        ("redis://:hush@h/0", "redis://:***@h/0"),
        ("redis://u:hu@sh@h/0", "redis://u:***@h/0"),
        ("redis://u:hu/sh@h/0", "redis://u:***@h/0"),
        ("pgsql://u@h:5432/d", "pgsql://u@h:5432/d"),
        ("pgsql://h:5432/d?filter=mail='a@b'", "pgsql://h:5432/d?filter=mail='a@b'"),
        ("a:b@c", "a:b@c"),
        ("/etc/hosts", "/etc/hosts"),
    ],
)
def test_shown(text: str, wanted: str) -> None:
    assert shown(text) == wanted
