"""A key that is not in DNS: said once, and replaced by one that is."""

from __future__ import annotations

import os
import pwd
import signal
from collections.abc import Iterator

import pytest

from support.child import LOOPBACK, wait_until
from support.daemon import Daemon
from support.mail import message
from support.milterclient import MilterClient
from support.world import World, genkey

pytestmark = pytest.mark.e2e

ANN = "ann@sign.example"
GONE = "gone._domainkey.sign.example"
CONFIG = """\
[sign]
check_published = "fallback"
key_table = "file:published.keys"
signing_table = "refile:published.senders"
[dns]
nameservers = ["{nameserver}"]
"""


@pytest.fixture
def daemon(world: World) -> Iterator[Daemon]:
    """Signs with a key that is not published; the domain has another one.

    Behind sick.example there is a name server that cannot answer.
    """
    home = world.directory / "published"
    home.mkdir()
    genkey(home, "sign.example", "gone")
    other = world.directory / "keys" / "sign.example" / "rsa1.private"
    for path in (home, home / "gone.private"):
        os.chown(path, pwd.getpwnam("nobody").pw_uid, -1)
    (world.directory / "published.keys").write_text(
        f"gone sign.example:gone:{home}/gone.private\n"
        f"rsa1 sign.example:rsa1:{other}\n"
        f"sick sick.example:sel:{other}\n"
    )
    (world.directory / "published.senders").write_text("*@sign.example gone\n*@sick.example sick\n")
    made = Daemon(world.directory, "published")
    made.configure(CONFIG.format(nameserver=world.nsd.address))
    try:
        yield made.start()
    finally:
        made.stop()


def signers(daemon: Daemon, author: str) -> list[str]:
    """The selectors that sign for an author."""
    with MilterClient((LOOPBACK, daemon.port)) as mta:
        mta.negotiate()
        mta.connect("localhost", LOOPBACK)
        mta.helo()
        made = mta.message(message(author)).inserted("DKIM-Signature")
    return [one.partition("s=")[2].partition(";")[0] for one in made]


def test_a_key_that_is_not_published(world: World, daemon: Daemon) -> None:
    wait_until(lambda: "event=key-not-published" in daemon.log_text(), "the warning")
    assert f"key={GONE} state=missing" in daemon.log_text()
    wait_until(lambda: signers(daemon, ANN) == ["rsa1"], "the published key")
    # no answer is not "unpublished"
    assert signers(daemon, "ann@sick.example") == ["sel"]
    assert "sick.example state=" not in daemon.log_text()
    workers = set(daemon.workers())
    daemon.signal(signal.SIGHUP)
    wait_until(lambda: len(set(daemon.workers()) - workers) == 2, "new workers")
    assert signers(daemon, ANN) == ["rsa1"]
    assert daemon.log_text().count("event=key-not-published") == 1
