"""dmarclint: obsolete tags named and migrated, mistakes located, p=reject advised on."""

from __future__ import annotations

import pytest

from postseal_keys.dmarclint import lint, mended
from postseal_keys.dmarcrecord import is_dmarc, parse
from postseal_keys.findings import Harm, worst

RUA = "rua=mailto:d@d.example"


@pytest.mark.parametrize(
    ("text", "code", "harm", "column"),
    [
        pytest.param(
            f"v=DMARC1; p=none; {RUA}; pct=0", "dmarc-obsolete", Harm.WARNING, 42, id="pct0"
        ),
        pytest.param(
            f"v=DMARC1; p=none; {RUA}; pct=50", "dmarc-obsolete", Harm.WARNING, 42, id="50"
        ),
        pytest.param(
            f"v=DMARC1; p=none; {RUA}; pct=100", "dmarc-obsolete", Harm.ADVICE, 42, id="all"
        ),
        pytest.param(
            f"v=DMARC1; p=none; {RUA}; rf=afrf", "dmarc-obsolete", Harm.ADVICE, 42, id="rf"
        ),
        pytest.param(
            f"v=DMARC1; p=none; {RUA}; ri=86400", "dmarc-obsolete", Harm.ADVICE, 42, id="ri"
        ),
        pytest.param(f"v=DMARC1; p=none; {RUA}!10m", "dmarc-obsolete", Harm.ADVICE, 40, id="size"),
        pytest.param(f"v=DMARC1; p=reject; {RUA}", "dmarc-reject", Harm.WARNING, -1, id="7.4"),
        pytest.param("v=DMARC1; p=none", "dmarc-no-reports", Harm.ADVICE, -1, id="no-rua"),
        pytest.param(f"v=DMARC1; {RUA}", "dmarc-no-policy", Harm.WARNING, -1, id="4.7-no-p"),
        pytest.param(f"v=DMARC1; p=quarentine; {RUA}", "dmarc-value", Harm.ERROR, 12, id="bad-p"),
        pytest.param(
            f"v=DMARC1; p=none; adkim=x; {RUA}", "dmarc-value", Harm.WARNING, 24, id="adkim"
        ),
        pytest.param(f"v=DMARC1; {RUA}; p=none", "dmarc-order", Harm.ADVICE, 34, id="7489-order"),
        pytest.param(
            "v=DMARC1; p=none; rau=mailto:d@d.x", "dmarc-tag-unknown", Harm.ERROR, 18, id="rau"
        ),
        pytest.param(
            f"v=DMARC1; p=none; x=y; {RUA}", "dmarc-tag-unknown", Harm.WARNING, 18, id="x"
        ),
        pytest.param(
            f"v=DMARC1; p=none; p=none; {RUA}", "dmarc-tag-twice", Harm.ERROR, 18, id="twice"
        ),
        pytest.param(
            "v=DMARC1; p=none; rua=d@d.example", "dmarc-uri", Harm.ERROR, 22, id="no-mailto"
        ),
        pytest.param(f"v=DMARC1;p=reject {RUA}", "dmarc-syntax", Harm.ERROR, 17, id="no-semicolon"),
        pytest.param(f"v=DMARC1; p:none; {RUA}", "dmarc-syntax", Harm.ERROR, 10, id="colon"),
        pytest.param(
            f"v=DMARC1; p=none; {RUA};mailto:e@d.x", "dmarc-syntax", Harm.WARNING, 41, id="list"
        ),
        pytest.param(f"p=reject; {RUA}", "dmarc-version", Harm.ERROR, 0, id="no-version"),
        pytest.param(
            "v=DMARC1; p=none; rua=https://d.example/",
            "dmarc-uri-scheme",
            Harm.WARNING,
            22,
            id="https",
        ),
        pytest.param(
            f"v=DMARC1; p=none; oops; {RUA}", "dmarc-syntax", Harm.WARNING, 18, id="no-equals"
        ),
        pytest.param("v=dmarc1; p=none", "dmarc-version", Harm.ERROR, 2, id="4.7-case"),
        pytest.param("v=DMARC1 p=none", "dmarc-version", Harm.ERROR, 2, id="4.8-separator"),
        pytest.param("p=none; v=DMARC1", "dmarc-version", Harm.ERROR, 8, id="4.7-first"),
        pytest.param('"v=DMARC1; p=none"', "dmarc-version", Harm.ERROR, 0, id="quoted"),
        pytest.param(f"v=DMARC1\\; p=none\\; {RUA}", "dmarc-version", Harm.ERROR, 2, id="escaped"),
        pytest.param(f"v=DMARC1; p=none; fo=1; {RUA}", "dmarc-fo-unused", Harm.ADVICE, -1, id="fo"),
        pytest.param(f"v=DMARC1; p=none; t=y; {RUA}", "dmarc-t-unused", Harm.ADVICE, -1, id="t"),
        pytest.param(f"v=DMARC1; p=none; psd=y; {RUA}", "dmarc-psd", Harm.WARNING, -1, id="psd"),
        pytest.param(
            f"v=DMARC1; p=quarantine; sp=none; {RUA}", "dmarc-weak-below", Harm.WARNING, -1, id="sp"
        ),
        pytest.param(
            f"v=DMARC1; p=none; psd=y; {RUA}; ruf=mailto:a@b.c",
            "dmarc-psd-ruf",
            Harm.ADVICE,
            -1,
            id="10.2",
        ),
    ],
)
def test_each_fault_is_recognised_and_located(
    text: str, code: str, harm: Harm, column: int
) -> None:
    found = {(f.code, f.harm, f.column) for f in lint("d.example", text)}
    assert (code, harm, column) in found
    assert all(f.hint for f in lint("d.example", text)), "what to do is said"


