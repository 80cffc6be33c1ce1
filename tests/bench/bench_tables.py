"""How long tables of 10,000 domains take to read and to ask, and how much memory they hold.

    python tests/bench/bench_tables.py [--domains N] [--elsewhere]

For file: and refile: tables, with one key file for all domains and with one for each.
Printed are seconds of processor time to read and check everything, the growth of resident
memory, and microseconds of processor time per choose(): the first time for each domain,
again for 500 busy domains, and for an author that is not in the table.

With --elsewhere, both tables are kept in SQLite, PostgreSQL, MariaDB, LDAP and Redis on this
machine, as far as these are installed.  Seconds are then those that pass, with the libraries
read and the table tried, and so are the microseconds of the first time, when the server is
asked for a sender and for a key; memory has all answers in it.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("milter", "keys", "tests")]

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key  # noqa: E402

from postseal.conf import load  # noqa: E402
from postseal.core.signing import KeyChooser  # noqa: E402
from postseal.tables import site  # noqa: E402
from postseal_keys import keypair  # noqa: E402
from support.sites import private  # noqa: E402

ASKED = 10_000
BUSY = 500


def resident() -> float:
    """Resident memory of this process in MB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 1e6


def microseconds(chooser: KeyChooser, domains: list[int]) -> float:
    """Processor time per choose()."""
    addresses = [f"joe@domain{number}.example" for number in domains]
    start = time.process_time()
    for address in addresses:
        chooser.choose(address)
    return (time.process_time() - start) / len(addresses) * 1e6


def measure(folder: Path, kind: str, many: bool, domains: int, pem: bytes) -> str:
    """One line of the result."""
    for number in range(domains if many else 1):
        private(folder / f"k{number}", pem + b"%d\n" % number)  # all different
    star = "*@" if kind == "refile" else ""
    keys = [f"n{n} domain{n}.example:s:{folder}/k{n if many else 0}\n" for n in range(domains)]
    (folder / "kt").write_text("".join(keys))
    rows = [f"{star}domain{n}.example n{n}\n" for n in range(domains)]
    (folder / "st").write_text("".join(rows))
    text = f'[sign]\nkey_table = "file:kt"\nsigning_table = "{kind}:st"\n'
    before, start = resident(), time.process_time()
    made = site.load(load.parse(text.encode(), folder / "postseal.toml"))
    seconds = time.process_time() - start
    rng = random.Random(1)
    first = microseconds(made.chooser, rng.sample(range(domains), min(domains, ASKED)))
    busy = [rng.randrange(min(BUSY, domains)) for _ in range(ASKED)]
    microseconds(made.chooser, busy)
    again = microseconds(made.chooser, busy)
    none = microseconds(made.chooser, [domains] * ASKED)
    grown = resident() - before
    what = f"{kind}: {'a key each' if many else 'one key'}"
    return f"{what:22}{seconds:8.2f} s {grown:7.1f} MB {first:9.1f} {again:7.1f} {none:7.1f} us"


def waited(chooser: KeyChooser, domains: list[int]) -> float:
    """Time that passes per choose()."""
    start = time.perf_counter()
    for number in domains:
        chooser.choose(f"joe@domain{number}.example")
    return (time.perf_counter() - start) / len(domains) * 1e6


def measure_elsewhere(file: Path, domains: int) -> str:
    """One line of the result."""
    before, start = resident(), time.perf_counter()
    made = site.load(load.read(file))
    seconds = time.perf_counter() - start
    rng = random.Random(1)
    first = waited(made.chooser, rng.sample(range(domains), min(domains, ASKED)))
    busy = [rng.randrange(min(BUSY, domains)) for _ in range(ASKED)]
    microseconds(made.chooser, busy)
    again = microseconds(made.chooser, busy)
    microseconds(made.chooser, [domains])
    none = microseconds(made.chooser, [domains] * ASKED)
    grown = resident() - before
    made.close()
    return f"{seconds:8.2f} s {grown:7.1f} MB {first:9.1f} {again:7.1f} {none:7.1f} us"


def elsewhere(domains: int, pem: bytes) -> None:
    """Fill and measure every kind of server that is there."""
    from support import storeservers

    for kind in storeservers.KINDS:
        if lacking := storeservers.missing(kind):
            print(f"{kind:22} {lacking} is not installed")
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            folder.chmod(0o755)  # servers with a user of their own have to get in
            key = private(folder / "k", pem)
            with storeservers.running(kind, folder) as server:
                names = range(domains)
                server.put("keys", [(f"n{n}", f"domain{n}.example", "s", f"{key}") for n in names])
                server.put("senders", [(f"domain{n}.example", f"n{n}") for n in names])
                file = folder / "postseal.toml"
                file.write_text(
                    '[sign]\nkey_table = "table:keys"\nsigning_table = "table:senders"\n'
                    + server.toml("timeout = 20.0\n")
                )
                with get_context("spawn").Pool(1) as fresh:
                    print(f"{kind:22}{fresh.apply(measure_elsewhere, (file, domains))}", flush=True)


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--domains", type=int, default=10_000)
    parser.add_argument("--elsewhere", action="store_true")
    asked = parser.parse_args()
    domains = asked.domains
    pem = keypair.pem(generate_private_key(65537, 2048))
    print(f"{domains} domains{'':9}read      memory     first   again    none")
    for kind in ("file", "refile"):
        for many in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                # A process of its own, so that memory is counted from the same start.
                with get_context("spawn").Pool(1) as fresh:
                    line = fresh.apply(measure, (Path(folder), kind, many, domains, pem))
                print(line, flush=True)
    if asked.elsewhere:
        elsewhere(domains, pem)
    return 0


if __name__ == "__main__":
    sys.exit(main())
