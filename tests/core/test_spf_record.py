"""Which TXT record is the SPF record, and which are refused."""

from __future__ import annotations

import pytest

from postseal.core.spf_record import Fault, Limits, select_record


@pytest.mark.parametrize(
    ("texts", "record"),
    [
        pytest.param((), None, id="none"),
        pytest.param((b"", b"x", b"v=spf10", b"v=spf1-all", b" v=spf1"), None, id="others"),
        pytest.param((b"x", b"v=spf1 -all", b"\xff"), "v=spf1 -all", id="among-others"),
        pytest.param((b"v=SPF1",), "v=SPF1", id="nothing-but-version"),
        pytest.param((b"v=spf1 ",), "v=spf1 ", id="trailing-blank"),
        pytest.param((b"v=spf1 " + b"x" * 4089,), "v=spf1 " + "x" * 4089, id="at-limit"),
    ],
)
def test_selection(texts: tuple[bytes, ...], record: str | None) -> None:
    assert select_record(texts, Limits()) == record


@pytest.mark.parametrize(
    ("texts", "why"),
    [
        pytest.param((b"v=spf1 -all", b"v=spf1 -all"), "many-records", id="twice"),
        pytest.param((b"v=spf1 " + b"x" * 4090,), "record-too-long", id="over-limit"),
        pytest.param((b"v=spf1 \xc3\xbc",), "record-not-ascii", id="not-ascii"),
    ],
)
def test_refusals(texts: tuple[bytes, ...], why: str) -> None:
    with pytest.raises(Fault) as caught:
        select_record(texts, Limits())
    assert caught.value.why == why
