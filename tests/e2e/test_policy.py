"""What follows from a DMARC failure: nothing by default, hold and reject when switched on."""

from __future__ import annotations

import pytest

from support import results
from support.mail import message, unique
from support.smtpclient import Pose
from support.world import BAD_V4, BAD_V6, World

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("normal", "strict")]

both = pytest.mark.parametrize("address", [BAD_V4, BAD_V6], ids=["ipv4", "ipv6"])


@pytest.mark.parametrize("domain", ["good.example", "quarantine.example"])
@both
def test_by_default_failures_are_only_annotated(world: World, domain: str, address: str) -> None:
    author = f"ann@{domain}"
    delivered = world.deliver(message(author), author, Pose(address=address))
    assert results.only(delivered, "dmarc").result == "fail"


@both
def test_reject_is_550_5_7_1(world: World, address: str) -> None:
    author = "ann@good.example"
    recipient = f"{unique('r')}@rcpt.example"
    answer = world.send(message(author), author, Pose(address=address), port="strict", to=recipient)
    assert answer.code == 550
    assert answer.text.startswith("5.7.1 ")
    assert "good.example" in answer.text
    assert not world.sink.copies(recipient)


@both
def test_quarantine_is_held(world: World, address: str) -> None:
    author = f"{unique('a')}@quarantine.example"
    recipient = f"{unique('r')}@rcpt.example"
    answer = world.send(message(author), author, Pose(address=address), port="strict", to=recipient)
    assert answer.code == 250
    assert world.postfix.held(author)
    assert not world.sink.copies(recipient)


@pytest.mark.parametrize("name", ["good", "quarantine", "other"])
def test_what_passes_is_delivered(world: World, name: str) -> None:
    signer = world.signers[name]
    author = f"ann@{signer.domain}"
    content = signer.sign(message(author))
    delivered = world.deliver(content, author, Pose(address=BAD_V4), port="strict")
    assert results.only(delivered, "dmarc").result == "pass"


def test_policy_none_is_delivered(world: World) -> None:
    author = "ann@other.example"
    delivered = world.deliver(message(author), author, Pose(address=BAD_V4), port="strict")
    assert results.only(delivered, "dmarc").result == "fail"


def test_our_own_domain_from_a_stranger_is_refused(world: World) -> None:
    author = "ann@sign.example"
    answer = world.send(message(author), author, Pose(address=BAD_V4), port="strict")
    assert (answer.code, answer.text[:5]) == (550, "5.7.1")


def test_a_fault_of_dns_refuses_nothing(world: World) -> None:
    author = "ann@sick.example"
    delivered = world.deliver(message(author), author, Pose(address=BAD_V4), port="strict")
    assert results.only(delivered, "dmarc").result == "temperror"
