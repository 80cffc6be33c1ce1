"""SIGHUP to the process that a PID file names, and to no other.

NAME
    hangup - hang_up(), for postseal reload and postseal-rotate

GIVEN
    the path of a PID file.

DOES NOT
    wait for what the process makes of the signal.
"""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

from postseal_keys.console import NOPERM, UNAVAILABLE, Problem, os_problem

_NUMBER = re.compile(r"[1-9][0-9]{0,9}")
_CAUGHT = re.compile(r"^SigCgt:\s*([0-9a-f]+)$", re.MULTILINE)  # proc_pid_status(5)


def hang_up(pid_file: Path) -> None:
    """Send the signal.  Raises Problem with the reason when there is nobody to send it to."""
    number = read_number(pid_file)
    if would_end(number):
        raise Problem(
            f"{pid_file}: process {number} is not the daemon: SIGHUP would end it",
            hint="a daemon that was killed left the file behind; postseal run writes a new one",
            code=UNAVAILABLE,
        )
    try:
        os.kill(number, signal.SIGHUP)
    except (ProcessLookupError, OverflowError):
        raise Problem(
            f"{pid_file}: process {number} is not running",
            hint="is the daemon running? postseal run starts it",
            code=UNAVAILABLE,
        ) from None
    except PermissionError:
        raise Problem(
            f"process {number} belongs to somebody else", hint="use sudo", code=NOPERM
        ) from None


def read_number(pid_file: Path) -> int:
    """The process number in a file.  Raises Problem."""
    try:
        with pid_file.open("r", encoding="ascii", errors="replace") as file:
            text = file.read(32).strip()
    except OSError as error:
        raise os_problem(
            error, hint="is the daemon running, and with this pid_file?", code=UNAVAILABLE
        ) from None
    if not _NUMBER.fullmatch(text) or int(text) < 2:
        raise Problem(
            f"{pid_file}: {text!r} is not a process number",
            hint="is that the file the configuration names as pid_file?",
            code=UNAVAILABLE,
        )
    return int(text)


def would_end(number: int) -> bool:
    """Whether SIGHUP has no handler there: the number has passed on to another process."""
    try:
        text = Path(f"/proc/{number}/status").read_text("ascii", "replace")
    except OSError:
        return False
    caught = _CAUGHT.search(text)
    return caught is not None and not int(caught[1], 16) & 1 << (signal.SIGHUP - 1)
