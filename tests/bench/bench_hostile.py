"""What each hostile message costs a worker in processor time.

    python tests/bench/bench_hostile.py [--rounds N] [CASE...]

Every message of support/hostile.py goes at its full size through a running daemon with one
worker and everything switched on; the least of some rounds counts.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "milter"), str(ROOT / "keys"), str(ROOT / "tests")]

from support.hostile import CASES, records  # noqa: E402
from support.receiver import EVERYTHING, FORGETFUL, Receiver, receiver  # noqa: E402

GOAL = 100.0  # ms


def cost(mx: Receiver, name: str, rounds: int, share: float = 1.0) -> tuple[float, str]:
    """The least milliseconds of the rounds, and the results."""
    case = CASES[name]
    mx.dns.records = records(case)
    made = case.make(share)
    octets = made.octets
    times = []
    for _ in range(rounds):
        before = mx.processor_seconds()
        got = mx.take(octets, sender=made.sender, client=made.client)
        times.append(mx.processor_seconds() - before)
    said = " ".join(f"{one.method}={one.result}" for one in got.results[:6]) or got.reply.text
    return min(times) * 1000, said


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("cases", nargs="*")
    told = parser.parse_args()
    over = 0
    with (
        tempfile.TemporaryDirectory() as place,
        receiver(Path(place), config=EVERYTHING, dns=FORGETFUL) as mx,
    ):
        mx.take(b"From: a@b.example\n\nx")  # what is made on first use
        for name in told.cases or CASES:
            spent, said = cost(mx, name, told.rounds)
            over += spent >= GOAL
            print(f"{name:24} {spent:8.1f} ms  {said[:100]}", flush=True)
    print(f"{over} over {GOAL:.0f} ms; load {os.getloadavg()[0]:.1f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
