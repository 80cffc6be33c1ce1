"""Tables and keys replaced under a running daemon: by signal under load, and by themselves."""

from __future__ import annotations

import re
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from postseal_keys import keypair
from support.child import wait_until
from support.daemon import Daemon
from support.milterclient import MilterClient, Reply
from support.sites import private

pytestmark = pytest.mark.slow  # a daemon of its own for every test

RELOADS = 100
SENDERS = 4
MESSAGE = b"From: Ann <ann@a.example>\nTo: b@b.example\nSubject: hello\nDate: now\n\nbody\n"
TAG = re.compile(r"\b([a-z]+)=([^;]*)")


@dataclass
class World:
    """A daemon whose tables and key are those of a generation, and the public keys of all."""

    directory: Path
    daemon: Daemon
    public: dict[int, str] = field(default_factory=dict)

    def write(self, number: int) -> None:
        """Replace both tables and the key, whose name stays; each file at once."""
        key = Ed25519PrivateKey.generate()
        self.public[number] = keypair.public_text(key)
        private(self.directory / "new", keypair.pem(key)).replace(self.directory / "key")
        self.replace("keytable", f"k{number} a.example:s{number}:{self.directory}/key\n")
        self.replace("signingtable", f"*@a.example k{number}:user{number}@%\n")

    def replace(self, name: str, text: str) -> None:
        new = self.directory / "new"
        new.write_text(text)
        new.replace(self.directory / name)

    def said(self, event: str) -> int:
        return self.daemon.log_text().count(f"event={event}")

    def reloaded(self, times: int) -> None:
        wait_until(lambda: self.said("reloaded") >= times, f"reload {times}", 60)

    def client(self) -> MilterClient:
        client = MilterClient(("127.0.0.1", self.daemon.port))
        client.negotiate()
        client.connect("localhost", "127.0.0.1")
        client.helo()
        return client

    def generation(self, reply: Reply) -> int:
        """Which generation signed: selector, identity and key must be of the same one."""
        assert reply.code in ("continue", "accept"), reply
        (value,) = reply.inserted("DKIM-Signature")
        tags = {name: text.strip() for name, text in TAG.findall(value)}
        number = int(tags["s"].removeprefix("s"))
        assert (tags["d"], tags["i"]) == ("a.example", f"user{number}@a.example")
        whole = b"DKIM-Signature:" + value.encode() + b"\n" + MESSAGE
        record = f"v=DKIM1; k=ed25519; p={self.public[number]}".encode()
        checker = dkimpy.DKIM(whole.replace(b"\n", b"\r\n"))
        assert checker.verify(dnsfunc=lambda _name, **_: record)
        return number


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path, Daemon(tmp_path, "reload"))
    made.write(0)
    yield made
    made.daemon.stop()


def start(world: World, watch: int) -> None:
    world.daemon.configure(
        '[sign]\nkey_table = "file:keytable"\nsigning_table = "refile:signingtable"\n',
        {"watch": str(watch), "user": '""'},
    )
    world.daemon.start()


def sign_one(world: World) -> int:
    with world.client() as client:
        return world.generation(client.message(MESSAGE))


def test_a_hundred_reloads_under_load(world: World) -> None:
    """No message is lost, deferred, unsigned, or signed with parts of two generations."""
    start(world, watch=0)
    stop = threading.Event()
    replies: list[Reply] = []
    errors: list[BaseException] = []

    def send(messages: int) -> None:
        """Sessions of several messages outlive a reload."""
        try:
            while not stop.is_set():
                with world.client() as client:
                    for _ in range(messages):
                        replies.append(client.message(MESSAGE))
        except BaseException as error:
            errors.append(error)

    def flows(seen: int) -> None:
        wait_until(lambda: errors or len(replies) > seen, "mail to flow", 60)

    threads = [threading.Thread(target=send, args=(1 + 5 * n,)) for n in range(SENDERS)]
    for thread in threads:
        thread.start()
    try:
        for number in range(1, RELOADS + 1):
            seen = len(replies)
            world.write(number)
            world.daemon.signal(signal.SIGHUP)
            world.reloaded(number)
            flows(seen)
            assert not errors
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)
    assert not errors
    generations = [world.generation(reply) for reply in replies]
    print(
        f"{len(replies)} messages, signed by {len(set(generations))} of {RELOADS + 1} generations"
    )
    assert sign_one(world) == RELOADS
    assert len(set(generations)) > RELOADS / 2, "most generations signed something"
    assert "reload-refused" not in world.daemon.log_text()
    assert "worker-died" not in world.daemon.log_text()


