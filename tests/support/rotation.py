"""A domain whose keys are turned over: BIND and NSD serve it, a stand-in for the daemon signs.

with rotation.domain(tmp_path) as world:
    rotation.at(world, NOW, "run")
    world.check(NOW)
"""

from __future__ import annotations

import importlib
import os
import subprocess
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from postseal_keys import keypair
from postseal_keys.dnsask import Address, Network
from postseal_keys.rotate.main import main
from postseal_keys.rotate.model import Key
from postseal_keys.rotate.statefile import Store
from support import bind
from support.child import wait_until

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    dkimpy = importlib.import_module("dkim")

ROOT = Path(__file__).parents[2]
DOMAIN = "d.example"
NOW = 1_795_219_200  # 2026-11-21 00:00:00 UTC
HOUR, DAY = 3600, 86_400
MESSAGE = b"From: a@d.example\r\nTo: b@far.example\r\nSubject: x\r\n\r\nhello\r\n"

# Runs postseal-rotate at a given time, and dies at the n-th write: files, updates, programs.
MURDER = """
import os, pathlib, subprocess, sys
import dns.query
sys.path.insert(0, {keys!r})
left = int(sys.argv[1])

def deadly(module, name):
    real = getattr(module, name)
    def wrapped(*args, **more):
        global left
        left -= 1
        if left == 0:
            os._exit(9)
        result = real(*args, **more)
        left -= 1
        if left == 0:
            os._exit(9)
        return result
    setattr(module, name, wrapped)

for module, name in (
    (os, "rename"), (os, "link"), (os, "unlink"), (pathlib.Path, "unlink"),
    (dns.query, "tcp"), (subprocess, "run"),
):
    deadly(module, name)
from postseal_keys.rotate.main import main
sys.exit(main(["-q", "-c", sys.argv[2], "run"], clock=lambda: float(sys.argv[3])))
"""


