"""`postseal sign FILE`: sign a message from disk as the daemon would.

NAME
    sign - run a saved message through the pipeline as if one of ours had sent it

GIVES
    the message on standard output, DKIM-Signature on top, CRLF line ends; with --json the
    fields alone; with --explain what was signed, with which key, whether it verifies with the
    key's public half, and what will break it on the way.  Exit status 65 when it is not signed.

SEE ALSO
    postseal(8), cli/verify.py
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator
from typing import Any

from postseal.cli.messagefile import Unreadable, read_message
from postseal.cli.run_command import DEFAULT, config_file
from postseal.core.action import Accept
from postseal.core.dkim.signature import parse
from postseal.core.dkim.survival import BodyObserver, Risk, Threat, header_risks
from postseal.core.field import Header
from postseal.core.transaction import Client, Envelope
from postseal.core.verdict import Story, Verdict
from postseal.daemon.wiring import Unusable, parts
from postseal_keys.console import Problem, complain

PROG = "postseal"

EXAMPLES = """\
examples:
  postseal sign --config /etc/postseal/postseal.toml message.eml > signed.eml
  postseal sign --json message.eml
  postseal sign --login ann --explain message.eml
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
    parser.add_argument("--config", metavar="FILE", help=f"the configuration ({DEFAULT})")
    parser.add_argument("--login", metavar="USER", default="", help="who authenticated")
    parser.add_argument("--mail-from", metavar="ADDRESS", default="", help="the envelope sender")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print the fields as JSON")
    form.add_argument(
        "--explain", action="store_true", help="print what was signed, and whether it will last"
    )


def main(args: argparse.Namespace) -> int:
    """Sign the message and print it."""
    try:
        header, body = read_message(args.file)
        made = parts(config_file(args.config), thorough=True)
    except (Unreadable, Unusable) as problem:
        for line in problem.lines:
            complain(PROG, Problem(line))
        return problem.exit_status
    with made.sessions()() as resolver:
        client = Client(auth_type="local", auth_user=args.login)
        work = made.pipeline.open(client, Envelope(sender=args.mail_from), header, resolver)
        if work.wants_body:
            work.body(body)
        verdict = work.close()
    if not isinstance(verdict.action, Accept):
        complain(PROG, Problem(str(verdict.story.get("reason", ""))))
        return os.EX_CONFIG
    if not verdict.signatures:
        return _unsigned(verdict.story)
    if args.explain:
        print("\n".join(explain(header, body, verdict)))
        return os.EX_OK
    if args.json:
        print(json.dumps(_facts(header, body, verdict), indent=2))
        return os.EX_OK
    signed = b"".join(field.simple for field in (*verdict.signatures, *header))
    sys.stdout.buffer.write(signed + b"\r\n" + body)
    return os.EX_OK


_WHY = {
    "not-owner": (
        "sender_login does not let this login write as the author",
        "--login USER says who sends it",
    ),
    "no-key": (
        "no key signs for the author",
        "see sign.domain and sign.signing_table in the configuration; --config names another one",
    ),
    "missing": ("there is no From field", "without an author nobody knows whose key to use"),
    "several-fields": ("there is more than one From field", "a message has one: take the rest out"),
    "unparsable": ("the From field is not a list of addresses", "write From: ann@example.com"),
    "no-domain": ("the From field has no address with a domain", "write From: ann@example.com"),
    "bad-domain": ("the author's domain is not a DNS name", "write From: ann@example.com"),
    "several-domains": ("the authors are in several domains", "a signature vouches for one domain"),
}


def _unsigned(story: Story) -> int:
    """Say why, and what can be done."""
    author, reason = str(story.get("from", "")), str(story.get("reason", ""))
    what, hint = _WHY.get(reason, (f"the message is not signed: {reason}", "look at its From"))
    whose = f" ({author})" if author and author != reason else ""
    complain(PROG, Problem(what + whose, hint=hint))
    return os.EX_DATAERR


def explain(header: Header, body: bytes, verdict: Verdict) -> Iterator[str]:
    """What was made, checked as anybody would check it, and what threatens it."""
    for made in verdict.signatures:
        claim = parse(made)
        fields = [name.decode() for name in claim.names]
        listed = [name for name in dict.fromkeys(fields) if name.encode() in header]
        closed = [name for name in dict.fromkeys(fields) if _is_closed(name, fields, header)]
        yield f"signed by {claim.query_name} ({claim.evidence.algorithm}); it verifies"
        yield f"  header fields: {', '.join(listed)}"
        yield f"  none may be added: {', '.join(closed)}"
    threats = _threats(header, body, _names(verdict))
    for threat in threats:
        yield f"warning: {_WARNINGS[threat.risk]}" + (f" ({threat.place})" if threat.place else "")
    if not threats:
        yield "nothing in the message will break it on its way"


def _facts(header: Header, body: bytes, verdict: Verdict) -> dict[str, object]:
    """The same for programs."""
    threats = _threats(header, body, _names(verdict))
    fields = [(field.name + b":" + field.value).decode("ascii") for field in verdict.signatures]
    return {
        "from": verdict.story.get("from", ""),
        "risks": ",".join(dict.fromkeys(threat.risk.value for threat in threats)),
        "where": "; ".join(threat.place for threat in threats if threat.place),
        "signatures": fields,
    }


def _names(verdict: Verdict) -> set[bytes]:
    """The fields that any of the signatures covers."""
    return {name for made in verdict.signatures for name in parse(made).names}


def _threats(header: Header, body: bytes, signed: set[bytes]) -> tuple[Threat, ...]:
    """Everything that will break the signature; the daemon looks at parts of a long body."""
    observer = BodyObserver(thorough=True)
    observer.update(body)
    return (*header_risks(header, signed), *observer.risks())


def _is_closed(name: str, names: list[str], header: Header) -> bool:
    """Whether a field is named once more than it occurs."""
    return names.count(name) > len(header.all(name.encode()))


_WARNINGS = {
    Risk.LONG_HEADER_LINE: "a header line is longer than 998 octets: Postfix will cut it in two,"
    " and the signature fails",
    Risk.LONG_BODY_LINE: "a line is longer than 998 octets: Postfix will cut it in two, and the"
    " signature fails; encode the text as quoted-printable or base64",
    Risk.EIGHT_BIT_BODY: "the body is not ASCII: the signature fails behind a server without"
    " 8BITMIME, for which Postfix converts it",
    Risk.BARE_CR: "a CR without LF is changed on the way, and the signature fails",
    Risk.BARE_LF: "an LF without CR is changed on the way, and the signature fails",
}
