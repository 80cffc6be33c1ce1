"""postseal-record as a command: what it writes, and a bad domain served by NSD."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import dns.rdtypes.ANY.TXT
import dns.zonefile
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from postseal_keys import dmarcrecord, keypair, spfrecord
from postseal_keys.keycheck import wanted
from postseal_keys.record import main
from support import zones
from support.zones import HEAD, txt

KEY = Ed25519PrivateKey.generate()
RUA = "rua=mailto:d@d.example"


def published(out: str, origin: str) -> dict[str, str]:
    """What a name server would read from a zone file fragment."""
    found = {}
    for rrset in dns.zonefile.read_rrsets(
        out, origin=f"{origin}.", relativize=False, default_ttl=1, rdclass=None
    ):
        for rdata in rrset:
            assert isinstance(rdata, dns.rdtypes.ANY.TXT.TXT)
            found[rrset.name.to_text(omit_final_dot=True)] = b"".join(rdata.strings).decode()
    return found


@pytest.mark.parametrize(
    ("argv", "name", "text"),
    [
        pytest.param("spf --mx d.example", "d.example", "v=spf1 mx ~all", id="spf-mx"),
        pytest.param("spf --none d.example", "d.example", "v=spf1 -all", id="spf-none"),
        pytest.param(
            "spf --a --host h.d.example --ip 192.0.2.9/24 --ip 2001:db8::1 --include x.example"
            " --all fail d.example",
            "d.example",
            "v=spf1 a a:h.d.example ip4:192.0.2.0/24 ip6:2001:db8::1 include:x.example -all",
            id="spf-all-options",
        ),
        pytest.param(
            "spf --redirect _spf.d.example d.example",
            "d.example",
            "v=spf1 redirect=_spf.d.example",
            id="spf-redirect",
        ),
        pytest.param(
            "spf --include b\u00fccher.example --all neutral d.example",
            "d.example",
            "v=spf1 include:xn--bcher-kva.example ?all",
            id="spf-a-label",
        ),
        pytest.param("dmarc d.example", "_dmarc.d.example", "v=DMARC1; p=none", id="dmarc"),
        pytest.param(
            "dmarc -p reject --sp none --np reject --adkim strict --aspf s -t --psd n"
            " --rua d@d.example --ruf mailto:f@d.example --fo 1:d d.example",
            "_dmarc.d.example",
            f"v=DMARC1; p=reject; sp=none; np=reject; adkim=s; aspf=s; t=y; psd=n; {RUA};"
            " ruf=mailto:f@d.example; fo=1:d",
            id="dmarc-all-options",
        ),
        pytest.param(
            "dmarc --rua a@d.example --rua b@d.example d.example",
            "_dmarc.d.example",
            "v=DMARC1; p=none; rua=mailto:a@d.example,mailto:b@d.example",
            id="dmarc-two-addresses",
        ),
        pytest.param(
            "dmarc --rua d@b\u00fccher.example --ruf mailto:f@b\u00fccher.example d.example",
            "_dmarc.d.example",
            "v=DMARC1; p=none; rua=mailto:d@xn--bcher-kva.example;"
            " ruf=mailto:f@xn--bcher-kva.example",
            id="dmarc-a-label",
        ),
        pytest.param(
            "report-auth --about blue.example.com red.example.net",
            "blue.example.com._report._dmarc.red.example.net",
            "v=DMARC1",
            id="9990-4-example",
        ),
        pytest.param(
            "report-auth --any --rua b@red.example.net red.example.net",
            "*._report._dmarc.red.example.net",
            "v=DMARC1; rua=mailto:b@red.example.net",
            id="9990-4-wildcard",
        ),
    ],
)
def test_written_records(
    argv: str, name: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv.split()) == 0
    found = published(capsys.readouterr().out, argv.split()[-1])
    assert found == {name: text}
    (spfrecord.parse if "spf" in argv.split()[0] else dmarcrecord.parse)(text)


def test_a_host_is_relative_to_its_zone(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dmarc", "--zone", "d.example", "sub.d.example"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("_dmarc.sub\t")
    assert list(published(out, "d.example")) == ["_dmarc.sub.d.example"]


@pytest.mark.parametrize(
    ("argv", "word"),
    [
        pytest.param("dmarc -p reject d.example", "7.4", id="reject"),
        pytest.param("dmarc d.example", "add rua=", id="nobody-learns-anything"),
        pytest.param("dmarc --rua a@far.example d.example", "_report._dmarc", id="external"),
        pytest.param("spf --mx --format nsupdate d.example", "every TXT", id="apex-replaced"),
        pytest.param("spf --mx --all neutral d.example", "?all", id="neutral"),
    ],
)
def test_what_the_author_should_know(
    argv: str, word: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv.split()) == 0
    shown = capsys.readouterr()
    assert word in shown.err
    assert "warning" not in shown.out


@pytest.mark.parametrize(
    "argv",
    [
        "",
        "nonsense",
        "spf",
        "spf d.example",
        "spf --mx d.example e.example",
        "spf --none --mx d.example",
        "spf --redirect x.example --all fail d.example",
        "spf --ip 1.2.3 d.example",
        "spf --mx --all maybe d.example",
        "spf --mx --ttl -1 d.example",
        "spf --mx --zone other.example d.example",
        "spf --mx --format nonsense d.example",
        "spf --mx bad..example",
        "dmarc -p maybe d.example",
        "dmarc --fo 1 d.example",
        "dmarc --fo 0:1 --ruf a@d.example d.example",
        "dmarc --rua nobody d.example",
        "dmarc --adkim x d.example",
        "report-auth red.example",
        "report-auth --any --rua a@blue.example red.example",
        "check",
        "check --record v=spf1 d.example e.example",
        "check --keytable csl:a=d.example:s:MIIE d.example",
        "check --nameserver nowhere d.example",
    ],
)
def test_refused_with_a_hint_and_nothing_written(
    argv: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(argv.split()) == 64
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("postseal-record: error: ")


def test_check_a_text(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "--record", "v=spf1 ip:192.0.2.1 -all"]) == 65
    lines = capsys.readouterr().out.splitlines()
    at = next(i for i, line in enumerate(lines) if line.strip() == "^^")
    assert lines[at - 1][lines[at].index("^") :].startswith("ip:")
    assert '    publish: "v=spf1 ip4:192.0.2.1 -all"' in lines
    assert main(["check", "--record", "v=spf1 ip4:192.0.2.1 -all"]) == 0
    assert main(["check", "--strict", "--record", "v=spf1 ptr -all"]) == 65
    assert main(["check", "--record", "v=spf1 ptr -all"]) == 0


def test_an_over_long_text(capsys: pytest.CaptureFixture[str]) -> None:
    """RFC 7208 section 3.4."""
    record = " ".join(["v=spf1", *(f"ip4:192.0.2.{n}" for n in range(40)), "-all"])
    assert main(["check", "--record", record]) == 0
    out = capsys.readouterr().out
    assert "octets" in out and "section 3.4" in out and "hint: shorten" in out


@pytest.mark.parametrize(
    "text",
    [
        "v=spf1 ip:1.2.3.4 -all\n# a comment\nv=DMARC1; p=none\n",
        '$TTL 60\n@ IN TXT "v=spf1 ip:1.2.3.4 -all"\n_dmarc TXT ( "v=DMARC1;"\n " p=none" )\n',
    ],
    ids=["raw", "zone-file"],
)
@pytest.mark.parametrize("how", ["file", "stdin"])
def test_check_a_file(
    text: str,
    how: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (tmp_path / "records").write_text(text)
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    path = "-" if how == "stdin" else str(tmp_path / "records")
    assert main(["check", "--json", "--file", path]) == 65
    spf, dmarc = json.loads(capsys.readouterr().out)
    assert [f["code"] for f in spf["findings"]] == ["spf-syntax"]
    assert [f["code"] for f in dmarc["findings"]] == ["dmarc-no-reports"]


BAD = f"""{HEAD}
@ TXT "v=spf1 include:loop.d.example ip:192.0.2.1 a:gone.d.example -all"
@ MX 10 mx
mx A 127.0.0.9
loop TXT "v=spf1 include:loop.d.example -all"
_dmarc TXT "v=DMARC1; p=reject; pct=50; rua=mailto:a@far.example!10m"
two TXT "v=spf1 -all"
two TXT "v=spf1 mx -all"
_domainkey TXT "o=~"
_adsp._domainkey TXT "dkim=all"
good._domainkey TXT {txt(wanted(KEY).record)}
dead._domainkey TXT "v=DKIM1; p="
"""
FINE = f"""{HEAD}
@ TXT "v=spf1 mx include:_spf.fine.example -all"
@ MX 10 mx
mx A 127.0.0.9
mx AAAA ::1
_spf TXT "v=spf1 ip4:192.0.2.0/24 -all"
_dmarc TXT "v=DMARC1; p=quarantine; rua=mailto:a@d.example"
good._domainkey TXT {txt(wanted(KEY).record)}
"""
# the operator of d.example agrees to reports about fine.example
AGREED = f'{BAD}fine.example._report._dmarc TXT "v=DMARC1"\n'


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[str]]:
    """The option that leads to the served zones."""
    if program := zones.missing():
        pytest.skip(f"{program} is not installed")
    place = tmp_path_factory.mktemp("dns")
    served = {"d.example": AGREED, "fine.example": FINE, "far.example": f"{HEAD}@ A 127.0.0.9\n"}
    served["example"] = HEAD + "".join(
        f"{name} NS ns1.{name}\nns1.{name} A 127.0.0.2\n" for name in ("d", "fine", "far")
    )
    with (
        zones.authority(place, served) as port,
        zones.resolver(place, list(served), port) as address,
    ):
        yield ["--nameserver", address]


def test_a_bad_domain_served_by_nsd(
    world: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    key = tmp_path / "k.private"
    key.write_bytes(keypair.pem(KEY))
    table = tmp_path / "KeyTable"
    table.write_text(f"a d.example:good:{key}\nb d.example:dead:{key}\nc other.example:x:{key}\n")
    argv = ["check", "--json", "--keytable", str(table), "-s", "gone", *world, "d.example"]
    assert main(argv) == 65
    (result,) = json.loads(capsys.readouterr().out)
    assert result["selectors"] == ["good", "dead", "gone"]
    assert {f["code"] for f in result["findings"]} >= {
        "spf-syntax",
        "spf-loop",
        "spf-void",
        "dmarc-obsolete",
        "dmarc-reject",
        "report-not-authorised",
        "key-revoked",
        "key-missing",
        "key-ok",
        "obsolete-domainkeys",
        "obsolete-adsp",
    }
    order = ["error", "unknown", "warning", "advice", "good"]
    harms = [order.index(f["harm"]) for f in result["findings"]]
    assert harms == sorted(harms)


def test_keys_that_this_user_may_not_read_are_looked_at(
    world: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is published anyone may check."""
    table = tmp_path / "KeyTable"
    table.write_text("a d.example:good:/nonexistent\nb d.example:dead:credential:x\n")
    main(["check", "--json", "--keytable", str(table), *world, "d.example"])
    shown = capsys.readouterr()
    (result,) = json.loads(shown.out)
    assert {"key-ok", "key-revoked"} <= {f["code"] for f in result["findings"]}
    assert "warning: /nonexistent: No such file" in shown.err and "not compared" in shown.err
    config = tmp_path / "postseal.toml"
    config.write_text(f'[sign]\nkey_table = "{table}"\n')
    main(["check", "--json", "-x", str(config), *world, "d.example"])
    (other,) = json.loads(capsys.readouterr().out)
    assert other == result


