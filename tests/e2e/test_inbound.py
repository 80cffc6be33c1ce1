"""Inbound mail: pass and fail of each mechanism, from IPv4 and IPv6 addresses, and DNS faults."""

from __future__ import annotations

import pytest

from support import results
from support.mail import message
from support.smtpclient import Pose
from support.world import BAD_V4, BAD_V6, GOOD_V4, GOOD_V6, World

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("normal")]

ANN = "ann@good.example"
both_good = pytest.mark.parametrize("address", [GOOD_V4, GOOD_V6], ids=["ipv4", "ipv6"])
both_bad = pytest.mark.parametrize("address", [BAD_V4, BAD_V6], ids=["ipv4", "ipv6"])


@both_good
def test_everything_passes(world: World, address: str) -> None:
    content = world.signers["good"].sign(message(ANN))
    delivered = world.deliver(content, ANN, Pose(address=address))
    dkim, spf, dmarc = (results.only(delivered, method) for method in ("dkim", "spf", "dmarc"))
    assert (dkim.result, spf.result, dmarc.result) == ("pass", "pass", "pass")
    assert dkim.properties["header.d"] == "good.example"
    assert dkim.properties["header.s"] == "sel"
    assert spf.properties["smtp.mailfrom"] in (ANN, "good.example")
    assert dmarc.properties["header.from"] == "good.example"
    assert delivered.content.endswith(content)


@both_bad
def test_everything_fails(world: World, address: str) -> None:
    content = world.signers["good"].sign(message(ANN)).replace(b"Hello", b"Jello")
    delivered = world.deliver(content, ANN, Pose(address=address))
    assert [results.said(delivered, method) for method in ("dkim", "spf", "dmarc")] == [
        ["fail"],
        ["fail"],
        ["fail"],
    ]


@both_bad
def test_dkim_alone_lets_dmarc_pass(world: World, address: str) -> None:
    content = world.signers["good"].sign(message(ANN))
    delivered = world.deliver(content, ANN, Pose(address=address))
    assert results.only(delivered, "spf").result == "fail"
    assert results.only(delivered, "dmarc").result == "pass"


@both_good
def test_spf_alone_lets_dmarc_pass(world: World, address: str) -> None:
    delivered = world.deliver(message(ANN), ANN, Pose(address=address))
    assert results.said(delivered, "dkim") in ([], ["none"])
    assert results.only(delivered, "dmarc").result == "pass"


@both_good
def test_passes_for_another_domain_do_not_help(world: World, address: str) -> None:
    content = world.signers["other"].sign(message(ANN))
    delivered = world.deliver(content, "eve@other.example", Pose(address=address))
    assert results.only(delivered, "dkim").result == "pass"
    assert results.only(delivered, "spf").result == "pass"
    assert results.only(delivered, "dmarc").result == "fail"


def test_rsa_and_ed25519_side_by_side(world: World) -> None:
    content = world.signers["good-ed25519"].sign(world.signers["good"].sign(message(ANN)))
    delivered = world.deliver(content, ANN, Pose(address=BAD_V4))
    assert results.said(delivered, "dkim") == ["pass", "pass"]


@pytest.mark.parametrize("selector", ["good", "good-ed25519"])
@pytest.mark.parametrize(
    ("old", "new"),
    [
        pytest.param(b"Subject: test", b"Subject: best", id="signed-field-changed"),
        pytest.param(b"this is", b"that is", id="body-changed"),
        pytest.param(b"Bye\r\n", b"Bye\r\nPS\r\n", id="body-longer"),
        pytest.param(b"d=good.example", b"d=other.example", id="other-domain"),
    ],
)
def test_a_changed_message_does_not_pass(
    world: World, selector: str, old: bytes, new: bytes
) -> None:
    content = world.signers[selector].sign(message(ANN))
    assert content.count(old) == 1
    delivered = world.deliver(content.replace(old, new), ANN, Pose(address=BAD_V4))
    assert "pass" not in results.said(delivered, "dkim")
    assert results.only(delivered, "dmarc").result == "fail"


def test_the_null_sender_is_judged_by_its_helo(world: World) -> None:
    pose = Pose(address=GOOD_V4, helo="good.example")
    delivered = world.deliver(message("postmaster@good.example"), "", pose)
    spf = results.only(delivered, "spf")
    assert spf.result == "pass"
    assert spf.properties == {"smtp.helo": "good.example"}
    assert results.only(delivered, "dmarc").result == "pass"


def test_domains_that_publish_nothing(world: World) -> None:
    author = "ann@unknown.example"
    delivered = world.deliver(message(author), author, Pose(address=BAD_V4))
    assert results.only(delivered, "spf").result == "none"
    assert results.only(delivered, "dmarc").result == "none"


def test_dns_servfail_is_temperror_and_the_mail_flows(world: World) -> None:
    author = "ann@sick.example"
    content = world.signers["sick"].sign(message(author))
    delivered = world.deliver(content, author, Pose(address=GOOD_V4))
    assert [results.only(delivered, method).result for method in ("dkim", "spf", "dmarc")] == [
        "temperror"
    ] * 3


@pytest.mark.usefixtures("deaf")
def test_dns_silent_is_temperror_and_the_mail_flows(world: World) -> None:
    content = world.signers["good"].sign(message(ANN))
    delivered = world.deliver(content, ANN, Pose(address=GOOD_V4), port="deaf")
    assert [results.only(delivered, method).result for method in ("dkim", "spf", "dmarc")] == [
        "temperror"
    ] * 3


def test_smtputf8_sender_and_author(world: World) -> None:
    author = "jürgen@good.example"
    pose = Pose(address=GOOD_V4)
    delivered = world.deliver(message(author), author, pose, arguments=" SMTPUTF8")
    assert results.only(delivered, "spf").result == "pass"
    assert results.only(delivered, "dmarc").result == "pass"
