"""`postseal verify FILE`: the verdict on a message from disk.

NAME
    verify - run a saved message through the pipeline as if a stranger had sent it

GIVEN
    a file (or - for standard input), and what SMTP would have told: --ip, --helo,
    --mail-from, --rcpt-to.  Without --ip SPF has nothing to go by and says none.

GIVES
    text for people, or --json for programs.  Exit status 0 when the message could be
    judged, whatever the verdict: the verdict is data.

SEE ALSO
    postseal(8)
"""

from __future__ import annotations

import argparse
import json
import os
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Any

from postseal.cli.messagefile import Unreadable, read_message
from postseal.cli.run_command import DEFAULT, config_file
from postseal.core import action, explain, spf
from postseal.core.arc import verify as arc
from postseal.core.dkim import verify
from postseal.core.roles import Origin
from postseal.core.transaction import Client, Envelope
from postseal.core.verdict import Verdict
from postseal.daemon.wiring import Unusable, parts
from postseal_keys.console import Problem, complain

PROG = "postseal"

EXAMPLES = """\
examples:
  postseal verify message.eml --ip 192.0.2.1 --helo mx.example.com --mail-from ann@example.com
  postseal verify --explain message.eml --ip 192.0.2.1
  postseal verify --json - < message.eml
"""


def register(commands: Any) -> None:
    """Add this sub-command to the parser."""
    parser = commands.add_parser(
        "verify",
        help="check a message from disk",
        description="Check DKIM, SPF and DMARC of a message as if it came from outside.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", help="the message; - is standard input")
    parser.add_argument("--config", metavar="FILE", help=f"the configuration ({DEFAULT})")
    parser.add_argument("--ip", metavar="ADDRESS", type=_address, help="the client's address")
    parser.add_argument("--helo", metavar="NAME", default="", help="what the client said in HELO")
    parser.add_argument("--mail-from", metavar="ADDRESS", default="", help="the envelope sender")
    parser.add_argument(
        "--rcpt-to",
        metavar="ADDRESS",
        action="append",
        default=[],
        help="an envelope recipient, for overrides that ask for them; may be repeated",
    )
    parser.add_argument(
        "--client-name",
        metavar="NAME",
        default="",
        help="the client's verified host name, for lists of hosts that have names",
    )
    parser.add_argument("--explain", action="store_true", help="tell the story in sentences")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _address(text: str) -> IPv4Address | IPv6Address:
    """For the parser, which shows what it raises."""
    try:
        return ip_address(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not an address such as 192.0.2.1 or 2001:db8::1"
        ) from None


def main(args: argparse.Namespace) -> int:
    """Judge the message and print the verdict."""
    try:
        header, body = read_message(args.file)
        made = parts(config_file(args.config), sign=False)
    except (Unreadable, Unusable) as problem:
        for line in problem.lines:
            complain(PROG, Problem(line))
        return problem.exit_status
    client = Client(address=args.ip, helo=args.helo, name=args.client_name)
    envelope = Envelope(
        sender=args.mail_from.strip("<>"),
        recipients=tuple(one.strip("<>") for one in args.rcpt_to),
    )
    with made.sessions()() as resolver:
        work = made.pipeline.open(client, envelope, header, resolver)
        if work.wants_body:
            work.body(body)
        verdict = work.close()
    if args.json:
        print(json.dumps(as_json(verdict), indent=2))
    elif args.explain:
        print("\n".join(explain.sentences(verdict)))
    else:
        print(as_text(verdict))
    return os.EX_OK


