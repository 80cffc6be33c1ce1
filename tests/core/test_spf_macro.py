"""Macros: the RFC's examples, the grammar, and that nothing is asked for in vain."""

from __future__ import annotations

import random

import pytest

from postseal.core.spf_macro import MacroError, domain_spec, expand

RFC = {  # RFC 7208 section 7.4
    "s": "strong-bad@email.example.com",
    "l": "strong-bad",
    "o": "email.example.com",
    "d": "email.example.com",
    "i": "192.0.2.3",
    "v": "in-addr",
    "h": "mx.example.org",
    "p": "mx.example.org",
}
SIX = RFC | {
    "i": "2.0.0.1.0.D.B.8.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.C.B.0.1",
    "v": "ip6",
}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%%%_%-", "% %20"),
        ("%{S}", "strong-bad%40email.example.com"),
        ("%{d001}", "com"),
        ("%{d99999999999999999999}", "email.example.com"),
        ("%{s2@}", "strong-bad@email.example.com"),
        ("%{s-.}", "strong.bad@email.example.com"),
        ("plain", "plain"),
        ("", ""),
    ],
)
def test_expansion(text: str, result: str) -> None:
    if "@}" in text:  # no delimiter of RFC 7208
        with pytest.raises(MacroError):
            expand(text, RFC.__getitem__)
    else:
        assert expand(text, RFC.__getitem__) == result


def test_ipv6_example() -> None:
    text = "%{ir}.%{v}._spf.%{d2}"
    assert expand(text, SIX.__getitem__) == (
        "1.0.B.C.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.B.D.0.1.0.0.2.ip6._spf.example.com"
    )


def test_capital_letters_escape_the_value_alone() -> None:
    values = {"l": "a b/ü~_.-"}
    assert expand("/%{L}", values.__getitem__) == "/a%20b%2F%C3%BC~_.-"


@pytest.mark.parametrize(
    "text",
    ["%", "%a", "%(d)", "%{d", "%{}", "%{z}", "%{c}", "%{r}", "%{t}", "%{d0}", "%{d-1}", "%{dx}",
     "%{d 1}", "a b", "a\tb", "a\0b", "ü", "%{dr2}", "%{{d}}", "%%%"],
)  # fmt: skip
def test_not_a_macro_string(text: str) -> None:
    with pytest.raises(MacroError):
        expand(text, RFC.__getitem__)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("example.com", "example.com"),
        ("example.com.", "example.com"),
        ("%{d}", "email.example.com"),
        ("a.%{d2}", "a.example.com"),
        ("x.%%", "x.%"),
        ("_spf.3com.c-1", "_spf.3com.c-1"),
        (".com", ".com"),
    ],
)
def test_domain_spec(text: str, name: str) -> None:
    assert domain_spec(text, RFC.__getitem__) == name


@pytest.mark.parametrize(
    "text",
    ["", ".", "museum", "museum.", "a.123", "a.-b", "a.b-", "a.b_c", "a.b..", "%{d}com", "a.b%{d}c",
     "a.%{d}.1", "a.b:80", "a.b/", "%{d}%"],
)  # fmt: skip
def test_not_a_domain_spec(text: str) -> None:
    with pytest.raises(MacroError):
        domain_spec(text, RFC.__getitem__)


def test_long_names_lose_labels_on_the_left() -> None:
    label = "x" * 9
    name = domain_spec(".".join([label] * 40) + ".com", RFC.__getitem__)
    assert name == ".".join([label] * 25 + ["com"])
    assert len(name) == 253
    over = domain_spec("a" + ".".join([label] * 25) + ".com", RFC.__getitem__)
    assert over == ".".join([label] * 24 + ["com"])
    fits = domain_spec(".".join([label] * 25) + ".com", RFC.__getitem__)
    assert len(fits) == 253
    assert domain_spec("x" * 300 + ".com", RFC.__getitem__) == "com"
    assert len(domain_spec("x." + "y" * 300, RFC.__getitem__)) == 300  # DNS will refuse it


def test_values_are_asked_for_only_when_they_are_used() -> None:
    asked: list[str] = []

    def value(letter: str) -> str:
        asked.append(letter)
        return "v"

    expand("%{d}.%{H}.x", value)
    assert asked == ["d", "h"]


def test_garbage_expands_or_is_refused() -> None:
    rng = random.Random(7208)
    pieces = ["%", "{", "}", "d", "l", "r", "1", "0", ".", "-", "a", "%{d}", "%{l1r-}", " ", "ü"]
    expanded = 0
    for _ in range(5000):
        text = "".join(rng.choices(pieces, k=rng.randrange(12)))
        try:
            assert isinstance(domain_spec(text, RFC.__getitem__), str)
            expanded += 1
        except MacroError:
            pass
    assert expanded > 100
