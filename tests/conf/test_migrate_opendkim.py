"""opendkim.conf: what each option becomes, and that the same keys are chosen afterwards."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from postseal.conf import load, migrate_opendkim
from postseal.conf.migrate_base import Migration
from postseal.conf.migrate_report import Fate
from postseal.conf.model import Settings
from postseal.core.canon import BodyDigest
from postseal.core.dkim.sign import Options, sign
from postseal.core.field import Field, Header
from postseal.tables import site
from support import opendkim
from support.opendkim import Outcome
from support.sites import private


def migrated(folder: Path, text: str) -> Migration:
    file = folder / "opendkim.conf"
    file.write_text(text)
    return migrate_opendkim.migrate(file)


def settings(work: Migration) -> Settings:
    return load.parse(work.result().encode(), Path("/etc/postseal/postseal.toml")).settings


SINGLE = "Domain a.example\nSelector s\nKeyFile /etc/k\n"


def fates(work: Migration) -> list[tuple[str, Fate]]:
    return [(one.option, one.fate) for one in work.report.entries]


ROWS = [
    pytest.param("Socket inet:8891@localhost", "socket", "inet:8891@localhost", "kept", id="inet"),
    pytest.param("Socket local:/run/o.sock", "socket", "unix:/run/o.sock", "kept", id="local"),
    pytest.param("Socket inet:8891", "socket", "inet:8891", "dangerous", id="inet-all"),
    pytest.param("Socket inet:x@h", "socket", "inet:8891@127.0.0.1", "changed", id="inet-bad"),
    pytest.param("UserID o:g", "user", "o", "kept", id="user"),
    pytest.param("UserID o:g", "group", "g", "kept", id="group"),
    pytest.param("Syslog yes", "log.target", "syslog", "kept", id="syslog"),
    pytest.param("Syslog No", "log.target", "stderr", "kept", id="no-syslog"),
    pytest.param("SyslogFacility Local3", "log.facility", "local3", "kept", id="facility"),
    pytest.param("AuthservID mx.a.b", "authserv_id", "mx.a.b", "kept", id="authserv-id"),
    pytest.param("RemoveARFrom a.b,c.d", "extra_authserv_ids", ("a.b", "c.d"), "kept", id="ar"),
    pytest.param("RemoveARFrom .b,c.d", "extra_authserv_ids", ("c.d",), "changed", id="ar-below"),
    pytest.param("Canonicalization Relaxed", "sign.canonicalization", "relaxed", "kept", id="c"),
    pytest.param("SignatureTTL 864000", "sign.expire", 864000, "kept", id="ttl"),
    pytest.param("SignatureTTL 3600", "sign.expire", 432000, "dangerous", id="ttl-short"),
    pytest.param("SignatureTTL 0", "sign.expire", 0, "without effect", id="ttl-none"),
    pytest.param("MultipleSignatures yes", "sign.multiple_signatures", True, "changed", id="many"),
    pytest.param("SignatureAlgorithm rsa-sha1", "sign.domain", "", "dangerous", id="sha1"),
    pytest.param("SignHeaders From,To", "sign.headers", ("From", "To"), "kept", id="headers"),
    pytest.param("SignHeaders *,+X-A", "sign.headers", ("*", "+X-A"), "changed", id="headers-more"),
    pytest.param("SignHeaders To,Received", "sign.headers", ("To",), "dangerous", id="headers-bad"),
    pytest.param("OmitHeaders Date", "sign.headers", ("*", "-Date"), "kept", id="omit"),
    pytest.param("OversignHeaders From,To", "sign.oversign", ("From", "To"), "kept", id="over"),
    pytest.param("OversignHeaders X-A", "sign.oversign", (), "dangerous", id="over-unsigned"),
    pytest.param(
        "InternalHosts 10.0.0.0/8,!10.1.1.1",
        "roles.internal_hosts",
        ("10.0.0.0/8", "!10.1.1.1"),
        "kept",
        id="hosts",
    ),
    pytest.param("PeerList 10.0.0.1", "roles.peers", ("10.0.0.1",), "kept", id="peers"),
    pytest.param("PeerList lua:/x", "roles.peers", (), "changed", id="peers-elsewhere"),
    pytest.param("MacroList a=b|c", "roles.macros", ("a=b|c",), "kept", id="macros"),
    pytest.param("MTA MSA,SUB", "roles.daemon_names", ("MSA", "SUB"), "kept", id="mta"),
    pytest.param("MacroList a=b\nMTA M", "roles.daemon_names", ("M",), "changed", id="mta-macros"),
    pytest.param("RequiredHeaders yes", "from_.missing", "reject", "changed", id="required"),
    pytest.param("ClockDrift 60", "verify.clock_skew", 60, "kept", id="drift"),
    pytest.param("MinimumKeyBits 2048", "verify.minimum_key_bits", 2048, "kept", id="bits"),
    pytest.param("MinimumKeyBits 0", "verify.minimum_key_bits", 1024, "changed", id="bits-none"),
    pytest.param("MaximumSignaturesToVerify 500", "verify.max_signatures", 100, "changed", id="m"),
    pytest.param("DNSTimeout 7", "dns.timeout", 7, "kept", id="timeout"),
    pytest.param("Nameservers 192.0.2.1", "dns.nameservers", ("192.0.2.1:53",), "kept", id="ns"),
    pytest.param("On-InternalError accept", "on_error", "accept", "kept", id="on-error"),
    pytest.param("On-InternalError reject", "on_error", "tempfail", "changed", id="on-error-r"),
    pytest.param("On-DNSError tempfail", "verify.temperror", "tempfail", "changed", id="dns-t"),
    pytest.param("On-DNSError accept", "verify.temperror", "accept", "kept", id="dns-a"),
    pytest.param("On-DNSError reject", "verify.temperror", "accept", "changed", id="dns-r"),
    pytest.param("RequireSafeKeys no", "sign.domain", "", "dangerous", id="unsafe-keys"),
    pytest.param("KeepAuthResults yes", "sign.domain", "", "dangerous", id="keep-results"),
    pytest.param("KeepAuthResults no", "sign.domain", "", "without effect", id="remove-results"),
    pytest.param("MaximumSignedBytes 5", "sign.domain", "", "dangerous", id="l-tag"),
    pytest.param("Background yes", "workers", 0, "without effect", id="background"),
    pytest.param("Domain a.b", "sign.domain", "", "dead", id="domain-alone"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "option", "value", "fate"), ROWS)
def test_option(line: str, option: str, value: object, fate: str, tmp_path: Path) -> None:
    work = migrated(tmp_path, line + "\n")
    found: object = settings(work)
    for part in option.split("."):
        found = getattr(found, part)
    assert found == value
    assert fate in [one.fate.value for one in work.report.entries]


def test_umask_of_a_unix_socket(tmp_path: Path) -> None:
    work = migrated(tmp_path, "UMask 002\nSocket /run/o.sock\n")
    assert settings(work).socket_mode == 0o664
    work = migrated(tmp_path, "UMask 002\nSocket inet:1@localhost\n")
    assert ("UMask", Fate.NO_EFFECT) in fates(work)


def test_mode_without_signing_leaves_the_keys_out(tmp_path: Path) -> None:
    text = "Mode v\nDomain a.b\nSelector s\nKeyFile /k\nCanonicalization simple\n"
    assert settings(migrated(tmp_path, text)).sign.domain == ""


def test_includes_and_repeated_options(tmp_path: Path) -> None:
    (tmp_path / "more").write_text("Selector inner\n\nDomain a.b\n")
    text = f"Selector outer\nInclude {tmp_path}/more\nKeyFile /k # comment\n"
    work = migrated(tmp_path, text)
    assert settings(work).sign.key[0].selector == "inner"
    [old] = [one for one in work.report.entries if "further down" in one.text]
    assert (old.value, old.line) == ("outer", 1)


def test_every_option_is_reported_at_its_line(tmp_path: Path) -> None:
    work = migrated(tmp_path, "# c\n\nSyslog yes\n   LogWhy\tyes\n")
    assert sorted(one.line for one in work.report.entries if one.line) == [3, 4]


@pytest.mark.parametrize(
    ("text", "count"), [(SINGLE, 1), (SINGLE + "UserID o\n", 0), ("Mode v\n" + SINGLE, 0)]
)
def test_the_user_was_in_the_unit(text: str, count: int, tmp_path: Path) -> None:
    told = [what for _, line, what in said(migrated(tmp_path, text), "UserID") if line == 0]
    assert len(told) == count
    assert all('user = "opendkim"' in what for what in told)


@pytest.mark.parametrize(("text", "count"), [("", 1), ("Socket inet:8891@localhost\n", 0)])
def test_the_socket_was_on_the_command_line(text: str, count: int, tmp_path: Path) -> None:
    told = [what for _, line, what in said(migrated(tmp_path, text), "Socket") if line == 0]
    assert len(told) == count
    assert all("/etc/default/opendkim" in what for what in told)


@pytest.mark.parametrize(("mode", "count"), [("", 1), ("Mode v\n", 1), ("Mode s\n", 0)])
def test_mail_was_deferred_where_dns_failed(mode: str, count: int, tmp_path: Path) -> None:
    """Unless OpenDKIM was told otherwise."""
    told = [text for fate, _, text in said(migrated(tmp_path, mode), "On-DNSError")]
    assert len(told) == count
    assert all("is not given" in text and 'temperror = "tempfail"' in text for text in told)


def test_hosts_in_a_file_of_patterns(tmp_path: Path) -> None:
    """TrustedHosts as howtos have it."""
    (tmp_path / "hosts").write_text(
        "127.0.0.1\nlocalhost\n\n*.a.example\n#10.*\n192.168.*\n*\nx?.b\n"
    )
    text = f"InternalHosts refile:{tmp_path}/hosts\nExternalIgnoreList refile:{tmp_path}/hosts\n"
    work = migrated(tmp_path, text)
    wanted = ("127.0.0.1", "localhost", "192.168.0.0/16")
    assert settings(work).roles.internal_hosts == wanted
    dead = [one.text for one in work.report.entries if one.fate is Fate.DEAD]
    assert ["*.a.example" in text and "; .a.example in" in text for text in dead] == [True, False]
    [odd] = [one for one in work.report.entries if one.fate is Fate.DANGEROUS]
    assert "pattern x?.b " in odd.text


KEY = "Selector s1\nKeyFile {key}\n"
TABLES = "KeyTable {folder}/kt\nSigningTable {kind}:{folder}/st\n"
FROMS = [
    "joe@example.com",
    "Ann@sub.example.com",
    "x@example.org",
    "y@other.net",
    "a@b.example.org",
]

VARIANTS = [
    pytest.param("Domain example.com\n" + KEY, "", id="one-domain"),
    pytest.param("Domain EXAMPLE.com\nSubDomains yes\n" + KEY, "", id="sub-domains"),
    pytest.param("Domain example.com,example.org\n" + KEY, "", id="two-domains"),
    pytest.param("Domain refile:{folder}/st\n" + KEY, "*.example.com\nexample.org", id="patterns"),
    pytest.param("Domain csl:example.com,example.org\nSubDomains yes\n" + KEY, "", id="two-below"),
    pytest.param("Domain file:{folder}/domains\n" + KEY, "", id="domains-in-a-file"),
    pytest.param("Domain *\n" + KEY, "", id="any-domain"),
    pytest.param(TABLES, "*@example.com a\n* b\n", id="refile"),
    pytest.param(TABLES, "*@*.org b:%@%\n*@example.com a:joe@%\n", id="refile-identity"),
    pytest.param("MultipleSignatures yes\n" + TABLES, "*@example.com a\n* b\n", id="multiple"),
    pytest.param(TABLES.replace("{kind}", "file"), "example.com a\n.org b\n", id="file"),
    pytest.param("Mode s\nDomain unused.example\n" + TABLES, "joe@* a\n", id="tables-and-domain"),
    pytest.param("BaseDirectory {folder}\nDomain example.com\nSelector s1\nKeyFile ./k.pem\n", "",
                 id="base-directory"),
    pytest.param("KeyTable csl:a=example.com:s:{key}\nSigningTable csl:*=a\n", "", id="csl"),
]  # fmt: skip


@pytest.mark.skipif(opendkim.OPENDKIM is None, reason="opendkim is not installed")
@pytest.mark.parametrize(("text", "senders"), VARIANTS)
def test_the_same_keys_are_chosen_as_before(text: str, senders: str, tmp_path: Path) -> None:
    key = private(tmp_path / "k.pem")
    (tmp_path / "kt").write_text(f"a example.com:sa:{key}\nb %:sb:{key}\n")
    (tmp_path / "st").write_text(senders)
    (tmp_path / "domains").write_text("# ours\nexample.com\nexample.org # too\n")
    text = text.format(key=key, folder=tmp_path, kind="refile")
    theirs = opendkim.outcomes(tmp_path, text.splitlines(), FROMS)
    # The oracle's own lines (mode, socket) are in the file by now.
    work = migrate_opendkim.migrate(tmp_path / "opendkim.conf")
    found = site.load(load.parse(work.result().encode(), tmp_path / "postseal.toml"))
    assert [_outcome(found, one) for one in FROMS] == list(map(_lower, theirs))


def _lower(outcome: Outcome) -> Outcome:
    """d= is written in lower case by us; SubDomains' own i=@d is not written at all."""
    made = [replace(one, domain=one.domain.lower()) for one in outcome.made]
    plain = [replace(one, identity="") if one.identity == f"@{one.domain}" else one for one in made]
    return replace(outcome, made=tuple(plain))


