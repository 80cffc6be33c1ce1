"""Patterns of hosts and domains, written without patterns."""

from __future__ import annotations

import pytest

from postseal.conf.migrate_patterns import ANY_HOST, plain


@pytest.mark.parametrize(
    ("entry", "good"),
    [
        ("192.0.2.1", ["192.0.2.1"]),
        ("192.0.2.0/24", ["192.0.2.0/24"]),
        ("!192.0.2.9", ["!192.0.2.9"]),
        ("[2001:db8::1]", ["[2001:db8::1]"]),
        (".a.example", [".a.example"]),
        ("*.a.example", [".a.example"]),
        ("!*.a.example", ["!.a.example"]),
        ("10.*", ["10.0.0.0/8"]),
        ("192.168.*.*", ["192.168.0.0/16"]),
        ("!192.0.2.*", ["!192.0.2.0/24"]),
        ("*", [*ANY_HOST]),
    ],
)
def test_plain(entry: str, good: list[str]) -> None:
    assert plain((entry,), ANY_HOST) == (good, [])


@pytest.mark.parametrize(
    "entry", ["*a.example", "mx*.a.example", "mx[12].a", "10.1*", "(a|b).c", "a*"]
)
def test_patterns_without_another_form_are_told(entry: str) -> None:
    assert plain((entry,), ANY_HOST) == ([], [entry])
