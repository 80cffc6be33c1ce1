"""A real daemon for tests: supervisor, workers and libmilter, with a scripted engine.

Run as a program (`python milterdaemon.py SETTINGS.json`) it is the daemon; imported, it
gives start() and Daemon, which do that in a subprocess on a loopback port or unix socket.

The engine obeys the message: a field `X-Do` with words in it, separated by `;`:
    insert=NAME:VALUE  delete=NAME:INDEX  reject=TEXT  defer=TEXT  hold=REASON
    raise-open  raise-body  raise-close  exit=SystemExit raised  die (the worker process ends)
    wait=PATH (in close: makes PATH.begun, and goes on when there is PATH)
What it saw goes into the field X-Seen, as JSON.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from postseal.conf.model import Settings
from postseal.core.action import Accept, Action, Defer, Delete, Edit, Hold, Insert, Reject
from postseal.core.field import Header
from postseal.core.resolver import Answer, Kind, Resolver
from postseal.core.transaction import Client, Envelope
from postseal.daemon import pulse
from postseal.daemon.app import Application, Unusable
from support.child import free_port as free_port

KEPT = ("PATH", "NOTIFY_SOCKET")
ROOT = Path(__file__).resolve().parents[2]


# -- the engine ------------------------------------------------------------------------------


@dataclass
class Verdict:
    role: str = "inbound"
    action: Action = field(default_factory=Accept)
    edits: tuple[Edit, ...] = ()
    story: dict[str, str | int] = field(default_factory=dict)


class Silence:
    """A message's resolver that nobody asks."""

    def __init__(self) -> None:
        self.usage = SimpleNamespace(sent=0)
        self.closed = 0

    def close(self) -> None:
        self.closed += 1

    def ask(self, name: str, kind: Kind, /) -> Answer:
        return Answer(name=name, kind=kind)

    def prefetch(self, name: str, kind: Kind, /) -> None:
        pass

    def insist(self, domains: Sequence[str], /) -> None:
        pass

    def ration(self, share: float, /) -> None:
        pass


class ScriptedWork:
    wants_body = True

    def __init__(self, orders: list[tuple[str, str]], seen: dict[str, Any]) -> None:
        self.orders = orders
        self.seen = seen
        self.octets = 0

    def body(self, chunk: bytes) -> None:
        self.octets += len(chunk)
        if ("raise-body", "") in self.orders:
            raise RuntimeError("body went wrong")

    def close(self) -> Verdict:
        verdict = Verdict(story={"octets": self.octets, "pid": os.getpid()})
        edits: list[Edit] = []
        for word, argument in self.orders:
            match word:
                case "raise-close":
                    raise RuntimeError('close went\nwrong "queue_id=forged"')
                case "exit":
                    raise SystemExit(3)
                case "die":
                    os.kill(os.getpid(), signal.SIGKILL)
                case "wait":
                    Path(f"{argument}.begun").touch()
                    while not Path(argument).exists():
                        time.sleep(0.02)
                case "insert":
                    name, _, value = argument.partition(":")
                    edits.append(Insert(0, name, " " + value))
                case "delete":
                    name, _, index = argument.partition(":")
                    edits.append(Delete(name, int(index)))
                case "reject":
                    verdict.action = Reject(argument)
                case "defer":
                    verdict.action = Defer(argument)
                case "hold":
                    verdict.action = Hold(argument)
        edits.append(Insert(0, "X-Seen", " " + json.dumps({**self.seen, "octets": self.octets})))
        verdict.edits = tuple(edits)
        return verdict


class ScriptedEngine:
    def __init__(self, mark: str = "") -> None:
        self.mark = mark

    def open(
        self, client: Client, envelope: Envelope, header: Header, resolver: Resolver
    ) -> ScriptedWork:
        text = b";".join(one.value.strip() for one in header.all(b"x-do")).decode()
        orders = [
            (word.strip(), argument)
            for word, _, argument in (part.partition("=") for part in text.split(";"))
        ]
        if ("raise-open", "") in orders:
            raise RuntimeError("open went wrong")
        seen = {
            "address": None if client.address is None else str(client.address),
            "name": client.name,
            "helo": client.helo,
            "daemon_name": client.daemon_name,
            "auth_type": client.auth_type,
            "auth_user": client.auth_user,
            "local": client.local,
            "macros": client.macros,
            "sender": envelope.sender,
            "smtputf8": envelope.smtputf8,
            "fields": [one.simple.decode("latin-1") for one in header],
            "uid": os.getuid(),
            "groups": sorted({os.getgid(), *os.getgroups()}),
            "cpus": sorted(os.sched_getaffinity(0)),
            "pid": os.getpid(),
            "mark": self.mark,
        }
        return ScriptedWork(orders, seen)


