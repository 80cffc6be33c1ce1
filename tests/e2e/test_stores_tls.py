"""Tables behind TLS: the real servers, by an authority that is trusted, and by another one."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import tlsservers
from support.child import LOOPBACK
from support.daemon import Daemon
from support.milterclient import MilterClient
from support.sites import private
from support.storeservers import PASSWORD
from support.tlsservers import Tls

pytestmark = pytest.mark.e2e

MAIL = b"From: bob@a.example\nTo: b@b.example\nSubject: hello\nDate: now\n\nbody\n"


@pytest.fixture(scope="module", params=tlsservers.KINDS)
def server(request: pytest.FixtureRequest) -> Iterator[Tls]:
    kind: str = request.param
    if lacking := tlsservers.missing(kind):
        if os.environ.get("POSTSEAL_E2E") == "required":
            pytest.fail(f"these tests need {lacking}")
        pytest.skip(f"these tests need {lacking}: sh contrib/test.sh brings it")
    with tempfile.TemporaryDirectory(prefix="postseal-tls-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # the servers' own users have to get in
        with tlsservers.running(kind, folder) as made:
            private(made.secrets / "k1")
            made.put("senders", [("a.example", "k1")])
            yield made


def selectors(server: Tls, name: str, authority: Path) -> tuple[list[str], str]:
    """The selectors that signed a message, or its refusal; and the log."""
    server.secrets.chmod(0o755)
    daemon = Daemon(server.secrets, name)
    daemon.configure(
        f'[sign]\nkey_table = "csl:k1=%:s1:{server.secrets}/k1"\nsigning_table = "table:mine"\n'
        f'[[table]]\nname = "mine"\nurl = "{server.trusting("senders", authority)}"\n'
        f'password_file = "{server.secret}"\ntimeout = 20.0\n',
        {"watch": "0", "workers": "1"},
    )
    daemon.start(60, environment={"LDAPTLS_CACERT": str(authority)})
    try:
        with MilterClient((LOOPBACK, daemon.port)) as client:
            client.negotiate()
            client.connect("localhost", LOOPBACK)
            client.helo()
            reply = client.message(MAIL)
    finally:
        daemon.stop()
    signed = reply.inserted("DKIM-Signature")
    return [one.partition(" s=")[2].partition(";")[0] for one in signed] or [reply.text[:3]], (
        daemon.log_text()
    )


def test_a_server_that_is_known(server: Tls) -> None:
    signed, log = selectors(server, "known", server.authority)
    assert signed == ["s1"], log
    assert "event=table-down" not in log


def test_a_server_that_anybody_may_be(server: Tls) -> None:
    """Its certificate is by an authority that we do not trust: nobody tells it the password."""
    other = server.secrets / "other"
    other.mkdir()
    signed, log = selectors(server, "unknown", tlsservers.make(other))
    assert signed == ["451"]
    assert "event=table-down table=mine" in log
    assert PASSWORD not in log
    words = ("TLS_CACERT",) if isinstance(server, tlsservers.Ldaps) else ("certificate verify",)
    assert all(word in log for word in words), log
