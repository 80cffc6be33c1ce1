"""The nsupdate script, sent with a TSIG key to a real BIND."""

from __future__ import annotations

import base64
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from postseal_keys import genkey, genzone
from postseal_keys.formats import FORMATS, TxtRecord
from postseal_keys.records import split
from support.child import LOOPBACK, Child, free_port
from support.keytool import run
from support.txtsamples import AWKWARD, SAMPLES, TTL, ZONE, ask
from support.zones import answers

PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
NAMED = shutil.which("named", path=PATH)
NSUPDATE = shutil.which("nsupdate", path=PATH)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(NAMED is None, reason="needs named (package bind9)"),
    pytest.mark.skipif(NSUPDATE is None, reason="needs nsupdate (package bind9-dnsutils)"),
]

CONFIG = """\
key "tsig" {{ algorithm hmac-sha256; secret "{secret}"; }};
options {{
    directory "{dir}";
    listen-on port {port} {{ 127.0.0.1; }};
    listen-on-v6 {{ none; }};
    pid-file none;
    session-keyfile "{dir}/session.key";
    recursion no;
    dnssec-validation no;
    notify no;
}};
controls {{ }};
zone "example.com" {{ type primary; file "zone"; allow-update {{ key "tsig"; }}; }};
"""

ZONE_FILE = """\
$TTL 3600
@ IN SOA ns hostmaster 1 3600 900 604800 300
@ IN NS ns
ns IN A 127.0.0.1
old._domainkey IN TXT "v=DKIM1; p="
"""


@dataclass(frozen=True, slots=True)
class Bind:
    """The running server, and the file with the key that may change its zone."""

    port: int
    key: Path

    def update(self, script: str, key: Path | None = None) -> subprocess.CompletedProcess[str]:
        assert NSUPDATE is not None
        return subprocess.run(
            [NSUPDATE, "-k", str(key or self.key)],
            input=f"server {LOOPBACK} {self.port}\n{script}",
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )


def _key_file(path: Path, secret: str) -> Path:
    path.write_text(f'key "tsig" {{ algorithm hmac-sha256; secret "{secret}"; }};\n')
    return path


@pytest.fixture(scope="module")
def bind(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bind]:
    directory = tmp_path_factory.mktemp("named")
    secret = base64.b64encode(secrets.token_bytes(32)).decode("ascii")
    port = free_port()
    config = CONFIG.format(secret=secret, port=port, dir=directory)
    (directory / "named.conf").write_text(config)
    (directory / "zone").write_text(ZONE_FILE)
    assert NAMED is not None
    server = Child([NAMED, "-n", "1", "-g", "-c", directory / "named.conf"], directory / "log")
    try:
        server.wait_ready(lambda: answers(LOOPBACK, port, ZONE))
        yield Bind(port, _key_file(directory / "tsig.key", secret))
    finally:
        server.stop()


def test_bind_serves_what_went_in(bind: Bind) -> None:
    given = [*SAMPLES.values(), AWKWARD]
    done = bind.update(FORMATS["nsupdate"].render(given))
    assert done.returncode == 0, done.stderr
    for record in given:
        assert ask(record.name, bind.port) == (list(split(record.text)), TTL), record.host


def test_the_old_record_is_replaced(bind: Bind) -> None:
    """RFC 6376 section 3.6.2.2: two records at one name are undefined."""
    name = f"old._domainkey.{ZONE}"
    assert ask(name, bind.port) == (["v=DKIM1; p="], 3600)
    record = TxtRecord(host="old._domainkey", zone=ZONE, text="v=DKIM1; k=rsa; p=QUJD", ttl=60)
    assert bind.update(FORMATS["nsupdate"].render([record])).returncode == 0
    assert ask(name, bind.port) == ([record.text], 60)


def test_another_key_changes_nothing(bind: Bind, tmp_path: Path) -> None:
    """So that the tests above show that TSIG was used."""
    wrong = _key_file(tmp_path / "wrong.key", base64.b64encode(bytes(32)).decode("ascii"))
    record = SAMPLES["ed25519"]
    assert bind.update(FORMATS["nsupdate"].render([record]), wrong).returncode != 0


def test_genkey_to_nsupdate(bind: Bind, tmp_path: Path) -> None:
    words = ("-D", str(tmp_path), "-d", ZONE, "-s", "piped", "--type", "both", "-b1024")
    made = run(genkey.main, *words, "--format", "nsupdate", "--ttl", "120")
    assert bind.update(made.out).returncode == 0
    for selector in ("piped", "piped-ed25519"):
        (text,), ttl = ask(f"{selector}._domainkey.{ZONE}", bind.port)
        written = (tmp_path / f"{selector}.txt").read_text()
        assert text.split("p=")[1] in written and ttl == 120


def test_genzone_to_nsupdate(bind: Bind, tmp_path: Path) -> None:
    run(genkey.main, "-D", str(tmp_path), "--ed25519", "-s", "table")
    table = tmp_path / "KeyTable"
    table.write_text(f"a {ZONE}:table:{tmp_path}/table.private\n")
    made = run(genzone.main, "-u", str(table))
    assert bind.update(made.out).returncode == 0
    (text,), ttl = ask(f"table._domainkey.{ZONE}", bind.port)
    assert text.startswith("v=DKIM1; k=ed25519; p=") and ttl == 86400
