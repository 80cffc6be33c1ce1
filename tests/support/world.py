"""The world of the end-to-end tests: zones, daemons, Postfix and the sink, as one thing.

NAME
    world - World and the context manager that builds it

DOES NOT
    use fixed ports, or a directory that survives.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.child import LOOPBACK
from support.daemon import ENVIRONMENT, Daemon
from support.mail import unique
from support.nsd import Nsd, nsd, text_record
from support.postfix import HOST, INTERNAL, Listener, Postfix, postfix
from support.signer import Signer
from support.sink import Delivered, Sink
from support.smtpclient import Pose, Reply, SmtpClient

GOOD_V4 = "198.51.100.7"  # may send for good.example and its like
GOOD_V6 = "2001:db8:1::7"
BAD_V4 = "203.0.113.66"  # may send for nobody
BAD_V6 = "2001:db8:bad::66"
INSIDE = "192.0.2.130"
SIGNING_DOMAINS = ("sign.example", "origin.example")
SELECTORS = {"rsa1": ("-b", "2048"), "ed1": ("--type", "ed25519")}
SPF = "v=spf1 ip4:198.51.100.0/24 ip6:2001:db8:1::/48 -all"

_SOA = """\
$TTL 300
. SOA ns.example. hostmaster.example. 1 3600 600 86400 5
. NS ns.example.
ns.example. A 127.0.0.1
client.example. A 198.51.100.7
"""

_CONFIG = """\
authserv_id = "{host}"
[roles]
internal_hosts = ["127.0.0.0/8", "::1", "{internal}"]
[sign]
key_table = "file:{dir}/key.table"
signing_table = "refile:{dir}/signing.table"
multiple_signatures = true
[dns]
nameservers = ["{nameserver}"]
timeout = {timeout}
attempts = 1
{more}"""


def signers() -> dict[str, Signer]:
    """The senders of inbound mail.  Every domain has SPF and DMARC as policies() says."""
    return {
        "good": Signer.make("good.example", "sel"),
        "good-ed25519": Signer.make("good.example", "ed", "ed25519"),
        "quarantine": Signer.make("quarantine.example", "sel"),
        "other": Signer.make("other.example", "sel"),
        "sick": Signer.make("sick.example", "sel"),  # behind SERVFAIL
    }


def policies() -> dict[str, str]:
    """Domains with the SPF record of SPF, and their DMARC records."""
    return {
        "good.example": "v=DMARC1; p=reject",
        "quarantine.example": "v=DMARC1; p=quarantine",
        "other.example": "v=DMARC1; p=none",
    }


def zone(all_signers: Mapping[str, Signer], published: str) -> str:
    """The root zone with everything in it."""
    text = _SOA
    for domain, policy in policies().items():
        text += f"{domain}. A {GOOD_V4}\n{domain}. MX 10 {domain}.\n"
        text += text_record(domain, SPF) + text_record(f"_dmarc.{domain}", policy)
    for signer in all_signers.values():
        text += text_record(signer.name, signer.record)
    for domain in SIGNING_DOMAINS:
        text += f"{domain}. A {INSIDE}\n" + text_record(domain, "v=spf1 a -all")
        text += text_record(f"_dmarc.{domain}", "v=DMARC1; p=reject")
    return text + published


def make_keys(directory: Path) -> str:
    """Key pairs for our domains by postseal-genkey, and both tables; gives the zone lines."""
    published, key_rows, signing_rows = "", [], []
    for domain in SIGNING_DOMAINS:
        home = directory / "keys" / domain
        home.mkdir(parents=True)
        published += f"$ORIGIN {domain}.\n"
        for selector, options in SELECTORS.items():
            genkey(home, domain, selector, *options)
            published += (home / f"{selector}.txt").read_text()
            name = f"{selector}.{domain}"
            key_rows.append(f"{name} {domain}:{selector}:{home}/{selector}.private\n")
            signing_rows.append(f"*@{domain} {name}\n")
    (directory / "key.table").write_text("".join(key_rows))
    (directory / "signing.table").write_text("".join(signing_rows))
    return published


def genkey(directory: Path, domain: str, selector: str, *options: str) -> None:
    """Run postseal-genkey."""
    code = "import sys; from postseal_keys.genkey import main; sys.exit(main())"
    subprocess.run(
        [sys.executable, "-c", code, "-d", domain, "-s", selector, "-D", directory, *options],
        env={**os.environ, **ENVIRONMENT},
        check=True,
        timeout=120,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What the tests use."""

    directory: Path
    nsd: Nsd
    sink: Sink
    postfix: Postfix
    daemons: Mapping[str, Daemon]
    ports: Mapping[str, int]
    signers: Mapping[str, Signer]

    def deliver(
        self,
        content: bytes,
        sender: str,
        pose: Pose | None = None,
        *,
        port: str = "mx",
        arguments: str = "",
    ) -> Delivered:
        """Send one message that must be accepted, and give what was delivered."""
        recipient = f"{unique('r')}@rcpt.example"
        answer = self.send(content, sender, pose, port=port, to=recipient, arguments=arguments)
        assert answer.code == 250, answer
        return self.sink.wait(recipient)

    def send(
        self,
        content: bytes,
        sender: str,
        pose: Pose | None = None,
        *,
        port: str = "mx",
        to: str = "somebody@rcpt.example",
        arguments: str = "",
    ) -> Reply:
        """Send one message; the answer that refused it, or the last."""
        with SmtpClient(self.ports[port]) as client:
            answer = client.pose(pose) if pose else client.command("EHLO localhost")
            assert answer.good, answer
            return client.mail(content, sender, to, arguments)

    def logs(self) -> Iterator[tuple[str, str]]:
        """Every log there is: a title and the text."""
        yield "postfix", self.postfix.log_text()
        for name, daemon in self.daemons.items():
            yield f"daemon {name}", daemon.log_text()


