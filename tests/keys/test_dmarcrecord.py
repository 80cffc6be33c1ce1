"""dmarcrecord: RFC 9989's grammar as a receiver applies it."""

from __future__ import annotations

import itertools
import random

import pytest

from postseal_keys.dmarcrecord import DmarcError, Record, is_dmarc, parse, scan, uri


@pytest.mark.parametrize(
    ("text", "yes"),
    [
        pytest.param("v=DMARC1", True, id="4.8-alone"),
        pytest.param("v=DMARC1;", True, id="4.8-final-separator"),
        pytest.param("v = DMARC1 ; p = none", True, id="4.8-blanks"),
        pytest.param("V=DMARC1; p=none", True, id="4.8-tag-name-any-case"),
        pytest.param("v=dmarc1; p=none", False, id="4.7-version-case"),
        pytest.param("v=DMARC2; p=none", False, id="4.7-version"),
        pytest.param("v=DMARC1 p=none", False, id="4.8-no-separator"),
        pytest.param("p=none; v=DMARC1", False, id="4.7-not-first"),
        pytest.param("", False, id="empty"),
        pytest.param("v=spf1 -all", False, id="spf"),
    ],
)
def test_what_is_a_dmarc_record(text: str, yes: bool) -> None:
    assert is_dmarc(text) is yes
    if not yes:
        with pytest.raises(DmarcError):
            parse(text)


@pytest.mark.parametrize(
    ("text", "record"),
    [
        pytest.param("v=DMARC1", Record(), id="4.7-defaults"),
        pytest.param("v=DMARC1; p=REJECT; adkim=S", Record(p="reject", adkim="s"), id="case"),
        pytest.param("v=DMARC1; adkim=x; t=q", Record(bad=("adkim", "t")), id="4.8-bad-is-default"),
        pytest.param("v=DMARC1; pct=5; ri=1; rf=afrf; zz=1", Record(), id="4.7-others-ignored"),
        pytest.param("v=DMARC1; p=maybe", Record(bad=("p",)), id="4.10.1-bad-p"),
        pytest.param("v=DMARC1; p=none; p=reject", Record(p="none"), id="first-of-two"),
        pytest.param(
            "v=DMARC1; rua=mailto:a@b.example!10m , https://c.example/x",
            Record(rua=("mailto:a@b.example", "https://c.example/x")),
            id="4.8-urilist",
        ),
        pytest.param(
            "v=DMARC1; fo=1:d:s; ruf=mailto:f@b.example",
            Record(fo=("1", "d", "s"), ruf=("mailto:f@b.example",)),
            id="4.8-fo",
        ),
        pytest.param("v=DMARC1; fo=0:1", Record(bad=("fo",)), id="4.7-fo-exclusive"),
        pytest.param("v=DMARC1; fo=d:d", Record(bad=("fo",)), id="4.8-fo-once"),
    ],
)
def test_parse(text: str, record: Record) -> None:
    assert parse(text) == record


@pytest.mark.parametrize(
    ("text", "usable", "itself", "below", "missing"),
    [
        pytest.param("v=DMARC1", True, "none", "none", "none", id="4.7-no-p"),
        pytest.param("v=DMARC1; p=reject", True, "reject", "reject", "reject", id="p"),
        pytest.param("v=DMARC1; p=reject; sp=none", True, "reject", "none", "none", id="sp"),
        pytest.param("v=DMARC1; p=none; np=reject", True, "none", "none", "reject", id="np"),
        pytest.param("v=DMARC1; p=x", False, "", "", "", id="4.10.1-no-rua"),
        pytest.param("v=DMARC1; p=x; rua=mailto:a@b.c", True, "none", "none", "none", id="4.10.1"),
        pytest.param("v=DMARC1; p=reject; sp=x", False, "", "", "", id="4.10.1-bad-sp"),
    ],
)
def test_which_policy(text: str, usable: bool, itself: str, below: str, missing: str) -> None:
    record = parse(text)
    assert record.usable is usable
    assert record.asks() == itself
    assert record.asks(below=True) == below
    assert record.asks(below=True, exists=False) == missing


@pytest.mark.parametrize(
    ("text", "host", "valid"),
    [
        ("mailto:a@b.example", "b.example", True),
        ("MAILTO:a@B.example.", "b.example", True),
        ("mailto:a@b.example?subject=x", "b.example", True),
        ("mailto:a%2Cb@b.example", "b.example", True),
        ("https://b.example/x", "", True),
        ("a@b.example", "", False),
        ("mailto:a", "", False),
        ("mailto:a@b", "", False),
        ("mailto:a!b@b.example", "", False),
        ("mailto: a@b.example", "", False),
        ("mailto:a@b..example", "", False),
    ],
)
def test_uris(text: str, host: str, valid: bool) -> None:
    found = uri(text)
    assert (found.host, found.valid) == (host, valid)


def test_size_suffix() -> None:
    assert uri("mailto:a@b.example!10m").suffix == "!10m"
    assert uri("mailto:a@b.example!10m").text == "mailto:a@b.example"


def test_every_record_round_trips() -> None:
    policies = (None, "none", "quarantine", "reject")
    for p, sp, np, a, t, psd in itertools.product(
        policies, policies, policies, "rs", (False, True), "unyu"
    ):
        record = Record(p=p, sp=sp, np=np, adkim=a, aspf=a, t=t, psd=psd)
        assert parse(str(record)) == record
    full = Record(p="none", rua=("mailto:a@b.example", "mailto:c@d.example"), fo=("1", "s"))
    assert parse(str(full)) == full


def test_columns_point_at_the_text() -> None:
    text = "v=DMARC1;  p = reject ;rua=mailto:a@b.example"
    for tag in scan(text):
        assert text[tag.column :].lower().startswith(tag.name)
        assert text[tag.value_column :].startswith(tag.value)


def test_never_raises_anything_else() -> None:
    rng = random.Random(9989)
    pieces = ["v=DMARC1", ";", "=", "p", " ", "none", "rua", "mailto:", "@", "!", "9m", ",", "\x00"]
    parsed = 0
    for _ in range(20_000):
        text = "v=DMARC1;" * rng.randrange(2) + "".join(rng.choices(pieces, k=rng.randrange(14)))
        try:
            record = parse(text)
        except DmarcError:
            continue
        parsed += 1
        assert parse(str(record)).asks() in ("", "none", "quarantine", "reject")
    assert parsed > 5000
