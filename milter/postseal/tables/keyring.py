"""Private keys by file: read at the start, made ready when first needed.

NAME
    keyring - Keyring: paths to private keys

GIVEN
    paths, while the process may still read them (before root is given up).

GIVES
    ready keys.  The octets of every file are kept, once for all workers (vault.py),
    because a daemon that has given up root cannot read them again; of ready keys only
    the last KEEP used, because 10,000 of them would fill a worker.

DOES NOT
    notice that a file has changed: tables/watch.py does, and a reload makes a new Keyring.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from hashlib import blake2b
from pathlib import Path

from postseal.core.dkim import crypto
from postseal.tables.safety import Inspector
from postseal.tables.vault import Place, Vault
from postseal_keys import keypair
from postseal_keys.console import Problem

KEEP = 512  # ready keys; an RSA key takes some 10 kB
_DIGEST = bytes(range(32))


class KeyFault(Exception):
    """The key cannot be used: what, and a way out.  Never holds any of the key."""

    def __init__(self, what: str, hint: str = "") -> None:
        self.what = what
        self.hint = hint
        super().__init__(f"{what} (hint: {hint})" if hint else what)


class Keyring:
    """Keys for one configuration.  Look-ups may come from several threads."""

    def __init__(self, uid: int, *, check: bool = True) -> None:
        self.uid = uid
        self._inspector = Inspector(uid) if check else None
        self._vault = Vault()
        self._data: dict[str, Place | KeyFault] = {}
        self._ready: OrderedDict[bytes, crypto.PrivateKey] = OrderedDict()
        self._tried: set[bytes] = set()
        self._lock = threading.Lock()
        self.folders: set[Path] = set()
        self.settled = False  # whether all files that are known beforehand have been read

    def __len__(self) -> int:
        return len(self._data)

    @property
    def paths(self) -> tuple[str, ...]:
        """Every file that was read or wanted, and folders where more may appear."""
        return (*self._data, *map(str, self.folders))

    def add(self, path: Path) -> None:
        """Read a file for later.  Raises KeyFault when it is not there or not safe."""
        name = str(path)
        if name not in self._data:
            read = self._read(path)
            self._data[name] = read if isinstance(read, KeyFault) else self._vault.put(read)
        found = self._data[name]
        if isinstance(found, KeyFault):
            raise KeyFault(found.what, found.hint)

    def _read(self, path: Path) -> bytes | KeyFault:
        try:
            fault = self._inspector.inspect(path) if self._inspector else None
            if fault is not None:
                subject = "" if fault.path == path else f"{fault.path} "
                return KeyFault(f"{path}: {subject}{fault.what}", fault.mend)
            with path.open("rb") as file:
                data = file.read(keypair.FILE_MAX + 1)
        except FileNotFoundError:
            return KeyFault(f"{path}: there is no such file", "postseal-genkey makes a key")
        except (OSError, RuntimeError) as error:  # RuntimeError: a loop of symbolic links
            reason = error.strerror if isinstance(error, OSError) else "a loop of links"
            hint = "be root, or let this user read it" if isinstance(error, PermissionError) else ""
            return KeyFault(f"{path}: cannot be read: {reason}", hint)
        return data

    def file(self, path: Path) -> crypto.PrivateKey:
        """The key in a file.  Raises KeyFault.

        Once settled, a file that was not added is read anew each time: a table elsewhere
        named it, and nobody watches it.
        """
        if not self.settled:
            self.add(path)
        place = self._data.get(str(path))
        data = self._vault.get(place) if isinstance(place, tuple) else self._read(path)
        if isinstance(data, KeyFault):
            raise data
        return self.key(data, str(path))

    def has(self, path: Path) -> bool:
        """Whether the file was read beforehand."""
        return isinstance(self._data.get(str(path)), tuple)

    def key(self, data: bytes, where: str) -> crypto.PrivateKey:
        """The key in data, tried once.  where names it in messages.  Raises KeyFault."""
        name = blake2b(data, digest_size=16).digest()
        with self._lock:
            ready = self._ready.get(name)
            if ready is not None:
                self._ready.move_to_end(name)
                return ready
        try:
            made = keypair.load(data, where=where, quick=True)
        except Problem as problem:
            raise KeyFault(problem.message, problem.hint) from None
        if name not in self._tried and not _works(made):
            raise KeyFault(f"{where}: the parts of the key do not belong together")
        with self._lock:
            self._tried.add(name)
            self._ready[name] = made
            while len(self._ready) > KEEP:
                self._ready.popitem(last=False)
        return made


def _works(key: crypto.PrivateKey) -> bool:
    """Whether what the private half signs, the public half accepts."""
    try:
        return crypto.is_signed(key.public_key(), crypto.sign(key, _DIGEST), _DIGEST)
    except ValueError:
        return False
