"""How the C library keeps memory for a worker.

NAME
    heap - one_heap() for all threads of this process

GIVES
    one heap instead of one for each thread that finds the others busy.

DOES NOT
    do anything where the C library is not glibc: others have no such option.

WHY
    glibc gives every thread a heap of its own, up to eight for each processor, and what one
    frees no other can use.  libmilter's threads come and go, and a message's octets are now in
    this heap, now in that one, until each has grown to the largest that it ever held: mixed mail
    on 64 connections took 25 MB so, still growing, and takes 14 MB in one heap.  Threads that
    hold Python's lock do not wait for each other there, so that it costs nothing.

SEE ALSO
    mallopt(3), M_ARENA_MAX.
"""

from __future__ import annotations

import contextlib
import ctypes

M_ARENA_MAX = -8


def one_heap() -> None:
    """To be called before the process starts threads."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)
