"""`postseal reload`: the running daemon reads its configuration again.

NAME
    reload - check the configuration, then send SIGHUP to the supervisor

GIVEN
    --config: the file the daemon was started with; its pid_file names the process.

GIVES
    0 when the daemon was told; 78 when the file is wrong, and nothing was told; 69 when
    there is no daemon.

DOES NOT
    wait for the new workers.  The daemon checks the file once more itself, and keeps the
    old configuration when it is wrong.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
from pathlib import Path
from typing import Any

from postseal.conf import load
from postseal.conf.mistake import ConfigError, Severity
from postseal_keys.console import CONFIG, NOPERM, OK, UNAVAILABLE, Problem, complain

_CAUGHT = re.compile(r"^SigCgt:\s*([0-9a-f]+)$", re.MULTILINE)  # proc_pid_status(5)

EXAMPLES = """\
examples:
  postseal reload --config /etc/postseal/postseal.toml
  postseal reload --pid-file /run/postseal/postseal.pid
  systemctl reload postseal
"""


def register(commands: Any) -> None:
    """Add this sub-command to the parser."""
    parser = commands.add_parser(
        "reload",
        help="let the running daemon read its configuration again",
        description="Check the configuration, then let the running daemon read it again.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config", metavar="FILE", type=Path, help="the configuration the daemon was started with"
    )
    parser.add_argument(
        "--pid-file", metavar="FILE", type=Path, help="where the daemon's process number is"
    )


def main(args: argparse.Namespace) -> int:
    """Send the signal."""
    named = _from_configuration(args.config) if args.config else None
    pid_file: Path | None = args.pid_file or named
    if pid_file is None:
        raise Problem(
            "nothing says where the daemon's process number is",
            hint="add pid_file to the configuration and give --config, or give --pid-file, or: "
            "systemctl reload postseal",
            code=CONFIG,
        )
    pid = read_pid(pid_file)
    if would_end(pid):
        raise Problem(
            f"{pid_file}: process {pid} is not the daemon: SIGHUP would end it",
            hint="a daemon that was killed left the file behind; postseal run writes a new one",
            code=UNAVAILABLE,
        )
    try:
        os.kill(pid, signal.SIGHUP)
    except ProcessLookupError:
        raise Problem(
            f"{pid_file}: there is no process {pid}",
            hint="is the daemon running? postseal run starts it",
            code=UNAVAILABLE,
        ) from None
    except PermissionError:
        raise Problem(
            f"process {pid} belongs to somebody else", hint="use sudo", code=NOPERM
        ) from None
    return OK


def _from_configuration(file: Path) -> Path | None:
    """The PID file that the configuration names, when the configuration can be used."""
    from postseal.tables import site

    try:
        configuration = load.read(file)
        site.load(configuration)
    except ConfigError as error:
        lines = [str(one) for one in error.mistakes if one.severity is Severity.ERROR]
        for line in lines:
            complain("postseal", Problem(line))
        raise Problem(
            "nothing was reloaded", hint=f"mend {file} and try again", code=CONFIG
        ) from None
    return configuration.settings.pid_file


def read_pid(file: Path) -> int:
    """The process number in a file.  Raises Problem."""
    try:
        text = file.read_text("ascii", "replace")[:32].strip()
    except OSError as error:
        raise Problem(
            f"{file}: {error.strerror}",
            hint="is the daemon running, and with this pid_file?",
            code=UNAVAILABLE,
        ) from None
    if not text.isascii() or not text.isdigit() or int(text) < 2:
        raise Problem(f"{file}: {text!r} is not a process number", code=UNAVAILABLE)
    return int(text)


def would_end(pid: int) -> bool:
    """Whether SIGHUP has no handler there: the number has passed on to another process."""
    try:
        text = Path(f"/proc/{pid}/status").read_text("ascii", "replace")
    except OSError:
        return False
    caught = _CAUGHT.search(text)
    return caught is not None and not int(caught[1], 16) & 1 << (signal.SIGHUP - 1)
