"""A private instance of the Postfix that is installed: own configuration, queue and ports.

NAME
    postfix - Postfix, Listener and the context manager that runs one

GIVEN
    a directory that others may enter, root, and where to deliver to.

DOES NOT
    read or change /etc/postfix, the system's queue or its log.

SEE ALSO
    postfix(1), master(5), MILTER_README, XCLIENT_README
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from support.child import LOOPBACK, Child, free_port, listens, wait_until

HOST = "mx.e2e.example"
INTERNAL = "192.0.2.128/25"

# What differs between Postfix 3.7, 3.8 and 3.10 is set, so that all behave alike here.
_MAIN = {
    "compatibility_level": "3.6",
    "myhostname": HOST,
    "mydestination": "",
    "inet_interfaces": LOOPBACK,
    "inet_protocols": "all",
    "mynetworks": f"127.0.0.0/8 {INTERNAL}",
    "relay_domains": "rcpt.example",
    "transport_maps": "inline:{{undeliverable.example = error:5.1.1 no such place}}",
    "alias_maps": "",
    "alias_database": "",
    "local_recipient_maps": "",
    # Those posed as too, so that one connection can be several clients in turn.
    "smtpd_authorized_xclient_hosts": f"{LOOPBACK} 198.51.100.0/24 203.0.113.0/24"
    " 192.0.2.0/24 [2001:db8::]/32",
    "smtpd_relay_restrictions": "permit_mynetworks, permit_sasl_authenticated,"
    " reject_unauth_destination",
    "smtpd_client_connection_count_limit": "0",
    "smtpd_error_sleep_time": "0",
    "smtpd_forbid_bare_newline": "no",
    "smtpd_forbid_unauth_pipelining": "no",
    "smtpd_tls_security_level": "none",
    "smtp_tls_security_level": "none",
    "smtp_dns_support_level": "disabled",
    "smtp_host_lookup": "native",
    "message_size_limit": "62914560",
    "mailbox_size_limit": "0",
    "notify_classes": "",
    "minimal_backoff_time": "1s",
    "maximal_backoff_time": "2s",
    "queue_run_delay": "1s",
    "milter_protocol": "6",
    "milter_default_action": "tempfail",
    "internal_mail_filter_classes": "bounce",
}

_SERVICES = """\
pickup    unix n - n 1 1 pickup
cleanup   unix n - n - 0 cleanup
qmgr      unix n - n 300 1 qmgr
rewrite   unix - - n - - trivial-rewrite
bounce    unix - - n - 0 bounce
defer     unix - - n - 0 bounce
trace     unix - - n - 0 bounce
verify    unix - - n - 1 verify
flush     unix n - n 1000? 0 flush
proxymap  unix - - n - - proxymap
smtp      unix - - n - - smtp
relay     unix - - n - - smtp
showq     unix n - n - - showq
error     unix - - n - - error
retry     unix - - n - - error
discard   unix - - n - - discard
anvil     unix - - n - 1 anvil
scache    unix - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """One smtpd: its milter ("" for none) and what else is particular to it."""

    milter: str
    options: Mapping[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)

    def service(self) -> str:
        """Its entry in master.cf."""
        options = {"local_header_rewrite_clients": "", **self.options, "smtpd_milters": self.milter}
        words = "".join(f"\n  -o {name}={value}" for name, value in options.items())
        return f"{LOOPBACK}:{self.port} inet n - n - - smtpd{words}\n"


def available() -> bool:
    """Whether Postfix is installed."""
    return shutil.which("postfix", path="/usr/sbin:/usr/bin") is not None


@dataclass(frozen=True, slots=True)
class Postfix:
    """The running instance."""

    directory: Path

    def sendmail(self, message: bytes, sender: str, recipient: str) -> None:
        """Submit a message with LF line ends as a local program does."""
        subprocess.run(
            ["/usr/sbin/sendmail", "-C", self.directory / "etc", "-i", "-f", sender, recipient],
            input=message,
            check=True,
            timeout=60,
        )

    def queue(self) -> Sequence[Mapping[str, object]]:
        """What postqueue shows: queue_name, queue_id, sender and so on, a row a message."""
        text = self._run("postqueue", "-j")
        return [json.loads(line) for line in text.splitlines()]

    def held(self, sender: str) -> bool:
        """Whether a message of sender is in the hold queue."""
        return any(row["queue_name"] == "hold" and row["sender"] == sender for row in self.queue())

    def release(self, sender: str) -> None:
        """Let the messages of that sender out of the hold queue."""
        for row in self.queue():
            if row["sender"] == sender and row["queue_name"] == "hold":
                self._run("postsuper", "-H", str(row["queue_id"]))
        self.flush()

    def flush(self) -> None:
        """Try all deferred mail now."""
        self._run("postqueue", "-f")

    def log_text(self) -> str:
        """Its log."""
        log = self.directory / "maillog"
        return log.read_text("utf-8", "replace") if log.exists() else ""

    def stop(self) -> None:
        """End master(8) by the number in its own queue directory; its processes follow."""
        file = self.directory / "queue/pid/master.pid"
        if not file.exists():
            return
        pid = int(file.read_text())
        os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not Path(f"/proc/{pid}").exists(), "Postfix to end")

    def _run(self, program: str, *words: str) -> str:
        argv = [f"/usr/sbin/{program}", "-c", str(self.directory / "etc"), *words]
        return subprocess.run(argv, check=True, timeout=60, capture_output=True, text=True).stdout


@contextmanager
def postfix(
    directory: Path, deliver_to: int, listeners: Sequence[Listener], local_milter: str
) -> Iterator[Postfix]:
    """Run Postfix, delivering everything to a loopback port.  Raises NotReady."""
    instance = Postfix(directory)
    _configure(directory, deliver_to, listeners, local_milter)
    child = Child(
        ["/usr/sbin/postfix", "-c", directory / "etc", "start-fg"], directory / "postfix.log"
    )
    try:
        child.wait_ready(lambda: all(listens(one.port) for one in listeners))
        yield instance
    finally:
        instance.stop()
        child.stop()


def _configure(
    directory: Path, deliver_to: int, listeners: Sequence[Listener], local_milter: str
) -> None:
    for name in ("etc", "queue", "data"):
        (directory / name).mkdir()
    shutil.chown(directory / "data", "postfix", "postfix")
    settings = {
        **_MAIN,
        "queue_directory": str(directory / "queue"),
        "data_directory": str(directory / "data"),
        "maillog_file": str(directory / "maillog"),
        "maillog_file_prefixes": str(directory),
        "myorigin": "origin.example",
        "default_transport": f"smtp:[{LOOPBACK}]:{deliver_to}",
        "relay_transport": f"smtp:[{LOOPBACK}]:{deliver_to}",
        "non_smtpd_milters": local_milter,
    }
    main = "".join(f"{name} = {value}\n" for name, value in settings.items())
    (directory / "etc/main.cf").write_text(main, "utf-8")
    services = "".join(one.service() for one in listeners) + _SERVICES
    (directory / "etc/master.cf").write_text(services, "utf-8")
