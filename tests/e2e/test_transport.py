"""The ways to reach the daemon: a unix socket, and an old version of the protocol."""

from __future__ import annotations

import grp
import stat

import pytest

from support import results, verifiers
from support.daemon import Daemon
from support.mail import message
from support.smtpclient import Pose
from support.world import BAD_V4, GOOD_V6, INSIDE, World

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("normal", "unix")]

ANN = "ann@good.example"
OURS = "ann@sign.example"
BIG = b"0123456789\r\n" * 50_000  # more than one chunk


@pytest.mark.parametrize("port", ["unix", "old"])
def test_inbound(world: World, port: str) -> None:
    content = world.signers["good"].sign(message(ANN, body=BIG))
    good = world.deliver(content, ANN, Pose(address=GOOD_V6), port=port)
    assert [results.only(good, method).result for method in ("dkim", "spf", "dmarc")] == [
        "pass"
    ] * 3
    changed = world.deliver(content.replace(b"9", b"8"), ANN, Pose(address=BAD_V4), port=port)
    assert results.only(changed, "dmarc").result == "fail"


@pytest.mark.parametrize("port", ["unix", "old"])
def test_outbound(world: World, port: str) -> None:
    content = message(OURS, "Comments: two  words", body=BIG)
    signed = world.deliver(content, OURS, Pose(address=INSIDE), port=port)
    for algorithm, alone in verifiers.one_signature_each(signed.content).items():
        assert "succeeded" in verifiers.opendkim(alone, world.nsd.port), algorithm
    assert len(verifiers.one_signature_each(signed.content)) == 2
    assert signed.content.endswith(content)


def test_a_unix_socket_is_for_postfix_alone(unix: Daemon) -> None:
    assert unix.path
    found = unix.path.stat()
    assert stat.S_IMODE(found.st_mode) == 0o660
    assert grp.getgrgid(found.st_gid).gr_name == "postfix"
