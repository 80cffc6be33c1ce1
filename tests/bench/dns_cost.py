"""What a question and an SPF check cost, in microseconds of our CPU.

    python tests/bench/dns_cost.py

Needs nsd for the rows over the wire.  Compare rows of one run with each other, not
with another machine's; dnspython's own resolver is there as the yardstick.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from ipaddress import ip_address
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "milter"), str(ROOT / "tests")]

import dns.resolver  # noqa: E402

from postseal.core import spf  # noqa: E402
from postseal.core.resolver import Answer, Kind, Record  # noqa: E402
from postseal.daemon.resolver import Resolver, ResolverConfig  # noqa: E402
from support.fakedns import FakeDns  # noqa: E402

PORT = 15353
ZONE = """$ORIGIN bench.example.
$TTL 0
@ SOA ns hostmaster 1 3600 600 86400 0
@ NS ns
ns A 127.0.0.1
@ TXT "v=spf1 ip4:192.0.2.0/24 include:spf.bench.example mx -all"
@ MX 10 ns
alias CNAME @
"""
CONF = """server:
 ip-address: 127.0.0.1@{port}
 zonesdir: "{path}"
 username: ""
 pidfile: "{path}/pid"
 xfrdfile: "{path}/xfrd"
 zonelistfile: "{path}/zones"
 logfile: "{path}/log"
 database: ""
 server-count: 1
 rrl-ratelimit: 0
remote-control:
 control-enable: no
zone:
 name: bench.example
 zonefile: zone
"""
ROWS = [
    ("TXT", "bench.example", Kind.TXT),
    ("MX", "bench.example", Kind.MX),
    ("A", "ns.bench.example", Kind.A),
    ("no data", "bench.example", Kind.AAAA),
    ("NXDOMAIN", "nix.bench.example", Kind.TXT),
    ("CNAME", "alias.bench.example", Kind.TXT),
]
SPF: dict[tuple[str, str], tuple[Record, ...]] = {
    ("example.com", "TXT"): (b"v=spf1 include:one.example include:two.example mx -all",),
    ("one.example", "TXT"): (b"v=spf1 ip4:198.51.100.0/24 ip4:203.0.113.0/24 ?all",),
    ("two.example", "TXT"): (b"v=spf1 ip4:10.0.0.0/8 ?all",),
    ("example.com", "MX"): ((10, "mx.example.com"),),
    ("mx.example.com", "A"): ("192.0.2.77",),
}


def cost(label: str, work: Callable[[], object], rounds: int) -> None:
    """Print the CPU and wall time of one round."""
    work()
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(rounds):
        work()
    cpu, wall = time.process_time() - cpu, time.perf_counter() - wall
    print(f"{label:32} {cpu / rounds * 1e6:9.1f} us CPU {wall / rounds * 1e6:9.1f} us wall")


@contextlib.contextmanager
def server() -> Iterator[None]:
    """nsd with one zone on loopback."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "zone").write_text(ZONE)
        Path(folder, "conf").write_text(CONF.format(port=PORT, path=folder))
        command = ["nsd", "-d", "-c", f"{folder}/conf"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
            time.sleep(1.0)
            try:
                yield
            finally:
                process.terminate()


def wire() -> None:
    resolver = Resolver(ResolverConfig(nameservers=(f"127.0.0.1:{PORT}",)))

    def ask(name: str, kind: Kind) -> None:
        with resolver.session() as session:
            session.ask(name, kind)

    for label, name, kind in ROWS:
        cost(f"over the wire, {label}", lambda n=name, k=kind: ask(n, k), 3000)  # type: ignore[misc]
    theirs = dns.resolver.Resolver(configure=False)
    theirs.nameservers, theirs.port = ["127.0.0.1"], PORT
    cost("dnspython's resolver, TXT", lambda: theirs.resolve("bench.example", "TXT"), 500)


def cached() -> None:
    resolver = Resolver(ResolverConfig(nameservers=("127.0.0.1",)))
    answer = Answer("cached.example", Kind.TXT, (b"v=spf1 -all",), True, 9999)
    resolver.cache.put(("cached.example", Kind.TXT), answer, resolver.clock())
    session = resolver.session()
    cost("known to the message", lambda: session.ask("cached.example", Kind.TXT), 100_000)
    fresh = [resolver.session() for _ in range(50_001)]
    cost("from the cache", lambda: fresh.pop().ask("cached.example", Kind.TXT), 50_000)


def check(resolver: FakeDns) -> None:
    spf.evaluate(
        client=ip_address("192.0.2.77"), helo="h.example", sender="a@example.com", resolver=resolver
    )


def main() -> None:
    if shutil.which("nsd"):
        with server():
            wire()
    else:
        print("nsd is not installed: nothing over the wire")
    cached()
    cost("SPF, two includes and mx", lambda: check(FakeDns(SPF)), 3000)
    cost("   of which the table of DNS", lambda: FakeDns(SPF), 3000)


if __name__ == "__main__":
    main()
