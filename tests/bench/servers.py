"""Every program that is measured: how to configure it and what must come of its work.

NAME
    servers - postseal, its peers and the floor, each as one Server

GIVEN
    a directory for configurations and sockets, the corpus.

GIVES
    Servers with the commands that run in the foreground, the part of the corpus each is
    driven with, and what the fields that it inserts must match.

The peers run as Debian ships them, all on unix sockets, none of them logging (which costs
them less), with file tables and without statistics.  postseal writes its line per message.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench.corpus import AUTHSERV_ID, DOMAINS, INSIDE, SELECTOR, Corpus

ROOT = Path(__file__).resolve().parents[2]
NAMESERVER, NAMESERVER_300 = "127.0.0.77", "127.0.0.78"  # the second answers with TTL 300

DKIM_PASS = r"^Authentication-Results: .*dkim=pass.*header\.d=@D@[; ]"
SPF_PASS = r"^Authentication-Results: .*spf=pass"
DMARC_PASS = r"^Authentication-Results: .*dmarc=pass.*header\.from=@D@"
SIGNED = r"^DKIM-Signature: .* ?d=@D@;.*b= *[A-Za-z0-9+/ ]{300,}"
OPENDMARC_PASS = r"^Authentication-Results: .*dmarc=pass.*header\.from=@D@"


@dataclass(frozen=True, kw_only=True)
class Server:
    """One program to measure."""

    name: str
    argv: tuple[str, ...]
    socket: Path
    corpus: str
    expected: tuple[str, ...]
    passes: int = 2  # over the corpus, for one measurement: about as long for every server
    kept: bool = True  # whether many messages may come over one connection
    needs: str = ""  # a program that must be there
    environment: dict[str, str] = field(default_factory=dict)

    @property
    def there(self) -> bool:
        """Whether this machine has it."""
        return not self.needs or shutil.which(self.needs) is not None


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where servers find and put their things."""

    directory: Path
    corpus: Corpus
    tools: Path  # where load and floor were built
    workers: int = 2

    def file(self, name: str, text: str) -> Path:
        """Write a configuration file."""
        path = self.directory / name
        path.write_text(text)
        return path

    def socket(self, name: str) -> Path:
        """Where the server of that name listens."""
        return self.directory / f"{name}.sock"

    def tables(self) -> tuple[Path, Path]:
        """KeyTable and SigningTable, as OpenDKIM, dkimpy-milter and postseal read them."""
        keys = self.corpus.directory / "keys"
        rows = [f"{name} {name}:{SELECTOR}:{keys / name}.rsa\n" for name in DOMAINS]
        senders = [f"*@{name} {name}\n" for name in DOMAINS]
        return self.file("keytable", "".join(rows)), self.file("signingtable", "".join(senders))


def all_servers(place: Place) -> list[Server]:
    """In the order in which a round drives them."""
    makers: list[Callable[[Place], Iterator[Server]]] = [
        _postseal, _opendkim, _pyspf, _opendmarc, _rspamd, _dkimpy, _floor,
    ]  # fmt: skip
    return [server for make in makers for server in make(place)]


# -- ours ------------------------------------------------------------------------------------


def postseal_config(place: Place, name: str, nameserver: str, tables: tuple[Path, Path]) -> str:
    """postseal.toml for one instance."""
    key_table, signing_table = tables
    return f"""
authserv_id = "{AUTHSERV_ID}"
socket = "unix:{place.socket(name)}"
user = "nobody"
workers = {place.workers}
[log]
target = "stderr"
[roles]
internal_hosts = ["{INSIDE}"]
[sign]
key_table = "file:{key_table}"
signing_table = "refile:{signing_table}"
[dmarc]
reject = true
[dns]
nameservers = ["{nameserver}"]
"""


