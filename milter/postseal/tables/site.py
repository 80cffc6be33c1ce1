"""Everything a configuration refers to, read and checked as one.

NAME
    site - Site: settings, key chooser and host lists

GIVEN
    a configuration file, or a Configuration, and the user that will run the daemon.

GIVES
    a Site, or ConfigError with every mistake in the configuration's keys, tables and
    lists.  What is only without effect, or perhaps not meant, is in site.remarks.

DOES NOT
    keep any file open, or look at files again later.

SEE ALSO
    conf/load.py, cli/check_config.py.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from postseal.conf import load as configurations
from postseal.conf.lines import Path as OptionPath
from postseal.conf.load import Configuration
from postseal.conf.mistake import ConfigError, Mistake, Severity
from postseal.conf.model import Settings
from postseal.conf.policy import Override
from postseal.core.dkim.sign import SigningKey, UnusableKey, signing_key
from postseal.core.signing import KeyChooser, LoginTable, NoKeys
from postseal.tables import accounts, hosts, loading, notes, overrides, safety, source, suffixes
from postseal.tables.cached import Tell
from postseal.tables.chooser import DomainChooser, TableChooser
from postseal.tables.elsewhere import Elsewhere
from postseal.tables.hosts import HostList
from postseal.tables.keyring import KeyFault, Keyring
from postseal.tables.remote import Remote, RemoteHosts, RemoteSenders
from postseal.tables.suffixes import SuffixList

DEFAULT_USER = "postseal"


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A configuration, ready for use."""

    settings: Settings
    chooser: KeyChooser
    internal: HostList
    peers: HostList
    relays: HostList
    upstream: HostList
    overrides: tuple[Override, ...] = ()  # those of the configuration, then of their file
    clients: tuple[HostList, ...] = ()  # of each override
    suffixes: SuffixList | None = None
    arc_key: SigningKey | None = None
    logins: LoginTable | None = None  # None binds nobody
    remarks: tuple[Mistake, ...] = ()
    files: tuple[str | Path, ...] = ()  # everything that was read
    keys: tuple[SigningKey, ...] = ()  # all keys that do not depend on the author
    senders: tuple[str, ...] = ()  # whom the keys sign for, for people to read
    remotes: tuple[Remote, ...] = ()  # tables elsewhere

    def close(self) -> None:
        """Give connections to tables elsewhere back.  A process that ends need not."""
        for remote in self.remotes:
            remote.close()


def daemon_uid(settings: Settings) -> int | None:
    """The number of the user the daemon will be; None when settings.user does not exist."""
    if os.geteuid() != 0:
        return os.geteuid()
    if settings.user:
        return safety.user_id(settings.user)
    return safety.user_id(DEFAULT_USER) or 0


# Options without which keys and tables cannot be read, or only wrongly.
_NEEDED: tuple[OptionPath, ...] = (
    ("user",),
    ("table",),
    ("arc",),
    ("sign", "key_table"),
    ("sign", "signing_table"),
    ("sign", "sender_login"),
)


def read(
    file: Path | None,
    *,
    keys: bool = True,
    thorough: bool = False,
    tell: Callable[[Settings], Tell] = lambda _settings: _nobody,
) -> Site:
    """The configuration in file, and all there is to read.  Raises ConfigError.

    What load() says goes for the other arguments.  Options that cannot be used do not hide
    the mistakes in what the others name.
    """
    try:
        place = configurations.read(file)
    except configurations.PartlyRead as error:
        whole = keys and not configurations.touches(_NEEDED, error.bad)
        try:
            further = load(error.rest, keys=whole, thorough=thorough).remarks
            files: tuple[str | Path, ...] = ()
        except ConfigError as more:
            further, files = more.mistakes, more.files
        raise ConfigError((*error.mistakes, *further), files) from None
    return load(place, keys=keys, thorough=thorough, tell=tell(place.settings))


