"""Where a table is: OpenDKIM's rule for prefixes, and what is refused."""

from __future__ import annotations

import pytest

from postseal.tables.source import REFUSED, REMOTE, Form, Source, SourceError, parse


@pytest.mark.parametrize(
    ("text", "source"),
    [
        pytest.param("file:/etc/t", Source(Form.FILE, "/etc/t"), id="file"),
        pytest.param("FILE:/etc/t", Source(Form.FILE, "/etc/t"), id="case"),
        pytest.param("refile:rel", Source(Form.REFILE, "rel"), id="refile"),
        pytest.param("/etc/t", Source(Form.FILE, "/etc/t"), id="bare-path"),
        pytest.param("csl:a=b:c", Source(Form.CSL, "a=b:c"), id="csl"),
        pytest.param("a=b,c=d", Source(Form.CSL, "a=b,c=d"), id="bare-list"),
        pytest.param("a=b,c=d:e", Source(Form.CSL, "a=b,c=d:e"), id="comma-before-colon"),
        pytest.param("*=k", Source(Form.CSL, "*=k"), id="no-colon"),
        *(
            pytest.param(f"{name}:x", Source(Form.REMOTE, f"{name}:x"), id=f"remote-{name}")
            for name in REMOTE
        ),
        pytest.param("LDAP://h/", Source(Form.REMOTE, "LDAP://h/"), id="remote-case"),
    ],
)
def test_forms(text: str, source: Source) -> None:
    assert parse(text) == source


@pytest.mark.parametrize(
    ("text", "part"),
    [
        *(pytest.param(f"{name}:x", name, id=name) for name in REFUSED),
        pytest.param("/etc/t.db", "Berkeley", id="bare-db"),
        pytest.param("a=b:c,d", "unknown kind", id="list-with-colon-first"),
        pytest.param("file:", "nothing follows", id="empty"),
        pytest.param("keytable", "neither a file nor a list", id="bare-name"),
        pytest.param("./keytable", "neither a file nor a list", id="bare-relative-path"),
        pytest.param("remote:x", "unknown kind", id="not-a-prefix"),
        pytest.param("file:a\0b", "NUL", id="nul"),
    ],
)
def test_refused(text: str, part: str) -> None:
    with pytest.raises(SourceError, match=part):
        parse(text)
