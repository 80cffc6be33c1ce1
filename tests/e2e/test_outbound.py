"""Outbound mail: signed whichever way it comes from inside, and accepted by other verifiers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from support import results, verifiers
from support.daemon import Daemon
from support.mail import header_fields, message, unique
from support.sink import Delivered
from support.smtpclient import Pose
from support.world import BAD_V4, BAD_V6, INSIDE, World

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("normal")]

ANN = "ann@sign.example"
OUR_ALGORITHMS = ["ed25519-sha256", "rsa-sha256"]


def _authenticated(world: World, content: bytes) -> Delivered:
    return world.deliver(content, ANN, Pose(address=BAD_V4, login="ann"))


def _originating(world: World, content: bytes) -> Delivered:
    return world.deliver(content, ANN, Pose(address=BAD_V6), port="submission")


def _internal(world: World, content: bytes) -> Delivered:
    return world.deliver(content, ANN, Pose(address=INSIDE))


def _loopback(world: World, content: bytes) -> Delivered:
    return world.deliver(content, ANN)


def _sendmail(world: World, content: bytes) -> Delivered:
    world.daemons["fragile"].start()
    recipient = f"{unique('r')}@rcpt.example"
    world.postfix.sendmail(content.replace(b"\r\n", b"\n"), ANN, recipient)
    try:
        return world.sink.wait(recipient)
    finally:
        world.daemons["fragile"].stop()


def _accepted_by_others(world: World, delivered: Delivered) -> None:
    """Both signatures are there, for both domains' keys, and every verifier takes them."""
    alone = verifiers.one_signature_each(delivered.content)
    assert sorted(alone) == OUR_ALGORITHMS, header_fields(delivered.content, "DKIM-Signature")
    for algorithm, content in alone.items():
        assert "succeeded" in verifiers.opendkim(content, world.nsd.port), algorithm
    perl = verifiers.mail_dkim(delivered.content, world.nsd.port)
    assert "rsa-sha256=pass" in perl, perl
    if verifiers.mail_dkim_knows_ed25519():
        assert "ed25519-sha256=pass" in perl, perl


WAYS = {
    "authenticated": _authenticated,
    "ORIGINATING": _originating,
    "internal-network": _internal,
    "loopback": _loopback,
    "sendmail": _sendmail,
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS.keys())
def test_mail_from_inside_is_signed(world: World, way: Callable[[World, bytes], Delivered]) -> None:
    delivered = way(world, message(f"Ann <{ANN}>"))
    _accepted_by_others(world, delivered)
    signatures = header_fields(delivered.content, "DKIM-Signature")
    assert all(b"d=sign.example" in one for one in signatures)


@pytest.mark.usefixtures("fragile")
def test_a_bounce_of_postfix_is_signed_for_its_own_domain(world: World) -> None:
    sender = f"{unique('s')}@sign.example"
    content = message(sender).replace(b"\r\n", b"\n")
    world.postfix.sendmail(content, sender, "nobody@undeliverable.example")
    bounce = world.sink.wait(sender)
    assert bounce.sender == ""
    assert b"MAILER-DAEMON@origin.example" in header_fields(bounce.content, "From")[0]
    _accepted_by_others(world, bounce)
    assert all(
        b"d=origin.example" in one for one in header_fields(bounce.content, "DKIM-Signature")
    )


ODD = {
    "empty-body": message(ANN, body=b""),
    "only-empty-lines": message(ANN, body=b"\r\n\r\n\r\n"),
    "no-final-line-end": message(ANN, body=b"one line"),
    "trailing-white-space": message(ANN, body=b"a  \t \r\n\tb \t\r\n \r\n\r\n"),
    "dots": message(ANN, body=b".\r\n..\r\n...\r\n"),
    "folded-header": message(ANN, "X-A: one\r\n two", "Cc: a@rcpt.example,\r\n\tb@rcpt.example"),
    "odd-white-space": message(ANN, "Reply-To:  \t ann@sign.example \t", "X-Tight:x"),
    "twice-the-same-field": message(ANN, "Comments: one", "Comments: two"),
    "utf8-header": message(f"Jürgen <{ANN}>"),
    "latin1-header": message(ANN, "X-Latin: J@rgen").replace(b"@rgen", b"\xfcrgen"),
    "latin1-signed-header": message(ANN).replace(b"Subject: test", b"Subject: t\xe9st"),
    "8-bit-body": message(ANN, body="größe\r\n".encode("latin-1")),
    "list-unsubscribe": message(
        ANN,
        "List-Unsubscribe: <https://sign.example/u>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
    ),
    "long-body": message(ANN, body=b"0123456789abcde\r\n" * 20000),
}


@pytest.mark.parametrize("content", ODD.values(), ids=ODD.keys())
def test_odd_messages_verify_too(world: World, content: bytes) -> None:
    _accepted_by_others(world, _internal(world, content))


def test_the_message_itself_is_left_as_it_was(world: World) -> None:
    content = message(ANN)
    assert _internal(world, content).content.endswith(content)


@pytest.mark.parametrize("address", [BAD_V4, BAD_V6])
@pytest.mark.parametrize("sender", [ANN, "mallory@other.example", ""])
def test_a_stranger_with_our_from_gets_no_signature(
    world: World, address: str, sender: str
) -> None:
    delivered = world.deliver(message(ANN), sender, Pose(address=address))
    assert not header_fields(delivered.content, "DKIM-Signature")
    assert results.only(delivered, "dmarc").result == "fail"


def test_from_of_no_domain_of_ours_is_not_signed(world: World) -> None:
    content = message("ann@unknown.example")
    delivered = world.deliver(content, "ann@unknown.example", Pose(address=INSIDE))
    assert not header_fields(delivered.content, "DKIM-Signature")


@pytest.mark.parametrize(
    "author",
    ["ann@sign.example, bob@other.example", "bob@other.example, ann@sign.example"],
)
def test_from_with_a_foreign_author_is_not_signed(world: World, author: str) -> None:
    delivered = world.deliver(message(author), ANN, Pose(address=INSIDE))
    assert not header_fields(delivered.content, "DKIM-Signature")


def test_our_signature_is_accepted_by_ourselves(world: World, normal: Daemon) -> None:
    """What we signed comes back from outside, by way of a forwarder."""
    signed = _internal(world, message(ANN)).content
    back = world.deliver(signed, "list@other.example", Pose(address=BAD_V4))
    assert results.said(back, "dkim") == ["pass", "pass"]
    assert results.only(back, "dmarc").result == "pass"
    assert "dkim=" in normal.log_text()
