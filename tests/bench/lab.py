"""Name servers and milters, started on their processors and stopped again.

NAME
    lab - build the C programs, run unbound, run Servers

GIVES
    Processors: the servers' and everybody else's.  Lab: what runs, by name.

DOES NOT
    change anything outside its directory; contrib/bench.sh gives it namespaces of its own,
    in which /etc/resolv.conf names our name server.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from bench.corpus import Record
from bench.servers import NAMESERVER, NAMESERVER_300, Server

HERE = Path(__file__).resolve().parent
START_SECONDS = 20.0


@dataclass(frozen=True, kw_only=True)
class Processors:
    """Two for the servers and the rest for load and DNS; small machines share."""

    servers: frozenset[int]
    others: frozenset[int]

    @classmethod
    def found(cls) -> Processors:
        """What this process may use, divided."""
        mine = sorted(os.sched_getaffinity(0))
        servers = frozenset(mine[:2])
        return cls(servers=servers, others=frozenset(mine[2:]) or servers)

    def __str__(self) -> str:
        def words(numbers: frozenset[int]) -> str:
            return ",".join(map(str, sorted(numbers)))

        if self.servers == self.others:
            return f"servers, load generator and name server share {words(self.servers)}"
        return f"servers on {words(self.servers)}, the rest on {words(self.others)}"


def build(directory: Path) -> None:
    """Compile load and floor into the directory."""
    for sources, libraries in (
        (("load", "corpus"), ()),
        (("floor",), ("-lmilter", "-lcrypto", "-lpthread")),
    ):
        files = [HERE / f"{name}.c" for name in sources]
        target = directory / sources[0]
        subprocess.run(
            ["cc", "-O2", "-Wall", "-Wextra", "-o", target, *files, *libraries], check=True
        )


def bound(argv: Iterable[str], processors: frozenset[int]) -> list[str]:
    """The command on these processors."""
    return ["taskset", "-c", ",".join(map(str, sorted(processors))), *argv]


@dataclass(frozen=True, kw_only=True)
class Running:
    """A server that answers on its socket."""

    process: subprocess.Popen[bytes]
    log: Path


class Lab:
    """All that runs.  Use as a context: everything ends with it."""

    def __init__(self, directory: Path, processors: Processors) -> None:
        self.directory = directory
        self.processors = processors
        self.running: dict[str, Running] = {}
        self._name_servers: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Lab:
        return self

    def __exit__(self, *_: object) -> None:
        for name in list(self.running):
            self.stop(name)
        for process in self._name_servers:
            _end(process)

    def serve_dns(self, records: Iterable[Record]) -> None:
        """Two name servers with the same zone, TTL 0 and TTL 300."""
        rows = list(records)
        for address, ttl in ((NAMESERVER, 0), (NAMESERVER_300, 300)):
            config = self.directory / f"unbound-{ttl}.conf"
            config.write_text(_unbound(address, ttl, rows))
            program = shutil.which("unbound") or "/usr/sbin/unbound"
            command = bound([program, "-d", "-c", str(config)], self.processors.others)
            log = (self.directory / f"unbound-{ttl}.log").open("wb")
            self._name_servers.append(subprocess.Popen(command, stdout=log, stderr=log))
            _wait_for_dns(address)

    def start(self, server: Server) -> None:
        """Start it and wait until it takes connections.  Raises RuntimeError."""
        log = self.directory / f"{server.name}.log"
        with contextlib.suppress(FileNotFoundError):
            server.socket.unlink()
        with log.open("wb") as output:
            process = subprocess.Popen(
                bound(server.argv, self.processors.servers),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.directory,
                env={**os.environ, **server.environment},
                start_new_session=True,
            )
        self.running[server.name] = Running(process=process, log=log)
        until = time.monotonic() + START_SECONDS
        while not _answers(server.socket):
            if process.poll() is not None or time.monotonic() > until:
                self.stop(server.name)
                raise RuntimeError(f"{server.name} does not start; it said:\n{log.read_text()}")
            time.sleep(0.05)

    def stop(self, name: str) -> None:
        """End it."""
        _end(self.running.pop(name).process)

    def pids(self, server: Server) -> list[int]:
        """Its first process; one that shares another's socket shares its processes."""
        name = server.name if server.argv else server.name.removesuffix("-sign")
        return [self.running[name].process.pid]


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(8)
    except subprocess.TimeoutExpired:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        try:
            client.connect(str(path))
        except OSError:
            return False
    return True


def _unbound(address: str, ttl: int, records: list[Record]) -> str:
    data = "".join(f"    local-data: '{line}'\n" for line in _lines(records, ttl))
    return f"""server:
    interface: {address}
    port: 53
    do-daemonize: no
    username: ""
    chroot: ""
    pidfile: ""
    use-syslog: no
    num-threads: 1
    so-rcvbuf: 0
    access-control: 127.0.0.0/8 allow
    module-config: "iterator"
    local-zone: "example." static
    local-data: 'example. {ttl} IN SOA ns.example. postmaster.example. 1 3600 600 86400 {ttl}'
{data}
remote-control:
    control-enable: no
"""


def _lines(records: list[Record], ttl: int) -> Iterator[str]:
    for name, kind, text in records:
        if kind == "TXT":
            text = " ".join(f'"{text[at : at + 255]}"' for at in range(0, len(text), 255))
        yield f"{name}. {ttl} IN {kind} {text}"


def _wait_for_dns(address: str) -> None:
    """Until it answers the SOA of the zone."""
    question = b"\x12\x34\1\0\0\1\0\0\0\0\0\0\7example\0\0\6\0\1"
    until = time.monotonic() + START_SECONDS
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(0.2)
        client.connect((address, 53))
        while time.monotonic() < until:
            with contextlib.suppress(OSError):
                client.send(question)
                client.recv(512)
                return
            time.sleep(0.05)
    raise RuntimeError(f"unbound does not answer at {address}")
