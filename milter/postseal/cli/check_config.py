"""`postseal check-config`: what a configuration does, or everything that is wrong with it.

NAME
    check_config - read the configuration, its keys and its tables, as the daemon would

GIVES
    text for people, or --json for programs: exit status 0 when the daemon would start and
    every row of every table can be used, otherwise 78.

DOES NOT
    ask DNS, or touch a running daemon.

SEE ALSO
    postseal(8), postseal.toml(5)
"""

from __future__ import annotations

import argparse
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from postseal.cli.run_command import DEFAULT, config_file
from postseal.conf.mistake import ConfigError, Mistake, Severity
from postseal.conf.remote import shown
from postseal.conf.sockets import postfix_form
from postseal.tables import site

SHOWN = 10  # domains and keys; the rest is counted

EXAMPLES = """\
examples:
  postseal check-config /etc/postseal/postseal.toml
  postseal check-config --json postseal.toml | jq .mistakes
"""


def register(commands: Any) -> None:
    """Add this sub-command to the parser."""
    parser = commands.add_parser(
        "check-config",
        help="read the configuration and say what it does",
        description="Read the configuration, its keys and its tables, and say what they do or"
        " everything that is wrong with them.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "file",
        metavar="FILE",
        nargs="?",
        help=f"the configuration ({DEFAULT})",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def main(args: argparse.Namespace) -> int:
    """Check, print, and give 0 or 78."""
    name = config_file(args.file)
    found: site.Site | None = None
    try:
        found = site.read(Path(name) if name else None, thorough=True)
        mistakes = found.remarks
    except ConfigError as error:
        mistakes = error.mistakes
    bad = [one for one in mistakes if one.severity is not Severity.NOTE]
    good = found if not bad else None
    print(_json(name, good, mistakes) if args.json else _text(name, good, mistakes))
    return os.EX_CONFIG if bad else os.EX_OK


def facts(found: site.Site) -> dict[str, Any]:
    """What the configuration does, as plain values."""
    settings = found.settings
    return {
        "authserv_id": settings.authserv_id,
        "listens": {"libmilter": settings.socket, "postfix": postfix_form(settings.socket)},
        "signs_for": list(found.senders),
        "keys": [
            {"name": key.query_name, "algorithm": key.algorithm, "bits": _bits(key.private)}
            for key in found.keys
        ],
        "authenticated": settings.roles.authenticated,
        "internal_hosts": [shown(one) for one in settings.roles.internal_hosts],
        "daemon_names": list(settings.roles.daemon_names),
        "dmarc": {"quarantine": settings.dmarc.quarantine, "reject": settings.dmarc.reject},
        "overrides": len(found.overrides),
        "seals_as": found.arc_key.query_name if found.arc_key else "",
    }


def _bits(private: Any) -> int:
    return getattr(private, "key_size", 256)


def _json(name: str | None, found: site.Site | None, mistakes: Sequence[Mistake]) -> str:
    made = {
        "file": name,
        "ok": found is not None,
        "mistakes": [
            {
                "file": one.file,
                "line": one.line or None,
                "key": one.key,
                "what": one.what,
                "hint": one.hint,
                "severity": one.severity.value,
            }
            for one in mistakes
        ],
    }
    if found:
        made |= facts(found)
    return json.dumps(made, indent=2)


def _text(name: str | None, found: site.Site | None, mistakes: Sequence[Mistake]) -> str:
    lines = [f"{one.severity.value}: {one}" for one in mistakes]
    if found is None:
        only_dead = not any(one.severity is Severity.ERROR for one in mistakes)
        rest = ", but the daemon starts and does without the dead rows" if only_dead else ""
        return "\n".join([*lines, f"{name or 'configuration'}: not ok{rest}"])
    known = facts(found)
    dmarc = known["dmarc"]
    keys = [f"{key['name']} ({key['algorithm']}, {key['bits']} bits)" for key in known["keys"]]
    held = {"hold": "held", "header": "marked"}.get(dmarc["quarantine"], "delivered")
    lines += [
        f"{name or 'built-in defaults'}: ok",
        f"  results are written as {known['authserv_id']}",
        f"  listens on {known['listens']['libmilter']}",
        f"  for Postfix: smtpd_milters = {known['listens']['postfix']}",
        *_several("signs for", known["signs_for"], "nobody: only verifies"),
        *_several("with key", keys, "" if not known["signs_for"] else "keys that depend on author"),
        *(["  ours is mail of clients that have authenticated"] if known["authenticated"] else ()),
        *_several("ours is mail from hosts", known["internal_hosts"], ""),
        *_several("ours is mail through listeners", known["daemon_names"], ""),
        f"  DMARC failures: quarantine is {held}, reject is"
        f" {'refused' if dmarc['reject'] else 'delivered'}",
        f"  overrides: {known['overrides']}" if known["overrides"] else "",
        f"  seals as {known['seals_as']}" if known["seals_as"] else "",
    ]
    return "\n".join(line for line in lines if line)


def _several(what: str, things: list[str], none: str) -> list[str]:
    """One line for the first few, and a count of the rest."""
    if not things:
        return [f"  {what} {none}" if none else ""]
    rest = len(things) - SHOWN
    more = [f"and {rest} more"] if rest > 0 else []
    return [f"  {what} {', '.join([*things[:SHOWN], *more])}"]
