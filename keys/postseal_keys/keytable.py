"""KeyTables as OpenDKIM writes them: which key signs for which domain.

NAME
    keytable - rows ``NAME DOMAIN:SELECTOR:KEY`` of a file or a list

GIVEN
    a dataset: ``file:PATH``, a path, or ``csl:NAME=DOMAIN:SELECTOR:KEY,...``;
    or a configuration file that names one (opendkim.conf or postseal.toml).

GIVES
    KeyRow values in the order of the file; row.load() reads the private key.

DOES NOT
    read data bases: those are refused with a hint.  Raise anything but Problem.

SEE ALSO
    opendkim.conf(5), KeyTable.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from postseal_keys import keypair
from postseal_keys.console import CONFIG, DATAERR, NOINPUT, Problem, os_problem
from postseal_keys.keypair import PrivateKey

_SCHEME = re.compile(r"([a-z]+):")
INCLUDE_MAX = 5  # files of opendkim.conf within each other: OpenDKIM's own limit
_CREDENTIAL = "credential:"
_PATH_STARTS = ("/", "./", "../")


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRow:
    """One row.  domain may be "%": whatever domain the sender has."""

    name: str
    domain: str
    selector: str
    key: str  # a path ("%" in it is the domain), or the key itself
    where: str  # file and line, for messages
    listed: bool = False  # from csl:, and not from a file

    def path(self, domain: str = "") -> str:
        """The key's file, "%" replaced by the domain; empty when the key stands in the row."""
        if not self.key.startswith(_PATH_STARTS):
            return ""
        return self.key.replace("%", domain or self.domain)

    def load(self, domain: str = "") -> PrivateKey:
        """The private key.  Raises Problem."""
        if path := self.path(domain):
            return keypair.load_file(path, trial=True)
        if self.key.startswith(_CREDENTIAL):
            raise Problem(
                f"{self.where}: {self.key} is a credential of systemd, which only the daemon gets",
                hint="use the file that LoadCredential names: -k FILE, or --from-key FILE",
                code=NOINPUT,
            )
        data = self.key.encode("utf-8", "surrogateescape")
        return keypair.tried(keypair.load(data, where=self.where, quick=True), where=self.where)


def read(dataset: str) -> tuple[KeyRow, ...]:
    """All rows of a dataset.  Raises Problem."""
    kind, text = _kind(dataset)
    return tuple(_file_rows(text) if kind == "file" else _list_rows(text))


def read_argument(dataset: str) -> tuple[KeyRow, ...]:
    """All rows of a dataset that stood on the command line.  Raises Problem, also for a
    private key in it: everybody on the host has seen that."""
    rows = read(dataset)
    for row in rows:
        if row.listed and not row.path():
            raise Problem(
                f"{row.where}: a private key on the command line, where everyone can read it",
                hint="put the key into a file, and make a new one if it was in use",
            )
    return rows


def _kind(dataset: str) -> tuple[str, str]:
    """("file", path) or ("csl", list)."""
    scheme = _SCHEME.match(dataset)
    if scheme and scheme[1] in ("file", "csl"):
        return scheme[1], dataset[scheme.end() :]
    if scheme and not Path(dataset).exists():
        raise Problem(
            f"a KeyTable of type {scheme[1]}: cannot be read here",
            hint="write its rows NAME DOMAIN:SELECTOR:KEY to a file and give that",
        )
    return ("csl", dataset) if "=" in dataset and not Path(dataset).exists() else ("file", dataset)


def _file_rows(path: str) -> Iterator[KeyRow]:
    try:
        text = Path(path).read_text("utf-8", "surrogateescape")
    except OSError as error:
        raise os_problem(error, hint="give the path of a KeyTable", code=NOINPUT) from None
    for number, line in enumerate(text.split("\n"), 1):
        words = line.partition("#")[0].split(None, 1)
        if words:
            yield _row(words[0], words[1] if len(words) > 1 else "", f"{path}:{number}")


def _list_rows(text: str) -> Iterator[KeyRow]:
    for number, item in enumerate(text.split(","), 1):
        name, _, value = item.strip().partition("=")
        if name:
            yield replace(_row(name, value, f"KeyTable entry {number}"), listed=True)


