"""Input made to cost time: the result is defined, and no step can be more than linear.

No clock is read here.  That nothing backtracks is held by structure: the modules use
no patterns at all, and the one loop over names and fields is counted in test_verify_many.
"""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from postseal.core import canon, field, taglist
from postseal.core.dkim import verify
from postseal.core.dkim.verify import Why
from support.dkimmail import FIELDS, KEYS, Mail, check, mail, signed
from support.fakedns import FakeDns

N = 100_000
DNS = FakeDns(KEYS)
BLANKS = " " * N
GOOD = signed()


def with_field(value: bytes) -> Mail:
    return Mail(((b"DKIM-Signature", value), *mail(FIELDS).fields), b"Hi.\r\n")


def tags(**bent: str) -> bytes:
    listed = {
        "v": "1",
        "a": "rsa-sha256",
        "d": "example.com",
        "s": "s1",
        "h": "from",
        "bh": "eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHh4eHg=",
        "b": "eHh4",
    } | bent
    return " ".join(f"{name}={value};" for name, value in listed.items()).encode()


@pytest.mark.parametrize(
    ("value", "why"),
    [
        pytest.param(tags(b="A" + BLANKS + "!"), Why.SYNTAX, id="b-blanks"),
        pytest.param(tags(bh="A" + BLANKS + "!"), Why.SYNTAX, id="bh-blanks"),
        pytest.param(tags(h="from" + BLANKS + "x"), Why.SYNTAX, id="h-blanks"),
        pytest.param(tags(h="from:" + ":".join("x" * N)), Why.SYNTAX, id="h-names"),
        pytest.param(tags(h=":" * N), Why.SYNTAX, id="h-colons"),
        pytest.param(b";" * N, Why.SYNTAX, id="semicolons"),
        pytest.param(b"=" * N, Why.SYNTAX, id="equals"),
        pytest.param(b"b" * N, Why.SYNTAX, id="one-name"),
        pytest.param(b"\r\n " * N + tags(v="2"), Why.VERSION, id="continuation-lines"),
        pytest.param(tags(d="a." * N), Why.NAME, id="d-labels"),
        pytest.param(tags(d="ü" * N), Why.NAME, id="d-u-labels"),
        pytest.param(tags(s="x" * N), Why.NAME, id="s-long"),
        pytest.param(tags(i="=41" * N + "@example.com"), Why.SYNTAX, id="i-quoted"),
        pytest.param(tags(i="@" * N), Why.SYNTAX, id="i-ats"),
        pytest.param(tags(l="9" * N), Why.SYNTAX, id="l-digits"),
        pytest.param(tags(t="9" * N), Why.SYNTAX, id="t-digits"),
        pytest.param(tags(q=":" * N), Why.QUERY, id="q-colons"),
        pytest.param(tags(c="/" * N), Why.CANONICALIZATION, id="c-slashes"),
    ],
)
def test_a_large_signature_has_a_defined_result(value: bytes, why: Why) -> None:
    (result,) = check(with_field(value), DNS)
    assert result.why is why
    assert len(repr(result)) < 1000  # nothing large travels on


@pytest.mark.parametrize(
    "extra",
    [
        pytest.param([("X", "\r\n x" * N)], id="continuations-in-one-field"),
        pytest.param([("X", BLANKS + "x")], id="blanks-in-one-field"),
        pytest.param([(f"X-{i}", "x") for i in range(N // 10)], id="many-fields"),
        pytest.param([("X", "x")] * (N // 10), id="many-equal-fields"),
    ],
)
def test_a_large_header_passes(extra: list[tuple[str, str]]) -> None:
    what = signed([*FIELDS, *extra], tags={"h": "from:x:x:x"})
    assert [r.why for r in check(what, DNS)] == [Why.VERIFIED]


def test_a_thousand_signatures_cost_ten() -> None:
    what = Mail((GOOD.fields[0],) * 1000 + GOOD.fields[1:], GOOD.body)
    dns = FakeDns(KEYS)
    results = check(what, dns)
    assert dns.questions == 10
    assert len(results) <= 32
    assert sum(r.why is Why.VERIFIED for r in results) == 10


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"v=DKIM1; p=" + b"A" * N, id="long"),
        pytest.param(b"v=DKIM1; p=" + b" " * 4000, id="blanks"),
        pytest.param(b";" * 4000, id="semicolons"),
        pytest.param(b"t=" + b":" * 4000 + b"; p=x", id="flags"),
    ],
)
def test_a_large_key_record_is_no_key(text: bytes) -> None:
    dns = FakeDns({("s1._domainkey.example.com", "TXT"): (text,) * 50})
    (result,) = check(GOOD, dns)
    assert result.status == "permerror"


SOURCES = [
    *Path(verify.__file__).parent.glob("*.py"),
    *(Path(str(module.__file__)) for module in (canon, taglist, field)),
]


@pytest.mark.parametrize("path", SOURCES, ids=[path.name for path in SOURCES])
def test_no_patterns_are_used(path: Path) -> None:
    """A pattern that may backtrack is how dkimpy spends 32 s on one field."""
    imported = {
        alias.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        node.module
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.ImportFrom)
    }
    assert "re" not in imported
