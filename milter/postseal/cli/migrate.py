"""`postseal migrate FILE`: the configuration of another daemon, carried over.

NAME
    migrate - write a postseal.toml, and report what became of every option

GIVEN
    an opendkim.conf or a dkimpy-milter.conf.

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

from postseal.conf import load, migrate_dkimpy, migrate_opendkim
from postseal.conf.migrate_base import Migration
from postseal.conf.migrate_report import Entry, Fate
from postseal.conf.mistake import ConfigError, Mistake, Severity
from postseal.tables import site
from postseal_keys.console import CANTCREAT, CONFIG, NOINPUT, OK, Problem, os_problem

DAEMONS = {"opendkim": migrate_opendkim.migrate, "dkimpy-milter": migrate_dkimpy.migrate}

EXAMPLES = """\
examples:
  postseal migrate /etc/opendkim.conf
  postseal migrate --output /etc/postseal/postseal.toml /etc/opendkim.conf
  postseal migrate --from dkimpy-milter /etc/dkimpy-milter/dkimpy-milter.conf
"""


def register(commands: Any) -> None:
    """Add this sub-command to the parser."""
    parser = commands.add_parser(
        "migrate",
        help="carry the configuration of OpenDKIM or dkimpy-milter over",
        description="Write a postseal.toml that does what another daemon's configuration did, and"
        " report what became of every option.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("file", metavar="FILE", type=Path, help="the other daemon's configuration")
    parser.add_argument(
        "--from",
        dest="daemon",
        choices=DAEMONS,
        metavar="DAEMON",
        help="opendkim or dkimpy-milter (default: told by the name of the file)",
    )
    parser.add_argument(
        "--output", metavar="OUT", type=Path, help="the file to write, which must not exist yet"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def main(args: argparse.Namespace) -> int:
    """Carry over, check the result, and print both."""
    must_be_readable(args.file)
    daemon = args.daemon or ("dkimpy-milter" if "dkimpy" in args.file.name else "opendkim")
    try:
        work = DAEMONS[daemon](args.file)
    except ConfigError as error:
        raise Problem(str(error), code=CONFIG) from None
    text = work.result()
    faults = examine(work, text, args.output or Path("postseal.toml"))
    if args.output:
        write_new(args.output, text)
    if args.json:
        print(as_json(work, text, faults))
    else:
        if not args.output:
            sys.stdout.write(text)
        sys.stdout.flush()
        sys.stderr.write(as_text(work, faults))
    return CONFIG if any(one.severity is Severity.ERROR for one in faults) else OK


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


def write_new(path: Path, text: str) -> None:
    """A file of that text, whole or not at all.  Raises Problem where there is one already."""
    try:
        with path.open("x", encoding="utf-8") as file:
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
