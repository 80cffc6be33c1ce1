"""Tables in every kind of store: the real servers, up, down and stuck."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from ipaddress import ip_address
from pathlib import Path

import pytest

from postseal.conf import load
from postseal.conf.mistake import ConfigError, Mistake, Severity
from postseal.core.signing import Choice, LoginTable, SigningUnavailable
from postseal.tables import site
from postseal.tables.store import Author
from support import storeservers
from support.child import LOOPBACK, wait_until
from support.daemon import Daemon
from support.milterclient import MilterClient
from support.sites import private
from support.storeservers import PASSWORD, Server

pytestmark = pytest.mark.e2e

SQL = ("sqlite", "postgresql", "mariadb")
SHORT = "timeout = 2.0\nconnections = 2\ncache = 1\ncache_negative = 1\nretry = 1\n"
STALE = "stale = 600\n"
# Where the server is stopped, which is noticed at once: the first question must not be too slow
# for a busy machine.
PATIENT = SHORT.replace("timeout = 2.0", "timeout = 15.0")
ROWS = [
    ("joe@a.example", "k1:joe@%"),
    ("a.example", "k2"),
    (".a.example", "k2:@%"),
    ("ann@.example", "k1"),
    ("b.example", "k1"),
    ("b.example", "k2"),
    ("lost.example", "nokey"),
    ("bad.example", "k1:no-identity"),
    ("quote'd@c.example", "k2"),
    ("star*(x)@c.example", "k1"),
]
OWNERS = [
    ("joe@a.example", "%"),
    ("info@a.example", "ann"),
    ("info@a.example", "bob, carl"),
    ("b.example", "*"),
]
HOSTS = [
    ("192.0.2.0/24", "office"),
    ("!192.0.2.7", "printer"),
    ("2001:db8:1::/48", "office"),
    ("198.51.100.9", "one"),
    (".relay.example", "ours"),
    ("!bad.relay.example", "not this one"),
]


@dataclass
class Told:
    """What would have gone into the log."""

    lines: list[dict[str, str]] = field(default_factory=list)

    def __call__(self, _level: str, pairs: list[tuple[str, str]]) -> None:
        self.lines.append(dict(pairs))

    def events(self, name: str) -> list[dict[str, str]]:
        return [line for line in self.lines if line["event"] == name]


def passable(directory: Path) -> Path:
    """The directory, so that the servers' own users get in."""
    directory.chmod(0o755)
    return directory


