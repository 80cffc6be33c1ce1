"""Patterns of hosts and domains, written without patterns."""

from __future__ import annotations

import pytest

from postseal.conf.migrate_patterns import Listed, domains, hosts


@pytest.mark.parametrize(
    ("entry", "good"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("192.0.2.0/24", "192.0.2.0/24"),
        ("!192.0.2.9", "!192.0.2.9"),
        ("[2001:db8::1]", "[2001:db8::1]"),
        (".a.example", ".a.example"),
        ("!*.a.example", "!.a.example"),
        ("10.*", "10.0.0.0/8"),
        ("192.168.*.*", "192.168.0.0/16"),
        ("!192.0.2.*", "!192.0.2.0/24"),
    ],
)
def test_hosts(entry: str, good: str) -> None:
    assert hosts((entry,)) == Listed(good=[good])


@pytest.mark.parametrize("entry", ["*.a.example", "*a.example", "*"])
def test_what_was_an_exception_too(entry: str) -> None:
    assert hosts((entry,)) == Listed(dead=[entry])


@pytest.mark.parametrize("entry", ["mx*.a.example", "mx[12].a", "10.1*", "(a|b).c", "a*"])
def test_patterns_without_another_form_are_told(entry: str) -> None:
    assert hosts((entry,)) == Listed(odd=[entry])
    assert domains((entry,)) == Listed(odd=[entry])


@pytest.mark.parametrize(
    ("entry", "good"), [("*", "*"), ("*.a.example", ".a.example"), ("a.example", "a.example")]
)
def test_domains(entry: str, good: str) -> None:
    assert domains((entry,)) == Listed(good=[good])
