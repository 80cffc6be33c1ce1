"""taglist: RFC 6376 section 3.2, strict and linear."""

from __future__ import annotations

import random

import pytest

from postseal.core import taglist


@pytest.mark.parametrize(
    ("text", "tags"),
    [
        pytest.param(b"a=1; b=2", {"a": b"1", "b": b"2"}, id="two"),
        pytest.param(b"a=1; b=2;", {"a": b"1", "b": b"2"}, id="semicolon-at-the-end"),
        pytest.param(b"a=1; \r\n\t", {"a": b"1"}, id="white-space-after-the-last-semicolon"),
        pytest.param(b"\r\n a \t=\r\n 1 \r\n ;b=2", {"a": b"1", "b": b"2"}, id="fws-everywhere"),
        pytest.param(b"p=", {"p": b""}, id="empty-value-erratum-5070"),
        pytest.param(b"p= ;k=rsa", {"p": b"", "k": b"rsa"}, id="blank-value"),
        pytest.param(b"b=YQ==", {"b": b"YQ=="}, id="equals-in-value"),
        pytest.param(b"a=x\r\n y", {"a": b"x\r\n y"}, id="fws-inside-stays"),
        pytest.param(b"A=1;a=2", {"A": b"1", "a": b"2"}, id="names-are-case-sensitive"),
        pytest.param(b"r3_x=y", {"r3_x": b"y"}, id="unknown-tag"),
        pytest.param("d=bücher.example".encode(), {"d": "bücher.example".encode()}, id="rfc8616"),
        pytest.param(b"", {}, id="nothing"),
        pytest.param(b"x" * 64 + b"=1", {"x" * 64: b"1"}, id="long-name"),
        pytest.param(b"a=!~\x80\xff", {"a": b"!~\x80\xff"}, id="first-and-last-characters"),
        pytest.param(
            b"".join(b"a%d=1;" % i for i in range(100)),
            {f"a{i}": b"1" for i in range(100)},
            id="as-many-as-allowed",
        ),
    ],
)
def test_reads(text: bytes, tags: dict[str, bytes]) -> None:
    assert taglist.parse(text) == tags


def test_keeps_the_order() -> None:
    assert list(taglist.parse(b"v=DKIM1; p=; k=rsa")) == ["v", "p", "k"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(b"a=1; a=1", id="k-21-twice"),
        pytest.param(b"a=1; b=2; a =3", id="k-21-twice-with-blank"),
        pytest.param(b"a=1;;b=2", id="empty-in-the-middle"),
        pytest.param(b";a=1", id="empty-at-the-start"),
        pytest.param(b"a=1;;", id="two-semicolons-at-the-end"),
        pytest.param(b"a", id="no-equals"),
        pytest.param(b"=1", id="no-name"),
        pytest.param(b"1a=1", id="name-starts-with-digit"),
        pytest.param(b"_a=1", id="name-starts-with-underscore"),
        pytest.param(b"a-b=1", id="hyphen-in-name"),
        pytest.param(b"a b=1", id="blank-in-name"),
        pytest.param("ä=1".encode(), id="name-not-ascii"),
        pytest.param(b"a=\x00", id="nul"),
        pytest.param(b"a=\x7f", id="del"),
        pytest.param(b"a=1\x0b", id="vertical-tab"),
        pytest.param(b"".join(b"a%d=1;" % i for i in range(101)), id="too-many"),
        pytest.param(b"x" * 65 + b"=1", id="over-long-name"),
        pytest.param(b"a=1\x1f", id="control-below-blank"),
    ],
)
def test_refuses(text: bytes) -> None:
    with pytest.raises(taglist.TagListError):
        taglist.parse(text)


def test_garbage_gives_tags_or_one_exception() -> None:
    rng = random.Random(6376)
    alphabet = [b"a", b"b", b"=", b";", b" ", b"\t", b"\r\n", b"\xc3", b"\x00", b"1", b"_"]
    read = 0
    for _ in range(5000):
        text = b"".join(rng.choices(alphabet, k=rng.randrange(30)))
        try:
            tags = taglist.parse(text)
        except taglist.TagListError:
            continue
        read += 1
        assert len(tags) == text.rstrip(b" \t\r\n;").count(b";") + 1 if tags else not text.strip()
    assert read
