"""postseal-testkey: does DNS publish the keys that sign?

NAME
    testkey - takes opendkim-testkey's options -d -s -k -v -x

GIVEN
    the command line: one key, or a KeyTable with many.

GIVES
    a line for each key on standard output, with what is wrong below it; exit status 0 when
    all are right, 65 when one is wrong, 75 when DNS did not answer.

DOES NOT
    write anything, or show any part of a private key.

SEE ALSO
    postseal-testkey(1), keyreport, testwait.
"""

from __future__ import annotations

import contextlib
import json
import stat
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from postseal_keys import __version__, durations, keypair, keytable, names, testkey_options
from postseal_keys.console import CONFIG, DATAERR, OK, TEMPFAIL, Problem, run
from postseal_keys.dnsask import Address, address, configured
from postseal_keys.findings import Finding, Harm
from postseal_keys.keycheck import Wanted, wanted
from postseal_keys.keyreport import Job, Report, World, as_plain, lines, network
from postseal_keys.keytable import KeyRow
from postseal_keys.opendkimconf import KeySettings, read
from postseal_keys.options import Values, help_text, parse
from postseal_keys.testkey_options import CONFIGS, EXAMPLES, OPTIONS
from postseal_keys.testwait import Wait, until_all

PROG = "postseal-testkey"
MANUAL = testkey_options.MANUAL


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; argv is without the program's name."""
    return run(PROG, lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    values = parse(argv, OPTIONS, code=CONFIG)  # opendkim-testkey's status for this
    if values.flag("help"):
        about = help_text(f"{PROG} [options]", testkey_options.ABOUT, OPTIONS, EXAMPLES)
        print(about, end="")
        return OK
    if values.flag("version"):
        print(f"{PROG} v{__version__}")
        return OK
    if values.arguments:
        raise Problem(f"'{values.arguments[0]}' is not an option", hint="--help lists them")
    settings = _settings(values)
    reports = until_all(_jobs(values, settings), _world(values, settings), _wait(values))
    _print(values, reports)
    return _status(reports)


def _settings(values: Values) -> KeySettings:
    if values.given("config"):
        return read(values.text("config"))
    for path in CONFIGS:
        if Path(path).is_file():
            with contextlib.suppress(Problem):  # not readable for this user: as if not there
                return read(path)
    return KeySettings()


def _world(values: Values, settings: KeySettings) -> World:
    resolvers = _addresses(values.texts("nameserver") or settings.nameservers) or configured()
    if not resolvers:
        raise Problem("no resolver is known", hint="give one with --nameserver", code=CONFIG)
    port = values.count("authoritative-port")
    if not 0 < port < 65536:
        raise Problem(f"--authoritative-port: {port} is not a port", hint="from 1 to 65535")
    authoritative, use_resolver = values.flag("authoritative"), values.flag("resolver")
    if not authoritative and not use_resolver:
        raise Problem("nobody is left to ask", hint="leave out one of the --no- options")
    timeout = durations.seconds(values.text("timeout"), what="--timeout")
    return network(
        resolvers,
        servers=_addresses(values.texts("server")),
        port=port,
        timeout=max(1, timeout),
        authoritative=authoritative,
        use_resolver=use_resolver,
    )


def _addresses(texts: Sequence[str]) -> tuple[Address, ...]:
    try:
        return tuple(address(text) for text in texts)
    except ValueError as error:
        raise Problem(str(error), hint="give an IP address, with :PORT if it is not 53") from None


def _wait(values: Values) -> Wait:
    longest = durations.seconds(values.text("wait") or "0", what="--wait")
    interval = durations.seconds(values.text("interval"), what="--interval")
    return Wait(longest=longest, interval=max(1, interval))


def _jobs(values: Values, settings: KeySettings) -> list[Job]:
    """What to test: the options first, then what the configuration says."""
    one_key = any(values.given(key) for key in ("domain", "selector", "key"))
    table = values.text("keytable")
    if not table and not one_key:
        if settings.toml:
            return list(_rows(values, keytable.configured_rows(settings.toml), settings.toml))
        table = settings.key_table
        if table:
            return list(_rows(values, keytable.read(table), table))
    if table:
        return list(_rows(values, keytable.read_argument(table), table))
    domain = values.text("domain") or settings.domain
    selector = values.text("selector") or settings.selector
    path = values.text("key") or ("" if one_key and not settings.key_file else settings.key_file)
    for given, option in ((domain, "-d"), (selector, "-s")):
        if not given:
            raise Problem(
                f"{option} is missing",
                hint="give -d DOMAIN -s SELECTOR [-k FILE], or -t KEYTABLE",
                code=CONFIG,
            )
    want, notes = _key(path) if path else (None, ())
    return [
        Job(
            label=path,
            selector=names.selector(selector),
            domain=names.domain(domain),
            want=want,
            notes=notes,
        )
    ]


def _rows(values: Values, rows: Sequence[KeyRow], source: str) -> Iterator[Job]:
    only = names.domain(values.text("domain")) if values.given("domain") else ""
    chosen = names.selector(values.text("selector")) if values.given("selector") else ""
    number = 0
    for row in rows:
        domain = only if row.domain == "%" else names.domain(row.domain)
        if chosen and names.selector(row.selector) != chosen:
            continue
        if not only or domain == only:
            number += 1
            yield _row(row, domain)
    if not number:
        raise Problem(f"{source}: no key to test", hint="compare -d and -s with the table")


def _row(row: KeyRow, domain: str) -> Job:
    """A row whose key cannot be read, or that is for any domain, fails by its notes."""
    selector = names.selector(row.selector)
    if not domain:
        what = "the row is for any domain (%): which one is to be tested?"
        note = _note(Harm.UNKNOWN, "keytable-any-domain", row.where, what, "give it with -d")
        return Job(label=row.name, selector=selector, domain="%", notes=(note,))
    try:
        path = row.path(domain)
        want, notes = _key(path) if path else (wanted(row.load(domain)), ())
    except Problem as problem:
        said = problem.message.removeprefix(f"{row.where}: ")
        note = _note(Harm.ERROR, "key-file", row.where, said, problem.hint)
        return Job(label=row.name, selector=selector, domain=domain, notes=(note,))
    return Job(label=row.name, selector=selector, domain=domain, want=want, notes=notes)


def _key(path: str) -> tuple[Wanted, tuple[Finding, ...]]:
    """The public half of a private key in a file, and what is wrong with the file."""
    want = wanted(keypair.load_file(path, trial=True))
    mode = stat.S_IMODE(Path(path).stat().st_mode)
    if mode & 0o027:
        what = f"mode {mode:04o} lets others than its owner and group at the private key"
        return want, (_note(Harm.WARNING, "key-file-mode", path, what, f"chmod g-w,o-rwx {path}"),)
    if mode & 0o070:  # as postseal-rotate makes them for a daemon that is in the group
        what = f"mode {mode:04o}: its group can read the private key too"
        return want, (_note(Harm.GOOD, "key-file-mode", path, what, ""),)
    return want, ()


def _note(harm: Harm, code: str, where: str, what: str, hint: str) -> Finding:
    return Finding(harm=harm, code=code, where=where, what=what, hint=hint)


def _print(values: Values, reports: Sequence[Report]) -> None:
    if values.flag("json"):
        print(json.dumps([as_plain(one) for one in reports], indent=2))
        return
    for one in reports:
        quiet = values.flag("quiet") and one.ok
        if not quiet:
            for line in lines(one, verbose=values.count("verbose") > 0):
                print(line)
    good = sum(one.ok for one in reports)
    if len(reports) > 1 and not (values.flag("quiet") and good == len(reports)):
        print(f"{len(reports)} keys: {good} ok, {len(reports) - good} failed")


def _status(reports: Sequence[Report]) -> int:
    if all(one.ok for one in reports):
        return OK
    bad = [f for one in reports if not one.ok for f in one.findings]
    return DATAERR if any(f.harm is Harm.ERROR for f in bad) else TEMPFAIL


if __name__ == "__main__":
    sys.exit(main())
