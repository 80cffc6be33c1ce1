"""Which keys sign for an author, from configuration.

NAME
    chooser - DomainChooser for one domain, TableChooser for tables

GIVEN
    an author's address, its domain in A-labels and lower case.

GIVES
    core.signing.Choice values (a core.signing.KeyChooser); SigningUnavailable, with
    place and way out, when the tables name a key that cannot be had.

SEE ALSO
    tables/site.py makes them; tables/senders.py has the order of look-ups.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator
from itertools import islice

from postseal.core.dkim.sign import SigningKey, UnusableKey, signing_key
from postseal.core.names import is_at_or_below, mailbox_domain
from postseal.core.signing import Choice, SigningUnavailable
from postseal.tables.keyring import KEEP, KeyFault, Keyring
from postseal.tables.keytable import ANY, Entry, KeyTable
from postseal.tables.senders import SAME, Sender, Senders


def identity_of(template: str, local: str, domain: str) -> str | None:
    """The i= that sign.identity asks for; None for none."""
    if not template:
        return None
    return template.format(local=local, domain=domain, address=f"{local}@{domain}")


def is_within(identity: str, domain: str) -> bool:
    """Whether i= may be this beside that d= (RFC 6376 section 3.5)."""
    below = mailbox_domain(identity)
    return below is not None and is_at_or_below(below, domain)


class DomainChooser:
    """All keys of one domain, for its authors and, where wanted, those of its sub-domains."""

    def __init__(
        self, keys: Iterable[SigningKey], domain: str, *, below: bool = False, identity: str = ""
    ) -> None:
        self._keys = tuple(keys)
        self._domain = domain
        self._below = below
        self._identity = identity

    def choose(self, address: str, /) -> tuple[Choice, ...]:
        """Every key for an author of ours, () for anybody else."""
        local, _, domain = address.rpartition("@")
        ours = is_at_or_below(domain, self._domain) if self._below else domain == self._domain
        if not ours or not local:
            return ()
        identity = identity_of(self._identity, local, domain)
        return tuple(Choice(key=key, identity=identity) for key in self._keys)


class TableChooser:
    """A SigningTable and a KeyTable."""

    def __init__(
        self,
        senders: Senders,
        keys: KeyTable,
        keyring: Keyring,
        *,
        multiple: bool = False,
        identity: str = "",
    ) -> None:
        self._senders = senders
        self._keys = keys
        self._keyring = keyring
        self._multiple = multiple
        self._identity = identity
        self._ready: OrderedDict[tuple[Entry, str], SigningKey] = OrderedDict()
        self._lock = threading.Lock()

    def choose(self, address: str, /) -> tuple[Choice, ...]:
        """One choice for the first row that matches, or for every row: as configured.

        Two rows that come to the same key and identity make one signature.
        """
        local, _, domain = address.rpartition("@")
        if not local or not domain:
            return ()
        rows: Iterator[Sender] = self._senders.of(local, domain)
        wanted = rows if self._multiple else islice(rows, 1)
        made: dict[tuple[str, str | None], Choice] = {}
        for row in wanted:
            name = domain if row.key == SAME else row.key
            entry = self._keys.get(name)
            if entry is None:
                raise SigningUnavailable(
                    f"line {row.line} of the signing table wants key {name!r} for {address}, which"
                    " is not in the key table (hint: add the key, or take the row out)"
                )
            key = self._key(entry, domain)
            identity = row.identity.replace("%", domain) if row.identity else None
            identity = identity or identity_of(self._identity, local, domain)
            identity = identity if identity and is_within(identity, key.domain) else None
            made.setdefault((key.query_name, identity), Choice(key=key, identity=identity))
        return tuple(made.values())

    def _key(self, entry: Entry, domain: str) -> SigningKey:
        """The key of a row; the last KEEP made are remembered."""
        place = entry, domain if entry.domain == ANY else ""
        made = self._ready.get(place)
        if made is not None:
            return made
        try:
            made = ready(entry, domain, self._keyring)
        except (KeyFault, UnusableKey) as fault:
            raise SigningUnavailable(f"key {entry.name!r}: {fault}") from None
        with self._lock:
            self._ready[place] = made
            while len(self._ready) > KEEP:
                self._ready.popitem(last=False)
        return made


def ready(entry: Entry, domain: str, keyring: Keyring) -> SigningKey:
    """The key of a row, for an author in domain.  Raises KeyFault or UnusableKey."""
    if entry.is_file:
        private = keyring.file(entry.path(domain))
    else:
        private = keyring.key(entry.key.encode(), f"line {entry.line} of the key table")
    return signing_key(private, domain if entry.domain == ANY else entry.domain, entry.selector)