def test_a_fine_domain_served_by_nsd(world: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "-v", "-s", "good", *world, "fine.example"]) == 0
    out = capsys.readouterr().out
    assert "fine.example: nothing to mend; SPF needs 2 of 10 lookups" in out
    assert "   1 include:_spf.fine.example" in out


def test_an_unpublished_record_is_walked(
    world: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    record = "v=spf1 include:fine.example -all"
    assert main(["check", "--json", "--record", record, *world, "new.example"]) == 0
    (result,) = json.loads(capsys.readouterr().out)
    assert result["spf"]["lookups"] == 3
    record = "v=DMARC1; p=none; rua=mailto:a@far.example"
    assert main(["check", "--json", "--record", record, *world, "fine.example"]) == 65


def test_a_file_of_texts_for_a_domain(
    world: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "f").write_text("v=spf1 include:fine.example -all\nv=DMARC1; p=none\n")
    argv = ["check", "--json", "--file", str(tmp_path / "f"), *world, "new.example"]
    assert main(argv) == 0
    spf, dmarc = json.loads(capsys.readouterr().out)
    assert spf["spf"]["lookups"] == 3
    assert dmarc["findings"][0]["where"] == "_dmarc.new.example"


@pytest.mark.slow
def test_two_records_and_no_answer(world: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", *world, "two.d.example"]) == 65
    assert 'publish: two.d.example. IN TXT "v=spf1 mx -all"' in capsys.readouterr().out
    assert main(["check", "--nameserver", "127.0.0.1:9", "--timeout", "1s", "d.example"]) == 75


ZONE_FILE = """\
$ORIGIN d.example.
$TTL 300
@ IN TXT "v=spf1 include:dmarc.spf.example -all"
@ IN TXT "v=spf1 mx -all"
@ IN TXT "google-site-verification=spf"
_dmarc TXT "v=dmarc1; p=none"
x.example._report._dmarc TXT "v=DMARC1"
y.example._report._dmarc TXT "yes"
s1._domainkey TXT "v=DKIM1; p="
$ORIGIN sub.d.example.
@ TXT "v=spf1 -all"
"""


def test_a_zone_file_before_it_is_loaded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "zone").write_text(ZONE_FILE)
    assert main(["check", "--json", "--file", str(tmp_path / "zone")]) == 65
    rows = json.loads(capsys.readouterr().out)
    found = [(row["domain"], [f["code"] for f in row["findings"]]) for row in rows]
    assert found == [
        ("d.example", []),
        ("d.example", []),
        ("_dmarc.d.example", ["dmarc-version"]),
        ("x.example._report._dmarc.d.example", []),
        ("y.example._report._dmarc.d.example", ["dmarc-version"]),
        ("s1._domainkey.d.example", ["key-revoked"]),
        ("sub.d.example", []),
        ("d.example", ["spf-many"]),
    ]


def test_a_mistake_in_a_zone_file_is_placed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The line is that of the file, whatever $ORIGIN stands before it."""
    (tmp_path / "zone").write_text(f"{ZONE_FILE}\n@ NONSENSE x\n; end\n")
    assert main(["check", "--file", str(tmp_path / "zone")]) == 65
    line = ZONE_FILE.count("\n") + 2
    shown = capsys.readouterr().err
    assert f"near line {line}" in shown or f"near line {line + 1}" in shown
