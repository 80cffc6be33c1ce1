"""`postseal run`: the options of the daemon.

NAME
    run_command - read the configuration, then let run.py serve

GIVES
    the exit status: 0 after SIGTERM, 78 with every mistake of the configuration.

SEE ALSO
    cli/run.py, daemon/supervisor.py, postseal(8)
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from postseal.conf.load import DEFAULT_FILE

EXAMPLES = """\
examples:
  postseal run                                          (defaults; verifies, signs nothing)
  postseal run --config /etc/postseal/postseal.toml

signals: TERM and INT finish what is under way and end; HUP reads the configuration again
"""

DEFAULT = f"default: {DEFAULT_FILE} where it exists, else built in"


def register(commands: Any) -> None:
    """Add this sub-command to the parser."""
    parser = commands.add_parser(
        "run",
        help="sign and verify mail for Postfix, in the foreground",
        description="Serve Postfix as a milter until told to end.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "--config",
        metavar="FILE",
        help=f"the configuration ({DEFAULT})",
    )


def main(args: argparse.Namespace) -> int:
    """Serve until told to end."""
    from postseal.cli.run import run
    from postseal.daemon.wiring import loader

    return run(loader(config_file(args.config)))


def config_file(given: str | None) -> str | None:
    """The file to read; None for the built-in defaults."""
    if given is not None:
        return str(Path(given).absolute())
    return str(DEFAULT_FILE) if DEFAULT_FILE.exists() else None