def postseal(
    place: Place, name: str, nameserver: str, tables: tuple[Path, Path] | None = None
) -> Server:
    """An instance of ours, driven with inbound mail."""
    text = postseal_config(place, name, nameserver, tables or place.tables())
    config = place.file(f"{name}.toml", text)
    return Server(
        name=name,
        argv=(sys.executable, "-m", "postseal.cli.main", "run", "--config", str(config)),
        socket=place.socket(name),
        corpus="inbound",
        expected=(DKIM_PASS, SPF_PASS, DMARC_PASS),
        passes=6,
        environment={
            "PYTHONPATH": f"{ROOT / 'milter'}:{ROOT / 'keys'}",
        },
    )


def also_signing(server: Server) -> Server:
    """The same process, driven with outbound mail."""
    return Server(
        name=f"{server.name}-sign",
        argv=(),
        socket=server.socket,
        corpus="outbound",
        expected=(SIGNED,),
        passes=server.passes,
    )


def _postseal(place: Place) -> Iterator[Server]:
    """One daemon does both ways; the second is the same daemon behind a caching resolver."""
    ours = postseal(place, "postseal", NAMESERVER)
    yield ours
    yield also_signing(ours)
    yield postseal(place, "postseal-ttl300", NAMESERVER_300)


# -- peers -----------------------------------------------------------------------------------


def _opendkim(place: Place) -> Iterator[Server]:
    key_table, signing_table = place.tables()
    hosts = place.file("internal", f"{INSIDE}\n")
    common = f"""
Syslog no
Background no
UMask 000
AuthservID {AUTHSERV_ID}
Nameservers {NAMESERVER}
InternalHosts {hosts}
RequireSafeKeys no
"""
    signing = f"""
Mode s
Canonicalization relaxed/relaxed
OversignHeaders From
KeyTable file:{key_table}
SigningTable refile:{signing_table}
"""
    for name, mode, corpus, expected in (
        ("opendkim-verify", "Mode v\n", "inbound", DKIM_PASS),
        ("opendkim-sign", signing, "outbound", SIGNED),
    ):
        config = place.file(f"{name}.conf", common + mode)
        yield Server(
            name=name,
            argv=("opendkim", "-f", "-x", str(config), "-p", f"local:{place.socket(name)}"),
            socket=place.socket(name),
            corpus=corpus,
            expected=(expected,),
            passes=3,
            needs="opendkim",
        )


def _pyspf(place: Place) -> Iterator[Server]:
    """HELO is not checked, as with us."""
    name = "pyspf-milter"
    config = place.file(
        "pyspf.conf",
        f"""debugLevel = 0
HELO_reject = No_Check
Mail_From_reject = Fail
Header_Type = AR
Authserv_Id = {AUTHSERV_ID}
Socket = local:{place.socket(name)}
PidFile = {place.directory}/pyspf.pid
UserID = root
UMask = 0
InternalHosts = 127.0.0.1
""",
    )
    yield Server(
        name=name,
        argv=("/usr/bin/pyspf-milter", str(config)),
        socket=place.socket(name),
        corpus="inbound",
        expected=(SPF_PASS,),
        needs="pyspf-milter",
    )


def _opendmarc(place: Place) -> Iterator[Server]:
    """Behind others' results, and with its own SPF check."""
    suffixes = Path("/usr/share/publicsuffix/public_suffix_list.dat")
    for name, corpus, own in (
        ("opendmarc", "marked", "no"),
        ("opendmarc-spf", "marked", "yes"),
    ):
        config = place.file(
            f"{name}.conf",
            f"""AuthservID {AUTHSERV_ID}
TrustedAuthservIDs {AUTHSERV_ID}
Background no
Syslog no
UMask 000
SPFSelfValidate {own}
SPFIgnoreResults {own}
IgnoreHosts {place.file("dmarc-ignored", "127.0.0.1")}
{f"PublicSuffixList {suffixes}" if suffixes.exists() else ""}
""",
        )
        yield Server(
            name=name,
            argv=("opendmarc", "-f", "-c", str(config), "-p", f"local:{place.socket(name)}"),
            socket=place.socket(name),
            corpus=corpus,
            expected=(OPENDMARC_PASS,),
            passes=4,
            needs="opendmarc",
        )


