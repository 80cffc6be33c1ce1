"""A rotation while the daemon itself signs: every message verifies, before, during and after.

postseal runs with the rotated tables and is told by SIGHUP; several clients send mail through
it all the time.  At the switch the rotation is killed at every write and started again.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from support import bind, rotation
from support.child import LOOPBACK, wait_until
from support.daemon import Daemon
from support.milterclient import MilterClient
from support.rotation import DOMAIN, TIMES, World, at, killed, stages

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(bool(bind.missing()), reason=f"{bind.missing()} is not installed"),
]

CONFIG = """\
authserv_id = "mx.d.example"
[roles]
internal_hosts = ["127.0.0.0/8"]
[sign]
key_table = "file:{place}/KeyTable"
signing_table = "refile:{place}/SigningTable"
[dns]
nameservers = ["{servers.address}"]
"""
MESSAGE = b"From: a@d.example\r\nTo: b@far.example\r\nSubject: n\r\n\r\nhello\r\n"
CLIENTS = 3
PAUSE = 0.1  # seconds between two messages of one client
AHEAD = 30  # messages sent and not yet verified, which each of them is, twice


@dataclass
class Flow:
    """Mail sent all the time; each message as it left, or the error that kept it."""

    daemon: Daemon
    world: World
    sent: list[bytes] = field(default_factory=list)
    unsigned: list[str] = field(default_factory=list)
    wanted: int = AHEAD  # on a busy machine sending must not outrun verifying
    stop: threading.Event = field(default_factory=threading.Event)

    def client(self) -> None:
        while not self.stop.wait(PAUSE):
            if len(self.sent) >= self.wanted:
                continue
            with MilterClient((LOOPBACK, self.daemon.port)) as client:
                client.negotiate()
                client.connect("localhost", LOOPBACK)
                client.helo("localhost")
                reply = client.message(MESSAGE, sender=f"<a@{DOMAIN}>")
                values = reply.inserted("DKIM-Signature")
                if reply.code not in ("accept", "continue") or len(values) != 1:
                    self.unsigned.append(f"{reply}")
                    continue
                name = "DKIM-Signature:" + ("" if values[0].startswith(" ") else " ")
                folded = (name + values[0]).replace("\r\n", "\n").replace("\n", "\r\n")
                self.sent.append(folded.encode() + b"\r\n" + MESSAGE)

    def grows(self, by: int = 5) -> None:
        """Wait until so many more messages were signed."""
        wanted = len(self.sent) + by
        self.wanted = max(AHEAD, wanted)
        wait_until(lambda: len(self.sent) >= wanted, "mail to flow")

    def signs_only_with(self, selector: str) -> Callable[[], bool]:
        """Whether the last messages were signed with that key; older ones are verified."""

        def answer() -> bool:
            self.verify()
            self.grows()
            return selectors(self.sent) == {selector}

        return answer

    def verify(self) -> None:
        """All mail since the last time, at both servers."""
        assert self.unsigned == []
        taken, self.sent, self.wanted = self.sent, [], AHEAD
        for message in taken:
            for address in (bind.PRIMARY, bind.SECONDARY):
                assert self.world.verifies(message, address), message
        self.world.mail.update(
            {(0, f"{len(self.world.mail)}-{n}"): one for n, one in enumerate(taken)}
        )


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with rotation.domain(tmp_path) as made:
        yield made


@contextmanager
def flowing(world: World) -> Iterator[tuple[Daemon, Flow]]:
    """The daemon, told by SIGHUP through its pid file, and clients that send."""
    daemon = Daemon(world.place, "postseal")
    daemon.configure(CONFIG.format(place=world.place, servers=world.servers))
    daemon.start()
    config = Path(world.config)
    lines = [line for line in config.read_text().splitlines() if not line.startswith("reload")]
    config.write_text(f'pid_file = "{world.place}/pid"\n' + "\n".join(lines))
    (world.place / "pid").write_text(str(daemon.pid))
    flow = Flow(daemon, world)
    threads = [threading.Thread(target=flow.client) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield daemon, flow
    finally:
        flow.stop.set()
        for thread in threads:
            thread.join(60)
        daemon.stop()


def selectors(messages: list[bytes]) -> set[str]:
    flat = [b"".join(one.partition(b"\r\n\r\n")[0].split()) for one in messages]
    return {one.partition(b";s=")[2].partition(b";")[0].decode() for one in flat}


def test_every_message_verifies(world: World) -> None:
    with flowing(world) as (daemon, flow):
        for now in TIMES[:3]:
            assert at(world, now, "run") == 0
            world.settle()
            flow.grows()
        assert selectors(flow.sent) == {"old"}
        flow.verify()
        state = world.place / "state"
        number, before = 0, b""
        while True:  # killed at every write of the switch, with mail flowing
            number = number + 1 if state.read_bytes() == before else 1
            before = state.read_bytes()
            status = killed(world, TIMES[3], number)
            flow.grows()
            flow.verify()
            if status == 0:
                break
        assert stages(world) == {"old": "retiring", "202611": "signing"}
        flow.verify()
        wait_until(flow.signs_only_with("202611"), "the new key")
        for message in world.mail.values():
            assert world.verifies(message, bind.SECONDARY)
        for now in TIMES[4:]:
            assert at(world, now, "run") == 0
            world.settle()
            flow.grows()
            assert selectors(flow.sent) == {"202611"}
            flow.verify()
    assert len(world.mail) > 50
    assert selectors(list(world.mail.values())) == {"old", "202611"}
    assert daemon.log_text().count("event=internal-error") == 0
