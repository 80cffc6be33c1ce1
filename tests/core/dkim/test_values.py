"""values: the readers that DKIM and ARC share; most rules are rows of test_signature."""

from __future__ import annotations

import pytest

from postseal.core.dkim import values
from postseal.core.dkim.values import SignatureError, SignatureFault


@pytest.mark.parametrize(
    ("text", "octets"),
    [
        pytest.param(b"plain", b"plain", id="plain"),
        pytest.param(b"=41=6a", b"Aj", id="either-case"),
        pytest.param(b"a b\r\n c", b"abc", id="white-space-goes"),
        pytest.param(b"=3D41", b"=41", id="once-only"),
        pytest.param(b"", b"", id="empty"),
    ],
)
def test_unquote(text: bytes, octets: bytes) -> None:
    assert values.unquote("i", text) == octets


@pytest.mark.parametrize("text", [b"=", b"a=4", b"=4 ", b"=g1", b"=1g", b"==41"])
def test_unquote_refuses(text: bytes) -> None:
    with pytest.raises(SignatureError) as caught:
        values.unquote("i", text)
    assert caught.value.why is SignatureFault.SYNTAX


def test_field_names_keep_the_empty_ones_for_arc() -> None:
    assert values.read_field_names(b"From::\r\n To") == (b"from", b"", b"to")
    assert values.read_field_names(b"") == (b"",)


def test_details_do_not_repeat_the_sender() -> None:
    for read in (
        lambda: values.read_name("d", b"evil\x1b[2J"),
        lambda: values.read_algorithm(b"<script>"),
        lambda: values.read_base64("b", b"%%%"),
        lambda: values.read_number("t", b"%%%", 20),
    ):
        with pytest.raises(SignatureError) as caught:
            read()
        assert not set(caught.value.detail) & set("\x1b<%")
