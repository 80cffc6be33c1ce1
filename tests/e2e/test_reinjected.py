"""Listeners that give mail of others back are told by any macro, and are never signed."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.daemon import Daemon
from support.mail import header_fields, message
from support.smtpclient import Pose
from support.world import INSIDE, World

pytestmark = pytest.mark.e2e

ANN = "ann@sign.example"


@pytest.fixture
def daemon(world: World, request: pytest.FixtureRequest) -> Iterator[Daemon]:
    """The fragile daemon, with a line for [roles]."""
    made = world.daemons["fragile"]
    before = made.config.read_text()
    line = request.param.format(port=world.ports["fragile"])
    made.config.write_text(before.replace("[roles]\n", f"[roles]\n{line}\n"))
    try:
        yield made.start()
    finally:
        made.stop()
        made.config.write_text(before)


@pytest.mark.parametrize(
    "daemon",
    [
        pytest.param('never_sign = "daemon_port={port}"', id="port"),  # not sent unless asked for
        pytest.param('never_sign = "client_addr=192.0.2.130"', id="client"),
    ],
    indirect=True,
)
def test_mail_is_not_signed(world: World, daemon: Daemon) -> None:
    mail = world.deliver(message(ANN), ANN, Pose(address=INSIDE), port="fragile")
    assert not header_fields(mail.content, "DKIM-Signature")
    assert "origin=never-sign" in daemon.log_text()


@pytest.mark.parametrize(
    "daemon",
    [
        pytest.param('never_sign = "daemon_port=1"', id="another-port"),
        pytest.param('never_sign = "no_such_macro"', id="unknown-macro"),
    ],
    indirect=True,
)
def test_mail_is_signed(world: World, daemon: Daemon) -> None:
    mail = world.deliver(message(ANN), ANN, Pose(address=INSIDE), port="fragile")
    assert len(header_fields(mail.content, "DKIM-Signature")) == 2
    login = world.deliver(message(ANN), ANN, Pose(address="192.0.2.1", login="ann"), port="fragile")
    assert len(header_fields(login.content, "DKIM-Signature")) == 2
    assert "origin=authenticated" in daemon.log_text()