def _nobody(_level: str, _pairs: list[tuple[str, str]]) -> None:
    """Nothing is told."""


def load(
    configuration: Configuration,
    *,
    keys: bool = True,
    thorough: bool = False,
    tell: Tell = _nobody,
) -> Site:
    """Read all there is to read.  Raises ConfigError.

    keys False leaves keys and their tables alone, for who only verifies and may not read
    them.  thorough tries every key of the tables, where the daemon only reads their
    files: that takes a millisecond each.  tell is told when a table elsewhere stops
    answering, and when it answers again.
    """
    settings = configuration.settings
    found: list[Mistake] = []
    uid = daemon_uid(settings)
    if keys:
        found += accounts.mistakes(configuration)
    keyring = Keyring(os.geteuid() if uid is None else uid)
    away = Elsewhere(uid=keyring.uid, tell=tell)
    lists = _lists(configuration, away, found)
    places = overrides.places(configuration, found)
    clients = tuple(one for place in places for one in _clients(place, found))
    found += (one for place in places for one in overrides.remarks(place))
    suffix_list = _suffixes(configuration, found)
    chooser: KeyChooser = NoKeys()
    ready: tuple[SigningKey, ...] = ()
    senders: tuple[str, ...] = ()
    if keys:
        chooser, ready, senders = _chooser(configuration, keyring, away, thorough, found)
    arc_key = _arc_key(configuration, keyring, found) if keys and settings.arc.seal else None
    logins = loading.logins(configuration, away, found) if keys else None
    keyring.settled = True
    found += notes.notes(configuration, away.made)
    files: tuple[str | Path, ...] = (
        *loading.files(configuration),
        *overrides.files(configuration, places),
        *keyring.paths,
    )
    if any(one.severity is Severity.ERROR for one in found):
        raise ConfigError(found, files)
    return Site(
        settings=settings,
        chooser=chooser,
        internal=lists["internal_hosts"],
        peers=lists["peers"],
        relays=lists["trusted_relays"],
        upstream=lists["hosts"],
        overrides=tuple(row for place in places for row in place.settings.override),
        clients=clients,
        suffixes=suffix_list,
        arc_key=arc_key,
        logins=logins,
        remarks=tuple(found),
        files=files,
        keys=ready,
        senders=senders,
        remotes=tuple(away.made),
    )


_LISTS = (
    ("roles", "internal_hosts"),
    ("roles", "peers"),
    ("roles", "trusted_relays"),
    ("upstream", "hosts"),
)
_ELSEWHERE = _LISTS[:2]  # the others are looked up where nothing may be waited for


def _lists(
    configuration: Configuration, away: Elsewhere, found: list[Mistake]
) -> dict[str, HostList]:
    """The lists of hosts, by the names of their options."""
    return {
        path[-1]: _hosts(configuration, path, found, away if path in _ELSEWHERE else None)
        for path in _LISTS
    }


def _clients(configuration: Configuration, found: list[Mistake]) -> Iterator[HostList]:
    """The clients of each override."""
    for number in range(len(configuration.settings.override)):
        yield _hosts(configuration, ("override", number, "client"), found)


def _suffixes(configuration: Configuration, found: list[Mistake]) -> SuffixList | None:
    """The public suffix list, where discovery wants one."""
    dmarc = configuration.settings.dmarc
    if dmarc.discovery == "treewalk" or not dmarc.enabled:
        return None
    try:
        return suffixes.load(dmarc.suffix_list)
    except suffixes.SuffixListError as error:
        option = "suffix_list" if dmarc.suffix_list else "discovery"
        found.append(configuration.mistake(("dmarc", option), str(error), error.hint))
        return None


