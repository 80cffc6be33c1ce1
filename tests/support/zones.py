"""Real zones on real name servers: NSD as authority, Unbound as resolver, all on loopback.

    with authority(tmp_path, {"d.example": ZONE}) as port:
        with resolver(tmp_path, ["d.example"], port) as address:
            ...

The authority runs at two addresses, ns1 and ns2, and may serve different zones at each.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from support.child import Child, free_port
from support.nsd import server_config

NS1, NS2 = "127.0.0.2", "127.0.0.3"
LOOPBACK = "127.0.0.1"

HEAD = """\
$TTL 3600
@ SOA ns1 hostmaster 1 3600 600 86400 60
@ NS ns1
@ NS ns2
ns1 A 127.0.0.2
ns2 A 127.0.0.3
"""

_UNBOUND = """\
server:
    interface: {address}@{port}
    port: {port}
    do-daemonize: no
    username: ""
    chroot: ""
    directory: "{dir}"
    pidfile: ""
    use-syslog: no
    do-not-query-localhost: no
    do-ip6: no
    num-threads: 1
    cache-max-negative-ttl: 1
    access-control: 127.0.0.0/8 allow
    module-config: "{modules}"
    {anchors}
remote-control:
    control-enable: no
"""


def missing() -> str:
    """The first program that is not installed; "" when all are."""
    for program in ("nsd", "unbound", "ldns-signzone", "ldns-keygen"):
        if shutil.which(program, path="/usr/sbin:/usr/bin") is None:
            return program
    return ""


def txt(text: str, size: int = 255) -> str:
    """text as quoted character-strings."""
    strings = [text[at : at + size] for at in range(0, len(text), size)] or [""]
    return " ".join('"' + one.replace("\\", "\\\\").replace('"', '\\"') + '"' for one in strings)


@contextmanager
def authority(
    directory: Path,
    zones: Mapping[str, str],
    *,
    second: Mapping[str, str] | None = None,
    port: int = 0,
) -> Iterator[int]:
    """Serve zones at NS1 and NS2 (second: what NS2 has otherwise); the port of both."""
    port = port or free_port()
    with ExitStack() as stack:
        for address, served in ((NS1, zones), (NS2, {**zones, **(second or {})})):
            stack.enter_context(one_server(directory / address, address, port, served))
        yield port


@contextmanager
def one_server(
    directory: Path, address: str, port: int, zones: Mapping[str, str]
) -> Iterator[Child]:
    """One NSD; zone files in directory may be changed, and the Child sent SIGHUP."""
    directory.mkdir(parents=True, exist_ok=True)
    config = server_config(address, port, directory)
    for name, text in zones.items():
        (directory / f"{name}.zone").write_text(text, "utf-8")
        config += f'zone:\n    name: "{name}"\n    zonefile: "{name}.zone"\n'
    (directory / "nsd.conf").write_text(config, "utf-8")
    child = Child(["/usr/sbin/nsd", "-d", "-c", directory / "nsd.conf"], directory / "nsd.log")
    try:
        child.wait_ready(lambda: answers(address, port, next(iter(zones))))
        yield child
    finally:
        child.stop()


@contextmanager
def resolver(
    directory: Path, zones: Sequence[str], port: int, *, anchors: Sequence[Path] = ()
) -> Iterator[str]:
    """An Unbound that knows the zones' servers; "127.0.0.1:PORT"."""
    own = free_port()
    place = directory / "unbound"
    place.mkdir()
    config = _UNBOUND.format(
        address=LOOPBACK,
        port=own,
        dir=place,
        modules="validator iterator" if anchors else "iterator",
        anchors="\n    ".join(f'trust-anchor-file: "{path}"' for path in anchors),
    )
    for name in zones:
        config += f'stub-zone:\n    name: "{name}"\n'
        config += f"    stub-addr: {NS1}@{port}\n    stub-addr: {NS2}@{port}\n"
    (place / "unbound.conf").write_text(config, "utf-8")
    child = Child(["/usr/sbin/unbound", "-d", "-c", place / "unbound.conf"], place / "unbound.log")
    try:
        child.wait_ready(lambda: answers(LOOPBACK, own, zones[0]))
        yield f"{LOOPBACK}:{own}"
    finally:
        child.stop()


def answers(address: str, port: int, zone: str) -> bool:
    """Whether the server answers for the zone's SOA."""
    command = ["dig", "+short", "+time=1", "+tries=1", f"@{address}", "-p", str(port), zone, "SOA"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode == 0 and bool(done.stdout.strip())


def signed(directory: Path, name: str, zone: str) -> tuple[str, Path]:
    """The zone signed with a key made for it, and the file with its trust anchor."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / "zone").write_text(zone, "utf-8")
    keygen = ["ldns-keygen", "-k", "-a", "ED25519", name]
    key = subprocess.run(keygen, cwd=directory, capture_output=True, text=True, check=True)
    base = key.stdout.strip()
    sign = ["ldns-signzone", "-o", name, "-f", "signed", "zone", base]
    subprocess.run(sign, cwd=directory, capture_output=True, check=True)
    return (directory / "signed").read_text("utf-8"), directory / f"{base}.key"


__all__ = [
    "HEAD",
    "NS1",
    "NS2",
    "answers",
    "authority",
    "missing",
    "one_server",
    "resolver",
    "signed",
    "txt",
]
