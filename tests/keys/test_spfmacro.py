"""spfmacro: what can be expanded without a message."""

from __future__ import annotations

import pytest

from postseal_keys.spfmacro import expand


# RFC 7208 section 7.4, the rows that need no message
@pytest.mark.parametrize(
    ("spec", "expanded"),
    [
        ("%{o}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
        ("%{ir}.%{v}._spf.%{d2}", None),
        ("%{l}.example.com", None),
        ("a%%b.%{d}.", "a%b.email.example.com"),
    ],
)
def test_macros_of_section_7_4(spec: str, expanded: str | None) -> None:
    assert expand(spec, "email.example.com", "email.example.com") == expanded


def test_a_long_expansion_loses_labels_on_the_left() -> None:
    name = expand("%{d}.%{d}.%{d}", "a" * 60 + ".b.example", "x.example")
    assert name is not None and len(name) <= 253
    assert expand("%{d}" + ".%{d}" * 5, "a" * 60 + ".b.example", "x.example") is not None
    long = expand("%{d}" + ".%{d}" * 5, "a" * 60 + ".b.example", "x.example") or ""
    assert len(long) <= 253 and long.endswith("a.b.example")