def _row(name: str, value: str, where: str) -> KeyRow:
    fields = [field.strip() for field in value.split(":", 2)]
    if len(fields) != 3 or not all(fields):
        raise Problem(
            f"{where}: '{name}' is not followed by DOMAIN:SELECTOR:KEY",
            hint="for example: mail example.com:mail2026:/etc/dkim/mail2026.private",
            code=DATAERR,
        )
    domain, selector, key = fields
    return KeyRow(name=name, domain=domain, selector=selector, key=key, where=where)


def configured_rows(path: str) -> tuple[KeyRow, ...]:
    """All keys a configuration file knows: its KeyTable's, or postseal.toml's [[sign.key]].

    Raises Problem, also when there are none.
    """
    if path.endswith(".toml"):
        sign = _sign(path, _bytes(path))
        rows = tuple(_key_rows(path, sign))
        if rows and not sign.get("key_table"):
            return rows
    return read(configured(path))


def _key_rows(path: str, sign: dict[str, object]) -> Iterator[KeyRow]:
    """[[sign.key]] as rows; a relative file counts from the configuration's directory."""
    domain, keys = sign.get("domain"), sign.get("key")
    for number, key in enumerate(keys if isinstance(keys, list) else (), 1):
        where = f"{path}: [[sign.key]] {number}"
        selector, file = (
            (key.get("selector"), key.get("file")) if isinstance(key, dict) else (None, None)
        )
        if not (isinstance(domain, str) and isinstance(selector, str) and isinstance(file, str)):
            raise Problem(
                f"{where}: not a key with selector and file, or there is no domain",
                hint=f"postseal check-config {path}",
                code=CONFIG,
            )
        yield KeyRow(
            name=selector,
            domain=domain,
            selector=selector,
            key=str(Path(path).resolve().parent / file),
            where=where,
        )


def configured(path: str) -> str:
    """The dataset that a configuration file names as its KeyTable.  Raises Problem."""
    if path.endswith(".toml"):
        found = _from_toml(path, _bytes(path))
    else:
        found = dict(conf_settings(path)).get("keytable", "")  # the last one counts
    if not found:
        raise Problem(
            f"{path}: names no keys",
            hint="name a KeyTable in it, or give one to this command: file:PATH",
            code=CONFIG,
        )
    return found


def _bytes(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise os_problem(error, hint="give a configuration file with -x", code=CONFIG) from None


def conf_settings(path: str, depth: int = 0) -> Iterator[tuple[str, str]]:
    """The settings of an opendkim.conf, names in lower case, Include followed.

    Raises Problem for a file that cannot be read, or that is included too deep.
    """
    if depth > INCLUDE_MAX:
        raise Problem(
            f"{path}: Include is nested more than {INCLUDE_MAX} deep",
            hint="does a file include itself?",
            code=CONFIG,
        )
    for line in _bytes(path).decode("utf-8", "surrogateescape").split("\n"):
        words = line.partition("#")[0].split(None, 1)
        if len(words) < 2:
            continue
        name, value = words[0].lower(), words[1].strip()
        if name == "include":
            yield from conf_settings(value, depth + 1)
        else:
            yield name, value


def _from_toml(path: str, data: bytes) -> str:
    table = _sign(path, data).get("key_table")
    return table if isinstance(table, str) else ""


def configured_nameservers(path: str) -> tuple[str, ...]:
    """The resolvers that a postseal.toml names under [dns].  Raises Problem."""
    servers = _section(path, _bytes(path), "dns").get("nameservers")
    return tuple(map(str, servers)) if isinstance(servers, list) else ()


def _sign(path: str, data: bytes) -> dict[str, object]:
    return _section(path, data, "sign")


def _section(path: str, data: bytes, name: str) -> dict[str, object]:
    """A table of the file; empty when there is none."""
    try:
        table = tomllib.loads(data.decode("utf-8")).get(name)
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise Problem(f"{path}: {error}", hint="see postseal.toml(5)", code=CONFIG) from None
    return table if isinstance(table, dict) else {}
