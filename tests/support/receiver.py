"""A receiving daemon, its DNS, and an MTA that brings it mail: the whole program, no mail server.

    with receiver(directory, records={("example.com", "TXT"): (b"v=spf1 -all",)}) as mx:
        got = mx.take(message(...), sender="<a@example.com>")
        got.words("spf")           # ["fail"]
        got.one("dmarc").properties
        got.reply                  # what the MTA was told, with every edit

NAME
    receiver - receiver(), Receiver, Taken

DOES NOT
    use any code of Postseal but the program: results are read by authresread.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support import authresread
from support.authresread import Resinfo
from support.child import LOOPBACK
from support.daemon import Daemon
from support.dnsserver import DnsServer
from support.milterclient import MilterClient, Reply

ID = "mx.example.org"
FIELD = "Authentication-Results"
FORGETFUL = "cache_entries = 0\ntimeout = 10.0\nattempts = 1\n"  # lines of [dns]
EVERYTHING = """
[verify]
iprev = true
keep_removed = "X-Removed-Authentication-Results"
[spf]
helo = true
received_spf = true
[roles]
trusted_relays = ["198.51.100.0/24"]
[upstream]
authserv_ids = ["mx.example.org"]
hosts = ["203.0.113.0/24", "198.51.100.0/24"]
"""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What became of one message."""

    reply: Reply
    seconds: float
    log: str  # its line

    @property
    def results(self) -> list[Resinfo]:
        """Everything in the one field of ours, which must be in the strict grammar."""
        (value,) = self.reply.inserted(FIELD) or ("",)
        if not value:  # refused: nothing is written
            return []
        read = authresread.read(value.replace("\r\n", "\n").replace("\n", "\r\n"))
        assert read.authserv_id == ID
        return read.results

    def words(self, method: str) -> list[str]:
        return [one.result for one in self.results if one.method == method]

    def one(self, method: str) -> Resinfo:
        (found,) = (one for one in self.results if one.method == method)
        return found

    @property
    def deleted(self) -> list[tuple[str, int]]:
        """Fields that were taken away, in the order of the commands."""
        return [
            (name, index)
            for kind, index, name, value in self.reply.edits
            if kind == "change" and not value
        ]


class Receiver:
    """A running daemon, and the name server it asks."""

    def __init__(self, daemon: Daemon, dns: DnsServer) -> None:
        self.daemon = daemon
        self.dns = dns

    def connect(self, client: str = "203.0.113.7", helo: str = "mail.example.com") -> MilterClient:
        """A connection on which a client has said HELO."""
        mta = MilterClient((LOOPBACK, self.daemon.port), timeout=60.0).negotiate()
        mta.connect("unknown", client)
        mta.helo(helo)
        return mta

    def take(
        self,
        message: bytes,
        *,
        sender: str | bytes = "<ann@example.com>",
        client: str = "203.0.113.7",
        helo: str = "mail.example.com",
        **more: Any,
    ) -> Taken:
        """One message on a connection of its own."""
        said = len(self.daemon.log_text())
        with self.connect(client, helo) as mta:
            began = time.monotonic()
            reply = mta.message(message, sender=sender, **more)
            seconds = time.monotonic() - began
            mta.quit()
        log = self.daemon.log_text()[said:]
        assert "internal-error" not in log, log
        return Taken(reply=reply, seconds=seconds, log=log)

    def processor_seconds(self) -> float:
        """What all its workers have used so far."""
        return sum(time.clock_gettime(_clock(pid)) for pid in self.daemon.workers())


def _clock(pid: int) -> int:
    """The clock of another process's processor time: to the nanosecond, ended threads included."""
    return ~pid << 3 | 2


@contextmanager
def receiver(
    directory: Path,
    records: Mapping[tuple[str, str], Any] | None = None,
    *,
    config: str = "",
    dns: str = "",
    settings: Mapping[str, str] | None = None,
    **trouble: Any,
) -> Iterator[Receiver]:
    """A daemon with config below its top settings and dns as lines of [dns].

    settings: more TOML on top; trouble: what DnsServer takes beside records.
    """
    with DnsServer(records or {}, **trouble) as server:
        daemon = Daemon(directory, "receiver")
        daemon.configure(
            f'[dns]\nnameservers = ["{server.address}"]\n{dns}{config}',
            {"authserv_id": f'"{ID}"', "workers": "1", **(settings or {})},
        )
        directory.chmod(0o755)  # the daemon becomes another user
        daemon.start()
        try:
            yield Receiver(daemon, server)
        finally:
            status = daemon.stop()
        assert status == 0, daemon.log_text()[-4000:]
