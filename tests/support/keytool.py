"""One of our key tools run inside the test, with what it printed.

NAME
    keytool - run(main, *words) -> Ran

DOES NOT
    catch anything: main() must not raise.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ran:
    """How it ended."""

    status: int
    out: str
    err: str


def run(main: Callable[[Sequence[str]], int], *words: str) -> Ran:
    """Call main with words as the command line."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main(words)
    return Ran(status, out.getvalue(), err.getvalue())
