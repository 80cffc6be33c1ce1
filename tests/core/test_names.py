"""names: one normal form, or one exception."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.core.names import (
    BadDomain,
    DomainFault,
    ascii_domain,
    is_at_or_below,
    labels,
    mailbox_domain,
)

LONGEST = ".".join(["a" * 63] * 3 + ["a" * 61])  # 253 octets


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param("example.com", "example.com", id="plain"),
        pytest.param("Example.COM", "example.com", id="case"),
        pytest.param("example.com.", "example.com", id="final-dot"),
        pytest.param(b"Example.com", "example.com", id="octets"),
        pytest.param("localhost", "localhost", id="single-label"),
        pytest.param("_dmarc.my-example.com", "_dmarc.my-example.com", id="underscore-hyphen"),
        pytest.param("bücher.example", "xn--bcher-kva.example", id="u-label"),
        pytest.param("BÜCHER.Example.", "xn--bcher-kva.example", id="u-label-case-dot"),
        pytest.param("bu\u0308cher.example", "xn--bcher-kva.example", id="u-label-not-nfc"),
        pytest.param("straße.example", "xn--strae-oqa.example", id="sharp-s-non-transitional"),
        pytest.param("bücher。example", "xn--bcher-kva.example", id="ideographic-full-stop"),
        pytest.param("bücher.example".encode(), "xn--bcher-kva.example", id="utf-8"),
        pytest.param("XN--BCHER-KVA.example", "xn--bcher-kva.example", id="a-label"),
        pytest.param("_dmarc.bücher.example", "_dmarc.xn--bcher-kva.example", id="mixed"),
        pytest.param(LONGEST, LONGEST, id="253"),
        pytest.param(LONGEST + ".", LONGEST, id="253-and-dot"),
        pytest.param("a" * 63 + ".example", "a" * 63 + ".example", id="label-63"),
    ],
)
def test_normal_form(raw: str | bytes, expected: str) -> None:
    assert ascii_domain(raw) == expected


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        pytest.param("", DomainFault.EMPTY, id="empty"),
        pytest.param(".", DomainFault.EMPTY, id="root"),
        pytest.param("a..example", DomainFault.EMPTY_LABEL, id="empty-label"),
        pytest.param(".example", DomainFault.EMPTY_LABEL, id="leading-dot"),
        pytest.param("example..", DomainFault.EMPTY_LABEL, id="two-final-dots"),
        pytest.param("a" * 64 + ".example", DomainFault.LONG_LABEL, id="label-64"),
        pytest.param("ü" * 60 + ".example", DomainFault.NOT_IDNA, id="u-label-too-long"),
        pytest.param("a" + LONGEST, DomainFault.TOO_LONG, id="254"),
        pytest.param("a." * 30000, DomainFault.TOO_LONG, id="60-kB"),
        pytest.param("ü" * 30000, DomainFault.TOO_LONG, id="60-kB-u-labels"),
        pytest.param("[192.0.2.1]", DomainFault.BAD_CHARACTER, id="literal"),
        pytest.param("a b.example", DomainFault.BAD_CHARACTER, id="blank"),
        pytest.param("a.example\n", DomainFault.BAD_CHARACTER, id="final-newline"),
        pytest.param("a.com\0.b.example", DomainFault.BAD_CHARACTER, id="nul"),
        pytest.param("net(.example.com", DomainFault.BAD_CHARACTER, id="CVE-2020-12272"),
        pytest.param('a"b.example', DomainFault.BAD_CHARACTER, id="quote"),
        pytest.param("a;b.example", DomainFault.BAD_CHARACTER, id="semicolon"),
        pytest.param("ü b.example", DomainFault.NOT_IDNA, id="blank-beside-u-label"),
        pytest.param("i❤.example", DomainFault.NOT_IDNA, id="not-a-letter"),
        pytest.param(b"b\xfccher.example", DomainFault.NOT_UTF8, id="latin-1"),
        pytest.param("b\udcfccher.example", DomainFault.NOT_IDNA, id="surrogate"),
    ],
)
def test_not_a_domain(raw: str | bytes, why: DomainFault) -> None:
    with pytest.raises(BadDomain) as caught:
        ascii_domain(raw)
    assert caught.value.why is why


NORMAL = re.compile(r"(?!.{254})[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")


@given(st.one_of(st.text(), st.binary(), st.text(alphabet="aü.-_xn。ß"), st.from_regex(NORMAL)))
def test_normal_or_bad_domain(raw: str | bytes) -> None:
    try:
        name = ascii_domain(raw)
    except BadDomain:
        return
    assert NORMAL.fullmatch(name)
    assert ascii_domain(name) == name


@pytest.mark.parametrize(
    ("name", "parent", "expected"),
    [
        pytest.param("example.com", "example.com", True, id="equal"),
        pytest.param("a.example.com", "example.com", True, id="below"),
        pytest.param("badexample.com", "example.com", False, id="no-label-border"),
        pytest.param("example.com", "a.example.com", False, id="above"),
        pytest.param("com", "example.com", False, id="tld"),
    ],
)
def test_is_at_or_below(name: str, parent: str, expected: bool) -> None:
    assert is_at_or_below(name, parent) is expected


def test_labels() -> None:
    assert labels("a.b.example") == ("a", "b", "example")


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        pytest.param("a@Example.com", "example.com", id="plain"),
        pytest.param('"a@evil.example"@example.com', "example.com", id="quoted-at"),
        pytest.param('"a b\\""@example.com', "example.com", id="quoted-pair"),
        pytest.param("a@bücher.example", "xn--bcher-kva.example", id="u-label"),
        pytest.param("@example.com", "example.com", id="no-local-part"),
        pytest.param("", None, id="null-sender"),
        pytest.param("a", None, id="no-domain"),
        pytest.param("a@", None, id="empty-domain"),
        pytest.param("a@[192.0.2.1]", None, id="literal"),
        pytest.param('"a@example.com"', None, id="quoted-only"),
        pytest.param("<a@example.com>", None, id="brackets"),
    ],
)
def test_mailbox_domain(address: str, expected: str | None) -> None:
    assert mailbox_domain(address) == expected
