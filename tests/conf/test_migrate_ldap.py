"""OpenDKIM's options for LDAP: they go where the tables go, and passwords go nowhere."""

from __future__ import annotations

from pathlib import Path

from postseal.conf import load, migrate_opendkim
from postseal.conf.migrate_base import Migration
from postseal.conf.migrate_report import Fate
from postseal.conf.model import Settings


def migrated(folder: Path, text: str) -> Migration:
    file = folder / "opendkim.conf"
    file.write_text(text)
    return migrate_opendkim.migrate(file)


def settings(work: Migration) -> Settings:
    return load.parse(work.result().encode(), Path("/etc/postseal/postseal.toml")).settings


def fates(work: Migration) -> dict[str, Fate]:
    return {one.option: one.fate for one in work.report.entries}


LDAP = "ldap://h/dc=x?dkimSelector?sub?(mail=$d)"


def test_tables_in_ldap_keep_their_options(tmp_path: Path) -> None:
    work = migrated(
        tmp_path,
        f"KeyTable {LDAP}\nSigningTable ldaps://h/dc=x?a?sub?(b=$d)\nInternalHosts {LDAP}\n"
        "LDAPBindUser cn=mail,dc=x\nLDAPBindPassword hush\nLDAPUseTLS yes\nLDAPTimeout 90\n"
        "LDAPDisableCache yes\nLDAPAuthMechanism GSSAPI\nLDAPKeepaliveIdle 5\n",
    )
    made = settings(work)
    assert made.sign.key_table == "table:keys"
    assert made.sign.signing_table == "table:senders"
    assert made.roles.internal_hosts == ("table:hosts",)
    bind = "bindname=cn=mail%2Cdc=x"
    assert [one.url for one in made.table] == [
        f"{LDAP}?{bind},x-starttls",
        f"ldaps://h/dc=x?a?sub?(b=$d)?{bind}",
        f"{LDAP}?{bind},x-starttls",
    ]
    assert {(str(one.password_file), one.timeout) for one in made.table} == {
        ("/etc/postseal/ldap-password", 60.0)
    }
    assert "hush" not in work.report.text() + work.result()
    fates_of = fates(work)
    assert fates_of["LDAPBindPassword"] is Fate.CHANGED
    assert fates_of["LDAPAuthMechanism"] is Fate.CHANGED
    assert fates_of["LDAPKeepaliveIdle"] is Fate.NO_EFFECT


def test_a_directory_that_anybody_may_read_needs_no_table(tmp_path: Path) -> None:
    work = migrated(tmp_path, f"KeyTable {LDAP}\nSigningTable csl:a=b\nLDAPUseTLS no\n")
    assert settings(work).sign.key_table == LDAP
    assert not settings(work).table


def test_options_of_ldap_without_a_table_there(tmp_path: Path) -> None:
    work = migrated(tmp_path, "LDAPBindUser x\nLDAPTimeout 3\n")
    told = {fate for name, fate in fates(work).items() if name.startswith("LDAP")}
    assert told == {Fate.NO_EFFECT}
    assert not settings(work).table
