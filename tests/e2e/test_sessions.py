"""SMTP sessions that are not one message each: several, none, interrupted, without HELO."""

from __future__ import annotations

import pytest

from support import results
from support.mail import header_fields, message, unique
from support.sink import Delivered
from support.smtpclient import Pose, SmtpClient
from support.world import BAD_V4, GOOD_V4, GOOD_V6, INSIDE, World

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("normal")]

GOOD = "ann@good.example"


def _mail(world: World, client: SmtpClient, author: str, sender: str | None = None) -> Delivered:
    recipient = f"{unique('r')}@rcpt.example"
    content = message(author)
    answer = client.mail(content, author if sender is None else sender, recipient)
    assert answer.code == 250, answer
    return world.sink.wait(recipient)


def _dmarc(delivered: Delivered) -> tuple[str, str]:
    one = results.only(delivered, "dmarc")
    return one.result, one.properties["header.from"]


def test_messages_of_one_connection_do_not_mix(world: World) -> None:
    with SmtpClient(world.ports["mx"]) as client:
        client.pose(Pose(address=GOOD_V4))
        authors = [GOOD, "ann@other.example", "x@unknown.example", GOOD]
        said = [_dmarc(_mail(world, client, author)) for author in authors]
    assert said == [
        ("pass", "good.example"),
        ("pass", "other.example"),
        ("none", "unknown.example"),
        ("pass", "good.example"),
    ]


def test_rset_forgets_the_message_before(world: World) -> None:
    with SmtpClient(world.ports["mx"]) as client:
        client.pose(Pose(address=GOOD_V4))
        client.command("MAIL FROM:<eve@sick.example>")
        client.command("RCPT TO:<x@rcpt.example>")
        assert client.command("RSET").code == 250
        assert client.command("RSET").code == 250
        delivered = _mail(world, client, GOOD)
    spf = results.only(delivered, "spf")
    assert (spf.result, spf.properties["smtp.mailfrom"].rpartition("@")[2]) == (
        "pass",
        "good.example",
    )


def test_a_transaction_without_a_good_recipient_leaves_nothing_behind(world: World) -> None:
    with SmtpClient(world.ports["mx"]) as client:
        client.pose(Pose(address=GOOD_V4))
        assert client.mail(message(GOOD), "eve@sick.example", "x@relay.example").code >= 400
        client.command("RSET")
        assert _dmarc(_mail(world, client, GOOD)) == ("pass", "good.example")


def test_each_xclient_is_a_new_client(world: World) -> None:
    with SmtpClient(world.ports["mx"]) as client:
        said = []
        for address in (GOOD_V4, BAD_V4, GOOD_V6):
            client.pose(Pose(address=address))
            said.append(results.only(_mail(world, client, GOOD), "spf").result)
    assert said == ["pass", "fail", "pass"]


def test_a_stranger_after_an_authenticated_client_is_not_trusted(world: World) -> None:
    author = "ann@sign.example"
    with SmtpClient(world.ports["mx"]) as client:
        client.pose(Pose(address=BAD_V4, login="ann"))
        assert len(header_fields(_mail(world, client, author).content, "DKIM-Signature")) == 2
        client.pose(Pose(address=BAD_V4))
        assert not header_fields(_mail(world, client, author).content, "DKIM-Signature")


@pytest.mark.parametrize("sender", [GOOD, ""])
def test_no_helo_at_all(world: World, sender: str) -> None:
    with SmtpClient(world.ports["mx"]) as client:
        client.pose(Pose(address=GOOD_V4, helo=""))
        delivered = _mail(world, client, GOOD, sender)
    assert results.only(delivered, "spf").result == ("pass" if sender else "none")


@pytest.mark.parametrize(
    "helo",
    ["a b", "x;y=z", "(c).example", '"q"', "[192.0.2.1]", "münchen.example", "x" * 300, "..", "a="],
)
def test_any_helo_is_survived_and_never_forges_results(world: World, helo: str) -> None:
    """Where Postfix refuses it, there was no HELO."""
    with SmtpClient(world.ports["mx"]) as client:
        client.pose(Pose(address=BAD_V4, helo=""))
        client.command(f"EHLO {helo}")
        delivered = _mail(world, client, GOOD, "")
    assert "pass" not in {one.result for one in results.ours(delivered)}
    assert results.only(delivered, "dmarc").result == "fail"


@pytest.mark.parametrize(
    ("typed", "domain"),
    [
        pytest.param("MAIL FROM:<ann@GOOD.example>", "good.example", id="case"),
        pytest.param("MAIL FROM:<@relay.example:ann@good.example>", "good.example", id="route"),
        pytest.param("MAIL FROM:ann@good.example", "good.example", id="no-brackets"),
        pytest.param('MAIL FROM:<"a b"@good.example>', "good.example", id="quoted"),
        pytest.param("MAIL FROM:<eve(ann@x.example>", "x.example", id="comment"),
        pytest.param("MAIL FROM:<ann@good.example> BODY=8BITMIME", "good.example", id="argument"),
    ],
)
def test_spf_is_for_the_sender_that_postfix_understands(
    world: World, typed: str, domain: str
) -> None:
    recipient = f"{unique('r')}@rcpt.example"
    with SmtpClient(world.ports["mx"]) as client:
        client.pose(Pose(address=GOOD_V4))
        answer = client.command(typed)
        if not answer.good:
            pytest.skip(f"this Postfix refuses it: {answer.text}")
        client.command(f"RCPT TO:<{recipient}>")
        client.command("DATA")
        assert client.command(message(GOOD) + b".").code == 250
    delivered = world.sink.wait(recipient)
    understood = delivered.sender.rpartition("@")[2].lower()
    mailfrom = results.only(delivered, "spf").properties.get("smtp.mailfrom", "")
    assert mailfrom.rpartition("@")[2].lower() == understood
    assert domain == "x.example" or understood == domain


def test_bare_line_feeds_do_not_change_what_was_judged(world: World) -> None:
    """Postfix makes them line ends, so a lie behind one is a field and has to go."""
    lie = b"X: 1\nAuthentication-Results: mx.e2e.example; dkim=pass header.d=forged.example\r\n"
    delivered = world.deliver(lie + message(GOOD), GOOD, Pose(address=BAD_V4))
    assert b"forged.example" not in delivered.content


def test_a_message_without_from(world: World) -> None:
    content = message(GOOD).replace(b"From: ", b"X-From: ")
    delivered = world.deliver(content, GOOD, Pose(address=GOOD_V4))
    assert "pass" not in results.said(delivered, "dmarc")
    assert results.only(delivered, "spf").result == "pass"


def test_inside_and_outside_take_turns(world: World) -> None:
    for _ in range(3):
        inside = world.deliver(message("a@sign.example"), "a@sign.example", Pose(address=INSIDE))
        outside = world.deliver(message("a@sign.example"), "a@sign.example", Pose(address=BAD_V4))
        assert len(header_fields(inside.content, "DKIM-Signature")) == 2
        assert not header_fields(outside.content, "DKIM-Signature")
