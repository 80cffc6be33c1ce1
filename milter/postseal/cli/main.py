"""`postseal`: one command, with a sub-command for each thing to do.

NAME
    main - find the sub-command, read its options, do it

GIVES
    an exit status from sysexits.h; data on standard output, words on standard error.

DOES NOT
    import what the sub-command does not need: `postseal version` must not wait for
    OpenSSL.

SEE ALSO
    postseal(8).  A sub-command is a module with register(commands), which adds its
    parser, and main(args), which gives the exit status.
"""

from __future__ import annotations

import argparse
import importlib
import sys
from collections.abc import Sequence
from textwrap import fill
from typing import Any, NoReturn

from postseal import __version__
from postseal_keys.console import OK, Problem, run

PROG = "postseal"

# name: module, help.  In the order of the manual.
COMMANDS = {
    "run": ("postseal.cli.run_command", "sign and verify mail for Postfix, in the foreground"),
    "check-config": ("postseal.cli.check_config", "read the configuration and say what it does"),
    "reload": ("postseal.cli.reload", "let the running daemon read its configuration again"),
    "verify": ("postseal.cli.verify", "check a message from disk as if it came from outside"),
    "sign": ("postseal.cli.sign", "sign a message from disk as if a user had sent it"),
    "migrate": (
        "postseal.cli.migrate",
        "carry the configuration of OpenDKIM or dkimpy-milter over",
    ),
    "version": ("postseal.cli.version", "print versions of everything that takes part"),
}

EXAMPLES = """\
examples:
  postseal run --config /etc/postseal/postseal.toml
  postseal check-config /etc/postseal/postseal.toml
  postseal verify message.eml --ip 192.0.2.1 --mail-from ann@example.com
  postseal COMMAND --help

exit status: 0 done; 64 wrong use; 66 no such file; 78 wrong configuration (sysexits.h)
"""


class Parser(argparse.ArgumentParser):
    """argparse with our way of complaining, and descriptions no wider than a terminal."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**{**given, "description": fill(given.get("description") or "", 79)})

    def error(self, message: str) -> NoReturn:
        raise Problem(message, hint=f"{self.prog} --help shows what there is")


def parser(command: str | None = None) -> argparse.ArgumentParser:
    """The whole parser; of the sub-commands, only command has its options, None for all."""
    made = Parser(
        prog=PROG,
        description="Sign outbound mail with DKIM; check DKIM, SPF and DMARC of inbound mail.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    made.add_argument("--version", action="version", version=f"{PROG} {__version__}")
    commands = made.add_subparsers(
        dest="command", metavar="COMMAND", required=True, parser_class=Parser
    )
    for name, (module, text) in COMMANDS.items():
        if command in (None, name):
            importlib.import_module(module).register(commands)
        else:
            commands.add_parser(name, help=text)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Do what argv says and give the exit status.  Exits by itself only for --help."""
    words = list(sys.argv[1:] if argv is None else argv)
    command = next((word for word in words if word in COMMANDS), "")
    unknown = _unknown_option(words) if not command else ""

    def work() -> int:
        if unknown:
            raise Problem(
                f"unknown option {unknown}",
                hint=f"options follow their command: {PROG} COMMAND --help lists them",
            )
        args = parser(command).parse_args(words)
        status = importlib.import_module(COMMANDS[args.command][0]).main(args)
        return status if isinstance(status, int) else OK

    return run(PROG, work)


def _unknown_option(words: Sequence[str]) -> str:
    """The first word, when it is an option that there is not; argparse would miss the command."""
    first = words[0] if words else ""
    known = any(option.startswith(first) for option in ("-h", "--help", "--version"))
    return first if first.startswith("-") and not known else ""


if __name__ == "__main__":
    sys.exit(main())
