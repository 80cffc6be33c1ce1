"""policyd-spf.conf and pyspf-milter.conf: what each option becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from postseal.conf import load, migrate_spf
from postseal.conf.migrate_base import Migration
from postseal.conf.model import Settings

QUIET = "HELO_reject = False\nMail_From_reject = False\nHeader_Type = AR\n"


def migrated(folder: Path, text: str, name: str = "policyd-spf.conf") -> Migration:
    file = folder / name
    file.write_text(text)
    return migrate_spf.migrate(file)


def settings(work: Migration) -> Settings:
    return load.parse(work.result().encode(), Path("/etc/postseal/postseal.toml")).settings


ROWS = [
    pytest.param("HELO_reject = Fail", "spf.helo", True, "changed", id="helo"),
    pytest.param("HELO_reject=No_Check", "spf.helo", False, "kept", id="no-helo"),
    pytest.param("HELO_reject = False", "spf.helo", True, "kept", id="helo-told"),
    pytest.param("Mail_From_reject = Softfail", "spf.enabled", True, "changed", id="mail-from"),
    pytest.param("Mail_From_reject = No_Check", "spf.enabled", True, "changed", id="unchecked"),
    pytest.param("Mail_From_reject = False", "spf.enabled", True, "kept", id="told"),
    pytest.param("PermError_reject = True", "spf.permerror", "accept", "changed", id="permerror"),
    pytest.param("PermError_reject = False", "spf.permerror", "accept", "kept", id="no-permerror"),
    pytest.param("TempError_Defer = True", "spf.temperror", "tempfail", "changed", id="temperror"),
    pytest.param("TempError_Defer = False", "spf.temperror", "accept", "kept", id="no-temperror"),
    pytest.param("Header_Type = SPF", "spf.received_spf", True, "kept", id="field"),
    pytest.param("Header_Type = AR", "spf.received_spf", False, "kept", id="results"),
    pytest.param("Header_Type = None", "spf.received_spf", False, "changed", id="no-field"),
    pytest.param("Void_Limit = 3", "spf.voids", 3, "kept", id="voids"),
    pytest.param("Authserv_Id = mx.a.b", "authserv_id", "mx.a.b", "kept", id="authserv-id"),
    pytest.param("skip_addresses = 127.0.0.0/8,::1", "spf.voids", 2, "without effect", id="own"),
    pytest.param("skip_addresses = ::1,192.0.2.1", "spf.voids", 2, "changed", id="skip"),
    pytest.param("Whitelist = 192.0.2.0/24", "spf.voids", 2, "changed", id="whitelist"),
    pytest.param("Domain_Whitelist = a.b", "spf.voids", 2, "changed", id="domain-whitelist"),
    pytest.param("Reject_Not_Pass_Domains = a.b", "spf.voids", 2, "changed", id="not-pass"),
    pytest.param("Lookup_Time = 5", "dns.seconds", 20, "without effect", id="seconds"),
    pytest.param("TestOnly = 0", "spf.voids", 2, "without effect", id="test-only"),
    pytest.param("Nonsense = 1", "spf.voids", 2, "dead", id="unknown"),
]


@pytest.mark.parametrize(("line", "option", "value", "fate"), ROWS)
def test_option(line: str, option: str, value: object, fate: str, tmp_path: Path) -> None:
    work = migrated(tmp_path, QUIET + line + " # why\n")
    found: object = settings(work)
    for part in option.split("."):
        found = getattr(found, part)
    assert found == value
    assert fate in [one.fate.value for one in work.report.entries if one.line == 4]


def test_defaults_that_are_other_ones_are_said(tmp_path: Path) -> None:
    work = migrated(tmp_path, "")
    told = {one.option for one in work.report.entries if "is not given" in one.text}
    assert told == {"HELO_reject", "Mail_From_reject", "Header_Type"}
    assert settings(work).spf.received_spf and settings(work).spf.helo


def test_the_milter_never_wrote_received_spf(tmp_path: Path) -> None:
    text = "UserID = p\nSocket = inet:8893@localhost\nInternalHosts = 127.0.0.1\nMacroList =\n"
    found = settings(migrated(tmp_path, text, "pyspf-milter.conf"))
    assert not found.spf.received_spf
    assert (found.user, found.socket) == ("p", "inet:8893@localhost")
