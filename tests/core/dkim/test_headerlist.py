"""headerlist: what is signed, and how often it is named."""

from __future__ import annotations

import pytest

from postseal.core.dkim import headerlist
from postseal.core.dkim.headerlist import HeaderListError, adjust, plan
from postseal.core.field import Field, Header


def header(*names: str) -> Header:
    return Header([Field(name.encode(), b" x") for name in names])


def choose(
    what: Header,
    signed: tuple[bytes, ...] = headerlist.SIGNED,
    oversigned: tuple[bytes, ...] = headerlist.OVERSIGNED,
) -> tuple[bytes, ...]:
    """h= of a message with these fields."""
    chosen = plan(signed, oversigned)
    return chosen.listed(map(what.count, chosen.names))


def counted(names: tuple[bytes, ...]) -> dict[bytes, int]:
    return {name: names.count(name) for name in names}


@pytest.mark.parametrize(
    ("names", "listed"),
    [
        pytest.param([], {b"from": 1}, id="k-4-from-always"),
        pytest.param(["From"], {b"from": 2}, id="k-5-from-once-more"),
        pytest.param(["From", "FROM"], {b"from": 3}, id="from-twice"),
        pytest.param(["Subject"], {b"subject": 2}, id="oversigned"),
        pytest.param(
            [], {b"subject": 1, b"to": 1, b"cc": 1, b"reply-to": 1}, id="absent-oversigned"
        ),
        pytest.param([], {b"date": 0, b"message-id": 0}, id="p-27-postfix-may-add-these"),
        pytest.param(["Date", "Message-ID"], {b"date": 2, b"message-id": 2}, id="p-27-present"),
        pytest.param(["References"], {b"references": 1}, id="signed-not-oversigned"),
        pytest.param([], {b"references": 0}, id="absent-not-named"),
        pytest.param(
            ["List-Unsubscribe", "List-Unsubscribe-Post"],
            {b"list-unsubscribe": 1, b"list-unsubscribe-post": 1},
            id="k-6-list-fields",
        ),
        pytest.param(["To", "To"], {b"to": 3}, id="every-instance"),
        pytest.param(
            ["Content-Type", "MIME-Version", "Content-Transfer-Encoding"],
            {b"content-type": 2, b"mime-version": 2, b"content-transfer-encoding": 2},
            id="k-5-mime",
        ),
        pytest.param(
            ["Received", "Return-Path", "Authentication-Results", "ARC-Seal", "DKIM-Signature"],
            {
                b"received": 0,
                b"return-path": 0,
                b"authentication-results": 0,
                b"arc-seal": 0,
                b"dkim-signature": 0,
            },
            id="k-7-never",
        ),
    ],
)
def test_default(names: list[str], listed: dict[bytes, int]) -> None:
    got = counted(choose(header(*names)))
    assert {name: got.get(name, 0) for name in listed} == listed


def test_what_must_not_be_signed_is_not_even_when_asked_for() -> None:
    asked = (b"received", b"arc-seal", b"x-mine", b"authentication-results")
    got = choose(header("Received", "ARC-Seal", "X-Mine", "From"), asked, asked)
    assert counted(got) == {b"from": 2, b"x-mine": 2}


def test_list_fields_are_never_oversigned_by_default() -> None:
    assert not [name for name in headerlist.OVERSIGNED if name.startswith(b"list-")]
    assert b"list-unsubscribe-post" in headerlist.SIGNED


D = (b"from", b"to")


@pytest.mark.parametrize(
    ("words", "listed"),
    [
        pytest.param([], D, id="nothing"),
        pytest.param(["*"], D, id="star"),
        pytest.param(["*", "+X-A"], (*D, b"x-a"), id="add"),
        pytest.param(["*", "-To"], (b"from",), id="take"),
        pytest.param(["+X-A", "-TO"], (b"from", b"x-a"), id="changes-without-star"),
        pytest.param(["From", "X-B"], (b"from", b"x-b"), id="own-list"),
        pytest.param(["From", "*", "X-B"], (b"from", b"to", b"x-b"), id="mixed"),
        pytest.param(["*", "-Nothing"], D, id="take-what-is-not-there"),
    ],
)
def test_adjust(words: list[str], listed: tuple[bytes, ...]) -> None:
    assert adjust(D, words) == listed


@pytest.mark.parametrize("word", ["", "+", "X Y", "X:", "ü", "Received", "+ARC-Seal", "+received"])
def test_adjust_refuses(word: str) -> None:
    with pytest.raises(HeaderListError):
        adjust(D, ["*", word])
