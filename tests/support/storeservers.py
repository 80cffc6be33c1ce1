"""Servers that keep tables: real ones, on loopback, in directories of their own.

    with storeservers.running("ldap", tmp_path) as server:
        server.put("senders", [("a.example", "k1")])
        server.put("keys", [("k1", "a.example", "sel", "/path")])
        text = server.toml()        # [[table]] called keys, senders, owners and hosts
        server.stop(); server.start(); server.freeze(); server.thaw()

Kinds: sqlite (a file; frozen by a lock), postgresql, mariadb, ldap, redis, valkey.  Tables: keys
(name, domain, selector, key), senders (sender, keyname), owners (author, login), hosts
(client, remark).
"""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import ldap
import redis
import sqlalchemy as sa

from support.child import LOOPBACK, Child, NotReady, free_port, listens

KINDS = ("sqlite", "postgresql", "mariadb", "ldap", "redis", "valkey")
MAYBE = {"valkey": "Debian 13 has it as valkey-server"}  # kinds that not every release has
PASSWORD = "open sesame #1"  # of servers that live for one test
PATH = "/usr/sbin:/usr/bin:/usr/local/bin"
COLUMNS = {
    "keys": ("name", "domain", "selector", "private_key"),
    "senders": ("sender", "keyname"),
    "owners": ("author", "login"),
    "hosts": ("client", "remark"),
}
LIMITS = "timeout = 20.0\nconnections = 2\n"
Rows = Sequence[tuple[str, ...]]


class Server:
    """One server; the subclasses know how theirs is started and filled."""

    program = ""
    user = ""  # of Debian's package, for servers that refuse to be root

    def __init__(self, directory: Path) -> None:
        self.secrets = directory
        self.directory = directory / "server"  # which is the server's own
        self.directory.mkdir()
        self.port = free_port()
        self.secret = directory / "secret"
        self.secret.touch(0o600)
        self.secret.write_text(PASSWORD + "\n")
        self.child: Child | None = None
        self.prepare()

    def prepare(self) -> None:
        """Make its files."""

    def argv(self) -> list[str | Path]:
        raise NotImplementedError

    def url(self, table: str) -> str:
        raise NotImplementedError

    def put(self, table: str, rows: Rows) -> None:
        raise NotImplementedError

    def is_up(self) -> bool:
        return listens(self.port)

    def start(self) -> None:
        self.child = Child(self.argv(), self.secrets / "log")
        try:
            self.child.wait_ready(self.is_up, 60)
        except NotReady:
            self.stop()
            raise

    def stop(self) -> None:
        if self.child is not None:
            self.thaw()
            self.child.stop()

    def freeze(self) -> None:
        """It is there, and says nothing."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self.child is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.child.pid, number)

    def toml(self, limits: str = "") -> str:
        """A [[table]] for each of them."""
        return "".join(
            f'[[table]]\nname = "{name}"\nurl = "{self.url(name)}"\n'
            f'password_file = "{self.secret}"\n{limits or LIMITS}{self.more(name)}'
            for name in COLUMNS
        )

    def more(self, _table: str) -> str:
        return ""

    def owned(self) -> None:
        """Give the directory to the server's user."""
        if os.geteuid() != 0 or not self.user:
            return
        subprocess.run(["chown", "-R", self.user, self.directory], check=True)

    def as_user(self, *argv: str | Path) -> list[str | Path]:
        """The command, as the server's user where we are root."""
        if os.geteuid() != 0 or not self.user:
            return [*argv]
        who = [f"--reuid={self.user}", f"--regid={self.user}", "--init-groups"]
        return ["/usr/bin/setpriv", *who, *argv]


class Sql(Server):
    """What all databases have in common."""

    def engine(self) -> sa.Engine:
        raise NotImplementedError

    def url(self, table: str) -> str:
        name, *values = COLUMNS[table]
        value = f"&value={','.join(values)}" if table != "hosts" else ""
        return f"{self.base()}?table={table_name(table)}&key={name}{value}"

    def base(self) -> str:
        raise NotImplementedError

    def put(self, table: str, rows: Rows) -> None:
        engine = self.engine()
        with engine.begin() as connection:
            name = table_name(table)
            connection.execute(sa.text(f"DELETE FROM {name}"))
            marks = ", ".join(f":{column}" for column in COLUMNS[table])
            named = [dict(zip(COLUMNS[table], row, strict=True)) for row in rows]
            if named:
                connection.execute(sa.text(f"INSERT INTO {name} VALUES ({marks})"), named)
        engine.dispose()

    def create(self) -> None:
        engine = self.engine()
        with engine.begin() as connection:
            for table, columns in COLUMNS.items():
                first, *others = columns
                texts = "".join(f", {column} TEXT" for column in others)
                connection.execute(
                    sa.text(f"CREATE TABLE {table_name(table)} ({first} VARCHAR(255){texts})")
                )
                connection.execute(
                    sa.text(f"CREATE INDEX {table}_by ON {table_name(table)} ({first})")
                )
        engine.dispose()


