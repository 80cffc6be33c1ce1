"""Sockets as Postfix writes them, and back."""

from __future__ import annotations

import pytest

from postseal.conf.kinds import socket
from postseal.conf.sockets import postfix_form


@pytest.mark.parametrize(
    ("libmilter", "postfix"),
    [
        ("inet:8891@127.0.0.1", "inet:127.0.0.1:8891"),
        ("inet:8891@localhost", "inet:localhost:8891"),
        ("inet:8891", "inet:127.0.0.1:8891"),
        ("inet6:8891@::1", "inet:[::1]:8891"),
        ("inet6:8891", "inet:[::1]:8891"),
        ("unix:/run/p.sock", "unix:/run/p.sock"),
    ],
)
def test_postfix_form(libmilter: str, postfix: str) -> None:
    assert postfix_form(libmilter) == postfix
    assert postfix_form(socket(postfix)) == postfix


@pytest.mark.parametrize(
    ("libmilter", "postfix"),
    [
        ("unix:/var/spool/postfix/postseal/p.sock", "unix:postseal/p.sock"),
        ("unix:/var/spool/postfix2/p.sock", "unix:/var/spool/postfix2/p.sock"),
    ],
)
def test_below_the_queue_directory_a_path_is_right_with_and_without_a_chroot(
    libmilter: str, postfix: str
) -> None:
    assert postfix_form(libmilter) == postfix
