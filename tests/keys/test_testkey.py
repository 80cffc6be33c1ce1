"""postseal-testkey against real zones on NSD and Unbound: each fault is made and recognised."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from postseal_keys import keypair
from postseal_keys.keycheck import Wanted, wanted
from postseal_keys.keypair import PrivateKey
from postseal_keys.testkey import main
from support import zones
from support.zones import HEAD, txt

pytestmark = pytest.mark.skipif(bool(zones.missing()), reason=f"{zones.missing()} is not installed")

RSA = generate_private_key(public_exponent=65537, key_size=2048)
OTHER = wanted(generate_private_key(public_exponent=65537, key_size=2048))
ED = Ed25519PrivateKey.generate()
WANT, WANT_ED = wanted(RSA), wanted(ED)
PUB = WANT.public

D_ZONE = f"""{HEAD}
@ TXT "v=spf1 -all"
good._domainkey TXT {txt(WANT.record)}
ed._domainkey TXT {txt(WANT_ED.record)}
two._domainkey TXT {txt(WANT.record)}
two._domainkey TXT {txt(OTHER.record)}
dbl._domainkey.d.example TXT {txt(WANT.record)}
nodk TXT {txt(WANT.record)}
cut._domainkey TXT {txt(WANT.record[:255])}
semi._domainkey TXT v=DKIM1; k=rsa; p={PUB}
quotes._domainkey TXT {txt(chr(34) + WANT.record + chr(34))}
slash._domainkey TXT {txt(WANT.record.replace(";", chr(92) + ";"))}
blank._domainkey TXT {txt(WANT.record[:200] + " " + WANT.record[200:])}
revoked._domainkey TXT "v=DKIM1; p="
other._domainkey TXT {txt(OTHER.record)}
alias._domainkey CNAME key1.p.example.
local._domainkey CNAME good._domainkey
dead._domainkey CNAME gone.p.example.
ring._domainkey CNAME gnir._domainkey
gnir._domainkey CNAME ring._domainkey
brief._domainkey 5 TXT {txt(WANT.record)}
long._domainkey 604800 TXT {txt(WANT.record)}
testing._domainkey TXT {txt("v=DKIM1; t=y; p=" + PUB)}
lag._domainkey TXT {txt(WANT.record)}
"""
D_AT_NS2 = D_ZONE.replace(f"lag._domainkey TXT {txt(WANT.record)}\n", "")
W_ZONE = f'{HEAD}*._domainkey TXT {txt(WANT.record)}\n*.sub TXT "v=spf1 -all"\n'
P_ZONE = f"{HEAD}key1 TXT {txt(WANT.record)}\n"
CUT_ZONE = f"""{HEAD}
_domainkey NS ns1._domainkey
ns1._domainkey A 127.0.0.2
"""
BELOW_ZONE = f"{HEAD}good TXT {txt(WANT.record)}\n"
SECURE = f"{HEAD}good._domainkey TXT {txt(WANT.record)}\n"


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The options that lead to the served zones."""
    place = tmp_path_factory.mktemp("dns")
    secure, anchor = zones.signed(place / "secure", "secure.example", SECURE)
    bogus, bogus_anchor = zones.signed(place / "bogus", "bogus.example", SECURE)
    bogus = bogus.replace("k=rsa; p=", "k=RSA; p=")  # after signing
    served = {
        "d.example": D_ZONE,
        "w.example": W_ZONE,
        "p.example": P_ZONE,
        "cut.example": CUT_ZONE,
        "_domainkey.cut.example": BELOW_ZONE,
        "secure.example": secure,
        "bogus.example": bogus,
    }
    with (
        zones.authority(place, served, second={"d.example": D_AT_NS2}) as port,
        zones.resolver(
            place,
            list(served),
            port,
            anchors=[anchor, bogus_anchor],
        ) as address,
    ):
        yield ["--nameserver", address, "--authoritative-port", str(port), "--timeout", "2s"]


def key_file(place: Path, key: PrivateKey = RSA, name: str = "key.private") -> str:
    path = place / name
    path.write_bytes(keypair.pem(key))
    path.chmod(0o600)
    return str(path)


