"""spflint: one row for each thing said about a correct record, and what is published instead."""

from __future__ import annotations

import pytest

from postseal_keys.findings import FOREMOST, Harm, text, worst, zone_line
from postseal_keys.spflint import lint, mended
from postseal_keys.spfrecord import parse


@pytest.mark.parametrize(
    ("record", "code", "harm"),
    [
        pytest.param("v=spf1 a +all", "spf-pass-all", Harm.ERROR, id="pass-all"),
        pytest.param("v=spf1 a all", "spf-pass-all", Harm.ERROR, id="pass-all-implied"),
        pytest.param("v=spf1 ip4:0.0.0.0/0 -all", "spf-pass-all", Harm.ERROR, id="pass-ip4-0"),
        pytest.param("v=spf1 ip4:12.0.0.0/8 -all", "spf-wide", Harm.WARNING, id="wide"),
        pytest.param("v=spf1 a ?all", "spf-neutral-all", Harm.WARNING, id="neutral"),
        pytest.param("v=spf1 a", "spf-no-all", Harm.WARNING, id="4.7-no-all"),
        pytest.param("v=spf1 -all mx", "spf-after-all", Harm.WARNING, id="5.1-after-all"),
        pytest.param(
            "v=spf1 redirect=x.example -all", "spf-after-all", Harm.WARNING, id="5.1-redirect"
        ),
        pytest.param("v=spf1 ptr -all", "spf-ptr", Harm.WARNING, id="5.5-ptr"),
        pytest.param("v=spf1 exists:%{p}.example.com -all", "spf-ptr", Harm.WARNING, id="7.2-p"),
        pytest.param("v=spf1 include=x.example -all", "spf-equals", Harm.ERROR, id="6-equals"),
        pytest.param("v=spf1 foo=x -all", "spf-unknown-modifier", Harm.ADVICE, id="6-unknown"),
        pytest.param("v=spf1 a:x.example. -all", "spf-final-dot", Harm.ADVICE, id="7.3-dot"),
        pytest.param("v=spf1 ip4:10.0.0.0/16 -all", "spf-private", Harm.ADVICE, id="private"),
        pytest.param("v=spf1 ip4:192.0.2.9/24 -all", "spf-host-bits", Harm.ADVICE, id="host-bits"),
        pytest.param("v=spf1 mx a mx -all", "spf-twice", Harm.ADVICE, id="twice"),
        pytest.param("v=spf1 ~all exp=x.example", "spf-exp-unused", Harm.ADVICE, id="6.2-unused"),
        pytest.param("v=spf1 ip:192.0.2.1 -all", "spf-syntax", Harm.ERROR, id="4.6-syntax"),
    ],
)
def test_each_fault_is_recognised(record: str, code: str, harm: Harm) -> None:
    found = lint("d.example", record)
    assert (code, harm) in {(finding.code, finding.harm) for finding in found}
    assert worst(found) is harm


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 -all",
        "v=spf1 mx a:mail.d.example ip4:192.0.2.0/24 ip6:2001:db8::/48 include:x.example ~all",
        "v=spf1 redirect=_spf.d.example",
        "v=spf1 mx -all exp=why.d.example",
    ],
)
def test_a_good_record_is_left_alone(record: str) -> None:
    assert lint("d.example", record) == []
    assert mended(record) == record


@pytest.mark.parametrize(
    ("record", "better"),
    [
        ("v=spf1 ip:192.0.2.1 mx -all", "v=spf1 ip4:192.0.2.1 mx -all"),
        ("v=spf1  mx  a  mx -all mx ~all", "v=spf1 mx a -all"),
        ("v=spf1 mx -all ptr", ""),  # whether it is to count, its owner knows
        ("v=spf1 a:x.example. ip4:192.0.2.9/24 -all", "v=spf1 a:x.example ip4:192.0.2.0/24 -all"),
        ("v=spf1 mx redirect:x.example", "v=spf1 mx redirect=x.example"),
        ("v=spf1 inclde:x.example -all", "v=spf1 include:x.example -all"),
        ("v=spf1 mx redirct:x.example", "v=spf1 mx redirect=x.example"),
        ("v=spf1 mx \u2013all", "v=spf1 mx -all"),
        ("v=spf1 a\tmx -all", "v=spf1 a mx -all"),
        ("v=spf1 include=x.example -all", "v=spf1 include:x.example -all"),
        ("v=spf1 ip4:192.0.2 -all", ""),  # only its owner knows the address
        ("v=spf1 a foo=bar", "v=spf1 a foo=bar ~all"),
        ("v=spf1 mx +all", "v=spf1 mx ~all"),
        ("v=spf1 a redirect=x.example ?all", ""),
        ("v=spf1mx a -all", "v=spf1 mx a -all"),
        ("v=spf1include:x.example -all", "v=spf1 include:x.example -all"),
        ("v=spf1-all", "v=spf1 -all"),
        ("v=spf1 mxinclude:x.example -all", ""),
        ("v=spf1 mx;\t-all", ""),  # and not a record without mx
        ("v=spf1 a\tmx\t-all\tptr", ""),
        ("v=spf10 mx -all", "v=spf1 mx -all"),
        ("v=spf1\xa0mx -all", "v=spf1 mx -all"),
        (
            "v=spf1 include: x.example ip6: 2001:db8::1 -all",
            "v=spf1 include:x.example ip6:2001:db8::1 -all",
        ),
        ("v=spf1 a: include:x.example -all", ""),
        ("v=spf1 mx - all", "v=spf1 mx -all"),
        ("v=spf1 192.0.2.1 2001:db8::/32 -all", "v=spf1 ip4:192.0.2.1 ip6:2001:db8::/32 -all"),
        ("v=spf1 mail.x.example -all", ""),  # a:, or include:?
        ("v=spf1 ip4:192.0.2.1,192.0.2.2 -all", "v=spf1 ip4:192.0.2.1 ip4:192.0.2.2 -all"),
        ("v=spf1 mx -all;", "v=spf1 mx -all"),
        ("v=spf1 mx, a ; -all", "v=spf1 mx a -all"),
        ("v=spf1 redirect=x.example;", "v=spf1 redirect=x.example"),
        ('"v=spf1 mx -all"', "v=spf1 mx -all"),
        ("v=spf1, mx -all", "v=spf1 mx -all"),
        ("v=spf1 mx ip4:192.0.2.1/33 +all", ""),  # a term left out would turn away a host
        ("v=spf1 ip4:0.0.0.0/0 +all", ""),
        ("spf2.0/pra mx -all", ""),
        ("hello", ""),
    ],
)
def test_mended(record: str, better: str) -> None:
    assert mended(record) == better
    assert {line for f in lint("d.example", record) for line in f.publish} <= {
        zone_line("d.example", better)
    }, "one line that mends all"
    if better:
        parse(better)
        assert mended(better) == better


