"""canon: body hashes against a plain line-by-line reading of RFC 6376 section 3.4."""

from __future__ import annotations

import base64
import random
import re
import tracemalloc
from hashlib import sha256
from itertools import pairwise, product

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from postseal.core import canon
from postseal.core.canon import BodyDigest, BodyHasher, BodyHashes, BodyKey


def reference(body: bytes, relaxed: bool) -> bytes:
    """The canonical body, said as the RFC says it."""
    lines = body.split(b"\r\n")
    if relaxed:
        lines = [re.sub(rb"[ \t]+", b" ", line).removesuffix(b" ") for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        return b"" if relaxed else b"\r\n"
    return b"\r\n".join(lines) + b"\r\n"


def digest_of(body: bytes, key: BodyKey) -> BodyDigest:
    whole = reference(body, key.relaxed)
    return BodyDigest(sha256(whole[: key.limit]).digest(), len(whole))


def in_chunks(body: bytes, key: BodyKey, borders: tuple[int, ...]) -> BodyDigest:
    hasher = BodyHasher(key)
    cuts = (0, *sorted(borders), len(body))
    for start, end in pairwise(cuts):
        hasher.update(body[start:end])
    return hasher.digest()


pieces = st.sampled_from(
    [
        b"\r",
        b"\n",
        b"\r\n",
        b" ",
        b"\t",
        b"a",
        b"\r\n\r\n",
        b"  \r\n",
        b" " * 33,
        b"\x00",
        b"\xe9",
        b"\x0b",
    ]
)
keys = st.builds(BodyKey, st.booleans(), st.none() | st.integers(0, 40))


@settings(max_examples=15 * settings().max_examples)
@given(st.lists(pieces, max_size=25).map(b"".join), keys, st.lists(st.integers(0, 60), max_size=6))
def test_equals_the_reference(body: bytes, key: BodyKey, borders: list[int]) -> None:
    cuts = tuple(min(border, len(body)) for border in borders)
    assert in_chunks(body, key, cuts) == digest_of(body, key)


@pytest.mark.parametrize("relaxed", [False, True])
def test_every_short_body_in_every_cut(relaxed: bool) -> None:
    """All 4^5 strings of the four octets that matter, octet by octet and in one piece."""
    key = BodyKey(relaxed)
    for letters in product(b"\r\n a", repeat=5):
        body = bytes(letters)
        wanted = digest_of(body, key)
        assert in_chunks(body, key, ()) == wanted, body
        assert in_chunks(body, key, (1, 2, 3, 4)) == wanted, body
        for border in range(1, 5):
            assert in_chunks(body, key, (border,)) == wanted, (body, border)


@pytest.mark.parametrize(
    ("body", "relaxed", "canonical"),
    [
        pytest.param(b"", False, b"\r\n", id="simple-empty-k-13"),
        pytest.param(b"", True, b"", id="relaxed-empty-k-13"),
        pytest.param(b"\r\n\r\n", False, b"\r\n", id="simple-empty-lines"),
        pytest.param(b"\r\n\r\n", True, b"", id="relaxed-empty-lines"),
        pytest.param(b" C \r\nD \t E\r\n\r\n\r\n", True, b" C\r\nD E\r\n", id="3.4.5-relaxed"),
        pytest.param(b" C \r\nD \t E\r\n\r\n\r\n", False, b" C \r\nD \t E\r\n", id="3.4.5-simple"),
        pytest.param(b"a\r\n \t\r\n", True, b"a\r\n", id="erratum-1384-blanks-first"),
        pytest.param(b"abc  ", True, b"abc\r\n", id="d16-no-final-crlf"),
        pytest.param(b"abc  ", False, b"abc  \r\n", id="simple-no-final-crlf"),
        pytest.param(b"a\nb\r\n", True, b"a\nb\r\n", id="d16-bare-lf-stays"),
        pytest.param(b"a\x0b\x0c\r\n", True, b"a\x0b\x0c\r\n", id="d16-vt-ff-are-no-blanks"),
        pytest.param(b"a\r\n.\r\n", True, b"a\r\n.\r\n", id="a-dot-is-a-dot"),
    ],
)
def test_rules(body: bytes, relaxed: bool, canonical: bytes) -> None:
    wanted = BodyDigest(sha256(canonical).digest(), len(canonical))
    assert in_chunks(body, BodyKey(relaxed), ()) == wanted


@pytest.mark.parametrize(
    ("relaxed", "known"),
    [
        pytest.param(False, "frcCV1k9oG9oKj3dpUqdJg1PxRT2RSN/XKdLCPjaYaY=", id="simple"),
        pytest.param(True, "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=", id="relaxed"),
    ],
)
def test_published_hashes_of_the_empty_body(relaxed: bool, known: str) -> None:
    digest = BodyHasher(BodyKey(relaxed)).digest()
    assert base64.b64encode(digest.value).decode() == known


def test_several_keys_share_one_pass() -> None:
    body = b"Hello  \t world \r\n\r\nmore\r\n\r\n"
    wanted = [BodyKey(r, n) for r in (False, True) for n in (None, 0, 1, 7, 500)]
    hashes = BodyHashes(wanted)
    for octet in body:
        hashes.update(bytes((octet,)))
    assert hashes.digests() == {key: digest_of(body, key) for key in wanted}


def test_digests_may_be_asked_for_twice() -> None:
    hasher = BodyHasher(BodyKey(relaxed=True))
    hasher.update(b"a\r")
    assert hasher.digest() == hasher.digest() == digest_of(b"a\r", BodyKey(relaxed=True))


HOSTILE = {
    "line-ends": b"\r\n" * 32768,
    "spaces": b" " * 65536,
    "tabs": b"\t" * 65535,
    "carriage-returns": b"\r" * 65535,
    "line-feeds": b"\n" * 65535,
    "blank-lines": b" \r\n" * 21845,
    "cr-cr-lf": b"\r\r\n" * 21845,
    "blank-tab-letter": b" \ta" * 21845,
    "every-octet": bytes(range(256)) * 64 + b"  a" * 16000,
}


@pytest.mark.parametrize("relaxed", [False, True], ids=["simple", "relaxed"])
@pytest.mark.parametrize("chunk", HOSTILE.values(), ids=HOSTILE.keys())
def test_nothing_piles_up(chunk: bytes, relaxed: bool) -> None:
    """Between chunks only flags and a counter remain: the work of a chunk cannot grow."""
    hasher = BodyHasher(BodyKey(relaxed))
    tracemalloc.start()
    try:
        hasher.update(chunk)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        for _ in range(15):
            hasher.update(chunk)
        after, peak = tracemalloc.get_traced_memory()
        hasher.update(b"a")  # everything held comes out now, in slices
        _, peak_release = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert after - before < 1000
    assert max(peak, peak_release) - before < 10 * len(chunk)
    body = chunk * 16 + b"a"
    assert hasher.digest() == digest_of(body, BodyKey(relaxed))


def test_a_large_piece_is_cut() -> None:
    body = (b"line of text \t with blanks  \r\n" * 10000)[:-1]
    for key in (BodyKey(relaxed=True), BodyKey(relaxed=False, limit=70000)):
        assert in_chunks(body, key, ()) == digest_of(body, key)


@pytest.mark.parametrize("rounds", range(30))
def test_dense_blanks(rounds: int) -> None:
    """Large and full of blanks, with and without an octet to spare: the same result."""
    rng = random.Random(rounds)
    letters = [b" ", b"  ", b"\t", b"   ", b"a", b"\r\n", b"\r", b"\0", b"\xff"]
    body = b"".join(rng.choices(letters, [9, 3, 2, 2, 3, 1, 0.3, 0.2, 0.2], k=40_000))
    if rounds % 3 == 0:
        body = bytes(range(256)) + body
    borders = tuple(rng.randrange(len(body)) for _ in range(rounds % 4))
    assert in_chunks(body, BodyKey(relaxed=True), borders) == digest_of(body, BodyKey(relaxed=True))


class Counted:
    """SHA-256 that counts what it is given."""

    octets = 0

    def __init__(self) -> None:
        self._sum = sha256()

    def update(self, data: bytes) -> None:
        Counted.octets += len(data)
        self._sum.update(data)

    def digest(self) -> bytes:
        return self._sum.digest()


@pytest.mark.parametrize("relaxed", [False, True], ids=["simple", "relaxed"])
def test_limits_cost_nothing(relaxed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many l= there are, every octet is hashed once, and none behind the last limit."""
    body = b"abcd efgh\r\n" * 30_000
    limits = [0, 1, 70_000, 70_001, 200_000]
    monkeypatch.setattr(canon, "sha256", Counted)
    monkeypatch.setattr(Counted, "octets", 0)
    hashes = BodyHashes(BodyKey(relaxed, limit) for limit in limits)
    hashes.update(body)
    found = hashes.digests()
    assert Counted.octets == max(limits)
    monkeypatch.undo()
    assert found == {
        BodyKey(relaxed, limit): digest_of(body, BodyKey(relaxed, limit)) for limit in limits
    }
