"""`postseal reload`: the running daemon reads its configuration again.

NAME
    reload - check the configuration, then send SIGHUP to the supervisor

GIVEN
    --config: the file the daemon was started with, or the usual one; its pid_file names
    the process.

GIVES
    0 when the daemon was told; 78 when the file is wrong, and nothing was told; 69 when
    there is no daemon.

DOES NOT
    wait for the new workers.  The daemon checks the file once more itself, and keeps the
    old configuration when it is wrong.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from postseal.cli.run_command import config_file
from postseal.conf.load import DEFAULT_FILE
from postseal.conf.mistake import ConfigError, Severity
from postseal_keys.console import CONFIG, OK, Problem, complain
from postseal_keys.hangup import hang_up

EXAMPLES = """\
examples:
  postseal reload
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
        "--config",
        metavar="FILE",
        type=Path,
        help="the configuration the daemon was started with (default:"
        f" {DEFAULT_FILE}, unless --pid-file says enough)",
    )
    parser.add_argument(
        "--pid-file", metavar="FILE", type=Path, help="where the daemon's process number is"
    )


def main(args: argparse.Namespace) -> int:
    """Send the signal."""
    config: Path | None = args.config
    if config is None and args.pid_file is None and (usual := config_file(None)):
        config = Path(usual)
    named = _from_configuration(config) if config else None
    pid_file: Path | None = args.pid_file or named
    if pid_file is None:
        raise Problem(
            "nothing says where the daemon's process number is",
            hint="add pid_file to the configuration and give --config, or give --pid-file, or: "
            "systemctl reload postseal",
            code=CONFIG,
        )
    hang_up(pid_file)
    return OK


def _from_configuration(file: Path) -> Path | None:
    """The PID file that the configuration names, when the configuration can be used."""
    from postseal.tables import site

    try:
        found = site.read(file)
    except ConfigError as error:
        lines = [str(one) for one in error.mistakes if one.severity is Severity.ERROR]
        for line in lines:
            complain("postseal", Problem(line))
        raise Problem(
            "nothing was reloaded", hint=f"mend {file} and try again", code=CONFIG
        ) from None
    return found.settings.pid_file
