"""opendmarc.conf: what each option becomes."""

from __future__ import annotations

from pathlib import Path

import pytest

from postseal.conf import load, migrate_opendmarc
from postseal.conf.migrate_base import Migration
from postseal.conf.migrate_report import Fate
from postseal.conf.model import Settings


def migrated(folder: Path, text: str) -> Migration:
    file = folder / "opendmarc.conf"
    file.write_text(text)
    return migrate_opendmarc.migrate(file)


def settings(work: Migration) -> Settings:
    return load.parse(work.result().encode(), Path("/etc/postseal/postseal.toml")).settings


ROWS = [
    pytest.param("Socket local:/run/o.sock", "socket", "unix:/run/o.sock", "kept", id="socket"),
    pytest.param("AuthservID mx.a.b", "authserv_id", "mx.a.b", "kept", id="authserv-id"),
    pytest.param("AuthservID HOSTNAME", "dmarc.reject", False, "kept", id="hostname"),
    pytest.param("RejectFailures true", "dmarc.reject", True, "kept", id="reject"),
    pytest.param("RejectFailures true", "dmarc.temperror", "tempfail", "kept", id="temperror"),
    pytest.param("RejectFailures false", "dmarc.reject", False, "kept", id="no-reject"),
    pytest.param("RejectString no, %s", "dmarc.reject_text", "no, {domain}", "kept", id="text"),
    pytest.param("RequiredHeaders yes", "from_.missing", "reject", "changed", id="required"),
    pytest.param("RequiredHeaders no", "from_.missing", "accept", "kept", id="not-required"),
    pytest.param("RejectMultiValueFrom yes", "from_.multiple", "reject", "kept", id="multiple"),
    pytest.param("RejectMultiValueFrom no", "from_.multiple", "accept", "kept", id="single"),
    pytest.param("DNSTimeout 7", "dns.timeout", 7, "kept", id="timeout"),
    pytest.param(
        "DomainWhitelist a.b,c.d", "arc.trusted_sealers", ("a.b", "c.d"), "kept", id="arc"
    ),
    pytest.param("TrustedAuthservIDs HOSTNAME", "dmarc.reject", False, "without effect", id="own"),
    pytest.param("TrustedAuthservIDs mx0.a.b", "dmarc.reject", False, "changed", id="upstream"),
    pytest.param("PublicSuffixList /p", "dmarc.discovery", "treewalk", "changed", id="suffixes"),
    pytest.param("HistoryFile /h", "dmarc.reject", False, "changed", id="reports"),
    pytest.param("FailureReports no", "dmarc.reject", False, "without effect", id="no-reports"),
    pytest.param("SPFSelfValidate no", "spf.enabled", True, "without effect", id="spf"),
    pytest.param("Nonsense 1", "dmarc.reject", False, "dead", id="unknown"),
]


@pytest.mark.parametrize(("line", "option", "value", "fate"), ROWS)
def test_option(line: str, option: str, value: object, fate: str, tmp_path: Path) -> None:
    work = migrated(tmp_path, line + "\n")
    found: object = settings(work)
    for part in option.split("."):
        found = getattr(found, part)
    assert found == value
    assert [one.fate.value for one in work.report.entries if one.line] == [fate]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("RejectFailures yes\n", {"PublicSuffixList", "RejectMultiValueFrom"}),
        ("RejectFailures yes\nPublicSuffixList /p\nRejectMultiValueFrom yes\n", set()),
        ("RejectFailures no\n", set()),
    ],
)
def test_what_is_refused_now_and_was_not(text: str, told: set[str], tmp_path: Path) -> None:
    """OpenDMARC without a list knew no organisations, and never judged several authors."""
    entries = migrated(tmp_path, text).report.entries
    assert {one.option for one in entries if "is not given" in one.text} == told


@pytest.mark.parametrize(("reject", "what"), [("yes", "hold"), ("no", "none")])
def test_hold_worked_with_reject_alone(reject: str, what: str, tmp_path: Path) -> None:
    work = migrated(tmp_path, f"RejectFailures {reject}\nHoldQuarantinedMessages yes\n")
    assert settings(work).dmarc.quarantine == what
    fate = Fate.KEPT if what == "hold" else Fate.CHANGED
    assert [one.fate for one in work.report.entries if one.line == 2] == [fate]


def test_whom_it_left_alone_is_exempt(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("127.0.0.1\n192.0.2.0/24 # forwarder\n")
    work = migrated(
        tmp_path, f"IgnoreHosts {tmp_path}/hosts\nIgnoreMailFrom a.example, b.example\n"
    )
    hosts, authors = settings(work).override
    assert hosts.client[0] == "127.0.0.1" and hosts.client[1].startswith("192.0.2.0/24")
    assert authors.from_ == ("a.example", "b.example")
    assert {one.action for one in (hosts, authors)} == {"accept"}
    assert hosts.why == "IgnoreHosts of opendmarc.conf"


def test_sealers_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "sealers").write_text("a.example\nb.example\n")
    text = f"DomainWhitelist b.example\nDomainWhitelistFile {tmp_path}/sealers\n"
    assert settings(migrated(tmp_path, text)).arc.trusted_sealers == ("b.example", "a.example")