@pytest.mark.parametrize(
    "text",
    [
        f"v=DMARC1; p=none; {RUA}",
        f"v=DMARC1; p=quarantine; sp=quarantine; {RUA}",
        f"v=DMARC1; p=quarantine; np=reject; adkim=s; t=y; {RUA}; ruf=mailto:f@d.example; fo=1",
    ],
)
def test_a_good_record_is_left_alone(text: str) -> None:
    assert worst(lint("d.example", text)) is Harm.GOOD
    assert mended(text) == text


@pytest.mark.parametrize(
    ("text", "better"),
    [
        pytest.param("v=DMARC1; p=reject; pct=0", "v=DMARC1; p=reject; t=y", id="A.6-pct0"),
        pytest.param("v=DMARC1; p=reject; pct=100", "v=DMARC1; p=reject", id="A.6-pct100"),
        pytest.param("v=DMARC1; p=reject; pct=50", "v=DMARC1; p=reject; t=y", id="A.6-pct50"),
        pytest.param("v=DMARC1; p=none; pct=0", "v=DMARC1; p=none", id="pct-without-policy"),
        pytest.param("v=DMARC1; p=none; rf=afrf; ri=3600", "v=DMARC1; p=none", id="9.3-rf-ri"),
        pytest.param(
            f"v=DMARC1; p=none; {RUA}!10m,mailto:e@e.example!1g",
            f"v=DMARC1; p=none; {RUA},mailto:e@e.example",
            id="4.8-size",
        ),
        pytest.param("v=dmarc1;p=None", "v=DMARC1; p=none", id="case"),
        pytest.param(
            "v=DMARC1 p=none rua=mailto:d@d.example", f"v=DMARC1; p=none; {RUA}", id="blanks"
        ),
        pytest.param("v=DMARC1, p=none", "v=DMARC1; p=none", id="commas"),
        pytest.param('"v=DMARC1; p=none"', "v=DMARC1; p=none", id="quotes"),
        pytest.param(f"v=DMARC1\\; p=none\\; {RUA}", f"v=DMARC1; p=none; {RUA}", id="backslashes"),
        pytest.param("v=DMARC1; p=quarentine", "v=DMARC1; p=quarantine", id="spelling"),
        pytest.param(f"v=DMARC1;p=none {RUA}", f"v=DMARC1; p=none; {RUA}", id="no-semicolon"),
        pytest.param(
            "v=DMARC1; p:none; rua:mailto:d@d.example", f"v=DMARC1; p=none; {RUA}", id="colon"
        ),
        pytest.param(f"p=none; {RUA}", f"v=DMARC1; p=none; {RUA}", id="no-version"),
        pytest.param("v=DMARC1; p=“reject”", "v=DMARC1; p=reject", id="typographic-quotes"),
        pytest.param(
            f"v=DMARC1; p=none; {RUA} , mailto: e@d.x",
            f"v=DMARC1; p=none; {RUA},mailto:e@d.x",
            id="no-address-is-lost-to-a-blank",
        ),
        pytest.param(
            f"v=DMARC1; p=none; {RUA}; mailto:e@d.x",
            f"v=DMARC1; p=none; {RUA},mailto:e@d.x",
            id="addresses-with-semicolons",
        ),
        pytest.param("v=DMARC1; p=none; rua=d@d.example", f"v=DMARC1; p=none; {RUA}", id="mailto"),
        pytest.param(
            "v=DMARC1; p=none; rau=mailto:d@d.example", f"v=DMARC1; p=none; {RUA}", id="rau"
        ),
        pytest.param(f"v=DMARC1; {RUA}", f"v=DMARC1; p=none; {RUA}", id="say-none"),
        pytest.param("v=DMARC1; p=none; fo=1; t=y", "v=DMARC1; p=none", id="without-effect"),
        pytest.param("v=DMARC1; p=none; p=reject", "", id="contradiction"),
        pytest.param("p=none; v=DMARC1", "v=DMARC1; p=none", id="4.7-first"),
        pytest.param("v=DMARC1; p=xyz", "", id="unknowable"),
        pytest.param(f"v=DMARC1; p=none; {RUA},e(at)d.x@", "", id="an-address-would-be-lost"),
        pytest.param(f'v=DMARC1; p=none; {RUA}"', f"v=DMARC1; p=none; {RUA}", id="one-quote"),
        pytest.param("v=spf1 -all", "", id="not-dmarc"),
    ],
)
def test_mended(text: str, better: str) -> None:
    assert mended(text) == better
    if better:
        assert is_dmarc(better)
        assert parse(better).bad == ()
        assert mended(better) == better
        codes = {f.code for f in lint("d.example", better) if f.harm > Harm.ADVICE}
        assert codes <= {"dmarc-reject"}


def test_a_bad_address_is_not_called_missing() -> None:
    codes = [f.code for f in lint("d.example", "v=DMARC1; p=none; rua=d@d.example")]
    assert codes == ["dmarc-uri"]


def test_the_line_to_publish() -> None:
    (finding,) = lint("d.example", f"v=DMARC1; p=none; {RUA}; pct=100")
    assert finding.publish == (f'_dmarc.d.example. IN TXT "v=DMARC1; p=none; {RUA}"',)


def test_a_line_is_only_offered_where_it_helps() -> None:
    """Under "p=reject breaks mailing lists", a line with p=reject would be no help."""
    found = {f.code: f.publish for f in lint("d.example", f"v=DMARC1; p=reject; rf=afrf; {RUA}")}
    assert found["dmarc-reject"] == ()
    assert found["dmarc-obsolete"] == (f'_dmarc.d.example. IN TXT "v=DMARC1; p=reject; {RUA}"',)


def test_an_unquoted_semicolon_in_the_zone_file_is_suspected() -> None:
    (hint,) = (f.hint for f in lint("d.example", "v=DMARC1") if f.code == "dmarc-no-policy")
    assert "starts a comment" in hint