def load(path: Path) -> Application:
    """The application as the JSON file at path describes it.  Raises Unusable."""
    try:
        tree = json.loads(path.read_text())
        mark = tree.pop("mark", "")
        macros = tuple(tree.pop("ask_macros", ()))
        die = tree.pop("die_early", False)
        stop = tree.pop("stop_early", False)
        if back := tree.pop("clock_back", 0):  # seconds
            time.time = lambda: time.clock_gettime(time.CLOCK_REALTIME) - back
        pulse.BEAT = tree.pop("beat", pulse.BEAT)
        files = (path,) if "watch" in tree else ()
        settings = Settings.model_validate(tree)
    except ValueError as error:
        raise Unusable((f"{path.name}: {error}",)) from None

    def resolvers() -> Callable[[], Silence]:
        if die:
            raise RuntimeError("a resolver that cannot be made")
        if stop:
            os.kill(os.getpid(), signal.SIGSTOP)
        return Silence

    return Application(
        settings=settings,
        engine=ScriptedEngine(mark),
        resolvers=resolvers,
        macros=macros,
        files=files,
    )


def main(path: str) -> int:
    from postseal.cli.run import run

    return run(lambda: load(Path(path)))


# -- the test's side -------------------------------------------------------------------------


class Daemon:
    """A running daemon.  lines() is its log so far."""

    def __init__(self, process: subprocess.Popen[bytes], directory: Path, socket_name: str) -> None:
        self.process = process
        self.directory = directory
        self.socket_name = socket_name

    @property
    def address(self) -> str | tuple[str, int]:
        kind, _, rest = self.socket_name.partition(":")
        if kind == "unix":
            return rest
        port, _, host = rest.partition("@")
        return host, int(port)

    def lines(self) -> list[str]:
        return (self.directory / "log").read_text().splitlines()

    def events(self, event: str) -> list[str]:
        return [line for line in self.lines() if f"event={event}" in line]

    def wait_for(self, condition: Callable[[], object], seconds: float = 60.0) -> None:
        """Wait until condition() is true.  Raises AssertionError with the log."""
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, "\n".join(self.lines())
            time.sleep(0.02)

    def configure(self, **changes: object) -> None:
        """Change the configuration file; takes effect at SIGHUP."""
        path = self.directory / "settings.json"
        path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))

    def signal(self, signum: signal.Signals) -> None:
        self.process.send_signal(signum)

    def workers(self) -> list[int]:
        """Process numbers of the supervisor's children."""
        pid = self.process.pid
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(word) for word in text.split()]

    def stop(self) -> int:
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def start(directory: Path, *, wait: bool = True, **settings: object) -> Iterator[Daemon]:
    """A daemon with these settings (names of conf/model.py), ended at the end of the block."""
    settings.setdefault("socket", f"inet:{free_port()}@127.0.0.1")
    settings.setdefault("workers", 1)
    (directory / "settings.json").write_text(json.dumps(settings))
    with (directory / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                "setpriv",
                "--pdeathsig",
                "TERM",
                "--",
                sys.executable,
                __file__,
                str(directory / "settings.json"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            env={
                **{name: os.environ[name] for name in KEPT if name in os.environ},
                "PYTHONPATH": f"{ROOT / 'milter'}:{ROOT / 'keys'}:{ROOT / 'tests'}",
                "PYTHONDONTWRITEBYTECODE": "1",
            },
        )
    daemon = Daemon(process, directory, str(settings["socket"]))
    try:
        if wait:
            daemon.wait_for(lambda: daemon.events("ready") or process.poll() is not None)
            assert process.poll() is None, "\n".join(daemon.lines())
        yield daemon
    finally:
        daemon.stop()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
