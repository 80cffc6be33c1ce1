"""The daemon dies, is killed, is stopped: mail waits, and none is lost, doubled or unjudged."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from support import results
from support.child import wait_until
from support.daemon import Daemon
from support.mail import header_fields, message, unique
from support.smtpclient import Pose, SmtpClient, stuffed
from support.world import GOOD_V4, INSIDE, World

pytestmark = pytest.mark.e2e

ANN = "ann@good.example"
PATIENCE = 180.0  # seconds a sender keeps trying


def _try_until_accepted(world: World, recipient: str) -> int:
    """Send as a sending server does: again after every temporary answer.  Gives the tries."""
    deadline = time.monotonic() + PATIENCE
    tries = 0
    while time.monotonic() < deadline:
        tries += 1
        try:
            answer = world.send(
                message(ANN), ANN, Pose(address=GOOD_V4), port="fragile", to=recipient
            )
        except (OSError, AssertionError):  # cut off, or not greeted: as good as a 4xx
            continue
        if answer.code == 250:
            return tries
        assert 400 <= answer.code < 500 or answer.code == 0, answer
        time.sleep(0.1)
    raise AssertionError(f"{recipient} was never accepted")


def test_killed_and_restarted_under_load(world: World, fragile: Daemon) -> None:
    recipients = [f"{unique('r')}@rcpt.example" for _ in range(60)]
    half = threading.Semaphore(0)

    def send(recipient: str) -> int:
        try:
            return _try_until_accepted(world, recipient)
        finally:
            half.release()

    with ThreadPoolExecutor(6) as pool:
        sending = [pool.submit(send, one) for one in recipients]
        for _ in range(15):
            half.acquire()
        fragile.kill()
        time.sleep(0.5)  # long enough for senders to meet the dead socket
        fragile.start()
        tries = [one.result() for one in sending]
    assert max(tries) > 1, "the daemon was not missed: this test showed nothing"
    for recipient in recipients:
        delivered = world.sink.wait(recipient)
        assert results.only(delivered, "dmarc").result == "pass"
    assert [len(world.sink.copies(one)) for one in recipients] == [1] * len(recipients)


def test_sendmail_mail_waits_for_the_daemon_and_is_signed(world: World, fragile: Daemon) -> None:
    fragile.kill()
    recipient = f"{unique('r')}@rcpt.example"
    content = message("ann@sign.example").replace(b"\r\n", b"\n")
    world.postfix.sendmail(content, "ann@sign.example", recipient)
    time.sleep(1.5)
    assert not world.sink.copies(recipient)
    fragile.start()
    delivered = world.sink.wait(recipient, 180)
    assert len(header_fields(delivered.content, "DKIM-Signature")) == 2


def test_sigterm_finishes_the_message_in_flight(world: World, fragile: Daemon) -> None:
    recipient = f"{unique('r')}@rcpt.example"
    with SmtpClient(world.ports["fragile"]) as client:
        client.pose(Pose(address=GOOD_V4))
        client.command(f"MAIL FROM:<{ANN}>")
        client.command(f"RCPT TO:<{recipient}>")
        client.command("DATA")
        content = stuffed(message(ANN, body=b"0123456789\r\n" * 30000))
        client.send(content[:200_000])
        time.sleep(2)  # the milter has the header and some of the body
        fragile.signal(signal.SIGTERM)
        time.sleep(0.5)
        client.send(content[200_000:] + b".\r\n")
        assert client.reply().code == 250
    assert results.only(world.sink.wait(recipient), "dmarc").result == "pass"
    assert fragile.stop() == 0


def test_a_worker_that_dies_is_replaced_and_missed(world: World, fragile: Daemon) -> None:
    before = fragile.workers()
    assert len(before) == 2
    os.kill(before[0], signal.SIGKILL)
    wait_until(lambda: len(now := fragile.workers()) == 2 and before[0] not in now, "a new worker")
    for _ in range(6):
        delivered = world.deliver(message(ANN), ANN, Pose(address=GOOD_V4), port="fragile")
        assert results.only(delivered, "dmarc").result == "pass"
    assert str(before[0]) in fragile.log_text()


def test_ctrl_c_ends_it_cleanly(fragile: Daemon) -> None:
    workers = fragile.workers()
    fragile.signal(signal.SIGINT)
    assert fragile.wait(60) == 0
    assert not [pid for pid in workers if os.path.exists(f"/proc/{pid}")]
    assert "Traceback" not in fragile.log_text()


def test_connections_that_end_anywhere_do_no_harm(world: World, fragile: Daemon) -> None:
    steps = [
        "EHLO a",
        f"MAIL FROM:<{ANN}>",
        "RCPT TO:<x@rcpt.example>",
        "DATA",
        "Subject: cut off\r\n",
    ]
    for length in range(len(steps) + 1):
        with SmtpClient(world.ports["fragile"]) as client:
            for line in steps[:length]:
                client.send(line.encode() + b"\r\n")
            time.sleep(0.05)
    delivered = world.deliver(message(ANN), ANN, Pose(address=GOOD_V4), port="fragile")
    assert results.only(delivered, "dmarc").result == "pass"
    assert "Traceback" not in fragile.log_text()


def test_nothing_is_imported_once_root_is_given_up(world: World) -> None:
    """The installation may lie where only root can read; see run.sh in root's home."""
    daemon = world.daemons["fragile"].start(environment={"PYTHONPROFILEIMPORTTIME": "1"})
    try:
        for author in (
            ANN,
            "ann@sign.example",
            "jürgen@bücher.example",
            "bad@@x",
            "a@sick.example",
        ):
            content = world.signers["good-ed25519"].sign(
                world.signers["good"].sign(message(author))
            )
            for pose in (Pose(address=GOOD_V4), Pose(address=INSIDE, helo="bücher.example")):
                world.deliver(content, ANN, pose, port="fragile")
    finally:
        daemon.stop()
    served = daemon.log_text().rpartition("event=ready")[2]
    assert "role=" in served
    assert not [line for line in served.splitlines() if line.startswith("import time:")]
