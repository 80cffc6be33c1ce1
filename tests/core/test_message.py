"""message: a file taken apart as Postfix would."""

from __future__ import annotations

import pytest

from postseal.core.message import split


def fields(data: bytes) -> list[tuple[bytes, bytes]]:
    return [(field.name, field.value) for field in split(data)[0]]


@pytest.mark.parametrize(
    ("data", "header", "body"),
    [
        pytest.param(
            b"From: a\r\nTo:b\r\n\r\nx\r\n", [(b"From", b" a"), (b"To", b"b")], b"x\r\n", id="crlf"
        ),
        pytest.param(b"From: a\n\nx\ny\n", [(b"From", b" a")], b"x\r\ny\r\n", id="lf"),
        pytest.param(b"From: a\n\tb\n c\n\n", [(b"From", b" a\r\n\tb\r\n c")], b"", id="folded"),
        pytest.param(b"From x y\nTo: b\n\nz", [(b"To", b" b")], b"z", id="mbox-line"),
        pytest.param(b">From x y\nTo: b\n\nz", [(b"To", b" b")], b"z", id="mbox-line-quoted"),
        pytest.param(b"To : b\n\n", [(b"To", b" b")], b"", id="blank-before-colon"),
        pytest.param(b"To: b\n", [(b"To", b" b")], b"", id="no-body"),
        pytest.param(b"\nhello", [], b"hello", id="no-header"),
        pytest.param(b"", [], b"", id="nothing"),
        pytest.param(
            b"To: b\nno field\nFrom: c\n\nx", [(b"To", b" b")], b"no field\r\nFrom: c\r\n\r\nx",
            id="a-line-that-is-no-field-ends-the-header",
        ),
        pytest.param(b"X-\xe9: \xff\n\n", [(b"X-\xe9", b" \xff")], b"", id="8-bit"),
        pytest.param(b"A: 1\r\n\r\nx\ry\r\n", [(b"A", b" 1")], b"x\ry\r\n", id="bare-cr-is-kept"),
        pytest.param(b" lost\nTo: b\n\nx", [], b" lost\r\nTo: b\r\n\r\nx", id="continuation-first"),
    ],
)  # fmt: skip
def test_split(data: bytes, header: list[tuple[bytes, bytes]], body: bytes) -> None:
    assert fields(data) == header
    assert split(data)[1] == body