def _outcome(found: site.Site, sender: str) -> Outcome:
    local, _, domain = sender.rpartition("@")
    header, digest = Header([Field(b"From", b" x@y")]), BodyDigest(bytes(32), 0)
    made = [
        sign(header, one.key, digest, Options(identity=one.identity or ""), now=1)
        for one in found.chooser.choose(f"{local}@{domain.lower()}")
    ]
    return _lower(Outcome(tuple(opendkim.made(field.value.decode()) for field in made)))


def said(work: Migration, option: str) -> list[tuple[Fate, int, str]]:
    return [(one.fate, one.line, one.text) for one in work.report.entries if one.option == option]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        pytest.param(SINGLE, 1, id="signs"),
        pytest.param("KeyTable /etc/kt\nSigningTable /etc/st\n", 1, id="signs-by-tables"),
        pytest.param(SINGLE + "Canonicalization relaxed/simple\n", 0, id="given"),
        pytest.param("Mode v\n", 0, id="no-keys"),
        pytest.param("OversignHeaders From\n", 0, id="as-debian-has-it"),
    ],
)
def test_a_default_that_is_another_one_is_said(tmp_path: Path, text: str, count: int) -> None:
    """OpenDKIM signs simple/simple unless it is told: nobody sees that in the file."""
    work = migrated(tmp_path, text)
    found = [one for one in said(work, "Canonicalization") if one[1] == 0]
    assert len(found) == count
    for fate, _, what in found:
        assert fate is Fate.CHANGED
        assert "simple/simple" in what and "relaxed/relaxed now" in what
    assert settings(work).sign.canonicalization == (
        "relaxed/simple" if "C" in text else "relaxed/relaxed"
    )
    shown = work.report.text()
    assert ("opendkim.conf: Canonicalization: is not given" in shown) is bool(count)
    assert ("SignHeaders: is not given" in shown) is ("/etc/" in text)


def test_the_password_of_a_database_is_not_in_the_report(tmp_path: Path) -> None:
    place = "dsn:mysql://u:hush@h/d/table=t?keycol=k?datacol=v"
    work = migrated(tmp_path, f"InternalHosts {place}\nPeerList {place}\n")
    assert settings(work).roles.internal_hosts == (place,)
    assert settings(work).roles.peers == (place,)
    assert "hush" not in work.report.text()
    assert "u:***@h" in work.report.text()


def test_a_key_table_alone_is_dead(tmp_path: Path) -> None:
    """Lua may have referred to its keys; without SetupPolicyScript opendkim does not start."""
    work = migrated(tmp_path, SINGLE + "KeyTable /etc/kt\n")
    assert ("KeyTable", Fate.DEAD) in fates(work)
    made = settings(work).sign
    assert (made.domain, made.key_table) == ("a.example", "")
