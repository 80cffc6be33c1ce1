"""Tables that are asked row by row: the same questions as to tables in files.

NAME
    remote - RemoteSenders, RemoteKeys, RemoteLogins and RemoteHosts

GIVEN
    a store, and the limits of its memory.

GIVES
    what senders.py, keytable.py, logins.py and hosts.py give for exact look-ups, in the
    same order.
    All texts that could match are asked for at once.

    Raises TableUnavailable when there is no answer, or none that can be used.

SEE ALSO
    tables/cached.py, tables/stores.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from ipaddress import ip_address
from pathlib import Path

from postseal.core.signing import SigningUnavailable
from postseal.core.transaction import Address
from postseal.tables import hosts, keytable, logins, senders
from postseal.tables.asking import Asker
from postseal.tables.cached import Cached, Limits, Tell
from postseal.tables.findings import Report
from postseal.tables.globs import lower
from postseal.tables.keytable import Entry
from postseal.tables.rows import Row
from postseal.tables.senders import Sender, places
from postseal.tables.store import Author, Found, Store, TableUnavailable


class Remote:
    """A store with its name, limits and memory: what every kind of table stands on."""

    def __init__(self, name: str, store: Store, asker: Asker, limits: Limits, tell: Tell) -> None:
        self.name = name
        self.limits = limits
        self.tell = tell
        self._store = store
        self._asker = asker

    def rows(self, keys: Sequence[str], author: Author, *, fold: bool = True) -> list[Row]:
        """The rows of these keys, in the order of the keys.  Raises TableUnavailable."""
        found = self._asker.ask(lambda: self._store.find(keys, author))
        return _ordered(keys, found, fold)

    @property
    def seconds(self) -> float:
        """How long one question may take."""
        return self._asker.seconds

    def close(self) -> None:
        """Give idle connections back, where a process goes on without the table."""
        self._asker.close()
        self._store.close()


def _ordered(keys: Sequence[str], found: Found, fold: bool) -> list[Row]:
    """Rows by the place of their key; those nobody asked for are left out.

    fold: some databases compare without letter case, and answer in their own.
    """
    place = {key: number for number, key in enumerate(keys)}
    kept = [
        (place[text], Row(text, value, 0))
        for key, value in found
        if (text := lower(key) if fold else key) in place
    ]
    return [row for _, row in sorted(kept, key=lambda one: one[0])]


def _candidates(address: str) -> tuple[list[str], Author]:
    """What could match an author, the most specific first."""
    local, _, domain = address.rpartition("@")
    keys = [text for where in places(domain) for text in (f"{local}@{where}", where)]
    return keys, Author(address=address, local=local, domain=domain)


class Unusable:
    """A row that is there and cannot be used.  Remembered like any other."""

    def __init__(self, table: str, report: Report) -> None:
        first = report.found[0]
        self.what = f"table {table}, row {first.key!r}: {first.what}"
        self.hint = first.hint

    def fault(self) -> SigningUnavailable:
        return TableUnavailable(self.what, self.hint, lasting=True)


class RemoteSenders:
    """A signing table."""

    rows: tuple[Sender, ...] = ()  # nobody lists them

    def __init__(self, remote: Remote) -> None:
        self.name = remote.name
        self._remote = remote
        self._cached = Cached(remote.name, self._ask, remote.limits, remote.tell)

    def of(self, local: str, domain: str, /) -> Iterator[Sender]:
        for row in self._cached.get(lower(f"{local}@{domain}")):
            if isinstance(row, Unusable):
                raise row.fault()
            yield row

    def _ask(self, address: str) -> tuple[Sender | Unusable, ...]:
        return tuple(map(self._sender, self._remote.rows(*_candidates(address))))

    def _sender(self, row: Row) -> Sender | Unusable:
        report = Report(self._remote.name)
        made = senders.sender_of(row, report)
        return made if made is not None else Unusable(self._remote.name, report)


class RemoteKeys:
    """A key table.  Key files with relative names count from base."""

    entries: tuple[Entry, ...] = ()  # nobody lists them

    def __init__(self, remote: Remote, base: Path) -> None:
        self._remote = remote
        self._base = base
        self._cached = Cached(remote.name, self._ask, remote.limits, remote.tell)

    def get(self, name: str) -> Entry | None:
        found = self._cached.get(name)
        if isinstance(found, Unusable):
            raise found.fault()
        return found

    def _ask(self, name: str) -> Entry | Unusable | None:
        for row in self._remote.rows([name], Author(), fold=False):
            report = Report(self._remote.name)
            made = keytable.entry_of(row, self._base, report)
            return made if made is not None else Unusable(self._remote.name, report)
        return None


class RemoteLogins:
    """A table of owners.  Several rows of one author count together."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._cached = Cached(remote.name, self._ask, remote.limits, remote.tell)

    def allows(self, login: str, address: str, /) -> bool:
        """As logins.Logins.  Raises TableUnavailable."""
        if not login:
            return False
        author = lower(address)
        return any(one.has(lower(login), author) for one in self._cached.get(author))

    def _ask(self, address: str) -> tuple[logins.Owners, ...]:
        rows = self._remote.rows(*_candidates(address))
        return tuple(_owners(row for row in rows if row.key == rows[0].key))


def _owners(rows: Iterable[Row]) -> Iterator[logins.Owners]:
    """Rows that cannot be read own nothing."""
    for row in rows:
        made = logins.owners_of(row, False, Report(""))
        if made is not None:
            yield made


class RemoteHosts:
    """A table of hosts (a hosts.HostTable).  Values of rows do not matter."""

    def __init__(self, remote: Remote) -> None:
        self._remote = remote
        self._cached = Cached(remote.name, self._ask, remote.limits, remote.tell)

    def says(self, address: Address | None, name: str, /) -> bool | None:
        """As hosts.HostTable.  Raises TableUnavailable."""
        return self._cached.get(f"{address or ''} {name}")

    def _ask(self, client: str) -> bool | None:
        text, _, name = client.partition(" ")
        address = ip_address(text) if text else None
        asked = hosts.texts(address, name)
        if not asked:
            return None
        rows = self._remote.rows(asked, Author(address=text, domain=name))
        return not rows[0].key.startswith("!") if rows else None
