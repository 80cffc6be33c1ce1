"""BIND as a primary that takes TSIG-signed updates, and an NSD that follows it.

    with bind.pair(tmp_path, "d.example") as servers:
        servers.port, servers.tsig_file

BIND listens at PRIMARY, as it binds to addresses of interfaces only; NSD at SECONDARY.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.child import Child, free_port
from support.zones import answers

PRIMARY, SECONDARY = "127.0.0.1", "127.0.0.3"

ZONE = f"""\
$TTL 300
@ SOA ns1 hostmaster 1 3600 600 86400 1
@ NS ns1
@ NS ns2
ns1 A {PRIMARY}
ns2 A {SECONDARY}
"""

_BIND = """\
options {{
    directory "{dir}";
    listen-on port {port} {{ {primary}; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    session-keyfile none;
    recursion no;
    dnssec-validation no;
    notify explicit;
    notify-delay 0;
    also-notify {{ {secondary} port {port}; }};
    serial-query-rate 1000;
}};
controls {{ }};
include "{tsig}";
zone "{zone}" {{
    type primary;
    file "zone.db";
    allow-update {{ key "postseal"; }};
    allow-transfer {{ any; }};
}};
"""

_CHILD = """\
zone "{child}.{zone}" {{
    type primary;
    file "child.db";
    allow-update {{ key "postseal"; }};
}};
"""

_NSD = """\
server:
    ip-address: {secondary}@{port}
    username: ""
    zonesdir: "{dir}"
    database: ""
    zonelistfile: "{dir}/zone.list"
    xfrdfile: "{dir}/xfrd.state"
    xfrdir: "{dir}"
    pidfile: ""
    server-count: 1
    rrl-ratelimit: 0
    xfrd-reload-timeout: 0
remote-control:
    control-enable: no
zone:
    name: "{zone}"
    zonefile: "copy.zone"
    allow-notify: {primary} NOKEY
    request-xfr: AXFR {primary}@{port} NOKEY
"""


@dataclass(frozen=True, slots=True)
class Pair:
    """The two running servers."""

    port: int
    tsig_file: Path
    primary: Child
    secondary: Child

    @property
    def address(self) -> str:
        """The primary, as rotate.toml takes it."""
        return f"{PRIMARY}:{self.port}"


def missing() -> str:
    """The first program that is not installed; "" when all are."""
    for program in ("named", "tsig-keygen", "nsd"):
        if shutil.which(program, path="/usr/sbin:/usr/bin") is None:
            return program
    return ""


@contextmanager
def pair(directory: Path, zone: str, text: str = ZONE, *, child: str = "") -> Iterator[Pair]:
    """Run both until the with statement ends.

    child: a label below, which is a zone of its own that only the primary serves.
    """
    if child:
        text += f"{child} NS ns1\n"
    port = free_port()
    tsig = directory / "tsig.key"
    made = subprocess.run(["tsig-keygen", "postseal"], capture_output=True, text=True, check=True)
    tsig.write_text(made.stdout)
    tsig.chmod(0o600)
    words = {"port": port, "zone": zone, "tsig": tsig, "primary": PRIMARY, "secondary": SECONDARY}
    first, second = directory / "primary", directory / "secondary"
    for place in (first, second):
        place.mkdir()
    (first / "zone.db").write_text(text)
    config = _BIND.format(dir=first, **words)
    if child:
        config += _CHILD.format(child=child, zone=zone)
        below = f"$TTL 300\n@ SOA ns1.{zone}. hostmaster.{zone}. 1 2 3 4 1\n@ NS ns1.{zone}.\n"
        (first / "child.db").write_text(below)
    (first / "named.conf").write_text(config)
    (second / "nsd.conf").write_text(_NSD.format(dir=second, **words))
    named: list[str | Path] = ["/usr/sbin/named", "-n", "1", "-g", "-c", first / "named.conf"]
    nsd: list[str | Path] = ["/usr/sbin/nsd", "-d", "-c", second / "nsd.conf"]
    with (
        _running(named, first / "named.log", PRIMARY, port, zone) as primary,
        _running(nsd, second / "nsd.log", SECONDARY, port, zone) as secondary,
    ):
        yield Pair(port, tsig, primary, secondary)


@contextmanager
def _running(
    argv: list[str | Path], log: Path, address: str, port: int, zone: str
) -> Iterator[Child]:
    child = Child(argv, log)
    try:
        child.wait_ready(lambda: answers(address, port, zone))
        yield child
    finally:
        child.stop()
