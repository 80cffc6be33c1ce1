"""dkimpy-milter.conf: the options that differ from OpenDKIM's."""

from __future__ import annotations

from pathlib import Path

import pytest

from postseal.conf import load, migrate_dkimpy
from postseal.conf.migrate_base import Migration
from postseal.conf.migrate_report import Fate
from postseal.conf.model import Settings


def migrated(folder: Path, text: str) -> Migration:
    file = folder / "dkimpy-milter.conf"
    file.write_text(text)
    return migrate_dkimpy.migrate(file)


def settings(work: Migration) -> Settings:
    return load.parse(work.result().encode(), Path("/etc/postseal/postseal.toml")).settings


PAIR = "Domain a.b\nKeyFile /r\nSelector r\nKeyFileEd25519 /e\nSelectorEd25519 e\n"


def test_both_keys_of_one_domain(tmp_path: Path) -> None:
    sign = settings(migrated(tmp_path, PAIR + "SubDomains yes\n")).sign
    assert (sign.domain, sign.sub_domains) == ("a.b", True)
    assert [(one.selector, str(one.file)) for one in sign.key] == [("r", "/r"), ("e", "/e")]


def test_several_domains_sign_with_the_first_key(tmp_path: Path) -> None:
    work = migrated(tmp_path, PAIR.replace("a.b", "a.b,c.d") + "SubDomains yes\n")
    sign = settings(work).sign
    assert sign.signing_table == "csl:a.b=a.b/0,c.d=c.d/0,.a.b=a.b/0,.c.d=c.d/0"
    assert "c.d/1=c.d:e:/e" in sign.key_table
    assert Fate.CHANGED in [one.fate for one in work.report.entries]


def test_tables(tmp_path: Path) -> None:
    (tmp_path / "st").write_text("*@a.b k\n*@c.d joe@c.d:k # signer first\n")
    text = f"KeyTable file:/kt\nSigningTable refile:{tmp_path}/st\nKeyTableEd25519 file:/e\n"
    work = migrated(tmp_path, text)
    sign = settings(work).sign
    assert (sign.key_table, sign.signing_table) == ("file:/kt", f"refile:{tmp_path}/st")
    [row] = [one for one in work.report.entries if one.fate is Fate.DANGEROUS]
    assert (row.line, row.option) == (2, "*@c.d")
    assert "write k:joe@c.d" in row.text
    assert any(one.option == "KeyTableEd25519" for one in work.report.entries)


def test_ed25519_table_alone(tmp_path: Path) -> None:
    work = migrated(tmp_path, "KeyTableEd25519 file:/e\nSigningTable csl:*=k\n")
    assert settings(work).sign.key_table == "file:/e"


@pytest.mark.parametrize(
    ("line", "option", "value"),
    [
        ("AuthservID mx.a.b", "authserv_id", "mx.a.b"),
        ("AuthservID HOSTNAME", "authserv_id", Settings().authserv_id),
        ("MacroList daemon_name|ORIGINATING", "roles.macros", ("daemon_name=ORIGINATING",)),
        ("MacroListVerify i|X|Y", "roles.never_sign", ("i=X|Y",)),
        ("MacroList {daemon_name}=X", "roles.macros", ("daemon_name=X",)),
        ("InternalHosts 10.0.0.0/8", "roles.internal_hosts", ("10.0.0.0/8",)),
        ("SignHeaders From,Subject", "sign.headers", ("From", "Subject")),
        ("Canonicalization relaxed/simple", "sign.canonicalization", "relaxed/simple"),
        ("MinimumKeyBits 2048", "verify.minimum_key_bits", 2048),
        ("DNSTimeout 5", "dns.timeout", 5),
        ("Mode v", "sign.domain", ""),
    ],
)
def test_option(line: str, option: str, value: object, tmp_path: Path) -> None:
    found: object = settings(migrated(tmp_path, line + "\n"))
    for part in option.split("."):
        found = getattr(found, part)
    assert found == value


def test_keys_that_do_not_work_together(tmp_path: Path) -> None:
    work = migrated(tmp_path, "KeyFile /k\nDomain a.b\n")
    assert settings(work).sign.domain == ""
    assert [one.fate for one in work.report.entries] == [Fate.DEAD, Fate.CHANGED]


def test_a_default_that_is_another_one_is_said(tmp_path: Path) -> None:
    file = tmp_path / "dkimpy-milter.conf"
    text = "Domain a.example\nSelector s\nKeyFile /etc/k\n"
    for more, count in (("", 1), ("Canonicalization simple\n", 0)):
        file.write_text(text + more)
        found = migrate_dkimpy.migrate(file).report.text().count("made relaxed/simple")
        assert found == count