def table_name(table: str) -> str:
    """KEYS is a word of MySQL's."""
    return f"dkim_{table}"


class Sqlite(Sql):
    """A file.  It cannot be stopped; stop() and freeze() lock it."""

    def prepare(self) -> None:
        self.path = self.directory / "tables.db"
        self.lock: sqlite3.Connection | None = None
        self.create()

    def engine(self) -> sa.Engine:
        return sa.create_engine(f"sqlite:///{self.path}")

    def base(self) -> str:
        return f"sqlite:{self.path}"

    def start(self) -> None:
        self.thaw()

    def stop(self) -> None:
        self.freeze()

    def freeze(self) -> None:
        if self.lock is None:
            self.lock = sqlite3.connect(self.path)
            self.lock.execute("BEGIN EXCLUSIVE")

    def thaw(self) -> None:
        if self.lock is not None:
            self.lock.close()
            self.lock = None


class Postgresql(Sql):
    program, user = "postgres", "postgres"

    def prepare(self) -> None:
        self.data = self.directory / "data"
        secret = self.directory / "secret"
        secret.write_text(PASSWORD + "\n")
        self.owned()
        command = self.as_user(
            program("initdb"), "-D", self.data, "-U", "mail", "-A", "scram-sha-256",
            f"--pwfile={secret}", "--no-sync", "-E", "UTF8", "--locale=C",
        )  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, cwd="/")
        self.start()
        self.create()

    def argv(self) -> list[str | Path]:
        return self.as_user(
            program("postgres"), "-D", self.data, "-p", str(self.port), "-h", LOOPBACK,
            "-k", self.directory, "-F", "-c", "log_statement=all",
        )  # fmt: skip

    def is_up(self) -> bool:
        try:
            self.engine().connect().close()
        except sa.exc.OperationalError:
            return False
        return True

    def _signal(self, number: signal.Signals) -> None:
        """The back ends have sessions of their own."""
        if self.child is None:
            return
        path = Path(f"/proc/{self.child.pid}/task/{self.child.pid}/children")
        for pid in [str(self.child.pid), *(path.read_text().split() if path.exists() else [])]:
            with suppress(ProcessLookupError):
                os.kill(int(pid), number)

    def stop(self) -> None:
        if self.child is not None:
            self.thaw()
            self.child.signal(signal.SIGINT)  # fast: end sessions, not wait for them
            self.child.stop()

    def engine(self) -> sa.Engine:
        url = sa.URL.create("postgresql+psycopg", "mail", PASSWORD, LOOPBACK, self.port, "postgres")
        return sa.create_engine(url, poolclass=sa.NullPool)

    def base(self) -> str:
        return f"postgresql://mail@{LOOPBACK}:{self.port}/postgres"


class Mariadb(Sql):
    program, user = "mariadbd", "mysql"

    def prepare(self) -> None:
        self.data = self.directory / "data"
        self.data.mkdir()
        self.owned()
        command = self.as_user(
            program("mariadb-install-db"), "--no-defaults", f"--datadir={self.data}",
            "--skip-test-db", "--auth-root-authentication-method=normal",
        )  # fmt: skip
        subprocess.run(command, check=True, capture_output=True, cwd="/")
        self.start()
        root = sa.create_engine(
            f"mysql+pymysql://root@{LOOPBACK}:{self.port}/mysql", poolclass=sa.NullPool
        )
        with root.begin() as connection:
            connection.execute(sa.text("CREATE DATABASE mail CHARACTER SET utf8mb4"))
            connection.execute(sa.text(f"CREATE USER mail IDENTIFIED BY '{PASSWORD}'"))
            connection.execute(sa.text("GRANT ALL ON mail.* TO mail"))
        self.create()

    def argv(self) -> list[str | Path]:
        return self.as_user(
            program("mariadbd"), "--no-defaults", f"--datadir={self.data}", f"--port={self.port}",
            f"--bind-address={LOOPBACK}", f"--socket={self.directory}/s", "--skip-name-resolve",
            f"--pid-file={self.directory}/pid", "--innodb-flush-log-at-trx-commit=0",
        )  # fmt: skip

    def engine(self) -> sa.Engine:
        url = sa.URL.create("mysql+pymysql", "mail", PASSWORD, LOOPBACK, self.port, "mail")
        return sa.create_engine(url, poolclass=sa.NullPool)

    def base(self) -> str:
        return f"mariadb://mail@{LOOPBACK}:{self.port}/mail"


SUFFIX = "dc=store,dc=example"
ADMIN = f"cn=mail,{SUFFIX}"
_SLAPD = """\
include /etc/ldap/schema/core.schema
include /etc/ldap/schema/cosine.schema
include /etc/ldap/schema/inetorgperson.schema
pidfile {dir}/pid
modulepath /usr/lib/ldap
moduleload back_mdb
database mdb
suffix "{suffix}"
rootdn "{admin}"
rootpw "{password}"
directory {dir}/data
maxsize 1073741824
dbnosync
index objectClass,cn,mail eq
access to * by dn.exact="{admin}" write by * none
"""