def _chooser(
    configuration: Configuration,
    keyring: Keyring,
    away: Elsewhere,
    thorough: bool,
    found: list[Mistake],
) -> tuple[KeyChooser, tuple[SigningKey, ...], tuple[str, ...]]:
    """The chooser, its fixed keys, and whom it signs for."""
    sign = configuration.settings.sign
    if sign.signing_table:
        tables = loading.tables(configuration, away, found)
        if tables is None:
            return NoKeys(), (), ()
        senders, keys = tables
        made = loading.check_keys(configuration, senders, keys, keyring, thorough, found)
        chooser = TableChooser(
            senders, keys, keyring, multiple=sign.multiple_signatures, identity=sign.identity
        )
        for gap in chooser.gaps() if sign.check_published != "off" else ():
            note = configuration.mistake(("sign", "check_published"), gap)
            found.append(loading.with_severity(note, Severity.NOTE))
        if isinstance(senders, RemoteSenders):
            return chooser, made, (f"the authors in {senders.name}",)
        return chooser, made, tuple(row.pattern for row in senders.rows)
    if sign.domain:
        ready = tuple(_keys(configuration, keyring, found))
        whom = (sign.domain, f".{sign.domain}") if sign.sub_domains else (sign.domain,)
        return (
            DomainChooser(ready, sign.domain, below=sign.sub_domains, identity=sign.identity),
            ready,
            whom,
        )
    return NoKeys(), (), ()


def _arc_key(
    configuration: Configuration, keyring: Keyring, found: list[Mistake]
) -> SigningKey | None:
    """The key to seal with."""
    arc = configuration.settings.arc
    if arc.key is None:  # said already
        return None
    try:
        return signing_key(keyring.file(arc.key), arc.domain, arc.selector)
    except KeyFault as fault:
        found.append(configuration.mistake(("arc", "key"), fault.what, fault.hint))
    except UnusableKey as error:
        found.append(configuration.mistake(("arc", "key"), str(error), error.hint))
    return None


def _keys(
    configuration: Configuration, keyring: Keyring, found: list[Mistake]
) -> Iterator[SigningKey]:
    """The keys of [[sign.key]]."""
    sign = configuration.settings.sign
    for number, one in enumerate(sign.key):
        place = ("sign", "key", number, "file")
        try:
            yield signing_key(keyring.file(one.file), sign.domain, one.selector)
        except KeyFault as fault:
            found.append(configuration.mistake(place, fault.what, fault.hint))
        except UnusableKey as error:
            found.append(configuration.mistake(place, str(error), error.hint))


def _option(settings: Settings, path: OptionPath) -> Any:
    """The value at a path."""
    found: Any = settings
    for part in path:
        found = found[part] if isinstance(part, int) else getattr(found, part)
    return found


def _hosts(
    configuration: Configuration,
    path: OptionPath,
    found: list[Mistake],
    away: Elsewhere | None = None,
) -> HostList:
    """The list of an option, with the files it names; and the tables elsewhere, with away."""
    made = HostList()
    base = Path(configuration.file).absolute().parent
    entries: Iterable[str] = _option(configuration.settings, path)
    for number, entry in enumerate(entries):
        if entry.startswith("file:"):
            file = base / entry.removeprefix("file:")
            loading.hosts_file(configuration, (*path, number), file, made, found)
            continue
        if entry.partition(":")[0].lower() in source.REMOTE:
            remote = _beyond(configuration, entry, (*path, number), found, away)
            made.beyond += [RemoteHosts(remote)] if remote else []
            continue
        remark = hosts.try_add(made, entry)
        if remark:
            where = configuration.mistake((*path, number), f'"{entry}" {remark.what}', remark.hint)
            found.append(loading.with_severity(where, remark.severity))
    return made


def _beyond(
    configuration: Configuration,
    entry: str,
    path: OptionPath,
    found: list[Mistake],
    away: Elsewhere | None,
) -> Remote | None:
    """The table elsewhere that an entry names, where there may be one."""
    if away is not None:
        return away.hosts(configuration, entry, path, found)
    what = "tables elsewhere are read for internal_hosts and peers alone"
    found.append(configuration.mistake(path, what, "list the hosts here, or in a file:/PATH"))
    return None
