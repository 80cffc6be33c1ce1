"""The harness itself, with no milter in between: what goes in comes out, and DNS answers."""

from __future__ import annotations

import dns.message
import dns.query
import dns.rcode
import pytest

from support.mail import BODY, body_of, header_fields, message, unique
from support.smtpclient import Pose, SmtpClient
from support.world import BAD_V6, GOOD_V4, World

pytestmark = pytest.mark.e2e


def test_without_a_milter_mail_is_delivered_as_it_was_sent(world: World) -> None:
    sent = message("ann@good.example", "X-Odd:  two spaces\t")
    got = world.deliver(sent, "ann@good.example", Pose(address=GOOD_V4), port="plain")
    assert got.content.endswith(sent)
    assert body_of(got.content) == BODY
    assert got.sender == "ann@good.example"


@pytest.mark.parametrize("address", [GOOD_V4, BAD_V6])
def test_xclient_makes_postfix_believe_in_the_address(world: World, address: str) -> None:
    sent = message("ann@good.example")
    got = world.deliver(sent, "ann@good.example", Pose(address=address), port="plain")
    assert f"[{'IPv6:' if ':' in address else ''}{address}]" in str(
        header_fields(got.content, "Received")
    )


def test_a_milter_that_is_not_there_defers(world: World) -> None:
    with SmtpClient(world.ports["fragile"]) as client:
        client.command("EHLO localhost")
        answer = client.mail(message("a@good.example"), "a@good.example", "b@rcpt.example")
    assert answer.code == 451


def test_hold_queue_can_be_read(world: World) -> None:
    assert not world.postfix.held(f"{unique()}@good.example")


def _ask(world: World, name: str, kind: str) -> dns.message.Message:
    query = dns.message.make_query(name, kind)
    return dns.query.udp(query, "127.0.0.1", port=world.nsd.port, timeout=5)


@pytest.mark.parametrize(
    ("name", "rcode", "answers"),
    [
        pytest.param("good.example", dns.rcode.NOERROR, 1, id="there"),
        pytest.param("sel._domainkey.good.example", dns.rcode.NOERROR, 1, id="long-text"),
        pytest.param("rsa1._domainkey.sign.example", dns.rcode.NOERROR, 1, id="published-key"),
        pytest.param("_domainkey.good.example", dns.rcode.NOERROR, 0, id="no-data"),
        pytest.param("nobody.example", dns.rcode.NXDOMAIN, 0, id="nxdomain"),
        pytest.param("a.sick.example", dns.rcode.SERVFAIL, 0, id="servfail"),
    ],
)
def test_dns_tells_the_cases_apart(
    world: World, name: str, rcode: dns.rcode.Rcode, answers: int
) -> None:
    answer = _ask(world, name, "TXT")
    assert (answer.rcode(), len(answer.answer)) == (rcode, answers)
