"""How long tables of 10,000 domains take to read and to ask, and how much memory they hold.

    python tests/bench/bench_tables.py [--domains N]

For file: and refile: tables, with one key file for all domains and with one for each.
Printed are seconds of processor time to read and check everything, the growth of resident
memory, and microseconds of processor time per choose(): the first time for each domain,
again for 500 busy domains, and for an author that is not in the table.
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


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--domains", type=int, default=10_000)
    domains = parser.parse_args().domains
    pem = keypair.pem(generate_private_key(65537, 2048))
    print(f"{domains} domains{'':9}read      memory     first   again    none")
    for kind in ("file", "refile"):
        for many in (False, True):
            with tempfile.TemporaryDirectory() as folder:
                # A process of its own, so that memory is counted from the same start.
                with get_context("spawn").Pool(1) as fresh:
                    line = fresh.apply(measure, (Path(folder), kind, many, domains, pem))
                print(line, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
