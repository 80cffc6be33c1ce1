"""A real name server, NSD, with the test zones on a high loopback port.

NAME
    nsd - Nsd, started from one zone that starts at the root

GIVEN
    the text of that zone, and zones for which every answer is to be SERVFAIL.

DOES NOT
    recurse: the root zone holds every name there is, so all others are NXDOMAIN.

SEE ALSO
    nsd.conf(5)
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.child import LOOPBACK, Child, free_port, listens

_CONFIG = """\
server:
    ip-address: {address}@{port}
    username: ""
    zonesdir: "{dir}"
    database: ""
    zonelistfile: "{dir}/zone.list"
    xfrdfile: "{dir}/xfrd.state"
    xfrdir: "{dir}"
    pidfile: ""
    server-count: 1
    rrl-ratelimit: 0
remote-control:
    control-enable: no
"""


def server_config(address: str, port: int, directory: Path) -> str:
    """nsd.conf up to its zones, for a server that keeps to its directory."""
    return _CONFIG.format(address=address, port=port, dir=directory)


# A zone without a file is answered with SERVFAIL.
_ZONE = 'zone:\n    name: "{name}"\n    zonefile: "{file}"\n'


@dataclass(frozen=True, slots=True)
class Nsd:
    """The running server."""

    port: int

    @property
    def address(self) -> str:
        """As postseal.toml's nameservers takes it."""
        return f"{LOOPBACK}:{self.port}"


def available() -> bool:
    """Whether NSD is installed."""
    return shutil.which("nsd", path="/usr/sbin:/usr/bin") is not None


@contextmanager
def nsd(directory: Path, zone: str, broken: Iterable[str] = ()) -> Iterator[Nsd]:
    """Run NSD over zone until the with statement ends.  Raises NotReady."""
    port = _port()
    (directory / "root.zone").write_text(zone, "utf-8")
    config = server_config(LOOPBACK, port, directory)
    config += _ZONE.format(name=".", file="root.zone")
    config += "".join(_ZONE.format(name=name, file="missing.zone") for name in broken)
    (directory / "nsd.conf").write_text(config, "utf-8")
    child = Child(["/usr/sbin/nsd", "-d", "-c", directory / "nsd.conf"], directory / "nsd.log")
    try:
        child.wait_ready(lambda: listens(port))
        yield Nsd(port)
    finally:
        child.stop()


def _port() -> int:
    """A port that is free for UDP and TCP alike."""
    while True:
        port = free_port()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((LOOPBACK, port))
            except OSError:
                continue
        return port


def text_record(name: str, *texts: str) -> str:
    """A TXT record of the zone file, each text cut into strings of 255 octets."""
    strings = []
    for text in texts:
        strings += [text[at : at + 255] for at in range(0, len(text), 255)] or [""]
    quoted = " ".join('"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in strings)
    return f"{name}. TXT {quoted}\n"
