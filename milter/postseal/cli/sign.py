"""`postseal sign FILE`: sign a message from disk as the daemon would.

NAME
    sign - run a saved message through the pipeline as if one of ours had sent it

GIVES
    the message on standard output, DKIM-Signature on top, CRLF line ends; or
    --json with the fields alone.  Exit status 65 when there is no key for its author.

SEE ALSO
    postseal(8), cli/verify.py
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from typing import Any

from postseal.cli.messagefile import Unreadable, read_message
from postseal.core.action import Accept
from postseal.core.transaction import Client, Envelope
from postseal.daemon.wiring import Unusable, parts

EXAMPLES = """\
examples:
  postseal sign --config /etc/postseal/postseal.toml message.eml > signed.eml
  postseal sign --json message.eml
"""


def register(commands: Any) -> None:
    """Add this sub-command to the parser."""
    parser = commands.add_parser(
        "sign",
        help="sign a message from disk",
        description="Sign a message as if an authenticated user had sent it.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="the message; - is standard input")
    parser.add_argument("--config", metavar="FILE", help="configuration (default: built in)")
    parser.add_argument("--json", action="store_true", help="print the fields as JSON")


def main(args: argparse.Namespace) -> int:
    """Sign the message and print it."""
    try:
        header, body = read_message(args.file)
        made = parts(args.config)
    except (Unreadable, Unusable) as problem:
        for line in problem.lines:
            print(f"postseal: error: {line}", file=sys.stderr)
        return problem.exit_status
    with made.sessions()() as resolver:
        work = made.pipeline.open(Client(auth_type="local"), Envelope(), header, resolver)
        if work.wants_body:
            work.body(body)
        verdict = work.close()
    author = verdict.story.get("from", "")
    if not isinstance(verdict.action, Accept):
        print(f"postseal: error: {verdict.story.get('reason', '')}", file=sys.stderr)
        return os.EX_CONFIG
    if not verdict.signatures:
        print(f"postseal: error: no key signs for the author ({author})", file=sys.stderr)
        print("postseal: hint: see sign.domain and sign.signing_table", file=sys.stderr)
        return os.EX_DATAERR
    if args.json:
        fields = [(field.name + b":" + field.value).decode("ascii") for field in verdict.signatures]
        print(json.dumps({"from": author, "signatures": fields}, indent=2))
        return os.EX_OK
    signed = b"".join(field.simple for field in (*verdict.signatures, *header))
    sys.stdout.buffer.write(signed + b"\r\n" + body)
    return os.EX_OK