def _rspamd(place: Place) -> Iterator[Server]:
    """DKIM, SPF and DMARC alone, in its proxy's own processes."""
    name = "rspamd"
    home = place.directory / "rspamd"
    home.mkdir(exist_ok=True)
    place.file("tlds", "com\norg\nnet\nexample\n")
    config = place.file(
        "rspamd.conf",
        f"""
options {{
    pidfile = "{home}/pid"; tempdir = "{home}"; url_tld = "{place.directory}/tlds";
    filters = "dkim,spf"; local_addrs = ["127.0.0.1"]; check_all_filters = false;
    dns {{ nameserver = ["{NAMESERVER}"]; timeout = 5s; }}
    control_socket = "{home}/control mode=0600"; rrd = ""; stats_file = "{home}/stats";
    disable_hyperscan = true;
}}
logging {{ type = "file"; filename = "{home}/log"; level = "error"; }}
worker "rspamd_proxy" {{
    bind_socket = "{place.socket(name)} mode=0666"; milter = yes; timeout = 120s;
    count = {place.workers};
    upstream "local" {{ default = yes; self_scan = yes; }}
}}
lua = "/usr/share/rspamd/rules/rspamd.lua"
metric {{ name = "default"; actions {{ reject = 1000; }} }}
modules {{
    path = "/usr/share/rspamd/plugins/spf.lua";
    path = "/usr/share/rspamd/plugins/dmarc.lua";
    path = "/usr/share/rspamd/plugins/milter_headers.lua";
}}
dkim {{ dkim_cache_size = 1; }}
spf {{ spf_cache_size = 1; }}
dmarc {{ }}
milter_headers {{
    use = ["authentication-results"]; skip_local = false; skip_authenticated = false;
    routines {{ authentication-results {{ header = "Authentication-Results"; remove = 0; }} }}
}}
""",
    )
    yield Server(
        name=name,
        argv=("rspamd", "-f", "-i", "-c", str(config)),
        socket=place.socket(name),
        corpus="inbound",
        expected=(DKIM_PASS, SPF_PASS, DMARC_PASS),
        passes=3,
        kept=False,
        needs="rspamd",
    )


def _dkimpy(place: Place) -> Iterator[Server]:
    key_table, signing_table = place.tables()
    common = f"""
Syslog no
UMask 000
UserID root
AuthservID {AUTHSERV_ID}
InternalHosts {INSIDE}
"""
    signing = f"""
Mode s
Canonicalization relaxed/relaxed
KeyTable file:{key_table}
SigningTable refile:{signing_table}
"""
    for name, mode, corpus, expected in (
        ("dkimpy-verify", "Mode v\n", "inbound", DKIM_PASS),
        ("dkimpy-sign", signing, "outbound", SIGNED),
    ):
        config = place.file(
            f"{name}.conf",
            f"{common}{mode}Socket local:{place.socket(name)}\n"
            f"PidFile {place.directory}/{name}.pid\n",
        )
        yield Server(
            name=name,
            argv=("/usr/bin/dkimpy-milter", str(config)),
            socket=place.socket(name),
            corpus=corpus,
            expected=(expected,),
            passes=1,
            needs="dkimpy-milter",
        )


# -- the floor -------------------------------------------------------------------------------


def _floor(place: Place) -> Iterator[Server]:
    for name, key in (("floor", ""), ("floor-sign", str(place.corpus.key))):
        yield Server(
            name=name,
            argv=(
                str(place.tools / "floor"),
                f"local:{place.socket(name)}",
                *([key] if key else []),
            ),
            socket=place.socket(name),
            corpus="outbound",
            expected=("^X-Floor: s",),
            passes=10,
        )
