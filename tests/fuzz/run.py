"""Fuzz: every target for its share of the time, several at once.

    python tests/fuzz/run.py [--seconds N] [TARGET...]

NAME
    run - the driver behind contrib/fuzz.sh

GIVES
    one line for each target, and exit status 1 when any of them found something: the
    input is then in tests/fuzz/findings/TARGET/.

Coverage-guided by atheris where that is installed; else by mutation of the seeds alone.
"""

from __future__ import annotations

import argparse
import importlib.util
import os
import random
import re
import subprocess
import sys
import tempfile
import time
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path
from typing import NoReturn

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "milter"), str(ROOT / "keys"), str(ROOT / "tests")]

from fuzz.corpus import FINDINGS, LONGEST, SEEDS, inputs, mutate  # noqa: E402

INSTRUMENTED = ["postseal", "dkim", "spf", "authres"]
SLOWEST = 20  # seconds for one input, with instrumentation, before it counts as a hang
HEAVY = ("session", "dkim", "spf", "dmarc", "arc")  # whole mechanisms get this many shares:
SHARES = 4


def names() -> list[str]:
    """All targets: those that have seeds."""
    return sorted(path.name for path in SEEDS.iterdir())


def guided(name: str, seconds: int) -> NoReturn:
    """This process becomes libFuzzer."""
    import atheris  # type: ignore[import-untyped,unused-ignore]

    with atheris.instrument_imports(include=INSTRUMENTED):
        from fuzz.targets import TARGETS
    found = FINDINGS / name
    found.mkdir(parents=True, exist_ok=True)
    corpus = tempfile.mkdtemp(prefix=f"fuzz-{name}-")
    options = [
        f"-max_total_time={seconds}", f"-timeout={SLOWEST}", f"-max_len={LONGEST}",
        f"-artifact_prefix={found}/", "-rss_limit_mb=2048", "-verbosity=1",
    ]  # fmt: skip
    atheris.Setup(
        [name, *options, corpus, *map(str, (SEEDS / name, found) if any(found.iterdir())
              else (SEEDS / name,))],
        TARGETS[name],
    )  # fmt: skip
    atheris.Fuzz()
    sys.exit(0)


def unguided(name: str, seconds: int) -> int:
    """Mutation alone.  Gives the exit status."""
    from fuzz.targets import TARGETS

    pool = [path.read_bytes() for path in inputs(name)]
    rng = random.Random()
    end = time.monotonic() + seconds
    runs = 0
    while time.monotonic() < end:
        data = mutate(rng, rng.choice(pool), pool)
        runs += 1
        try:
            TARGETS[name](data)
        except Exception:
            traceback.print_exc()
            path = FINDINGS / name / f"crash-{sha256(data).hexdigest()[:40]}"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            return 1
    print(f"Done {runs} runs in {seconds} second(s)", file=sys.stderr)
    return 0


def one(name: str, seconds: int) -> bool:
    """One target in a process of its own; its line.  Whether it found nothing."""
    log = Path(tempfile.gettempdir()) / f"fuzz-{os.getpid()}-{name}.log"
    with log.open("wb") as out:
        status = subprocess.run(
            [sys.executable, __file__, "--one", "--seconds", str(seconds), name],
            stdout=out,
            stderr=subprocess.STDOUT,
            timeout=seconds + 120,
            check=False,
        ).returncode
    text = log.read_text("utf-8", "replace")
    ran = re.findall(r"Done (\d+) runs", text)
    cover = re.findall(r"cov: (\d+)", text)
    print(
        f"{name:16} {'ok' if status == 0 else 'FOUND':6} {seconds:4} s  "
        f"{ran[-1] if ran else '?':>9} inputs  {cover[-1] if cover else '-':>6} edges",
        flush=True,
    )
    if status:
        print("\n".join(text.splitlines()[-40:]), flush=True)
    log.unlink()
    return status == 0


def main() -> int:
    parser = argparse.ArgumentParser(description="fuzz every reader, and a whole session")
    parser.add_argument("--seconds", type=int, default=600, help="of all targets, one by one")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*")
    told = parser.parse_args()
    guide = importlib.util.find_spec("atheris") is not None
    if told.one:
        return (
            guided(told.targets[0], told.seconds) or 0
            if guide
            else unguided(told.targets[0], told.seconds)
        )
    print("atheris: coverage-guided" if guide else "no atheris: mutation of the seeds alone")
    todo = told.targets or names()
    share = told.seconds / sum(SHARES if name in HEAVY else 1 for name in todo)
    with ThreadPoolExecutor(told.jobs) as pool:
        work = [
            pool.submit(one, name, max(1, round(share * (SHARES if name in HEAVY else 1))))
            for name in sorted(todo, key=lambda name: name not in HEAVY)
        ]
        return 0 if all(list(map(Future.result, work))) else 1


if __name__ == "__main__":
    sys.exit(main())
