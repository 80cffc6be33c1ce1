"""Domains and selectors as DNS names."""

from __future__ import annotations

import idna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal_keys import names
from postseal_keys.console import USAGE, Problem


@pytest.mark.parametrize(
    ("text", "name"),
    [
        pytest.param("example.com", "example.com", id="plain"),
        pytest.param("Example.COM", "example.com", id="case"),
        pytest.param("example.com.", "example.com", id="final-dot"),
        pytest.param("localhost", "localhost", id="one-label"),
        pytest.param("_dmarc.a_b.example", "_dmarc.a_b.example", id="underscores"),
        pytest.param("2026.example", "2026.example", id="digits"),
        pytest.param("bücher.example", "xn--bcher-kva.example", id="u-label"),
        pytest.param("BÜCHER.example", "xn--bcher-kva.example", id="u-label-case"),
        pytest.param("bu\u0308cher.example", "xn--bcher-kva.example", id="u-label-composed"),
        pytest.param("_dmarc.bücher.example", "_dmarc.xn--bcher-kva.example", id="underscore-idn"),
        pytest.param("日本語。example", "xn--wgv71a119e.example", id="ideographic-full-stop"),
        pytest.param("straße.example", "xn--strae-oqa.example", id="sharp-s-not-transitional"),
        pytest.param("xn--bcher-kva.example", "xn--bcher-kva.example", id="a-label"),
        pytest.param("x" * 63 + ".example", "x" * 63 + ".example", id="label-of-63"),
        pytest.param(".".join(["a" * 62] * 4) + "a", None, id="name-of-252"),
    ],
)
def test_a_name_is_normalised(text: str, name: str | None) -> None:
    assert names.domain(text) == (text if name is None else name)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param(".", id="root"),
        pytest.param("a..b", id="empty-label"),
        pytest.param(".a", id="leading-dot"),
        pytest.param("a..", id="two-final-dots"),
        pytest.param("a b", id="blank"),
        pytest.param("a\n", id="newline"),
        pytest.param("x; touch pwn #", id="shell"),
        pytest.param("../../etc/passwd", id="path"),
        pytest.param("a/b", id="slash"),
        pytest.param("-a", id="leading-hyphen"),
        pytest.param("a-", id="trailing-hyphen"),
        pytest.param('a"b', id="quote"),
        pytest.param("a\x00b", id="nul"),
        pytest.param("a\\b", id="backslash"),
        pytest.param("x" * 64, id="label-of-64"),
        pytest.param(".".join(["a" * 63] * 4), id="name-of-255"),
        pytest.param("é" * 5000, id="flood"),
        pytest.param("😀.example", id="emoji"),
        pytest.param("é" * 63 + ".example", id="a-label-too-long"),
        pytest.param("\ud800.example", id="surrogate"),
        pytest.param("a\u202eb.example", id="bidi-override"),
    ],
)
def test_what_is_no_name_is_refused_with_a_hint(text: str) -> None:
    for check in (names.domain, names.selector):
        with pytest.raises(Problem) as caught:
            check(text)
        assert caught.value.code == USAGE
        assert caught.value.hint
        assert len(caught.value.message) < 400


def test_case_is_kept_where_asked() -> None:
    """File names and comments carry what the user wrote."""
    assert names.selector("S1.Mail", keep_case=True) == "S1.Mail"


def test_the_record_has_its_own_limit() -> None:
    domain = ".".join(["a" * 61] * 4)
    with pytest.raises(Problem, match="DNS allows 253"):
        names.key_name("selector", domain)
    assert names.key_name("s", "example.com") == "s._domainkey.example.com"


@given(st.text(max_size=300))
def test_any_text_is_a_name_or_a_problem(text: str) -> None:
    try:
        name = names.domain(text)
    except Problem:
        return
    assert name.isascii() and 0 < len(name) <= names.NAME_MAX
    assert all(0 < len(label) <= names.LABEL_MAX for label in name.split("."))
    assert names.domain(name) == name, "normalising twice changes nothing"


@given(st.text(alphabet="abcßöéжщ漢字", min_size=1, max_size=20))
def test_a_labels_read_back(label: str) -> None:
    name = names.domain(f"{label}.example")
    assert idna.decode(name.split(".")[0]) == idna.uts46_remap(label, std3_rules=False)
