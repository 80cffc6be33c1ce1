"""Tables and lists from their files, and what is wrong with them.

NAME
    loading - the parts of site.load() that open files

SEE ALSO
    tables/site.py.
"""

from __future__ import annotations

import glob
from contextlib import suppress
from dataclasses import replace
from itertools import islice
from pathlib import Path

from postseal.conf.lines import Path as OptionPath
from postseal.conf.load import Configuration
from postseal.conf.mistake import Mistake, Severity
from postseal.core.dkim.sign import SigningKey, UnusableKey
from postseal.core.signing import LoginTable
from postseal.tables import hosts, keytable, listing, rows, safety, senders, source
from postseal.tables import logins as login_rows
from postseal.tables.elsewhere import Elsewhere
from postseal.tables.findings import Report
from postseal.tables.keyring import KeyFault, Keyring
from postseal.tables.keytable import ANY, Entry, Keys
from postseal.tables.remote import RemoteKeys, RemoteLogins, RemoteSenders
from postseal.tables.senders import SAME, Senders
from postseal.tables.source import Form, Source
from postseal.tables.stores import Use

MAX_TEMPLATE_KEYS = 100_000


def with_severity(mistake: Mistake, severity: Severity) -> Mistake:
    """The same mistake, taken more or less seriously."""
    return replace(mistake, severity=severity)


def tables(
    configuration: Configuration, away: Elsewhere, found: list[Mistake]
) -> tuple[Senders, Keys] | None:
    """Both tables; None when one of them cannot be read at all."""
    keys = _keys(configuration, away, found)
    table = _senders(configuration, away, found)
    return None if keys is None or table is None else (table, keys)


def _keys(configuration: Configuration, away: Elsewhere, found: list[Mistake]) -> Keys | None:
    where = _source(configuration, "key_table", found)
    if where is None:
        return None
    base = _base(configuration)
    if where.form is Form.REMOTE:
        remote = away.table(configuration, Use.KEYS, found)
        return None if remote is None else RemoteKeys(remote, base)
    report = _report(configuration, "key_table")
    made = keytable.read(
        rows.rows(where, rows.read(where, base)),
        where.path(base).parent if where.is_file else base,
        where.form is Form.REFILE,
        report,
    )
    found += report.mistakes()
    return made


def _senders(configuration: Configuration, away: Elsewhere, found: list[Mistake]) -> Senders | None:
    where = _source(configuration, "signing_table", found)
    if where is None:
        return None
    if where.form is Form.REMOTE:
        remote = away.table(configuration, Use.SENDERS, found)
        return None if remote is None else RemoteSenders(remote)
    report = _report(configuration, "signing_table")
    made = senders.read(
        rows.rows(where, rows.read(where, _base(configuration))),
        where.form is Form.REFILE,
        configuration.settings.sign.multiple_signatures,
        report,
    )
    found += report.mistakes()
    return made


def logins(
    configuration: Configuration, away: Elsewhere, found: list[Mistake]
) -> LoginTable | None:
    """The table of sign.sender_login; None without one, or when it cannot be read."""
    if not configuration.settings.sign.sender_login:
        return None
    where = _source(configuration, "sender_login", found)
    if where is None:
        return None
    if where.form is Form.REMOTE:
        remote = away.table(configuration, Use.LOGINS, found)
        return None if remote is None else RemoteLogins(remote)
    report = _report(configuration, "sender_login")
    data = rows.read(where, _base(configuration))
    made = login_rows.read(rows.rows(where, data), where.form is Form.REFILE, report)
    found += report.mistakes()
    return made


def _base(configuration: Configuration) -> Path:
    """What relative names count from."""
    return Path(configuration.file).absolute().parent


def _report(configuration: Configuration, option: str) -> Report:
    """Where the mistakes of a table go: under its own name, or that of the option it is in."""
    where = source.parse(getattr(configuration.settings.sign, option))
    if not where.is_file:
        return Report(configuration.file, configuration.index.line_of(("sign", option)))
    return Report(str(where.path(_base(configuration))))


def _source(configuration: Configuration, option: str, found: list[Mistake]) -> Source | None:
    """Where the table of an option is, when it can be read."""
    try:
        where = source.parse(getattr(configuration.settings.sign, option))
        if where.form is not Form.REMOTE:
            rows.read(where, _base(configuration))
    except (source.SourceError, rows.TableError) as error:
        found.append(configuration.mistake(("sign", option), str(error), error.hint))
        return None
    return where


