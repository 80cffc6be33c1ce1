"""postseal-record: write and check SPF, DMARC and report-authorisation records.

NAME
    record - the commands spf, dmarc, report-auth and check

GIVEN
    the command line.

GIVES
    records, or findings, on standard output; remarks on standard error.  Exit status 0 when
    nothing found does harm, 65 when something does, 75 when DNS did not answer.

DOES NOT
    publish anything.

SEE ALSO
    postseal-record(1), recordwrite, recordcheck
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable, Sequence

from postseal_keys import __version__, formats, names, record_options, recordwrite
from postseal_keys.console import OK, Problem, run, warn
from postseal_keys.findings import Finding, Harm
from postseal_keys.formats import TxtRecord
from postseal_keys.options import Values, help_text, parse
from postseal_keys.record_options import ABOUTS, EXAMPLES, TABLES, USAGES
from postseal_keys.recordcheck import check

PROG = "postseal-record"
MANUAL = record_options.MANUAL
WHOLE_NAME = ("nsupdate", "powerdns", "route53", "terraform-route53")  # these replace all TXT

Writer = Callable[[Values, str], tuple[list[TxtRecord], list[Finding]]]
WRITERS: dict[str, Writer] = {
    "spf": recordwrite.spf,
    "dmarc": recordwrite.dmarc,
    "report-auth": recordwrite.report,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; argv is without the program's name."""
    return run(PROG, lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    command = argv[0] if argv else ""
    if command in ("--help", "-h", "help"):
        print(_help(), end="")
        return OK
    if command == "--version":
        print(f"{PROG} v{__version__}")
        return OK
    if command not in TABLES:
        what = f"there is no command '{command[:40]}'" if command else "a command is missing"
        raise Problem(what, hint=f"one of {', '.join(TABLES)}; --help explains them")
    values = parse(argv[1:], TABLES[command])
    if values.flag("help"):
        usage = f"{PROG} {USAGES[command]}"
        print(help_text(usage, ABOUTS[command], TABLES[command], EXAMPLES[command]), end="")
        return OK
    return check(values) if command == "check" else _write(command, values)


def _help() -> str:
    about = textwrap.wrap(record_options.ABOUT, 78)
    lines = [f"usage: {PROG} COMMAND ...", "", *about, "", "Commands:"]
    for name in TABLES:
        lines += [
            f"  {USAGES[name]}",
            *textwrap.wrap(ABOUTS[name], 70, initial_indent=" " * 6, subsequent_indent=" " * 6),
        ]
    return "\n".join([*lines, "", f"{PROG} COMMAND --help explains the options.", ""])


def _write(command: str, values: Values) -> int:
    if values.text("format") == "list":
        print(formats.listing(), end="")
        return OK
    form = formats.find(values.text("format"))
    if len(values.arguments) != 1:
        raise Problem("give one domain", hint=f"{PROG} {USAGES[command]}")
    domain = names.domain(values.arguments[0])
    records, findings = WRITERS[command](values, domain)
    print(form.render(records), end="")
    for finding in findings:
        if finding.harm >= Harm.ADVICE:
            warn(PROG, finding.what, finding.hint)
    if form.name in WHOLE_NAME and any(not record.host for record in records):
        warn(
            PROG,
            f"this replaces every TXT record of {domain}, not only the SPF record",
            "add the others to it, or use --format line",
        )
    return OK


if __name__ == "__main__":
    sys.exit(main())
