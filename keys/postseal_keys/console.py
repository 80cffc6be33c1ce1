"""What all our command lines have in common.

NAME
    console - problems as error and hint, exit statuses, the frame around main()

GIVEN
    a program name, and the work it has to do.

GIVES
    an exit status from sysexits.h; what went wrong on standard error as
    ``prog: error: ...`` and, where we know a way out, ``prog: hint: ...``.

DOES NOT
    exit: main() returns the status.  Print a traceback for anything a user,
    a file or a closed pipe can do.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import TextIO

OK = os.EX_OK  # 0
USAGE = os.EX_USAGE  # 64: the command was used wrongly
DATAERR = os.EX_DATAERR  # 65: what we were given to read is wrong
NOINPUT = os.EX_NOINPUT  # 66: a file to read is missing or unreadable
NOUSER = os.EX_NOUSER  # 67: no such user or group
UNAVAILABLE = os.EX_UNAVAILABLE  # 69: a service did not answer
SOFTWARE = os.EX_SOFTWARE  # 70: a fault of ours
OSERR = os.EX_OSERR  # 71: the system refused
CANTCREAT = os.EX_CANTCREAT  # 73: an output file cannot be made
IOERR = os.EX_IOERR  # 74: reading or writing failed half way
TEMPFAIL = os.EX_TEMPFAIL  # 75: not now; trying later may help
NOPERM = os.EX_NOPERM  # 77: not allowed
CONFIG = os.EX_CONFIG  # 78: a configuration file is wrong

INTERRUPTED = 130  # what a shell reports for SIGINT
PIPE_CLOSED = 141  # what a shell reports for SIGPIPE


class Problem(Exception):
    """Something the user can mend: what is wrong, what to do, and the exit status.

    more: what else is wrong, when several things are found at once.
    """

    def __init__(
        self, message: str, *, more: Sequence[str] = (), hint: str = "", code: int = USAGE
    ) -> None:
        super().__init__(message)
        self.message = message
        self.more = tuple(more)
        self.hint = hint
        self.code = code


def printable(text: str) -> str:
    """The text with everything escaped that could move a terminal's cursor."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def complain(prog: str, problem: Problem, stream: TextIO | None = None) -> None:
    """Print the problem, and its hint if it has one, to stream (standard error)."""
    said = [f"error: {printable(one)}" for one in (problem.message, *problem.more)]
    _aside(prog, said, problem.hint, sys.stderr if stream is None else stream)


def warn(prog: str, message: str, hint: str = "") -> None:
    """Print a warning, and a hint if there is one, to standard error; the work goes on."""
    _aside(prog, [f"warning: {printable(message)}"], hint, sys.stderr)


def tell(prog: str, message: str) -> None:
    """Say on standard error what is being done."""
    _aside(prog, [printable(message)], "", sys.stderr)


def _aside(prog: str, said: Sequence[str], hint: str, stream: TextIO | None) -> None:
    """Words for people; that they cannot be written does not stop the work."""
    if stream is None:  # it was closed; print() would turn to standard output
        return
    with contextlib.suppress(OSError):
        for line in said:
            print(f"{prog}: {line}", file=stream)
        if hint:
            print(f"{prog}: hint: {printable(hint)}", file=stream)


def run(prog: str, work: Callable[[], int]) -> int:
    """Do the work and return its exit status, or the status of what stopped it."""
    _write_anything()
    try:
        return _run(prog, work)
    finally:
        _flush_or_let_go(sys.stderr)  # Python 3.13 would make a failure of that the status


def _run(prog: str, work: Callable[[], int]) -> int:
    try:
        status = work()
        if sys.stdout is not None:  # None: closed before we were started
            sys.stdout.flush()
    except Problem as problem:
        _flush_or_let_go(sys.stdout)
        complain(prog, problem)
        return problem.code
    except BrokenPipeError:
        _let_go(sys.stdout)
        return PIPE_CLOSED
    except KeyboardInterrupt:
        _flush_or_let_go(sys.stdout)
        return INTERRUPTED
    except OSError as error:
        _flush_or_let_go(sys.stdout)
        complain(prog, os_problem(error))
        return IOERR
    return status


def _write_anything() -> None:
    """What the terminal's encoding does not have is written as an escape, and is no failure."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _flush_or_let_go(stream: TextIO | None) -> None:
    """What was printed before goes out, or nowhere where that is the trouble."""
    try:
        if stream is not None:
            stream.flush()
    except OSError:
        _let_go(stream)


def _let_go(stream: TextIO | None) -> None:
    """Whatever is still buffered goes nowhere: Python flushes once more at its end, aloud."""
    with contextlib.suppress(OSError, ValueError):  # no descriptor behind it, as in tests
        if stream is not None:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def os_problem(error: OSError, *, hint: str = "", code: int = IOERR) -> Problem:
    """The system's complaint as a problem of ours, with the file it is about."""
    reason = error.strerror or str(error)
    where = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else ""
    return Problem(f"{where}: {reason}" if where else reason, hint=hint, code=code)
