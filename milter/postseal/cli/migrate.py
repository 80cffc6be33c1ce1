"""`postseal migrate FILE`: the configuration of another daemon, carried over.

NAME
    migrate - write a postseal.toml, and report what became of every option

GIVEN
    an opendkim.conf, dkimpy-milter.conf, opendmarc.conf, openarc.conf, policyd-spf.conf or
    pyspf-milter.conf; or several of them, of daemons whose work is one daemon's now.

GIVES
    the new file on standard output or, with --output, on disk; the report on standard
    error.  0 when the result can be used as it is, 78 when something has to be mended
    first.

DOES NOT
    move, copy or change keys and tables, or touch a running daemon.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from postseal.conf import (
    load,
    migrate_dkimpy,
    migrate_openarc,
    migrate_opendkim,
    migrate_opendmarc,
    migrate_spf,
)
from postseal.conf.migrate_base import Migration
from postseal.conf.migrate_merge import merge
from postseal.conf.migrate_report import Entry, Fate
from postseal.conf.mistake import ConfigError, Mistake, Severity
from postseal.tables import site
from postseal_keys.console import CANTCREAT, CONFIG, NOINPUT, OK, USAGE, Problem, os_problem

DAEMONS = {
    "opendkim": migrate_opendkim.migrate,
    "dkimpy-milter": migrate_dkimpy.migrate,
    "opendmarc": migrate_opendmarc.migrate,
    "openarc": migrate_openarc.migrate,
    "policyd-spf": migrate_spf.migrate,
    "pyspf-milter": migrate_spf.migrate,
}
SIGNS = ("opendkim", "dkimpy-milter")  # these come first: they know the keys

EXAMPLES = """\
examples:
  postseal migrate /etc/opendkim.conf
  postseal migrate --output /etc/postseal/postseal.toml /etc/opendkim.conf
  postseal migrate /etc/opendkim.conf /etc/opendmarc.conf
  postseal migrate --from dkimpy-milter /etc/milter.conf
"""


def register(commands: Any) -> None:
    """Add this sub-command to the parser."""
    parser = commands.add_parser(
        "migrate",
        help="carry the configuration of OpenDKIM, OpenDMARC and others over",
        description="Write a postseal.toml that does what other daemons' configurations did, and"
        " report what became of every option.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        type=Path,
        help="the configurations of the daemons that are replaced",
    )
    parser.add_argument(
        "--from",
        dest="daemon",
        choices=DAEMONS,
        metavar="DAEMON",
        help=f"one of {', '.join(DAEMONS)} (default: told by the name of each file)",
    )
    parser.add_argument(
        "--output", metavar="OUT", type=Path, help="the file to write, which must not exist yet"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def main(args: argparse.Namespace) -> int:
    """Carry over, check the result, and print both."""
    for file in args.files:
        must_be_readable(file)
    named = [(args.daemon or daemon_of(file), file) for file in args.files]
    named.sort(key=lambda one: one[0] not in SIGNS)
    work, *others = [imported(*one) for one in named]
    for other in others:
        merge(work, other)
    text = work.result()
    faults = examine(work, text, args.output or Path("postseal.toml"))
    if args.output:
        write_new(args.output, text, mode_of(args.files))
    if args.json:
        print(as_json(work, text, faults))
    else:
        if not args.output:
            sys.stdout.write(text)
        sys.stdout.flush()
        sys.stderr.write(as_text(work, faults))
    return CONFIG if any(one.severity is Severity.ERROR for one in faults) else OK


def daemon_of(file: Path) -> str:
    """Whose configuration it is, by its name.  Raises Problem."""
    name = file.name.lower()
    found = [daemon for daemon in DAEMONS if daemon.partition("-")[0] in name]
    if found:
        return found[0]
    raise Problem(
        f"{file}: its name does not tell whose configuration it is",
        hint=f"say so with --from: {', '.join(DAEMONS)}",
        code=USAGE,
    )


def imported(daemon: str, file: Path) -> Migration:
    """What becomes of one file.  Raises Problem."""
    try:
        return DAEMONS[daemon](file)
    except ConfigError as error:
        raise Problem(str(error), code=CONFIG) from None


def must_be_readable(path: Path) -> None:
    """Raises Problem.  A file that is not there is no fault of a configuration."""
    try:
        path.open("rb").close()
    except OSError as error:
        raise os_problem(error, hint="check the path and who may read it", code=NOINPUT) from None


def examine(work: Migration, text: str, place: Path) -> list[Mistake]:
    """What keeps the result from being used.  Dead rows and notes go into the report."""
    try:
        found = list(site.load(load.parse(text.encode(), place), thorough=True).remarks)
    except ConfigError as error:
        found = list(error.mistakes)
    for one in found:
        if one.severity is not Severity.ERROR:
            fate = Fate.DEAD if one.severity is Severity.DEAD else Fate.CHANGED
            hint = f" (hint: {one.hint})" if one.hint else ""
            work.report.entries.append(
                Entry(
                    fate=fate,
                    file=one.file,
                    line=one.line,
                    option=one.key,
                    value="",
                    text=one.what + hint,
                )
            )
    return [one for one in found if one.severity is Severity.ERROR]


def mode_of(files: list[Path]) -> int:
    """Permissions for what has been taken from all of these: there may be passwords in it."""
    mode = 0o644
    for file in files:
        mode &= file.stat().st_mode | 0o600
    return mode


def write_new(path: Path, text: str, mode: int) -> None:
    """A file of that text, whole or not at all.  Raises Problem where there is one already."""

    def opener(name: str, flags: int) -> int:
        return os.open(name, flags, mode)

    try:
        with open(path, "x", encoding="utf-8", opener=opener) as file:
            try:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            except OSError:
                path.unlink()  # it would stand in the way of the next try
                raise
    except FileExistsError as error:
        hint = "nothing is overwritten; choose another name"
        raise os_problem(error, hint=hint, code=CANTCREAT) from None
    except OSError as error:
        hint = f"look at the space on the disk, and at who may write to {path.absolute().parent}"
        raise os_problem(error, hint=hint, code=CANTCREAT) from None


def as_text(work: Migration, faults: list[Mistake]) -> str:
    """The report for people."""
    text = work.report.text()
    if faults:
        lines = "\n".join(f"  {one}" for one in faults)
        text += f"\nto be mended before the daemon starts ({len(faults)}):\n{lines}\n"
    return text


def as_json(work: Migration, text: str, faults: list[Mistake]) -> str:
    """Result and report for programs."""
    return json.dumps(
        {
            "toml": text,
            "report": [
                {
                    "fate": one.fate.value,
                    "file": one.file,
                    "line": one.line or None,
                    "option": one.option,
                    "value": one.value,
                    "text": one.text,
                }
                for one in work.report.entries
            ],
            "mistakes": [str(one) for one in faults],
        },
        indent=2,
    )
