"""How long our keys take, beside OpenSSL on the same machine in the same minute.

    python tests/bench/bench_keys.py [--rounds N]

One round makes 100 RSA-2048 keys with their records and files through postseal-genkey's
main(), runs ``openssl genrsa 2048`` 100 times, and makes 100 Ed25519 keys; the two RSA
parts take turns key by key, so that both meet the same load.  Printed are the medians
of one key and the ratio of the sums.  Making an RSA key is a search for primes: single
times differ by a factor of ten, hence many of them.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "keys"))

from postseal_keys import genkey

KEYS = 100


def timed(work: Callable[[], object]) -> float:
    """Seconds that work takes."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def ours(directory: str, *words: str) -> None:
    """One key with its record, in two files on disk."""
    with contextlib.redirect_stdout(io.StringIO()):
        status = genkey.main(["-D", directory, "-d", "example.com", *words])
    if status:
        raise SystemExit(status)


def openssl(path: Path) -> None:
    """One key from openssl, as a program of its own."""
    command = ["openssl", "genrsa", "-out", str(path), "2048"]
    subprocess.run(command, check=True, capture_output=True)


def one_round(number: int) -> None:
    """Measure and print one line."""
    with tempfile.TemporaryDirectory() as directory:
        place = Path(directory)
        rsa, theirs = [], []
        for key in range(KEYS):
            rsa.append(timed(lambda key=key: ours(directory, "-s", f"r{key}")))  # type: ignore[misc]
            theirs.append(timed(lambda key=key: openssl(place / f"o{key}")))  # type: ignore[misc]
        ed = [
            timed(lambda key=key: ours(directory, "-s", f"e{key}", "--ed25519"))  # type: ignore[misc]
            for key in range(KEYS)
        ]
    print(
        f"round {number}: {KEYS} RSA-2048 ours {sum(rsa):.2f} s"
        f" (median {statistics.median(rsa) * 1000:.1f} ms),"
        f" openssl {sum(theirs):.2f} s (median {statistics.median(theirs) * 1000:.1f} ms),"
        f" ratio {sum(rsa) / sum(theirs):.2f},"
        f" of medians {statistics.median(rsa) / statistics.median(theirs):.2f};"
        f" {KEYS} Ed25519 {sum(ed):.2f} s"
    )


def main() -> int:
    """Run the rounds."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=3)
    for number in range(1, parser.parse_args().rounds + 1):
        one_round(number)
    return 0


if __name__ == "__main__":
    sys.exit(main())