def killed(world: World, now: int, number: int) -> int:
    """A run that dies at its n-th write; its exit status: 9, or 0 when it ended before."""
    script = MURDER.format(keys=str(ROOT / "keys"))
    command = [sys.executable, "-c", script, str(number), world.config, str(now)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode in (0, 9), done.stderr
    return done.returncode


@dataclass
class Signer:
    """Stands for the daemon: tables and keys as they were when it last read them."""

    place: Path
    selector: str = ""
    pem: bytes = b""

    def load(self) -> Signer:
        lines = reversed(read(self.place / "SigningTable"))  # of two rows the first counts
        patterns = dict(line.split() for line in lines)
        rows = dict(line.split() for line in read(self.place / "KeyTable"))
        domain, self.selector, path = rows[patterns[f"*@{DOMAIN}"]].split(":")
        assert domain == DOMAIN
        self.pem = Path(path).read_bytes()
        return self

    def sign(self) -> bytes:
        header = dkimpy.sign(
            MESSAGE, self.selector.encode(), DOMAIN.encode(), self.pem, include_headers=[b"from"]
        )
        return bytes(header) + MESSAGE


def read(path: Path) -> list[str]:
    return [line for line in path.read_text().splitlines() if line and line[0] != "#"]


@dataclass
class World:
    """The servers, the tables, and all mail signed so far."""

    place: Path
    servers: bind.Pair
    daemon: Signer
    mail: dict[tuple[int, str], bytes] = field(default_factory=dict)
    switches: list[str] = field(default_factory=list)

    @property
    def config(self) -> str:
        return str(self.place / "rotate.toml")

    def ask(self, address: str, name: str) -> tuple[bytes, ...]:
        asker = Network([Address(address, self.servers.port)], recursive=False)
        return asker.ask(name, "TXT").texts

    def settle(self) -> None:
        """Wait until the secondary has what the primary has."""
        for key in self.known():
            name = f"{key.selector}._domainkey.{DOMAIN}"
            want = self.ask(bind.PRIMARY, name)
            wait_until(partial(self.follows, name, want), name)

    def follows(self, name: str, want: tuple[bytes, ...]) -> bool:
        return self.ask(bind.SECONDARY, name) == want

    def known(self) -> list[Key]:
        lines = Store(str(self.place / "state")).load()
        return [key for line in lines for key in line.keys]

    def check(self, now: int) -> None:
        """Sign with what the daemon has, and with what a daemon started now would read."""
        reloaded = self.place / "reloaded"
        self.mail.setdefault((now, self.daemon.selector), self.daemon.sign())
        if reloaded.exists():
            reloaded.unlink()
            self.daemon.load()
        fresh = Signer(self.place).load()
        for signer in (self.daemon, fresh):
            self.mail.setdefault((now, signer.selector), signer.sign())
            if signer.selector not in self.switches:
                self.switches.append(signer.selector)
        for (signed_at, _), message in self.mail.items():
            if now - signed_at < 14 * DAY:
                for address in (bind.PRIMARY, bind.SECONDARY):
                    assert self.verifies(message, address), (now - signed_at, address)

    def verifies(self, message: bytes, address: str) -> bool:
        def lookup(name: bytes, timeout: int = 5) -> bytes | None:
            texts = self.ask(address, name.decode().removesuffix("."))
            return texts[0] if texts else None

        return bool(dkimpy.verify(message, dnsfunc=lookup))


CONFIG = """\
state = "{place}/state"
key_dir = "{place}/keys"
key_table = "{place}/KeyTable"
signing_table = "{place}/SigningTable"
bits = 1024
every = "90d"
publish = "nsupdate"
server = "{servers.address}"
tsig = "{servers.tsig_file}"
reload = ["touch", "{place}/reloaded"]
nameservers = ["{servers.address}"]
authoritative_port = {servers.port}
[[domain]]
name = "{domain}"
"""


@contextmanager
def domain(tmp_path: Path, *, child: str = "") -> Iterator[World]:
    """A domain that signs with the key "old", published and 100 days old.

    child: a label below that is a zone of its own; nothing is published in it.
    """
    keys = tmp_path / "keys"
    keys.mkdir()
    old = keypair.make(keypair.Kind.RSA, 1024)
    path = keys / "old.private"
    path.write_bytes(keypair.pem(old))
    path.chmod(0o600)
    (keys / "other.private").write_bytes(keypair.pem(old))
    (keys / "other.private").chmod(0o600)
    record = f'old._domainkey TXT "v=DKIM1; p={keypair.public_text(old)}"\n'
    (tmp_path / "KeyTable").write_text(
        f"# keys\nold._domainkey.{DOMAIN} {DOMAIN}:old:{path}\n"
        f"other o.example:x:{keys}/other.private\n"
    )
    (tmp_path / "SigningTable").write_text(
        f"# who\n*@{DOMAIN} old._domainkey.{DOMAIN}\n*@o.example other\n"
    )
    os.utime(path, (NOW - 100 * DAY, NOW - 100 * DAY))
    with bind.pair(tmp_path, DOMAIN, bind.ZONE + ("" if child else record), child=child) as servers:
        (tmp_path / "rotate.toml").write_text(
            CONFIG.format(place=tmp_path, servers=servers, domain=DOMAIN)
        )
        yield World(tmp_path, servers, Signer(tmp_path).load())


TIMES = [
    NOW,  # plan, make, publish
    NOW + 60,  # seen everywhere
    NOW + HOUR - 1,  # not long enough
    NOW + 60 + HOUR,  # sign
    NOW + 5 * DAY,
    NOW + 60 + HOUR + 14 * DAY,  # revoke
    NOW + 60 + HOUR + 44 * DAY,  # remove
]


def stages(world: World) -> dict[str, str]:
    return {key.selector: str(key.stage) for key in world.known()}


def at(world: World, now: int, *argv: str) -> int:
    return main(["-c", world.config, *argv], clock=lambda: float(now))