FAULTY = [
    "v=spf1 ipv4:192.0.2.1 include=foo.example ~al",
    "v=spf1 mx? a- ?b",
    "v=spf1 a all:x",
    "v=spf1 ip4:192.0.2.1/33 mx:a..b ptr +all",
    "v=spf1 mx/99 a:/x a: a:b a:b.1 include exists:",
    "v=spf1 ip4 ip4:x ip6:fe80::1%eth0 ip4:1.2 ip4:2001:db8::1",
    "v=spf1 a:%{z}.x a:%{c}.x a:%{d0}.x",
    "v=spf1 redirect=a.example redirect=b.example exp=c.example foo=bar",
    "v=spf2 mx",
    "v=spf1mx",
    "spf2.0/pra -all",
    'v=spf1 a: mx " - -all',
    "v=spf1 %{x a:1.2.3.4 a:x@y.example ip4:10.0.0.0/16",
    "v=spf1 a:" + "x" * 64 + ".example a:x.example. mx mx ip4:192.0.2.9/24 -all a",
    "v=spf1 ~all exp=x.y",
    "v=spf1 ip4:0.0.0.0/0 ip4:12.0.0.0/8 \u00fc",
]


@pytest.mark.parametrize("record", ["v=spf1 mx ~al", "v=spf1 mx -all;", "v=spf1 mx \u2013all"])
def test_a_misspelt_end_is_not_called_missing(record: str) -> None:
    assert [f.code for f in lint("d.example", record)] == ["spf-syntax"]


@pytest.mark.parametrize("record", FAULTY)
def test_every_finding_says_what_to_do(record: str) -> None:
    found = lint("d.example", record)
    assert found and all(f.hint or f.publish for f in found), [f.what for f in found]


@pytest.mark.parametrize("record", ["v=spf1mx -all", "v=spf2 mx -all", '"v=spf1 mx -all"'])
def test_what_receivers_do_not_see_is_no_permerror(record: str) -> None:
    """RFC 7208 section 4.5: a record that is none is discarded: the result is none."""
    (finding,) = lint("d.example", record)
    assert finding.code == "spf-version" and "permerror" not in finding.what


def test_strings_joined_without_a_space() -> None:
    record = "v=spf1 ip4:192.0.2.1" + "include:x.example -all"
    (finding,) = (f for f in lint("d.example", record, strings=(20, 22)) if f.code == "spf-syntax")
    assert "joined" in finding.hint


def test_the_caret_stands_under_the_fault() -> None:
    record = "v=spf1 " + "a:h.example " * 20 + "ip:192.0.2.1 -all"
    (finding,) = (f for f in lint("d.example", record) if f.code == "spf-syntax")
    shown, carets = list(text(finding))[1:3]
    at = carets.index("^")
    assert shown[at:].startswith("ip:")
    assert len(shown) < 100


def test_nothing_of_the_record_reaches_the_terminal_raw() -> None:
    (finding, *_) = lint("d.example", "v=spf1 \x1b[31m -all")
    assert "\x1b" not in "".join(text(finding))


@pytest.mark.slow
def test_the_largest_record_there_can_be_gives_a_short_answer() -> None:
    found = lint("d.example", "v=spf1 " + "a " * 32_000 + "-all")
    assert len(found) == FOREMOST + 1
    assert mended("v=spf1 " + "a " * 32_000 + "-all") == "v=spf1 a -all"