@pytest.fixture(scope="module", params=storeservers.KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    kind: str = request.param
    if lacking := storeservers.missing(kind):
        if kind in storeservers.MAYBE:
            pytest.skip(f"{lacking} is not installed: {storeservers.MAYBE[kind]}")
        if os.environ.get("POSTSEAL_E2E") == "required":
            pytest.fail(f"these tests need {lacking}")
        pytest.skip(f"these tests need {lacking}: sh contrib/test.sh brings it")
    with (
        tempfile.TemporaryDirectory(prefix="postseal-stores-") as directory,
        storeservers.running(kind, passable(Path(directory))) as made,
    ):
        folder = made.secrets
        for name in ("k1", "k2"):
            private(folder / name)
        keys = [("k1", "%", "s1", f"{folder}/k1"), ("k2", "a.example", "s2", f"{folder}/k2")]
        made.put("keys", [*keys, ("broken", "a.example", "s", "")])
        made.put("senders", ROWS)
        made.put("owners", OWNERS)
        made.put("hosts", HOSTS)
        yield made


def of(*kinds: str) -> pytest.MarkDecorator:
    """Only these servers."""
    return pytest.mark.parametrize("server", kinds, indirect=True)


def harm(found: Iterable[Mistake]) -> list[Mistake]:
    """What is more than a note: the file often has a [[table]] too many for one test."""
    return [one for one in found if one.severity is not Severity.NOTE]


MADE: list[site.Site] = []


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    """Connections that are left to the garbage collector complain."""
    yield
    while MADE:
        MADE.pop().close()


def configured(
    server: Server, told: Told | None = None, limits: str = "", more: str = ""
) -> site.Site:
    file = server.secrets / "postseal.toml"
    file.write_text(
        '[sign]\nkey_table = "table:keys"\nsigning_table = "table:senders"\n'
        f'sender_login = "table:owners"\n{more}{server.toml(limits)}'
    )
    return loaded(file, told)


def loaded(file: Path, told: Told | None = None) -> site.Site:
    made = site.load(load.read(file), tell=told or Told())
    MADE.append(made)
    return made


@pytest.fixture(scope="module")
def usual(server: Server) -> Iterator[site.Site]:
    """The tables as they are, for tests that only ask."""
    made = configured(server)
    MADE.remove(made)
    yield made
    made.close()


def short(choices: tuple[Choice, ...]) -> list[tuple[str, str | None]]:
    return [(choice.key.query_name, choice.identity) for choice in choices]


A1, A2 = "s1._domainkey.a.example", "s2._domainkey.a.example"


@pytest.mark.parametrize(
    ("author", "choices"),
    [
        pytest.param("joe@a.example", [(A1, "joe@a.example")], id="user-before-domain"),
        pytest.param("JOE@a.example", [(A1, "joe@a.example")], id="case"),
        pytest.param("bob@a.example", [(A2, None)], id="domain"),
        pytest.param("x@sub.a.example", [(A2, "@sub.a.example")], id="parent"),
        pytest.param("ann@sub.a.example", [(A2, "@sub.a.example")], id="nearest-parent"),
        pytest.param("ann@z.example", [("s1._domainkey.z.example", None)], id="user-at-parent"),
        pytest.param("bob@z.example", [], id="nobody"),
        pytest.param("bob@a.test", [], id="other-top"),
        pytest.param("quote'd@c.example", [(A2, None)], id="quote"),
        pytest.param(
            "star*(x)@c.example", [("s1._domainkey.c.example", None)], id="filter-characters"
        ),
        pytest.param("' OR '1'='1@c.example", [], id="sql-in-the-author"),
        pytest.param("*)(mail=*@c.example", [], id="filter-in-the-author"),
        pytest.param("%@c.example", [], id="like-in-the-author"),
        pytest.param("\\@c.example", [], id="backslash"),
        pytest.param("jo\r\nGET x@c.example", [], id="line-ends"),
        pytest.param("j\u00f6e@c.example", [], id="not-ascii"),
        pytest.param(f"{'x' * 5000}@c.example", [], id="long"),
    ],
)
def test_the_rows_that_count(
    usual: site.Site, author: str, choices: list[tuple[str, str | None]]
) -> None:
    assert short(usual.chooser.choose(author)) == choices


def test_every_row_signs_where_that_is_wanted(server: Server) -> None:
    made = configured(server, more="multiple_signatures = true\n")
    assert [name for name, _ in short(made.chooser.choose("x@b.example"))] == [
        "s1._domainkey.b.example",
        A2,
    ]


@pytest.mark.parametrize(
    ("author", "part"),
    [
        pytest.param("x@lost.example", "'nokey'", id="no-such-key"),
        pytest.param("x@bad.example", "no-identity", id="bad-row"),
    ],
)
def test_a_row_that_cannot_be_used_is_said(usual: site.Site, author: str, part: str) -> None:
    with pytest.raises(SigningUnavailable, match=part):
        usual.chooser.choose(author)


@pytest.mark.parametrize(
    ("login", "author", "allowed"),
    [
        pytest.param("joe@a.example", "joe@a.example", True, id="own"),
        pytest.param("bob", "joe@a.example", False, id="other"),
        pytest.param("ann", "info@a.example", True, id="first-row"),
        pytest.param("carl", "info@a.example", True, id="second-row"),
        pytest.param("dora", "info@a.example", False, id="no-row"),
        pytest.param("dora", "x@b.example", True, id="everybody"),
        pytest.param("dora", "x@c.example", False, id="unlisted"),
    ],
)
def test_logins(usual: site.Site, login: str, author: str, allowed: bool) -> None:
    assert logins(usual).allows(login, author) is allowed


def logins(made: site.Site) -> LoginTable:
    assert made.logins is not None
    return made.logins


@pytest.mark.parametrize(
    ("address", "name", "listed"),
    [
        pytest.param("192.0.2.1", "", True, id="network"),
        pytest.param("192.0.2.7", "", False, id="exception"),
        pytest.param("192.0.3.1", "", False, id="other"),
        pytest.param("::ffff:192.0.2.1", "", True, id="mapped"),
        pytest.param("2001:db8:1:2::3", "", True, id="ipv6"),
        pytest.param("2001:db8:2::3", "", False, id="ipv6-other"),
        pytest.param("198.51.100.9", "x.test", True, id="address"),
        pytest.param("203.0.113.1", "Mx1.Relay.Example.", True, id="parent"),
        pytest.param("203.0.113.1", "bad.relay.example", False, id="name-excepted"),
        pytest.param("192.0.2.1", "bad.relay.example", False, id="name-before-address"),
        pytest.param("203.0.113.1", "' OR '1'='1", False, id="sql-in-the-name"),
        pytest.param("203.0.113.1", "*)(mail=*", False, id="filter-in-the-name"),
        pytest.param("127.0.0.1", "", True, id="written-beside-it"),
    ],
)
def test_hosts(server: Server, address: str, name: str, listed: bool) -> None:
    file = server.secrets / "hosts.toml"
    file.write_text(f'[roles]\ninternal_hosts = ["127.0.0.0/8", "table:hosts"]\n{server.toml()}')
    made = loaded(file)
    assert not harm(made.remarks)
    assert made.internal.matches(ip_address(address), name) is listed


def raises(work: Callable[[], object]) -> bool:
    try:
        work()
    except SigningUnavailable:
        return True
    return False


# With what a thread was left behind on, nobody can close in time.
LEFT = pytest.mark.filterwarnings("ignore:.*:pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(params=["stop", "freeze"])
def outage(server: Server, request: pytest.FixtureRequest) -> Iterator[tuple[Server, str]]:
    """A server, and how it goes out; it is up again after the test."""
    yield server, request.param
    server.thaw()
    if not isinstance(server, storeservers.Sqlite) and not server.is_up():
        server.start()


def end(server: Server, how: str) -> None:
    (server.start if how == "stop" else server.thaw)()


@LEFT
@pytest.mark.parametrize(
    ("server", "outage"),
    [
        (kind, how)
        for kind in storeservers.KINDS
        for how in ("stop", "freeze")
        if (kind, how) != ("sqlite", "stop")  # there is no server
    ],
    indirect=True,
)
def test_old_answers_serve_while_it_is_out_and_not_for_ever(outage: tuple[Server, str]) -> None:
    server, how = outage
    told = Told()
    patience = 10 if how == "stop" else 600  # a frozen one costs two seconds for every question
    made = configured(server, told, SHORT + f"stale = {patience}\n")
    before = short(made.chooser.choose("bob@a.example"))
    allowed = logins(made).allows("ann", "info@a.example")
    getattr(server, how)()
    time.sleep(1.1)  # nothing is fresh any more
    for _ in range(3 if how == "stop" else 1):
        assert short(made.chooser.choose("bob@a.example")) == before
        assert logins(made).allows("ann", "info@a.example") is allowed
    with pytest.raises(SigningUnavailable, match="does not answer"):
        made.chooser.choose("never.asked@a.example")
    assert {line["table"] for line in told.events("table-down")} == {"senders", "keys", "owners"}
    assert not told.events("table-up")
    if how == "stop":
        wait_until(lambda: raises(lambda: made.chooser.choose("bob@a.example")), "impatience")
        wait_until(lambda: raises(lambda: logins(made).allows("ann", "info@a.example")), "it too")
    assert len(told.events("table-down")) == 3  # once each, not for every message
    end(server, how)
    wait_until(lambda: not raises(lambda: made.chooser.choose("new@a.example")), "an answer")
    wait_until(lambda: not raises(lambda: logins(made).allows("ann", "info@a.example")), "logins")
    assert short(made.chooser.choose("new@a.example")) == [(A2, None)]
    assert len(told.events("table-up")) == 3
    assert PASSWORD not in str(told.lines)


MAIL = b"From: %s\nTo: b@b.example\nSubject: hello\nDate: now\n\nbody\n"


def sent(daemon: Daemon, author: str, address: str = LOOPBACK) -> str:
    """The selectors that signed, or the refusal."""
    with MilterClient((LOOPBACK, daemon.port)) as client:
        client.negotiate()
        client.connect("localhost", address)
        client.helo()
        reply = client.message(MAIL % author.encode())
    return reply.text[:3] or ",".join(
        field.partition(" s=")[2].partition(";")[0] for field in reply.inserted("DKIM-Signature")
    )


@pytest.mark.parametrize("outage", ["stop"], indirect=True)
def test_a_daemon_through_an_outage(outage: tuple[Server, str]) -> None:
    """All of it: a user without rights, fork, the log, and mail that is told to come again."""
    server, _ = outage
    folder = server.secrets
    daemon = Daemon(folder, "daemon")
    daemon.configure(
        f'[sign]\nkey_table = "csl:k1=%:s1:{folder}/k1,k2=a.example:s2:{folder}/k2"\n'
        f'signing_table = "table:senders"\n{server.toml(PATIENT + STALE)}',
        {"watch": "0", "workers": "1"},
    )
    daemon.start()
    try:
        assert sent(daemon, "bob@a.example") == "s2"
        assert sent(daemon, "bob@c.test") == ""
        server.stop()
        time.sleep(1.1)
        assert sent(daemon, "bob@a.example") == "s2"
        assert sent(daemon, "bob@c.test") == ""
        assert sent(daemon, "new@a.example") == "451"
        assert daemon.log_text().count("event=table-down table=senders") == 1
        assert "senders does not answer" in daemon.log_text()
        server.start()
        wait_until(lambda: sent(daemon, "new@a.example") == "s2", "the table")
        assert daemon.log_text().count("event=table-up table=senders") == 1
        assert PASSWORD not in daemon.log_text()
    finally:
        daemon.stop()


@pytest.mark.parametrize("outage", ["stop"], indirect=True)
@pytest.mark.parametrize(("fault", "unknown"), [("tempfail", "451"), ("accept", "")])
def test_a_daemon_whose_hosts_are_elsewhere(
    outage: tuple[Server, str], fault: str, unknown: str
) -> None:
    """A client that nothing else decides about waits, or counts as a stranger."""
    server, _ = outage
    folder = server.secrets
    daemon = Daemon(folder, f"hosts-{fault}")
    daemon.configure(
        f'[sign]\nkey_table = "csl:k1=%:s1:{folder}/k1"\nsigning_table = "csl:a.example=k1"\n'
        f'on_signing_error = "{fault}"\n[roles]\ninternal_hosts = ["127.0.0.2", "table:hosts"]\n'
        f'[dns]\nnameservers = ["127.0.0.1:9"]\n{server.toml(PATIENT + STALE)}',
        {"watch": "0", "workers": "1"},
    )
    daemon.start()
    try:
        assert sent(daemon, "bob@a.example", "192.0.2.1") == "s1"
        assert sent(daemon, "bob@a.example", "203.0.113.1") == ""
        assert "reason=outside" in daemon.log_text()
        server.stop()
        time.sleep(1.1)
        assert sent(daemon, "bob@a.example", "192.0.2.1") == "s1"
        assert sent(daemon, "bob@a.example", "203.0.113.1") == ""
        assert sent(daemon, "bob@a.example", "127.0.0.2") == "s1"
        assert sent(daemon, "bob@a.example", "192.0.2.2") == unknown
        assert daemon.log_text().count("event=table-down table=hosts") == 1
        assert "hosts does not answer" in daemon.log_text()
        server.start()
        wait_until(lambda: sent(daemon, "bob@a.example", "192.0.2.2") == "s1", "the table")
    finally:
        daemon.stop()


@LEFT
@pytest.mark.parametrize("outage", ["stop"], indirect=True)
def test_a_table_that_is_out_keeps_nobody_from_starting(outage: tuple[Server, str]) -> None:
    server, how = outage
    getattr(server, how)()
    told = Told()
    made = configured(server, told, SHORT)
    dead = harm(made.remarks)
    assert [one.severity for one in dead] == [Severity.DEAD] * 3
    assert all("does not answer" in one.what for one in dead)
    assert raises(lambda: made.chooser.choose("bob@a.example"))
    end(server, how)
    wait_until(lambda: not raises(lambda: made.chooser.choose("bob@a.example")), "an answer")


def test_a_changed_row_counts_once_the_old_one_is_forgotten(server: Server) -> None:
    made = configured(server, limits=SHORT)
    assert short(made.chooser.choose("bob@a.example")) == [(A2, None)]
    assert made.chooser.choose("x@later.example") == ()
    server.put("senders", [*ROWS[2:], ("a.example", "k1"), ("later.example", "k1")])
    try:
        wait_until(lambda: short(made.chooser.choose("bob@a.example")) == [(A1, None)], "the row")
        wait_until(lambda: made.chooser.choose("x@later.example"), "the new row")
    finally:
        server.put("senders", ROWS)


@of(*(kind for kind in storeservers.KINDS if kind != "sqlite"))  # it has none
def test_a_wrong_password_is_said_without_telling_it(server: Server) -> None:
    server.secret.write_text("wrong horse\n")
    try:
        made = configured(server)
    finally:
        server.secret.write_text(PASSWORD + "\n")
    assert len(harm(made.remarks)) == 3
    assert "wrong horse" not in str(made.remarks)


BAD_SQL = {
    "no-such-table": ("?table=nowhere&key=a&value=b", ""),
    "no-such-column": ("?table=dkim_senders&key=sender&value=nothing", ""),
    "syntax": ("", "SELEC sender FROM dkim_senders WHERE sender IN :keys"),
    "no-parameter": ("", "SELECT sender FROM dkim_senders"),
    "unknown-parameter": ("", "SELECT 1 WHERE 1 IN :keys AND :who = 2"),
}
BAD_LDAP = {
    "no-such-base": ("/dc=nowhere?mail?one?(mail=$d)", ""),
    "filter-syntax": ("/dc=store?mail?one?(mail=$d", ""),
}


@pytest.mark.parametrize(
    ("server", "url", "query"),
    [
        pytest.param(kind, *asked, id=f"{kind}-{name}")
        for kinds, questions in ((SQL, BAD_SQL), (("ldap",), BAD_LDAP))
        for kind in kinds
        for name, asked in questions.items()
    ],
    indirect=["server"],
)
def test_a_question_that_cannot_be_asked_is_refused(server: Server, url: str, query: str) -> None:
    place = server.url("senders")
    if isinstance(server, storeservers.Sql):
        place = server.base() + url
    else:
        place = place.partition("/ou=")[0] + url + "?bindname=" + place.rpartition("=")[2]
    file = server.secrets / "bad.toml"
    file.write_text(
        '[sign]\nkey_table = "table:keys"\nsigning_table = "table:mine"\n'
        f'[[table]]\nname = "mine"\nurl = "{place}"\nquery = "{query}"\n'
        f'password_file = "{server.secret}"\n{server.toml()}'
    )
    with pytest.raises(ConfigError) as caught:
        site.load(load.read(file))
    (mistake,) = harm(caught.value.mistakes)
    assert (mistake.line, mistake.key) == (3, "sign.signing_table")


@of("ldap")
def test_each_domain_in_a_place_of_its_own(server: Server) -> None:
    """Domains that have no such place have no rows; that is no mistake."""
    assert isinstance(server, storeservers.Ldap)
    directory = server.bound()
    home = f"dc=mine,{storeservers.SUFFIX}"
    made = storeservers.attributes(objectClass="dcObject organization", o="o", dc="mine")
    directory.add_s(home, made)
    made = storeservers.attributes(objectClass="inetOrgPerson", sn="x", cn="x")
    made += [("mail", [b"x@mine.store.example"]), ("description", [b"k1 "])]
    directory.add_s(f"uid=x,{home}", made)
    directory.unbind_s()
    place = server.url("senders").replace(f"ou=senders,{storeservers.SUFFIX}", "$D")
    key = private(server.secrets / "own.pem")
    file = server.secrets / "own.toml"
    file.write_text(
        f'[sign]\nkey_table = "csl:k1=%:s1:{key}"\nsigning_table = "table:mine"\n'
        f'[[table]]\nname = "mine"\nurl = "{place}"\npassword_file = "{server.secret}"\n'
    )
    found = loaded(file).chooser
    assert short(found.choose("x@mine.store.example")) == [
        ("s1._domainkey.mine.store.example", None)
    ]
    assert found.choose("x@other.store.example") == found.choose("x@none.test") == ()


@of(*SQL)
@pytest.mark.parametrize(
    "query",
    [
        pytest.param("SELECT sender, keyname FROM dkim_senders WHERE sender IN :keys", id="keys"),
        pytest.param("SELECT keyname FROM dkim_senders WHERE sender = :key", id="key"),
        pytest.param(
            "SELECT :domain, keyname FROM dkim_senders WHERE sender IN :keys AND sender = :domain",
            id="domain",
        ),
    ],
)
def test_a_query_of_ones_own(server: Server, query: str) -> None:
    assert isinstance(server, storeservers.Sql)
    file = server.secrets / "query.toml"
    file.write_text(
        '[sign]\nkey_table = "table:keys"\nsigning_table = "table:mine"\n'
        f'[[table]]\nname = "mine"\nurl = "{server.base()}"\nquery = "{query}"\n'
        f'password_file = "{server.secret}"\n{server.toml()}'
    )
    made = loaded(file)
    assert short(made.chooser.choose("bob@a.example")) == [(A2, None)]
    assert made.chooser.choose("' OR ''='@c.test") == ()


@of("postgresql")
def test_a_session_without_our_options(server: Server) -> None:
    """As PgBouncer needs it: then nothing but the user's rights keeps a question from writing."""
    assert isinstance(server, storeservers.Postgresql)
    file = server.secrets / "options.toml"
    file.write_text(
        '[sign]\nkey_table = "table:keys"\nsigning_table = "table:mine"\n'
        f'[[table]]\nname = "mine"\nurl = "{server.base()}?options="\n'
        f"query = \"SELECT :key, current_setting('default_transaction_read_only')\"\n"
        f'password_file = "{server.secret}"\n{server.toml()}'
    )
    made = loaded(file)
    (senders, *_) = [one for one in made.remotes if one.name == "mine"]
    assert [row.value for row in senders.rows(["x"], Author())] == ["x:off"]


@of("sqlite", "postgresql")
def test_a_database_is_only_read(server: Server) -> None:
    """A question that writes is refused by the database, where it knows read-only sessions."""
    assert isinstance(server, storeservers.Sql)
    file = server.secrets / "write.toml"
    query = "DELETE FROM dkim_senders WHERE sender IN :keys RETURNING sender, keyname"
    file.write_text(
        '[sign]\nkey_table = "table:keys"\nsigning_table = "table:mine"\n'
        f'[[table]]\nname = "mine"\nurl = "{server.base()}"\nquery = "{query}"\n'
        f'password_file = "{server.secret}"\n{server.toml()}'
    )
    try:
        made = loaded(file)
    except ConfigError:
        pass
    else:
        assert raises(lambda: made.chooser.choose("bob@a.example"))
    assert short(configured(server).chooser.choose("bob@a.example")) == [(A2, None)]
