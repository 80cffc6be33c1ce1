"""addresslist: tokens and elements, or Unreadable."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.core.addresslist import Kind, Unreadable, dotted, split, tokenize, without_route


def kinds(text: bytes) -> str:
    return " ".join(kind.value for kind, _ in tokenize(text))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(b"", "", id="empty"),
        pytest.param(b" \t ", "", id="blank"),
        pytest.param(b"a.b@c", "word @ word", id="bare"),
        pytest.param(b'"a\\"@b" <c@d>', "quoted < word @ word >", id="quoted"),
        pytest.param(b"(a (b) \\) c)a(d)", "word", id="comments"),
        pytest.param(b"a@[1.2.3.4]", "word @ literal", id="literal"),
        pytest.param(b"g: a, b;", "word : word , word ;", id="group"),
        pytest.param(b"\xff\xc3\xbc", "word", id="8-bit"),
    ],
)
def test_tokens(text: bytes, expected: str) -> None:
    assert kinds(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"a)", id="stray-parenthesis"),
        pytest.param(b"(a", id="unclosed-comment"),
        pytest.param(b"(a\\)", id="escaped-close"),
        pytest.param(b'"a', id="unclosed-quote"),
        pytest.param(b'"a\\"', id="escaped-quote"),
        pytest.param(b"a\\,b", id="quoted-pair-outside-quotes"),
        pytest.param(b"[a", id="unclosed-literal"),
        pytest.param(b"[a[b]]", id="nested-literal"),
    ],
)
def test_no_tokens(text: bytes) -> None:
    with pytest.raises(Unreadable):
        kinds(text)


def elements(text: bytes) -> list[bytes]:
    return [b"".join(part for _, part in element) for element in split(list(tokenize(text)))]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(b"", [b""], id="empty"),
        pytest.param(b"a, b", [b"a", b"b"], id="two"),
        pytest.param(b"a,,b,", [b"a", b"", b"b", b""], id="obs-empty-members"),
        pytest.param(b"<@r,@s:a@b>, c", [b"<@r,@s:a@b>", b"c"], id="route-is-one"),
        pytest.param(b"g: a, b;", [b"a", b"b", b""], id="group"),
        pytest.param(b"g:;, a", [b"", b"", b"a"], id="empty-group-and-one"),
        pytest.param(b"g: a; , h: b;", [b"a", b"", b"b", b""], id="two-groups"),
    ],
)
def test_elements(text: bytes, expected: list[bytes]) -> None:
    assert elements(text) == expected


@pytest.mark.parametrize("text", [b"<a", b"a>", b"<<a>>", b"g: a", b"a;", b"g: h: a;;", b":;",
                                  b"g:; a", b"g:; a, b", b"g:;h:;"])  # fmt: skip
def test_no_elements(text: bytes) -> None:
    with pytest.raises(Unreadable):
        elements(text)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        pytest.param(b"a@b", b"a@b", id="none"),
        pytest.param(b"@r:a@b", b"a@b", id="one"),
        pytest.param(b",@r,,@s,:a@b", b"a@b", id="obs-empty-members"),
        pytest.param(b"r:a@b", None, id="no-at"),
        pytest.param(b"x@r:a@b", None, id="mailbox-as-route"),
        pytest.param(b":a@b", None, id="empty"),
        pytest.param(b"@r@s:a@b", b"a@b", id="obs-no-comma"),
    ],
)
def test_route(text: bytes, rest: bytes | None) -> None:
    tokens = list(tokenize(text))
    if rest is None:
        with pytest.raises(Unreadable):
            without_route(tokens)
    else:
        assert b"".join(part for _, part in without_route(tokens)) == rest


@pytest.mark.parametrize(
    ("text", "joined"),
    [
        pytest.param(b"a.b", b"a.b", id="one-word"),
        pytest.param(b"a . b", b"a.b", id="blanks"),
        pytest.param(b"a.(c)b", b"a.b", id="comment"),
        pytest.param(b"a b", None, id="no-dot"),
        pytest.param(b'"a"b', None, id="quoted-and-word"),
        pytest.param(b"a@b", None, id="other-kind"),
        pytest.param(b"", None, id="nothing"),
    ],
)
def test_dotted(text: bytes, joined: bytes | None) -> None:
    tokens = list(tokenize(text))
    if joined is None:
        with pytest.raises(Unreadable):
            dotted(tokens, (Kind.WORD, Kind.QUOTED))
    else:
        assert dotted(tokens, (Kind.WORD, Kind.QUOTED)) == joined


@given(st.text(alphabet='a.@<>,:;()"\\[] é', max_size=60))
def test_unreadable_or_elements(text: str) -> None:
    try:
        elements(text.encode())
    except Unreadable:
        return
    assert elements(f"{text},b".encode())[-1] == b"b"
