"""Formats of dnsmasq, PowerDNS and tinydns, loaded by these servers and asked back."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from postseal_keys.formats import FORMATS
from postseal_keys.records import split
from support.child import LOOPBACK, Child, free_port, listens
from support.txtsamples import APEX, AWKWARD, SAMPLES, TTL, ZONE, ask

pytestmark = pytest.mark.e2e

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
ALL = [*SAMPLES.values(), AWKWARD, APEX]
PDNS_SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")


def _program(name: str, package: str) -> str:
    found = shutil.which(name, path=PATH)
    if found is None:
        pytest.skip(f"needs {name} (package {package})")
    return found


def test_dnsmasq(tmp_path: Path) -> None:
    dnsmasq = _program("dnsmasq", "dnsmasq-base")
    port = free_port()
    config = tmp_path / "dnsmasq.conf"
    config.write_text(
        f"port={port}\nlisten-address={LOOPBACK}\nbind-interfaces\nno-resolv\nno-hosts\n"
        f"no-daemon\nuser=\npid-file=\nlocal-ttl={TTL}\n" + FORMATS["dnsmasq"].render(ALL),
        "ascii",
    )
    server = Child([dnsmasq, "-C", config], tmp_path / "log")
    try:
        server.wait_ready(lambda: listens(port))
        for record in ALL:
            assert ask(record.name, port) == (list(split(record.text)), TTL), record.host
    finally:
        server.stop()


@contextmanager
def _powerdns(directory: Path) -> Iterator[tuple[int, str]]:
    """PowerDNS with an empty SQLite data base: its DNS port, and the URL of its API."""
    program = _program("pdns_server", "pdns-server")
    if not PDNS_SCHEMA.exists():
        pytest.skip(f"needs {PDNS_SCHEMA} (package pdns-backend-sqlite3)")
    database = directory / "pdns.sqlite3"
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(PDNS_SCHEMA.read_text())
    port, web = free_port(), free_port()
    settings = {
        "launch": "gsqlite3",
        "gsqlite3-database": database,
        "local-address": LOOPBACK,
        "local-port": port,
        "api": "yes",
        "api-key": "test",
        "webserver": "yes",
        "webserver-address": LOOPBACK,
        "webserver-port": web,
        "socket-dir": directory,
        "config-dir": directory,
        "daemon": "no",
        "guardian": "no",
        "security-poll-suffix": "",
        "version-string": "anonymous",
    }
    (directory / "pdns.conf").write_text("".join(f"{k}={v}\n" for k, v in settings.items()))
    server = Child([program, f"--config-dir={directory}"], directory / "log")
    try:
        server.wait_ready(lambda: listens(web) and listens(port))
        yield port, f"http://{LOOPBACK}:{web}/api/v1/servers/localhost/zones"
    finally:
        server.stop()


def _send(method: str, url: str, body: str) -> int:
    request = urllib.request.Request(
        url,
        method=method,
        data=body.encode("ascii"),
        headers={"X-API-Key": "test", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=20) as answer:
        return int(answer.status)


def test_powerdns(tmp_path: Path) -> None:
    zone = {"name": f"{ZONE}.", "kind": "Native", "nameservers": [f"ns.{ZONE}."]}
    with _powerdns(tmp_path) as (port, url):
        assert _send("POST", url, json.dumps(zone)) == 201
        for _ in range(2):  # a second time replaces, and does not add
            assert _send("PATCH", f"{url}/{ZONE}.", FORMATS["powerdns"].render(ALL)) == 204
            for record in ALL:
                assert ask(record.name, port) == (list(split(record.text)), TTL), record.host


# Run in a network namespace of its own: tinydns knows no port but 53.
TINYDNS = """
import json, os, subprocess, sys, time
import dns.exception
program, root, names = sys.argv[1], sys.argv[2], sys.argv[3:]
sys.path[:0] = os.environ["ASK_PATH"].split(":")
from support.txtsamples import ask
subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
where = {**os.environ, "IP": "127.0.0.1", "ROOT": root, "UID": "65534", "GID": "65534"}
server = subprocess.Popen([program], env=where, stdout=subprocess.DEVNULL)
try:
    until = time.monotonic() + 60
    while time.monotonic() < until:  # it does not say when it is ready
        try:
            ask(names[0], 53, seconds=0.5)
            break
        except (OSError, dns.exception.Timeout):
            time.sleep(0.05)
    print(json.dumps({name: ask(name, 53) for name in names}))
finally:
    server.terminate()
    server.wait(60)
"""


def _cut127(text: str) -> list[str]:
    """tinydns-data's strings."""
    return [text[at : at + 127] for at in range(0, len(text), 127)]


def _tinydns_root(directory: Path) -> Path:
    """A directory with the compiled data, readable by anyone."""
    compiler = _program("tinydns-data", "tinydns")
    directory.chmod(0o755)
    data = f".{ZONE}:127.0.0.1:ns.{ZONE}:3600\n" + FORMATS["tinydns"].render(ALL)
    (directory / "data").write_text(data, "ascii")
    subprocess.run([compiler], cwd=directory, check=True, timeout=30)
    return directory


@pytest.mark.skipif(os.getuid() != 0, reason="needs root, for a network namespace")
def test_tinydns(tmp_path_factory: pytest.TempPathFactory) -> None:
    program = _program("tinydns", "tinydns")
    root = _tinydns_root(tmp_path_factory.mktemp("tinydns"))
    served = [record for record in ALL if len(record.text) < 400]  # it answers in 512 octets
    assert len(served) >= len(ALL) - 2
    done = subprocess.run(
        ["unshare", "-n", sys.executable, "-c", TINYDNS, program, str(root)]
        + [record.name for record in served],
        env={**os.environ, "ASK_PATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answers = json.loads(done.stdout)
    for record in served:
        assert answers[record.name] == [_cut127(record.text), TTL], record.host


def test_tinydns_data_of_any_length(tmp_path: Path) -> None:
    """tinydns-get reads the compiled data as the server does, without its 512 octets."""
    program = _program("tinydns-get", "tinydns")
    root = _tinydns_root(tmp_path)
    for record in ALL:
        done = subprocess.run(
            [program, "txt", record.name], cwd=root, capture_output=True, check=True, timeout=30
        )
        (line,) = [line for line in done.stdout.split(b"\n") if line.startswith(b"answer:")]
        assert b"16 " in line or b"TXT" in line
        plain = line.split(b" ", 4)[-1].decode("latin-1")
        for string in _cut127(record.text):
            shown = "".join(
                c if "!" <= c <= "~" and c != "\\" else f"\\{ord(c):03o}" for c in string
            )
            assert shown in plain, record.host
