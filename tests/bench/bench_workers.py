"""How long the daemon takes to start with 10,000 domains, and how much memory a worker holds.

    python tests/bench/bench_workers.py [--domains N] [--kinds file,refile,redis,...]

A daemon with one worker for each kind of table.  One message of every domain is signed, over
eight connections, with log lines and everything else; then /proc/PID/smaps_rollup is read:

    start   seconds until the daemon says that it is ready
    Rss     all that the worker has in memory, with what it shares with the supervisor
    Pss     the same, with what is shared divided among those that share it
    own     what only the worker has (Private_Clean and Private_Dirty)

once when it is idle, before any mail, and once after all of it.  "file: a key each" has a key
file for each domain, all different RSA-2048 keys to the daemon (one key, and a line of text).
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("milter", "keys", "tests")]

from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key  # noqa: E402

from postseal_keys import keypair  # noqa: E402
from support.child import LOOPBACK  # noqa: E402
from support.daemon import Daemon  # noqa: E402
from support.milterclient import MilterClient  # noqa: E402
from support.sites import private  # noqa: E402

FILES = ("file", "refile", "file: a key each", "refile: a key each", "plain")
CONNECTIONS = 8
MAIL = b"From: joe@domain%d.example\nTo: b@b.example\nSubject: hello\nDate: now\n\nbody\n"
USER = "nobody"  # that the daemon becomes where we are root


def megabytes(pid: int) -> tuple[float, float, float]:
    """Rss, Pss and what is the process's own."""
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    sizes = {line.split(":")[0]: int(line.split()[1]) * 1024 / 1e6 for line in lines}
    return sizes["Rss"], sizes["Pss"], sizes["Private_Clean"] + sizes["Private_Dirty"]


def send(port: int, numbers: Sequence[int], signed: list[int]) -> None:
    """One message of each domain, ten to a connection; counts the signatures."""
    for at in range(0, len(numbers), 10):
        with MilterClient((LOOPBACK, port)) as client:
            client.negotiate()
            client.connect("localhost", LOOPBACK)
            client.helo()
            for number in numbers[at : at + 10]:
                signed.append(len(client.message(MAIL % number).inserted("DKIM-Signature")))


def signed_by_all(port: int, domains: int) -> int:
    """How many of one message per domain were signed."""
    signed: list[int] = []
    parts = [range(start, domains, CONNECTIONS) for start in range(CONNECTIONS)]
    threads = [threading.Thread(target=send, args=(port, part, signed)) for part in parts]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return sum(signed)


def in_files(folder: Path, kind: str, domains: int, pem: bytes) -> str:
    """The [sign] of tables in files."""
    many = kind.endswith("each")
    for number in range(domains if many else 1):
        private(folder / f"k{number}", pem + b"%d\n" % number)
    if kind == "plain":  # one domain, for comparison
        key = f'[[sign.key]]\nselector = "s"\nfile = "{folder}/k0"\n'
        return f'[sign]\ndomain = "domain0.example"\n{key}'
    form = kind.partition(":")[0]
    star = "*@" if form == "refile" else ""
    keys = [f"n{n} domain{n}.example:s:{folder}/k{n if many else 0}\n" for n in range(domains)]
    (folder / "kt").write_text("".join(keys))
    rows = [f"{star}domain{n}.example n{n}\n" for n in range(domains)]
    (folder / "st").write_text("".join(rows))
    return f'[sign]\nkey_table = "file:{folder}/kt"\nsigning_table = "{form}:{folder}/st"\n'


@contextmanager
def configured(folder: Path, kind: str, domains: int, pem: bytes) -> Iterator[str]:
    """The tables, filled, and the text that names them."""
    if kind in FILES:
        yield in_files(folder, kind, domains, pem)
        return
    from support import storeservers

    key = private(folder / "k", pem)
    if os.geteuid() == 0:
        shutil.chown(key, USER)
    with storeservers.running(kind, folder) as server:
        names = range(domains)
        server.put("keys", [(f"n{n}", f"domain{n}.example", "s", f"{key}") for n in names])
        server.put("senders", [(f"domain{n}.example", f"n{n}") for n in names])
        yield (
            '[sign]\nkey_table = "table:keys"\nsigning_table = "table:senders"\n'
            + server.toml("timeout = 20.0\n")
        )


def measure(folder: Path, kind: str, domains: int, pem: bytes) -> str:
    """One line of the result."""
    with configured(folder, kind, domains, pem) as text:
        daemon = Daemon(folder, "daemon")
        daemon.configure(text, {"workers": "1"})
        start = time.perf_counter()
        daemon.start(60)
        started = time.perf_counter() - start
        try:
            (worker,) = daemon.workers()
            idle = megabytes(worker)
            signed = signed_by_all(daemon.port, 1 if kind == "plain" else domains)
            busy = megabytes(worker)
        finally:
            daemon.stop()
    numbers = " ".join(f"{one:6.1f}" for one in (*idle, *busy))
    return f"{kind:20}{started:6.2f} s  {numbers} MB  {signed:6} signed"


def main() -> int:
    """Measure and print."""
    from support import storeservers

    parser = argparse.ArgumentParser()
    parser.add_argument("--domains", type=int, default=10_000)
    parser.add_argument("--kinds", default=",".join((*FILES, *storeservers.KINDS)))
    asked = parser.parse_args()
    pem = keypair.pem(generate_private_key(65537, 2048))
    print(f"{asked.domains} domains         start   idle: Rss Pss own   after all: Rss Pss own")
    for kind in asked.kinds.split(","):
        if kind not in FILES and (lacking := storeservers.missing(kind)):
            print(f"{kind:20} {lacking} is not installed")
            continue
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            folder.chmod(0o755)  # the servers' own users have to get in
            print(measure(folder, kind, asked.domains, pem), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
