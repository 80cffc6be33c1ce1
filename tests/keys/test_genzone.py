"""postseal-genzone, by itself and beside Debian's opendkim-genzone."""

from __future__ import annotations

import base64
import os
import shutil
import stat
import subprocess
from pathlib import Path

import dns.rdatatype
import dns.zone
import pytest
from dns.rdtypes.ANY.SOA import SOA
from dns.rdtypes.ANY.TXT import TXT

from postseal_keys import formats, genkey, genzone, records
from support.keytool import Ran, run

PEER = shutil.which("opendkim-genzone", path="/usr/sbin:/usr/bin")
NEEDS_PEER = pytest.mark.skipif(
    PEER is None, reason="needs opendkim-genzone (package opendkim-tools)"
)


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three RSA keys, of a domain, its subdomain, and another domain."""
    directory = tmp_path_factory.mktemp("keys")
    rows = {
        "a": ("example.com", "s1"),
        "b": ("sub.example.com", "s2"),
        "c": ("example.org", "s3"),
    }
    lines = []
    for name, (domain, selector) in rows.items():
        assert run(genkey.main, "-D", str(directory), "-b1024", "-s", selector).status == 0
        lines.append(f"{name} {domain}:{selector}:{directory}/{selector}.private\n")
    (directory / "KeyTable").write_text("".join(lines))
    return directory / "KeyTable"


def _genzone(*words: str | Path) -> Ran:
    return run(genzone.main, *map(str, words))


Rows = dict[str, tuple[dict[str, str], int]]


def _read(text: str, origin: str) -> Rows:
    """Full name -> tags and time to live, read by dnspython as a zone of that origin."""
    head = "" if "SOA" in text else "@ 1 IN SOA ns.invalid. h.invalid. 1 1 1 1 1\n"
    ns = "" if "\tNS\t" in text else "@ 1 IN NS ns.invalid.\n"
    zone = dns.zone.from_text(f"$TTL 1\n{head}{ns}{text}", origin, relativize=False)
    found: Rows = {}
    for name, rdataset in zone.iterate_rdatasets(dns.rdatatype.TXT):
        (record,) = rdataset
        assert isinstance(record, TXT)
        tags = records.parse_tags(b"".join(record.strings).decode("ascii"))
        found[name.to_text(omit_final_dot=True)] = (tags, rdataset.ttl)
    return found


@pytest.mark.parametrize(
    ("words", "origin", "names"),
    [
        pytest.param(
            ("-F",), ".", ["s1._domainkey.example.com", "s2._domainkey.sub.example.com",
                           "s3._domainkey.example.org"], id="full-names"),
        pytest.param(
            (), ".", ["s1._domainkey.example.com", "s2._domainkey.sub.example.com",
                      "s3._domainkey.example.org"], id="several-domains-need-full-names"),
        pytest.param(
            ("-d", "example.com"), "_domainkey.example.com", ["s1._domainkey.example.com"],
            id="zone-of-keys"),
        pytest.param(
            ("-D", "-d", "example.org"), "example.org", ["s3._domainkey.example.org"],
            id="zone-of-the-domain"),
        pytest.param(
            ("-D", "-s", "-d", "example.com"), "example.com",
            ["s1._domainkey.example.com", "s2._domainkey.sub.example.com"], id="subdomains"),
        pytest.param(
            ("-D", "-s", "-d", "ample.com"), "ample.com", [], id="no-part-of-a-label"),
        pytest.param(
            ("-D", "-d", "none.example"), "none.example", [], id="none"),
    ],
)  # fmt: skip
def test_which_keys_under_which_names(
    table: Path, words: tuple[str, ...], origin: str, names: list[str]
) -> None:
    ran = _genzone(*words, table)
    assert ran.status == (0 if names else 65)
    found = _read(ran.out, origin)
    assert sorted(found) == names
    for name, (tags, _) in found.items():
        key = (table.parent / f"{name.split('.')[0]}.txt").read_text()
        assert tags["k"] == "rsa" and tags["p"][:200] in key


def test_several_domains_without_full_names_are_said(table: Path) -> None:
    assert "several domains" in _genzone(table).err
    assert _genzone("-F", table).err == ""


def test_soa_and_ns(table: Path) -> None:
    ran = _genzone(
        "-S", "-D", "-d", "example.org", "-N", "ns1.example.com,ns2.example.com.",
        "-C", "host.master@example.com", "-r", "1", "-R", "2", "-E", "3", "-T", "4", table,
    )  # fmt: skip
    zone = dns.zone.from_text(f"$TTL 60\n{ran.out}", "example.org", relativize=False)
    (soa,) = zone.find_rdataset("example.org.", "SOA")
    assert isinstance(soa, SOA)
    assert soa.mname.to_text() == "ns1.example.com."
    assert soa.rname.to_text() == "host\\.master.example.com."
    assert (soa.refresh, soa.retry, soa.expire, soa.minimum) == (1, 2, 3, 4)
    assert len(str(soa.serial)) == 10
    servers = zone.find_rdataset("example.org.", "NS")
    assert {server.to_text() for server in servers} == {"ns1.example.com.", "ns2.example.com."}


def test_nsupdate(table: Path) -> None:
    ran = _genzone("-u", "-d", "example.com", "-N", "ns1.example.com", table)
    lines = ran.out.splitlines()
    assert lines[0] == "server ns1.example.com"
    assert lines[1] == "update delete s1._domainkey.example.com. TXT"
    assert lines[2].startswith('update add s1._domainkey.example.com. 86400 TXT "v=DKIM1; ')
    assert lines[3:] == ["send"]


@pytest.mark.parametrize("name", list(formats.FORMATS))
def test_every_format_names_every_key(table: Path, name: str) -> None:
    words = ("-s", "-d", "example.com") if formats.FORMATS[name].one_zone else ()
    out = _genzone("--format", name, *words, table).out
    assert all(f"{selector}._domainkey" in out for selector in ("s1", "s2"))
    assert ("s3._domainkey" in out) is not bool(words)


def test_output_goes_to_a_file_whole(table: Path, tmp_path: Path) -> None:
    target = tmp_path / "zone"
    target.write_text("old")
    assert _genzone("-F", "-o", target, table) == Ran(0, "", "")
    assert target.read_text() == _genzone("-F", table).out
    assert stat.S_IMODE(target.stat().st_mode) == 0o644


def test_a_failure_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "zone").write_text("old")
    (tmp_path / "KeyTable").write_text("a example.com:s:/nonexistent\n")
    ran = _genzone("-o", tmp_path / "zone", tmp_path / "KeyTable")
    assert ran.status == os.EX_NOINPUT
    assert (tmp_path / "zone").read_text() == "old"


def test_a_device_is_written_to_and_not_replaced(table: Path) -> None:
    assert _genzone("-F", "-o", "/dev/null", table).status == 0
    assert stat.S_ISCHR(Path("/dev/null").stat().st_mode)


def test_two_keys_for_one_name_are_refused(table: Path, tmp_path: Path) -> None:
    """RFC 6376 section 3.6.2.2: two records at one name are undefined."""
    rows = [
        f"{n} example.com:s:{table.parent}/{k}.private\n" for n, k in (("x", "s1"), ("y", "s2"))
    ]
    (tmp_path / "KeyTable").write_text("".join(rows))
    ran = _genzone(tmp_path / "KeyTable")
    assert ran.status == os.EX_DATAERR and ran.out == ""
    (tmp_path / "KeyTable").write_text(rows[0] + rows[0].replace("x ", "z "))
    assert _genzone("-D", tmp_path / "KeyTable").out.count("TXT") == 1


def test_a_row_for_any_domain(table: Path, tmp_path: Path) -> None:
    (tmp_path / "KeyTable").write_text(f"x %:any:{table.parent}/s1.private\n")
    ran = _genzone("-F", tmp_path / "KeyTable")
    assert "TXT" not in ran.out and "any domain" in ran.err
    assert (
        "any._domainkey.example.net."
        in _genzone("-F", "-d", "example.net", tmp_path / "KeyTable").out
    )


def test_the_table_may_come_from_the_configuration(table: Path, tmp_path: Path) -> None:
    (tmp_path / "opendkim.conf").write_text(f"KeyTable file:{table}\n")
    assert _genzone("-F", "-x", tmp_path / "opendkim.conf").out == _genzone("-F", table).out


@pytest.mark.parametrize("words", [("-u",), ("--format", "line")])
def test_the_suffix_may_be_asked_for_where_it_is_always(table: Path, words: tuple[str]) -> None:
    """opendkim-genzone -u writes no usable names without -D, so that scripts have both."""
    with_suffix = _genzone("-D", *words, table)
    assert with_suffix.status == 0 and with_suffix.out == _genzone(*words, table).out


@pytest.mark.parametrize(
    ("words", "status"),
    [
        pytest.param(("-Z",), os.EX_USAGE, id="unknown-option"),
        pytest.param(("-x", "/nonexistent"), os.EX_CONFIG, id="no-configuration"),
        pytest.param(("/nonexistent",), os.EX_NOINPUT, id="no-table"),
        pytest.param(("a", "b"), os.EX_USAGE, id="two-tables"),
        pytest.param(("-u", "-S", "x=y:z:/k"), os.EX_USAGE, id="soa-in-nsupdate"),
        pytest.param(("-s", "x=y:z:/k"), os.EX_USAGE, id="subdomains-of-no-domain"),
        pytest.param(("-u", "--format", "line", "x"), os.EX_USAGE, id="two-formats"),
        pytest.param(("-t", "-5", "x"), os.EX_USAGE, id="ttl"),
        pytest.param(("-t", "x", "x"), os.EX_USAGE, id="ttl-no-number"),
        pytest.param(("-d", "a b", "x"), os.EX_USAGE, id="domain"),
        pytest.param(("dsn:x",), os.EX_USAGE, id="data-base"),
    ],
)
def test_bad_input(words: tuple[str, ...], status: int) -> None:
    ran = _genzone(*words)
    assert (ran.status, ran.out) == (status, "")
    assert ran.err.startswith("postseal-genzone: error: ")


def test_a_key_on_the_command_line_is_refused() -> None:
    """The process list shows it to everyone."""
    seed = base64.b64encode(bytes(32)).decode()
    ran = _genzone(f"csl:a=example.com:s:{seed}")
    assert (ran.status, ran.out) == (os.EX_USAGE, "")
    assert seed not in ran.err


@pytest.mark.parametrize("contact", ["a b@example.com", "a\n@example.com", "a;@example.com", "@"])
def test_a_contact_cannot_break_the_zone(table: Path, contact: str) -> None:
    assert _genzone("-S", "-F", "-C", contact, table).status == os.EX_USAGE


@pytest.mark.e2e
@NEEDS_PEER
@pytest.mark.parametrize(
    ("words", "origin"),
    [
        pytest.param(("-F",), ".", id="full"),
        pytest.param(("-F", "-M", "-t", "300"), ".", id="email-ttl"),
        pytest.param(("-D", "-d", "example.com"), "example.com", id="suffix"),
        pytest.param(("-d", "example.com"), "_domainkey.example.com", id="bare"),
        pytest.param(("-F", "-s", "-d", "example.com"), ".", id="subdomains"),
        pytest.param(("-F", "-d", "none.example"), ".", id="none"),
    ],
)
def test_opendkim_genzone_publishes_the_same(
    table: Path, words: tuple[str, ...], origin: str
) -> None:
    assert PEER is not None
    done = subprocess.run(
        [PEER, *words, f"file:{table}"], capture_output=True, text=True, check=True, timeout=60
    )
    assert _read(_genzone(*words, f"file:{table}").out, origin) == _read(done.stdout, origin)


@pytest.mark.e2e
@NEEDS_PEER
@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("-Z",), id="option"),
        pytest.param(("-x", "/nonexistent.conf"), id="conf"),
        pytest.param(("-t",), id="value"),
        pytest.param(("-s", "a=b:c:/d"), id="subdomains-of-no-domain"),
    ],
)
def test_opendkim_genzones_statuses(words: tuple[str, ...]) -> None:
    assert PEER is not None
    done = subprocess.run([PEER, *words], capture_output=True, check=False, timeout=60)
    assert _genzone(*words).status == done.returncode


def test_a_domain_without_keys_does_not_empty_a_zone(tmp_path: Path) -> None:
    """A slip of the pen would else take all keys out of the zone that includes the file."""
    run(genkey.main, "-D", str(tmp_path), "--ed25519", "-s", "s")
    (tmp_path / "KeyTable").write_text(f"a d.example:s:{tmp_path}/s.private\n")
    (tmp_path / "out").write_text("old")
    ran = run(genzone.main, "-d", "e.example", "-o", f"{tmp_path}/out", f"{tmp_path}/KeyTable")
    assert ran.status == 65 and "no key for e.example" in ran.err and "hint" in ran.err
    assert (tmp_path / "out").read_text() == "old"


@pytest.mark.parametrize("name", [form.name for form in formats.FORMATS.values()])
def test_no_form_mixes_two_zones(tmp_path: Path, name: str) -> None:
    """The same selector in two domains is usual: in a file for one zone, one would be lost."""
    run(genkey.main, "-D", str(tmp_path), "--ed25519", "-s", "s")
    rows = "".join(f"{d} {d}.example:s:{tmp_path}/s.private\n" for d in ("a", "b"))
    (tmp_path / "KeyTable").write_text(rows)
    one = run(genzone.main, "--format", name, "-d", "a.example", f"{tmp_path}/KeyTable")
    assert one.status == 0 and one.out
    both = run(genzone.main, "--format", name, f"{tmp_path}/KeyTable")
    if formats.FORMATS[name].one_zone:
        assert (both.status, both.out) == (64, "") and "-d DOMAIN" in both.err
    else:
        assert both.status == 0
        assert "a.example" in both.out and "b.example" in both.out


def test_forms_without_a_zone_are_for_one() -> None:
    """All that name no zone for each record, or stand in one request to one zone."""
    several = {form.name for form in formats.FORMATS.values() if not form.one_zone}
    assert several == {"zone", "line", "plain", "nsupdate", "dnscontrol", "tinydns", "dnsmasq"}