def check_keys(
    configuration: Configuration,
    table: Senders,
    keys: Keys,
    keyring: Keyring,
    thorough: bool,
    found: list[Mistake],
) -> tuple[SigningKey, ...]:
    """Read every key file, and hold the two tables against each other."""
    base = _base(configuration)
    sign = configuration.settings.sign
    key_report = _report(configuration, "key_table")
    made: list[SigningKey] = []
    for entry in keys.entries:
        try:
            if thorough and not entry.is_template and entry.domain != ANY:
                made.append(listing.ready(entry, entry.domain, keyring))
            elif not entry.is_file:
                keyring.key(entry.key.encode(), "the key in the row")
            elif not entry.is_template:
                keyring.add(entry.path(entry.domain))
            else:
                _add_all(entry, keyring)
        except KeyFault as fault:
            key_report.add(entry.line, entry.name, fault.what, fault.hint)
        except UnusableKey as error:
            key_report.add(entry.line, entry.name, str(error), error.hint)
    where = source.parse(sign.key_table)
    if where.is_file:
        _inline_keys(keys, where.path(base), keyring.uid, key_report)
    wanted = {row.key for row in table.rows}
    listed = not isinstance(table, RemoteSenders) and where.form is not Form.REFILE
    for entry in keys.entries if SAME not in wanted and listed else ():
        if entry.name not in wanted:
            key_report.add(
                entry.line,
                entry.name,
                "no row of the signing table wants it",
                severity=Severity.NOTE,
            )
    found += key_report.mistakes()
    report = _report(configuration, "signing_table")
    for row in () if isinstance(keys, RemoteKeys) else table.rows:
        if row.key != SAME and keys.get(row.key) is None:
            report.add(
                row.line,
                row.pattern,
                f"there is no key {row.key!r} in the key table",
                "names are compared exactly, letter case included",
            )
    found += report.mistakes()
    return tuple(made)


def _add_all(entry: Entry, keyring: Keyring) -> None:
    """Read every file that a row with % may come to, while we may."""
    parts = Path(entry.key.replace("%", "*")).parts[1:]
    pattern = "/".join(glob.escape(part).replace("[*]", "*") for part in parts)
    keyring.folders.add(Path(entry.key.partition("%")[0] + "x").parent)
    for path in islice(Path("/").glob(pattern), MAX_TEMPLATE_KEYS):
        keyring.folders.add(path.parent)
        with suppress(KeyFault):  # said when a message wants it
            keyring.add(path)


def _inline_keys(keys: Keys, path: Path, uid: int, report: Report) -> None:
    """A table with keys in it must be as safe as a key."""
    if all(entry.is_file for entry in keys.entries):
        return
    fault = safety.Inspector(uid).inspect(path)
    if fault is not None:
        subject = "the table" if fault.path == path.resolve() else str(fault.path)
        report.add(0, "", f"there are keys in the table, and {subject} {fault.what}", fault.mend)


def files(configuration: Configuration) -> tuple[Path, ...]:
    """The configuration, and every table and list that it names; keys are the keyring's."""
    if not configuration.file:
        return ()
    base, settings = _base(configuration), configuration.settings
    found = [Path(configuration.file).absolute()]
    for table in (
        settings.sign.key_table,
        settings.sign.signing_table,
        settings.sign.sender_login,
    ):
        with suppress(source.SourceError):
            where = source.parse(table)
            if where.is_file:
                found.append(where.path(base))
    found += [one.password_file for one in settings.table if one.password_file]
    if settings.dmarc.suffix_list and settings.dmarc.discovery != "treewalk":
        found.append(settings.dmarc.suffix_list)
    roles, upstream = settings.roles, settings.upstream
    lists = (roles.internal_hosts, roles.peers, roles.trusted_relays, upstream.hosts)
    entries = (entry for one in lists for entry in one if entry.startswith("file:"))
    return (*found, *(base / entry.removeprefix("file:") for entry in entries))


def hosts_file(
    configuration: Configuration,
    option: OptionPath,
    path: Path,
    made: hosts.HostList,
    found: list[Mistake],
) -> None:
    """Add the entries of the file that an option names, one on a line."""
    where = Source(Form.FILE, str(path))
    report = Report(str(path))
    try:
        data = rows.read(where, path.parent)
    except rows.TableError as error:
        found.append(configuration.mistake(option, str(error), error.hint))
        return
    for row in rows.rows(where, data):
        if isinstance(row, rows.NotARow):
            report.add(row.line, row.text, row.why)
            continue
        remark = hosts.try_add(made, row.key)
        if remark:
            report.add(row.line, row.key, remark.what, remark.hint, remark.severity)
        if row.value:
            report.add(row.line, row.key, f"{row.value!r} is not read", "one entry on a line")
    found += report.mistakes()