class Ldap(Server):
    program = "slapd"

    def prepare(self) -> None:
        (self.directory / "data").mkdir()
        (self.directory / "slapd.conf").write_text(self.config())
        self.start()
        server = self.bound()
        server.add_s(SUFFIX, attributes(objectClass="dcObject organization", dc="store", o="store"))
        for table in COLUMNS:
            server.add_s(f"ou={table},{SUFFIX}", attributes(objectClass="organizationalUnit"))
        server.unbind_s()

    def argv(self) -> list[str | Path]:
        place = f"ldap://{LOOPBACK}:{self.port}"
        return [program("slapd"), "-d", "0", "-h", place, "-f", self.directory / "slapd.conf"]

    def config(self) -> str:
        return _SLAPD.format(dir=self.directory, suffix=SUFFIX, admin=ADMIN, password=PASSWORD)

    def bound(self) -> Any:
        server: Any = ldap.initialize(f"ldap://{LOOPBACK}:{self.port}")
        server.simple_bind_s(ADMIN, PASSWORD)
        return server

    def url(self, table: str) -> str:
        wanted = {"keys": "o,title,description"}.get(table, "description")
        by = {"keys": "cn"}.get(table, "mail")
        who = ADMIN.replace(",", "%2C")
        place = f"ldap://{LOOPBACK}:{self.port}/ou={table},{SUFFIX}"
        return f"{place}?{wanted}?one?({by}=$d)?bindname={who}"

    def put(self, table: str, rows: Rows) -> None:
        server = self.bound()
        for name, _ in server.search_s(f"ou={table},{SUFFIX}", ldap.SCOPE_ONELEVEL):
            server.delete_s(name)
        for number, (key, *values) in enumerate(rows):
            if table == "keys":
                known = dict(zip(("o", "title", "description"), values, strict=True))
                made = attributes(objectClass="inetOrgPerson", sn="x", **known)
                made = [*made, ("cn", [key.encode()])]
            else:
                made = attributes(objectClass="inetOrgPerson", sn="x", cn=f"n{number}", mail=key)
                made = [*made, ("description", [values[0].encode()])]
            server.add_s(f"uid=n{number},ou={table},{SUFFIX}", made)
        server.unbind_s()


def attributes(**values: str) -> list[tuple[str, list[bytes]]]:
    """Attributes for add_s(); the words of objectClass are several values."""
    return [
        (name, [word.encode() for word in (text.split() if name == "objectClass" else [text])])
        for name, text in values.items()
        if text
    ]


class Redis(Server):
    program, scheme = "redis-server", "redis"

    def prepare(self) -> None:
        self.start()

    def argv(self) -> list[str | Path]:
        return [
            program(self.program), "--port", str(self.port), "--bind", LOOPBACK, "--dir",
            self.directory, "--requirepass", PASSWORD, "--appendonly", "yes", "--save", "",
        ]  # fmt: skip

    def client(self) -> redis.Redis:
        return redis.Redis(port=self.port, password=PASSWORD)

    def url(self, table: str) -> str:
        if table == "keys":
            return f"{self.base()}?hash=dkim-keys"
        return f"{self.base()}?prefix=dkim:{table}:"

    def base(self) -> str:
        return f"{self.scheme}://{LOOPBACK}:{self.port}/0"

    def put(self, table: str, rows: Rows) -> None:
        client = self.client()
        if table == "keys":
            client.delete("dkim-keys")
            for key, *values in rows:
                client.hset("dkim-keys", key, ":".join(values))
        else:
            for name in client.scan_iter(f"dkim:{table}:*"):
                client.delete(name)
            together: dict[str, list[str]] = {}
            for key, value in rows:
                together.setdefault(key, []).append(value)
            for key, lines in together.items():
                client.set(f"dkim:{table}:{key}", "\n".join(lines))
        client.close()


class Valkey(Redis):
    program, scheme = "valkey-server", "valkey"


MADE: dict[str, Callable[[Path], Server]] = {
    "sqlite": Sqlite,
    "postgresql": Postgresql,
    "mariadb": Mariadb,
    "ldap": Ldap,
    "redis": Redis,
    "valkey": Valkey,
}


def program(name: str) -> str:
    """Where it is; PostgreSQL's are not on the path in Debian.  Raises NotReady."""
    found = shutil.which(name, path=PATH)
    for folder in sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True):
        found = found or shutil.which(name, path=str(folder))
    if found is None:
        raise NotReady(f"{name} is not installed")
    return found


def missing(kind: str) -> str:
    """The program that is not installed; "" when all is there."""
    name = getattr(MADE[kind], "program", "")
    try:
        return "" if not name or program(name) else name
    except NotReady:
        return str(name)


@contextmanager
def running(kind: str, directory: Path) -> Iterator[Server]:
    """The server, until the end of the with statement.

    directory must let the servers' own users pass, as pytest's does not.
    """
    place = directory / kind
    place.mkdir(parents=True)
    server = MADE[kind](place)
    try:
        yield server
    finally:
        server.stop()
        server.thaw()
