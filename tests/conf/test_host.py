"""The host's name from /etc/hosts."""

from __future__ import annotations

import pytest

from postseal.conf import host


@pytest.mark.parametrize(
    ("hosts", "name"),
    [
        ("127.0.1.1 mx.example.org mx", "mx.example.org"),
        ("127.0.1.1 mx\tMX.example.org.", "mx.example.org"),
        ("127.0.0.1 localhost\n::1 other.example other", ""),
        ("# 127.0.1.1 mx.example.org mx", ""),
        ("127.0.1.1 mx other.example", ""),
        ("", ""),
    ],
)
def test_qualified(hosts: str, name: str) -> None:
    assert host.qualified("mx", hosts) == name


def test_the_host_has_a_name() -> None:
    assert host.host_name()
