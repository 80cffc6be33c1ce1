"""KeyTable rows: what each part may be, and which rows are refused or dead."""

from __future__ import annotations

from pathlib import Path

import pytest

from postseal.conf.mistake import Severity
from postseal.tables import rows
from postseal.tables.findings import Report
from postseal.tables.keytable import KeyTable, read
from postseal.tables.source import Form, Source

BASE = Path("/etc/mail")


def table(text: str, form: Form = Form.FILE) -> tuple[KeyTable, list[tuple[int, str, Severity]]]:
    report = Report("kt")
    found = rows.rows(Source(form, text), text.encode())
    made = read(found, BASE, form is Form.REFILE, report)
    return made, [(one.line, one.what, one.severity) for one in report.mistakes()]


@pytest.mark.parametrize(
    ("row", "author", "domain", "selector", "path"),
    [
        pytest.param("k d.e:s:/k.pem", "x.y", "d.e", "s", "/k.pem", id="plain"),
        pytest.param("k D.E.:S.t:/k.pem", "x.y", "d.e", "s.t", "/k.pem", id="normal-form"),
        pytest.param("k %:s:/k.pem", "x.y", "%", "s", "/k.pem", id="authors-domain"),
        pytest.param("k %:s:/%/k.pem", "x.y", "%", "s", "/x.y/k.pem", id="path-by-author"),
        pytest.param("k d.e:s:/%/k.pem", "x.y", "d.e", "s", "/d.e/k.pem", id="path-by-domain"),
        pytest.param("k d.e:s:./%.pem", "x.y", "d.e", "s", "/etc/mail/%.pem", id="relative"),
        pytest.param("k d.e:s:../k", "x.y", "d.e", "s", "/etc/mail/../k", id="parent"),
        pytest.param("k d.e:s:/a:b", "x.y", "d.e", "s", "/a:b", id="colon-in-path"),
        pytest.param("k bücher.example:s:/k", "x", "xn--bcher-kva.example", "s", "/k", id="idn"),
    ],
)
def test_entry(row: str, author: str, domain: str, selector: str, path: str) -> None:
    made, said = table(row)
    entry = made.get("k")
    assert not said
    assert entry
    assert (entry.domain, entry.selector, str(entry.path(author))) == (domain, selector, path)


def test_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", "/run/credentials/x")
    made, said = table("k d.e:s:credential:dkim\nl d.e:t:credential:../x")
    entry = made.get("k")
    assert entry
    assert entry.is_file
    assert entry.path("d.e") == Path("/run/credentials/x/dkim")
    assert [line for line, *_ in said] == [2]
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    [(_, what, severity)] = table("k d.e:s:credential:dkim")[1]
    assert "LoadCredential=dkim:" in what
    assert severity is Severity.ERROR


def test_inline_key() -> None:
    entry = table("k d.e:s:MIIabc=")[0].get("k")
    assert entry
    assert not entry.is_file
    assert entry.key == "MIIabc="


def test_list() -> None:
    assert len(table("a=d.e:s:/k,b=d.e:t:/k", Form.CSL)[0]) == 2


@pytest.mark.parametrize(
    ("row", "part"),
    [
        pytest.param("k \0", "NUL", id="nul"),
        pytest.param("k", "domain and the selector and the key are missing", id="nothing"),
        pytest.param("k d.e", "selector and the key", id="domain-alone"),
        pytest.param("k d.e:s", "the key is missing", id="no-key"),
        pytest.param("k :s:/k", "domain is missing", id="no-domain"),
        pytest.param("k d..e:s:/k", "domain 'd..e'", id="bad-domain"),
        pytest.param("k d.e:s s:/k", "selector 's s'", id="bad-selector"),
        pytest.param("k %:s/t:/k", "selector 's/t'", id="bad-selector-any-domain"),
        pytest.param("k x.%:s:/k", "domain 'x.%'", id="percent-within"),
    ],
)
def test_refused(row: str, part: str) -> None:
    made, [(line, what, severity)] = table(f"\n{row}")
    assert (line, severity, len(made)) == (2, Severity.ERROR, 0)
    assert part in what


def test_the_second_of_a_name_is_dead() -> None:
    made, [(line, what, severity)] = table("k a.b:s:/1\nK a.b:t:/2\nk a.b:u:/3")
    assert (line, severity) == (3, Severity.DEAD)
    assert "line 1" in what
    entry = made.get("k")
    assert entry
    assert entry.selector == "s"
    assert len(made) == 2


def test_names_may_be_patterns_in_a_refile() -> None:
    made, said = table("*.example d.e:s:/k\nX d.e:t:/k\n(a d.e:s:/k", Form.REFILE)
    assert [line for line, *_ in said] == [3]
    entry = made.get("a.example")
    assert entry
    assert entry.selector == "s"
    assert made.get("x") is None  # letter case counts in key names