def as_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict as plain values; keys are stable."""
    return {
        "role": verdict.role.value,
        "from": verdict.story.get("from", ""),
        "dkim": [dkim_json(one) for one in verdict.dkim],
        "spf": verdict.spf and spf_json(verdict.spf),
        "spf_helo": verdict.found.helo and spf_json(verdict.found.helo),
        "iprev": verdict.found.iprev
        and {
            "result": verdict.found.iprev.status.value,
            "why": verdict.found.iprev.why.value,
            "name": verdict.found.iprev.name,
        },
        "arc": verdict.found.arc and arc_json(verdict.found.arc),
        "dmarc": verdict.dmarc
        and {
            "result": verdict.dmarc.status.value,
            "why": verdict.dmarc.why.value,
            "author_domain": verdict.dmarc.author_domain,
            "policy_domain": verdict.dmarc.policy_domain,
            "policy": verdict.dmarc.applied and verdict.dmarc.applied.value,
            "difference": verdict.dmarc.difference,
            "detail": verdict.dmarc.detail,
        },
        "client": str(verdict.found.address or ""),
        "local_policy": verdict.local
        and {
            "kind": verdict.local.kind.value,
            "text": verdict.local.text,
            "row": verdict.local.row,
        },
        "limits": list(verdict.found.limits),
        "action": verdict.action.word,
        "reply": reply(verdict.action),
        "explanation": list(explain.sentences(verdict)),
        "authentication_results": results_field(verdict),
        "quarantine": verdict.mark,
        "removed": action.forged(verdict.edits),
    }


def dkim_json(result: verify.Result) -> dict[str, Any]:
    """A signature's result as plain values."""
    return {
        "result": result.status.value,
        "why": result.why.value,
        "domain": result.domain,
        "selector": result.selector,
        "identity": result.identity,
        "algorithm": result.algorithm,
        "key_bits": result.key_bits,
        "testing": result.testing,
        "detail": result.detail,
    }


def arc_json(result: arc.ArcResult) -> dict[str, Any]:
    """A chain's result as plain values."""
    return {
        "result": result.status.value,
        "why": result.why.value,
        "instances": result.instances,
        "failed": result.failed,
        "sealers": [one.domain for one in result.sealers],
        "detail": result.detail,
    }


def spf_json(result: spf.Result) -> dict[str, str]:
    """An SPF result as plain values."""
    return {
        "result": result.status.value,
        "why": result.why.value,
        "domain": result.domain,
        "identity": str(result.identity),
        "detail": result.detail,
    }


def as_text(verdict: Verdict) -> str:
    """The verdict for people, one line per result."""
    lines = [_client(verdict), f"From   {verdict.story.get('from', '-')}"]
    lines += [
        f"DKIM   {result.status:10}"
        + ", ".join(
            part
            for part in (
                result.domain,
                result.selector and f"selector {result.selector}",
                result.algorithm,
                result.detail or result.why.value,
            )
            if part
        )
        for result in verdict.dkim
    ]
    if (chain := verdict.found.arc) is not None:
        sealers = ", ".join(dict.fromkeys(one.domain for one in chain.sealers))
        lines.append(f"ARC    {chain.status:10}{sealers or chain.detail or chain.why}")
    for sender in (verdict.spf, verdict.found.helo):
        if sender is not None:
            by = "HELO" if sender.identity == "helo" else "MAIL FROM"
            lines.append(f"SPF    {sender.status:10}{sender.domain or '-'} ({by}), {sender.why}")
    if (host := verdict.found.iprev) is not None:
        lines.append(f"iprev  {host.status:10}{host.name or host.why}")
    if verdict.dmarc is not None:
        about = verdict.dmarc.detail or verdict.dmarc.why.value
        lines.append(f"DMARC  {verdict.dmarc.status:10}{about}")
        if verdict.dmarc.applied is not None:
            lines.append(f"       policy    {verdict.dmarc.applied}")
    if removed := action.forged(verdict.edits):
        lines.append(f"       {removed} forged Authentication-Results field(s) would be removed")
    if verdict.local is not None:
        lines.append(f"       local     {verdict.local.text}")
    if verdict.found.limits:
        lines.append(f"       limits    {', '.join(verdict.found.limits)}")
    lines.append(f"Action {verdict.action.word}  {reply(verdict.action)}".rstrip())
    return "\n".join([*lines, "", results_field(verdict)])


def _client(verdict: Verdict) -> str:
    """Whose mail it is taken for, and what that leaves out."""
    found = verdict.found
    line = f"Client {found.address or 'unknown'}, {found.origin}"
    if found.origin is not Origin.OUTSIDE:
        return f"{line}: SPF and DMARC are for mail from outside"
    return line if found.address else f"{line}: SPF needs its address (--ip)"


def results_field(verdict: Verdict) -> str:
    """The Authentication-Results field that would be added, with its name."""
    return next(
        (
            f"{edit.name}:{edit.value}"
            for edit in verdict.edits
            if isinstance(edit, action.Insert) and edit.name == "Authentication-Results"
        ),
        "",
    )


def reply(act: action.Action) -> str:
    """The SMTP reply of an action; "" for a message that is taken."""
    match act:
        case action.Reject(text, code, enhanced) | action.Defer(text, code, enhanced):
            return f"{code} {enhanced} {text}"
        case action.Hold(reason):
            return reason
        case action.Accept():
            return ""