def test_a_changed_table_is_noticed(world: World) -> None:
    start(world, watch=1)
    assert sign_one(world) == 0
    world.write(1)
    wait_until(lambda: sign_one(world) == 1, "the new tables")


def test_a_bad_table_is_told_once_and_changes_nothing(world: World) -> None:
    start(world, watch=1)
    world.replace("signingtable", "*@a.example k0\n*@b.example nokey\n")
    wait_until(lambda: world.said("reload-refused"), "the refusal")
    (line,) = [x for x in world.daemon.log_text().splitlines() if "reload-refused" in x]
    assert "signingtable:2: *@b.example: there is no key 'nokey' in the key table" in line
    assert "hint" in line
    for _ in range(3):
        assert sign_one(world) == 0
    world.write(2)
    wait_until(lambda: sign_one(world) == 2, "the good tables")
    assert world.said("reload-refused") == 1


def test_a_key_that_comes_after_its_table(world: World) -> None:
    """A refused reload is tried again when what it missed appears."""
    start(world, watch=1)
    world.replace("keytable", f"k0 a.example:s7:{world.directory}/key7\n")
    wait_until(lambda: world.said("reload-refused"), "the refusal")
    key = Ed25519PrivateKey.generate()
    world.public[7] = keypair.public_text(key)
    private(world.directory / "new", keypair.pem(key)).replace(world.directory / "key7")
    world.replace("signingtable", "*@a.example k0:user7@%\n")
    wait_until(lambda: sign_one(world) == 7, "the key")


def grows(path: Path, text: str) -> bool:
    """Write it slowly, for longer than files are looked at; whether it never stood still."""
    pause = threading.Event()
    longest = 0.0
    with path.open("w") as file:
        for at in range(0, len(text), 4):
            began = time.monotonic()
            file.write(text[at : at + 4])
            file.flush()
            pause.wait(12 / len(text))
            longest = max(longest, time.monotonic() - began)
    return longest < 0.7


def test_a_half_written_table_is_left_alone(world: World) -> None:
    """It grows for longer than files are looked at, and every state but the last is bad."""
    start(world, watch=1)
    key = Ed25519PrivateKey.generate()
    world.public[1] = keypair.public_text(key)
    private(world.directory / "new", keypair.pem(key)).replace(world.directory / "key")
    text = f"k1 a.example:s1:{world.directory}/key\n"
    world.replace("signingtable", "*@a.example k1:user1@%\n")
    for _ in range(20):  # until the machine is not too busy to write steadily
        refused = world.said("reload-refused")
        steadily = grows(world.directory / "keytable", text)
        wait_until(lambda: sign_one(world) == 1, "the whole table")
        if steadily:
            break
    assert steadily
    assert world.said("reload-refused") == refused


def test_a_new_key_of_a_template(world: World) -> None:
    """A row with % says for a folder which keys there are."""
    folder = world.directory / "keys"
    folder.mkdir()
    world.replace("keytable", f"k %:s1:{folder}/%\n")
    world.replace("signingtable", "*@a.example k:user1@%\n")
    start(world, watch=1)
    with world.client() as client:
        assert client.message(MESSAGE).text.startswith("451")
    key = Ed25519PrivateKey.generate()
    world.public[1] = keypair.public_text(key)
    private(folder / "a.example", keypair.pem(key))
    wait_until(lambda: world.said("reloaded"), "the reload")
    assert sign_one(world) == 1