def codes(report: dict[str, list[dict[str, object]]]) -> set[str]:
    found = {str(f["code"]) for f in report["findings"]}
    for server in report["servers"]:
        found |= {str(f["code"]) for f in server["findings"]}  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize(
    ("selector", "domain", "status", "code"),
    [
        pytest.param("good", "d.example", 0, "key-ok", id="good"),
        pytest.param("missing", "d.example", 65, "key-missing", id="no-record"),
        pytest.param("two", "d.example", 65, "key-two-records", id="two-records"),
        pytest.param("sel", "w.example", 0, "key-wildcard", id="wildcard-with-the-key"),
        pytest.param("sel", "sub.w.example", 65, "key-wildcard", id="wildcard-of-something-else"),
        pytest.param("dbl", "d.example", 65, "key-doubled", id="doubled-zone-name"),
        pytest.param("nodk", "d.example", 65, "key-misplaced", id="without-domainkey"),
        pytest.param("cut", "d.example", 65, "key-cut", id="cut-at-255"),
        pytest.param("semi", "d.example", 65, "key-no-p", id="cut-at-semicolon"),
        pytest.param("quotes", "d.example", 65, "key-quotes", id="quotes-in-data"),
        pytest.param("slash", "d.example", 65, "key-quotes", id="backslash-in-data"),
        pytest.param("blank", "d.example", 0, "key-blanks", id="white-space"),
        pytest.param("revoked", "d.example", 65, "key-revoked", id="revoked"),
        pytest.param("other", "d.example", 65, "key-other", id="other-key"),
        pytest.param("alias", "d.example", 0, "key-cname", id="cname-to-other-zone"),
        pytest.param("local", "d.example", 0, "key-cname", id="cname-in-zone"),
        pytest.param("dead", "d.example", 65, "key-missing", id="cname-to-nothing"),
        pytest.param("ring", "d.example", 65, "key-cname-loop", id="cname-loop"),
        pytest.param("brief", "d.example", 0, "key-ttl", id="short-ttl"),
        pytest.param("long", "d.example", 0, "key-ttl", id="long-ttl"),
        pytest.param("testing", "d.example", 0, "key-testing", id="testing-flag"),
        pytest.param("lag", "d.example", 65, "servers-disagree", id="servers-disagree"),
        pytest.param("good", "cut.example", 0, "key-ok", id="delegated-domainkey"),
        pytest.param("good", "secure.example", 0, "key-ok", id="dnssec-secure"),
        pytest.param("good", "bogus.example", 65, "dnssec-bogus", id="dnssec-bogus"),
        pytest.param("good", "unserved.example", 75, "dns-zone", id="no-answer"),
    ],
)  # fmt: skip
def test_each_fault_is_recognised_in_a_served_zone(
    selector: str,
    domain: str,
    status: int,
    code: str,
    world: list[str],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    argv = ["-d", domain, "-s", selector, "-k", key_file(tmp_path), "--json", *world]
    assert main(argv) == status
    (report,) = json.loads(capsys.readouterr().out)
    assert code in codes(report)
    assert report["ok"] is (status == 0)


@pytest.mark.parametrize(
    ("domain", "state"),
    [("d.example", "insecure"), ("secure.example", "secure"), ("bogus.example", "bogus")],
)
def test_dnssec_status(
    domain: str, state: str, world: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    main(["-d", domain, "-s", "good", "--json", *world])
    (report,) = json.loads(capsys.readouterr().out)
    assert report["dnssec"] == state


def test_every_server_is_named(world: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    main(["-d", "d.example", "-s", "good", "--json", *world])
    (report,) = json.loads(capsys.readouterr().out)
    shown = [server["server"].split(":")[0] for server in report["servers"]]
    assert shown == ["ns1.d.example (127.0.0.2", "ns2.d.example (127.0.0.3", "the resolver"]


def test_the_line_to_publish_is_right(
    world: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    main(["-d", "d.example", "-s", "cut", "-k", key_file(tmp_path), *world])
    lines = capsys.readouterr().out.splitlines()
    (publish,) = {line.strip() for line in lines if "publish:" in line}
    assert publish == f"publish: cut._domainkey.d.example. IN TXT {txt(WANT.record)}"
    assert "PRIVATE" not in "".join(lines)


def test_a_key_table(world: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    rsa, ed = key_file(tmp_path), key_file(tmp_path, ED, "ed.private")
    table = tmp_path / "KeyTable"
    table.write_text(
        f"# comment\nk1 d.example:good:{rsa}\nk2 d.example:ed:{ed}\n"
        f"k3 d.example:other:{rsa}\nk4 %:good:{rsa}\nk5 d.example:good:{tmp_path}/none\n"
    )
    assert main(["-t", str(table), *world]) == 65
    out = capsys.readouterr().out.splitlines()
    states = {line.split()[2].strip("():"): line.split(":")[0] for line in out if "(k" in line}
    assert states == {"k1": "ok", "k2": "ok", "k3": "FAIL", "k4": "FAIL", "k5": "FAIL"}
    assert out[-1] == "5 keys: 2 ok, 3 failed"
    assert main(["-t", str(table), "-d", "d.example", "-s", "ed", *world]) == 0


def test_opendkim_conf(world: list[str], tmp_path: Path) -> None:
    rsa = key_file(tmp_path)
    conf = tmp_path / "opendkim.conf"
    conf.write_text(f"Domain d.example\nSelector good\nKeyFile {rsa}\n")
    assert main(["-x", str(conf), *world]) == 0
    assert main(["-x", str(conf), "-s", "other", *world]) == 65
    (tmp_path / "KeyTable").write_text(f"k1 d.example:good:{rsa}\n")
    conf.write_text(f"KeyTable file:{tmp_path}/KeyTable\n")
    assert main(["-x", str(conf), *world]) == 0


def test_postseal_toml(
    world: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The keys of [[sign.key]], as postseal-genzone publishes them."""
    key_file(tmp_path)
    conf = tmp_path / "postseal.toml"
    head = '[sign]\ndomain = "d.example"\n'
    conf.write_text(f'{head}[[sign.key]]\nselector = "good"\nfile = "key.private"\n')
    assert main(["-x", str(conf), *world]) == 0
    assert "ok: good._domainkey.d.example" in capsys.readouterr().out
    conf.write_text(head)
    assert main(["-x", str(conf), *world]) == 78
    assert "names no keys" in capsys.readouterr().err


def test_a_row_for_any_domain_has_no_made_up_name(
    world: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "KeyTable"
    table.write_text(f"any %:good:{key_file(tmp_path)}\n")
    assert main(["-t", str(table), *world]) == 75
    assert "FAIL: good._domainkey.%" in capsys.readouterr().out
    assert main(["-t", str(table), "-d", "d.example", *world]) == 0


@pytest.mark.parametrize(
    ("argv", "status"),
    [
        pytest.param(["-d", "d.example"], 78, id="selector-missing"),
        pytest.param(["--nonsense"], 78, id="unknown-option"),
        pytest.param(["-d", "d.example", "-s", "x", "-k", "/nonexistent"], 66, id="no-key-file"),
        pytest.param(["-d", "bad..example", "-s", "x"], 64, id="bad-domain"),
        pytest.param(["-d", "d.example", "-s", "x", "--nameserver", "x"], 64, id="bad-address"),
        pytest.param(["-x", "/nonexistent"], 78, id="no-config"),
        pytest.param(["-t", "csl:a=d.example:s:MIIE"], 64, id="key-on-the-command-line"),
        pytest.param(["-d", "d.example", "-s", "x", "--wait", "soon"], 64, id="bad-time"),
    ],
)
def test_mistakes_have_a_hint(
    argv: list[str], status: int, world: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*world, *argv]) == status
    error = capsys.readouterr().err.splitlines()
    assert error[0].startswith("postseal-testkey: error: ")
    assert error[1].startswith("postseal-testkey: hint: ")


def test_a_key_that_others_may_read(
    world: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = Path(key_file(tmp_path))
    argv = ["-d", "d.example", "-s", "good", "-k", str(path), *world]
    path.chmod(0o644)
    assert main(argv) == 0
    assert "warning" in (out := capsys.readouterr().out) and "mode 0644" in out
    path.chmod(0o640)  # how a daemon that is in the group reads it
    assert main(argv) == 0
    assert "0640" not in capsys.readouterr().out
    assert main(["-v", *argv]) == 0
    assert "mode 0640: its group" in capsys.readouterr().out


def opendkim_testkey(world: list[str], place: Path, domain: str, selector: str, key: str) -> int:
    """The exit status of the real tool, which asks the same resolver."""
    host, _, port = world[1].partition(":")
    unbound = place / "ub.conf"
    unbound.write_text(
        "server:\n  do-not-query-localhost: no\n  do-ip6: no\n"
        f'forward-zone:\n  name: "."\n  forward-addr: {host}@{port}\n'
    )
    conf = place / "testkey.conf"
    conf.write_text(f"ResolverConfiguration {unbound}\n")
    command = ["opendkim-testkey", "-x", str(conf), "-d", domain, "-s", selector, "-k", key]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    return done.returncode


@pytest.mark.skipif(not shutil.which("opendkim-testkey"), reason="opendkim-testkey not installed")
@pytest.mark.parametrize(
    ("selector", "domain", "good"),
    [
        ("good", "d.example", True),
        ("blank", "d.example", True),
        ("alias", "d.example", True),
        ("local", "d.example", True),
        ("good", "secure.example", True),
        ("missing", "d.example", False),
        ("other", "d.example", False),
        ("cut", "d.example", False),
        ("revoked", "d.example", False),
    ],
)
def test_opendkim_testkey_agrees(
    selector: str, domain: str, good: bool, world: list[str], tmp_path: Path
) -> None:
    key = key_file(tmp_path)
    assert (opendkim_testkey(world, tmp_path, domain, selector, key) == 0) is good
    assert (main(["-d", domain, "-s", selector, "-k", key, "-q", *world]) == 0) is good


def test_the_public_half_alone_is_kept() -> None:
    assert isinstance(WANT, Wanted)
    assert "private" not in repr(WANT).lower()
