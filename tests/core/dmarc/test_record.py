"""dmarc.record: the text at _dmarc, with all the mistakes that people make."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.core.dmarc import record
from postseal.core.dmarc.record import (
    Alignment,
    Disposition,
    Psd,
    Record,
    RecordError,
    is_record,
    parse,
)

NONE, QUARANTINE, REJECT = Disposition
RUA = ("mailto:d@x.example",)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("v=spf1 -all", id="spf"),
        pytest.param("p=reject; v=DMARC1", id="D-2-v-not-first"),
        pytest.param("v=dmarc1; p=reject", id="D-2-v-case"),
        pytest.param("v=DMARC2; p=reject", id="D-2-other-version"),
        pytest.param("v=DMARC1p=reject", id="D-2-no-separator"),
        pytest.param("v=DMARC1 p=reject", id="D-2-blank-as-separator"),
        pytest.param("v=DMARC1foo; p=reject", id="D-2-longer-version"),
        pytest.param("v==DMARC1; p=reject", id="D-2-two-equals"),
        pytest.param(" v=DMARC1; p=reject", id="D-2-leading-blank"),
        pytest.param(";v=DMARC1; p=reject", id="D-2-leading-semicolon"),
        pytest.param(b"v=DMARC1\x00; p=reject", id="nul"),
        pytest.param(b"\xef\xbb\xbfv=DMARC1; p=reject", id="byte-order-mark"),
        pytest.param("DMARC1; p=reject", id="no-v"),
        pytest.param("v=DMARC1\n; p=reject", id="newline"),
    ],
)
def test_not_a_record(text: str | bytes) -> None:
    assert not is_record(text)
    with pytest.raises(RecordError):
        parse(text)


def row(rule: str, text: str | bytes, **expected: Any) -> Any:
    return pytest.param(text, Record(**expected), id=rule)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        row("D-2-alone", "v=DMARC1"),
        row("D-2-alone-semicolon", "v=DMARC1;"),
        row("D-2-blanks", "v = DMARC1 ; p = none", p=NONE),
        row("D-2-tabs", "v\t=\tDMARC1\t;\tp\t=\treject\t", p=REJECT),
        row("D-2-v-upper-case", "V=DMARC1; P=REJECT", p=REJECT),
        row("D-2-octets", b"v=DMARC1; p=reject", p=REJECT),
        row("D-3-unknown-tag", "v=DMARC1; xx=1; p=reject; zz", p=REJECT),
        row("D-3-empty-parts", "v=DMARC1 ;  p = reject ;; ", p=REJECT),
        row("D-3-bad-adkim", "v=DMARC1; p=reject; adkim=q; aspf=s", p=REJECT, aspf="s"),
        row("D-3-bad-aspf", "v=DMARC1; p=reject; adkim=s; aspf=", p=REJECT, adkim="s"),
        row("D-3-repeated-adkim", "v=DMARC1; adkim=s; adkim=r", adkim="s"),
        row("D-3-unknown-with-high-octets", b"v=DMARC1; \xff\xfe\x00; p=reject", p=REJECT),
        row("D-4-historic", "v=DMARC1; p=reject; pct=0; rf=afrf; ri=1", p=REJECT),
        row("D-4-pct-nonsense", "v=DMARC1; p=reject; pct=99999999999999999999", p=REJECT),
        row("D-5-psd-t", "v=DMARC1; p=none; psd=y; t=y", p=NONE, psd="y", t=True),
        row("D-5-psd-n", "v=DMARC1; psd=n; t=n", psd="n"),
        row("D-5-bad-psd-bad-t", "v=DMARC1; psd=x; t=maybe"),
        row("D-6-order", "v=DMARC1; sp=none; np=reject; p=quarantine",
            p=QUARANTINE, sp=NONE, np=REJECT),
        row("D-6-value-case", "v=DMARC1;p=Reject;adkim=S;psd=Y;t=Y",
            p=REJECT, adkim="s", psd="y", t=True),
        row("D-7-fo", "v=DMARC1; ruf=mailto:d@x.example; fo=1:d:s", ruf=RUA, fo=("1", "d", "s")),
        row("D-7-fo-0-and-1", "v=DMARC1; ruf=mailto:d@x.example; fo=0:1", ruf=RUA),
        row("D-7-fo-twice-d", "v=DMARC1; ruf=mailto:d@x.example; fo=d:d", ruf=RUA),
        row("D-7-fo-colons", "v=DMARC1; ruf=mailto:d@x.example; fo=:::", ruf=RUA),
        row("D-7-fo-without-ruf", "v=DMARC1; fo=1"),
        row("D-8-list", "v=DMARC1; rua=mailto:d@x.example , https://x.example/r",
            rua=("mailto:d@x.example", "https://x.example/r")),
        row("D-8-size", "v=DMARC1; rua=mailto:d@x.example!10m", rua=RUA),
        row("D-8-some-bad", "v=DMARC1; rua=nonsense,,mailto:,mailto:d@x.example", rua=RUA),
        row("D-8-scheme-case", "v=DMARC1; rua=MAILTO:d@x.example", rua=("MAILTO:d@x.example",)),
        row("D-8-blank-inside", "v=DMARC1; rua=mailto:d @x.example"),
        row("D-16-p-absent", "v=DMARC1; sp=reject", sp=REJECT),
        row("D-16-p-invalid", "v=DMARC1; p=foo", invalid=("p",)),
        row("D-16-p-empty", "v=DMARC1; p=", invalid=("p",)),
        row("D-3-no-equals-sign", "v=DMARC1; p; sp=reject", sp=REJECT),
        row("D-16-p-quoted", 'v=DMARC1; p="reject"', invalid=("p",)),
        row("D-16-p-high-octets", b"v=DMARC1; p=reject\xff", invalid=("p",)),
        row("D-16-p-newline", "v=DMARC1; p=reject\n", invalid=("p",)),
        row("D-16-sp-invalid", "v=DMARC1; p=reject; sp=foo", p=REJECT, invalid=("sp",)),
        row("D-16-np-invalid", "v=DMARC1; p=reject; np=foo; rua=mailto:d@x.example",
            p=REJECT, rua=RUA, invalid=("np",)),
        row("D-16-p-repeated", "v=DMARC1; p=none; p=reject", p=NONE),
    ],
)  # fmt: skip
def test_record(text: str | bytes, expected: Record) -> None:
    assert is_record(text)
    assert parse(text) == expected


@pytest.mark.parametrize(
    ("text", "usable", "own"),
    [
        pytest.param("v=DMARC1", True, NONE, id="D-5-p-absent"),
        pytest.param("v=DMARC1; p=foo", False, NONE, id="D-16-invalid-no-rua"),
        pytest.param("v=DMARC1; p=foo; rua=x", False, NONE, id="D-16-invalid-rua-invalid"),
        pytest.param("v=DMARC1; p=foo; rua=mailto:a@x.example", True, NONE, id="D-16-invalid-rua"),
        pytest.param("v=DMARC1; p=reject; sp=foo", False, NONE, id="D-16-sp-voids"),
        pytest.param(
            "v=DMARC1; p=reject; sp=foo; rua=mailto:a@x.example", True, NONE, id="D-16-sp-none"
        ),
        pytest.param("v=DMARC1; p=reject", True, REJECT, id="reject"),
    ],
)
def test_usable_and_own_policy(text: str, usable: bool, own: Disposition) -> None:
    assert (parse(text).usable, parse(text).policy(below=False)) == (usable, own)


@pytest.mark.parametrize(
    ("text", "exists", "missing"),
    [
        pytest.param("v=DMARC1; p=reject", REJECT, REJECT, id="D-18-p-for-all"),
        pytest.param("v=DMARC1; p=reject; sp=none", NONE, NONE, id="D-18-sp-for-all"),
        pytest.param("v=DMARC1; p=none; np=reject", NONE, REJECT, id="D-18-np"),
        pytest.param("v=DMARC1; sp=quarantine; np=reject", QUARANTINE, REJECT, id="D-18-sp-np"),
        pytest.param("v=DMARC1; sp=quarantine", QUARANTINE, QUARANTINE, id="D-18-no-p"),
    ],
)  # fmt: skip
def test_policy_below(text: str, exists: Disposition, missing: Disposition) -> None:
    assert parse(text).policy(below=True, exists=True) is exists
    assert parse(text).policy(below=True, exists=False) is missing


def test_faults_are_said_and_bounded() -> None:
    faults = parse("v=DMARC1; p=none; p=reject; adkim=q; rua=x" + ",x" * 5000).faults
    assert set(faults) == {"p: repeated", "adkim: invalid value", "rua: invalid URI"}
    assert len(faults) == record.MAX_FAULTS


def test_a_large_record_is_read() -> None:
    junk = "x=1;" * 15000 + "np=" + " " * 60000 + "\xff;"
    text = f"v=DMARC1;{junk}p=reject;rua=" + "mailto:d@x.example," * 3000
    read = parse(text)
    assert (read.p, read.invalid, len(read.rua)) == (REJECT, ("np",), record.MAX_URIS)


def test_one_level_lower() -> None:
    assert [word.one_level_lower for word in Disposition] == [NONE, NONE, QUARANTINE]
    assert sorted(Disposition, key=lambda word: word.strictness) == [NONE, QUARANTINE, REJECT]


RECORDS = st.builds(
    Record,
    p=st.none() | st.sampled_from(Disposition),
    sp=st.none() | st.sampled_from(Disposition),
    np=st.none() | st.sampled_from(Disposition),
    adkim=st.sampled_from(Alignment),
    aspf=st.sampled_from(Alignment),
    psd=st.sampled_from(Psd),
    t=st.booleans(),
    rua=st.sampled_from([(), RUA, (*RUA, "https://x.example/r?a=b")]),
    ruf=st.just(RUA),
    fo=st.sampled_from([("0",), ("1",), ("0", "d"), ("d", "s", "1"), ("s",)]),
)


@given(RECORDS)
def test_round_trip(written: Record) -> None:
    assert parse(str(written)) == written
    assert parse(str(written)).faults == ()


TAGS = ["p=", "sp=", "np=", "rua=", "adkim=", "psd=", "t=", "fo=", "reject", "none", "y", ";", " ",
        "=", "\t", ",", ":", "!1m", "mailto:a@x.example", "\xff", "\0"]  # fmt: skip


@given(st.lists(st.sampled_from(TAGS), max_size=30).map("".join) | st.text() | st.binary())
def test_record_or_record_error(garbage: str | bytes) -> None:
    text = b"v=DMARC1;" + garbage if isinstance(garbage, bytes) else "v=DMARC1;" + garbage
    read = parse(text)
    if not read.invalid:
        assert parse(str(read)) == read
    try:
        parse(garbage)
    except RecordError:
        assert not is_record(garbage)
