"""heap: threads share one, seen in the process's own map."""

from __future__ import annotations

import platform
import subprocess
import sys

import pytest

# glibc reserves 64 MB for each heap but the first, at a multiple of that, and opens it as needed.
PROGRAM = """
import re, sys, threading
from postseal.daemon.heap import one_heap
if sys.argv[1] == "one":
    one_heap()
together = threading.Barrier(9)
def work():
    kept = [bytes(5000) for _ in range(200)]  # too large for Python's own pools
    together.wait(); together.wait()
for _ in range(8):
    threading.Thread(target=work).start()
together.wait()
SIZE = 64 << 20
found, end = 0, {}
for line in open("/proc/self/maps"):
    start, stop, mode = re.match("(\\\\w+)-(\\\\w+) (\\\\S+)", line).groups()
    start, stop = int(start, 16), int(stop, 16)
    if mode == "---p" and start in end and stop - end[start] == SIZE:
        found += 1
    if mode == "rw-p" and start % SIZE == 0:
        end[stop] = start
print(found)
together.wait()
"""


def heaps(how: str) -> int:
    """How many heaps there are beside the first while eight threads hold memory."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, how], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has many heaps")
def test_threads_share_one_heap() -> None:
    assert heaps("many") > 0  # else the test would see nothing
    assert heaps("one") == 0
