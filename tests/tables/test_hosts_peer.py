"""Host lists against Debian's opendkim: which clients are internal.

opendkim runs as a signer on loopback; miltertest plays the MTA for each client and tells
whether a signature was added.  Where we differ on purpose, the list below says why.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path

import pytest

from postseal.conf import migrate_patterns
from postseal.tables.hosts import build
from support.child import free_port, listens, wait_until
from support.opendkim import OPENDKIM
from support.sites import private

MILTERTEST = shutil.which("miltertest")
pytestmark = [
    pytest.mark.skipif(OPENDKIM is None, reason="opendkim is not installed"),
    pytest.mark.skipif(MILTERTEST is None, reason="miltertest is not installed"),
]

CLIENTS = [
    ("", "127.0.0.1"),
    ("", "192.0.2.1"),
    ("", "192.0.2.9"),
    ("", "10.1.1.1"),
    ("", "10.1.2.3"),
    ("", "2001:db8::1"),
    ("", "2001:db8:0:1::1"),
    ("", "::1"),
    ("mx.example.org", "198.51.100.1"),
    ("a.mx.example.org", "198.51.100.1"),
    ("example.org", "192.0.2.1"),
    ("other.example", "192.0.2.9"),
]

SCRIPT = """
clients = {{ {clients} }}
for i, c in ipairs(clients) do
  conn = mt.connect("inet:{port}@127.0.0.1")
  if conn == nil then error("no connection") end
  mt.conninfo(conn, c[1], c[2])
  mt.mailfrom(conn, "<a@example.com>")
  mt.header(conn, "From", "a@example.com")
  mt.eoh(conn)
  reply = mt.getreply(conn)
  if reply == SMFIR_ACCEPT then
    print("unsigned")
  else
    if reply ~= SMFIR_CONTINUE then error("eoh: " .. tostring(reply)) end
    mt.bodystring(conn, "hello\\r\\n")
    if mt.eom(conn) ~= nil then error("eom: no reply") end
    reply = mt.getreply(conn)
    if reply ~= SMFIR_ACCEPT and reply ~= SMFIR_CONTINUE then error("eom: " .. tostring(reply)) end
    print(mt.eom_check(conn, MT_HDRINSERT, "DKIM-Signature") and "signed" or "unsigned")
  end
  mt.disconnect(conn)
end
"""


def theirs(folder: Path, entries: str) -> list[bool]:
    """Whether opendkim takes each client for an internal one."""
    key = private(folder / "k")
    port = free_port()
    conf = folder / "opendkim.conf"
    conf.write_text(
        f"Domain example.com\nSelector s\nKeyFile {key}\nMode s\nRequireSafeKeys no\n"
        f"Socket inet:{port}@127.0.0.1\nBackground no\nInternalHosts {entries}\n"
    )
    told = ", ".join(f'{{"{name or "unknown"}", "{address}"}}' for name, address in CLIENTS)
    script = folder / "mta.lua"
    script.write_text(SCRIPT.format(clients=told, port=port))
    assert MILTERTEST
    with running(conf, port):
        done = subprocess.run(
            [MILTERTEST, "-s", str(script)],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
    assert done.returncode == 0, done.stderr
    # Only the first line of a run ends where print() ends it; the words are what counts.
    words = done.stdout.replace("unsigned", "0").replace("signed", "1")
    return [word == "1" for word in words if word in "01"]


@contextlib.contextmanager
def running(conf: Path, port: int) -> Iterator[None]:
    assert OPENDKIM
    process = subprocess.Popen([OPENDKIM, "-f", "-x", str(conf)])
    try:
        wait_until(lambda: process.poll() is not None or listens(port), "opendkim")
        assert process.poll() is None, "opendkim cannot run"  # who listens there is another one
        yield
    finally:
        process.kill()  # told politely, it takes five seconds
        process.wait(60)


def ours(entries: str) -> list[bool]:
    made, _ = build(entries.split(","))
    return [made.matches(ip_address(address), name) for name, address in CLIENTS]


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param("127.0.0.1,::1", id="default"),
        pytest.param("192.0.2.0/24,!192.0.2.9", id="network-with-exception"),
        pytest.param("10.0.0.0/8,!10.1.0.0/16,10.1.2.0/24", id="nested"),
        pytest.param("2001:db8::/64,!2001:db8::2", id="ipv6"),
        pytest.param("2001:db8::/32", id="ipv6-wide"),
        # Not [192.0.2.1] alone: for that opendkim says now yes, now no, in one and the same run.
        pytest.param("[10.0.0.0]/8", id="brackets"),
        pytest.param("mx.example.org", id="name"),
        pytest.param(".example.org", id="below"),
        pytest.param("example.org,!.mx.example.org,.example.org", id="name-with-exception"),
        pytest.param("!192.0.2.1,192.0.2.0/24,example.org", id="name-before-address"),
        pytest.param("0.0.0.0/0", id="everybody"),
    ],
)
def test_same_clients(entries: str, tmp_path: Path) -> None:
    found = theirs(tmp_path, f"csl:{entries}")
    assert len(found) == len(CLIENTS)
    assert ours(entries) == found


@pytest.mark.parametrize(
    "entries",
    [
        pytest.param("127.0.0.1,192.0.2.0/24,mx.example.org", id="no-patterns"),
        pytest.param("192.0.2.*,10.*", id="octets"),
        pytest.param("*.example.org,192.0.2.9", id="star-in-front-never-matches"),
        pytest.param("*", id="star-alone-never-matches"),
        pytest.param("10.*,!10.1.1.*", id="exception"),
    ],
)
def test_same_clients_after_migration(entries: str, tmp_path: Path) -> None:
    """A file of patterns, as postseal migrate carries it over."""
    (tmp_path / "hosts").write_text(entries.replace(",", "\n") + "\n")
    found = theirs(tmp_path, f"refile:{tmp_path}/hosts")
    made = migrate_patterns.hosts(tuple(entries.split(",")))
    assert not made.odd
    assert ours(",".join(made.good or ["!192.0.2.255"])) == found


@pytest.mark.parametrize(
    ("entries", "differs"),
    [
        pytest.param("10.1.1.1/8", ["10.1.1.1", "10.1.2.3"], id="host-bits-never-match-there"),
        pytest.param("10/8", ["10.1.1.1", "10.1.2.3"], id="short-form-never-matches-there"),
        pytest.param("2001:0db8::1", ["2001:db8::1"], id="long-ipv6-never-matches-there"),
        pytest.param("!example.org,192.0.2.0/24", ["192.0.2.1"], id="exception-by-name-is-final"),
    ],
)
def test_where_we_differ_on_purpose(entries: str, differs: list[str], tmp_path: Path) -> None:
    found = zip(CLIENTS, theirs(tmp_path, f"csl:{entries}"), ours(entries), strict=True)
    other = {(name, address) for (name, address), there, here in found if there != here}
    if entries.startswith("!"):
        assert other == {("example.org", "192.0.2.1")}
    assert sorted({address for _, address in other}) == sorted(differs)