# The daemons there are, and what each has below the common configuration.
DAEMONS = {
    "normal": "",
    "strict": '[dmarc]\nquarantine = "hold"\nreject = true\n',
    "options": """\
[verify]
iprev = true
keep_removed = "X-Removed-Authentication-Results"
[spf]
helo = true
received_spf = true
[dmarc]
discovery = "both"
quarantine = "header"
reject = true
[arc]
seal = true
domain = "sign.example"
selector = "rsa1"
key = "keys/sign.example/rsa1.private"
[[override]]
dkim = "other.example"
from = "good.example"
action = "accept"
why = "other.example forwards for them"
[[override]]
from = "other.example"
recipient = "guarded@rcpt.example"
action = "reject"
why = "nobody forges mail to the guarded one"
""",  # everything that is off otherwise
    "deaf": "",  # asks a name server that never answers
    "unix": "",  # listens on a unix socket
    "fragile": "",  # for sendmail(1), bounces, and the tests that kill it
}


@contextmanager
def world(directory: Path) -> Iterator[World]:
    """Build everything but the daemons' processes, which tests start.  Raises NotReady."""
    with ExitStack() as stack:
        all_signers = signers()
        server = stack.enter_context(
            nsd(directory, zone(all_signers, make_keys(directory)), broken=("sick.example",))
        )
        sink = stack.enter_context(Sink())
        silent = _silent(stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)))
        daemons = {name: Daemon(directory, name, _path(directory, name)) for name in DAEMONS}
        for name, daemon in daemons.items():
            stack.callback(daemon.stop)
            nameserver = silent if name == "deaf" else server.address
            daemon.configure(_configuration(directory, nameserver, DAEMONS[name]))
        listeners = _listeners(daemons)
        mta_directory = directory / "postfix"
        mta_directory.mkdir()
        mta = stack.enter_context(
            postfix(mta_directory, sink.port, list(listeners.values()), daemons["fragile"].milter)
        )
        yield World(
            directory=directory,
            nsd=server,
            sink=sink,
            postfix=mta,
            daemons=daemons,
            ports={name: one.port for name, one in listeners.items()},
            signers=all_signers,
        )


def _configuration(directory: Path, nameserver: str, more: str) -> str:
    return _CONFIG.format(
        host=HOST,
        internal=INTERNAL,
        dir=directory,
        nameserver=nameserver,
        timeout=2.0,
        more=more,
    )


def _path(directory: Path, name: str) -> Path | None:
    return directory / "milter.sock" if name == "unix" else None


def _silent(udp: socket.socket) -> str:
    """A name server's address behind which nobody answers."""
    udp.bind((LOOPBACK, 0))
    return f"{LOOPBACK}:{udp.getsockname()[1]}"


def _listeners(daemons: Mapping[str, Daemon]) -> dict[str, Listener]:
    listeners = {name: Listener(milter=one.milter) for name, one in daemons.items()}
    listeners["mx"] = listeners.pop("normal")
    listeners["submission"] = Listener(
        milter=daemons["normal"].milter, options={"milter_macro_daemon_name": "ORIGINATING"}
    )
    listeners["old"] = Listener(  # as Postfix before 2.6, or sendmail, would speak
        milter=daemons["normal"].milter, options={"milter_protocol": "2"}
    )
    listeners["plain"] = Listener(milter="")
    return listeners
