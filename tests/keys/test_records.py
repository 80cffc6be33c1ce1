"""Key records: text and values, both ways."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal_keys import records
from postseal_keys.records import KeyRecord, RecordError

WORDS = st.from_regex(r"[A-Za-z]([A-Za-z0-9-]{0,8}[A-Za-z0-9])?", fullmatch=True)
NOTES = st.text(max_size=80).filter(lambda text: not _has_surrogate(text))
RECORDS = st.builds(
    KeyRecord,
    public=st.binary(max_size=600).map(lambda raw: base64.b64encode(raw).decode("ascii")),
    kind=st.sampled_from(["rsa", "ed25519", "x-new"]),
    hashes=st.lists(WORDS, max_size=3).map(tuple),
    flags=st.lists(WORDS, max_size=3).map(tuple),
    services=st.lists(WORDS | st.just("*"), max_size=3).map(tuple),
    note=NOTES,
)


def _has_surrogate(text: str) -> bool:
    return any("\ud800" <= c <= "\udfff" for c in text)


def test_the_order_is_opendkim_genkeys() -> None:
    record = KeyRecord(
        public="QUJD",
        hashes=("sha1", "sha256"),
        flags=("y", "s"),
        services=("email",),
        note="new",
    )
    text = "v=DKIM1; n=new; h=sha1:sha256; k=rsa; t=y:s; s=email; p=QUJD"
    assert str(record) == text


def test_a_revoked_key_is_an_empty_p() -> None:
    """RFC 6376 section 3.6.1: an empty value means the key has been revoked."""
    assert str(KeyRecord(public="")) == "v=DKIM1; k=rsa; p="
    assert records.parse("v=DKIM1; k=rsa; p=").public == ""


@given(RECORDS)
def test_any_record_we_write_parses_back_to_the_same_tags(record: KeyRecord) -> None:
    assert records.parse(str(record)) == record
    assert records.parse(f"{record};") == record


@given(NOTES)
def test_any_note_is_a_tag_value_and_reads_back(note: str) -> None:
    """RFC 6376 section 3.2: a value has neither ";" nor blanks at its ends."""
    value = records.encode_note(note)
    assert value.isascii() and value.isprintable()
    assert value == value.strip() and not set(value) & set(';"\\')
    assert records.decode_note(value) == note


def test_a_note_of_any_octets_survives() -> None:
    """What a shell in another encoding hands over."""
    note = b"caf\xe9".decode("utf-8", "surrogateescape")
    assert records.encode_note(note) == "caf=E9"
    assert records.decode_note("caf=E9") == note


@pytest.mark.parametrize(
    ("text", "record"),
    [
        pytest.param("p=QUJD", KeyRecord(public="QUJD"), id="everything-but-p-is-optional"),
        pytest.param(
            "v=DKIM1;\r\n\tk = rsa ; p = QU\r\n JD ",
            KeyRecord(public="QUJD"),
            id="folding-white-space",
        ),
        pytest.param(
            "v=DKIM1; x=future; p=QUJD", KeyRecord(public="QUJD"), id="unknown-tags-ignored"
        ),
        pytest.param(
            "v=DKIM1; h= sha1 : sha256; s=*; t=y :s; p=QUJD",
            KeyRecord(public="QUJD", hashes=("sha1", "sha256"), services=("*",), flags=("y", "s")),
            id="lists",
        ),
        # RFC 8463 appendix A.2
        pytest.param(
            "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=",
            KeyRecord(kind="ed25519", public="11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="),
            id="rfc8463",
        ),
    ],
)
def test_parse(text: str, record: KeyRecord) -> None:
    assert records.parse(text) == record


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("v=DKIM1; k=rsa", id="no-p"),
        pytest.param("v=DKIM2; p=QUJD", id="version"),
        pytest.param("k=rsa; v=DKIM1; p=QUJD", id="v-not-first"),
        pytest.param("v=DKIM1; p=QUJD; p=QUJD", id="twice"),
        pytest.param("v=DKIM1; ; p=QUJD", id="empty-tag"),
        pytest.param("v=DKIM1; p=QUJ", id="base64-cut"),
        pytest.param("v=DKIM1; p=Q!JD", id="base64-character"),
        pytest.param("v=DKIM1; 1k=rsa; p=QUJD", id="tag-name"),
        pytest.param("v=DKIM1; n=é; p=QUJD", id="not-ascii"),
        pytest.param("v=DKIM1; h=sha256,sha1; p=QUJD", id="h-word"),
        pytest.param("v=DKIM1; p=" + "A" * 70000, id="too-long"),
    ],
)
def test_what_is_no_record_raises_record_error(text: str) -> None:
    with pytest.raises(RecordError):
        records.parse(text)


@given(st.text(alphabet='vpkhtsn=;:DKIM1 QJD"\\\té', max_size=60))
def test_garbage_parses_or_raises_record_error(text: str) -> None:
    try:
        record = records.parse(text)
    except RecordError:
        return
    assert records.parse(str(record)) == record


@given(st.text(alphabet="abc", max_size=1200), st.integers(1, 255))
def test_strings_join_to_the_text(text: str, size: int) -> None:
    strings = records.split(text, size)
    assert "".join(strings) == text
    assert all(len(string) <= size for string in strings)
    assert all(strings) or strings == ("",), "no empty string beside others"
