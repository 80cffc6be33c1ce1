"""Nothing that is in a table, and no address, raises anything but what is promised."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from postseal.conf import load
from postseal.conf.mistake import ConfigError
from postseal.core.signing import SigningUnavailable
from postseal.tables import site
from support.sites import private

PIECES = [
    "a", "B", "@", ".", "*", "%", ":", "?", "[", "]", "(", ")", "|", "\\", "#", " ", "\t", "\r",
    "example.com", "joe", "/", "./k", "\0", "é", "\u200f", "-", "_", "=", ",", "!", "k:s:./k",
    "\x0b", "+", "{", "^", "$", "x" * 300, "[^a]", "[[:alpha:]]", "xn--", "..",
]  # fmt: skip


def table(rng: random.Random) -> bytes:
    lines = ["".join(rng.choices(PIECES, k=rng.randrange(8))) for _ in range(rng.randrange(8))]
    data = bytearray("\n".join(lines).encode())
    for _ in range(rng.randrange(3)):
        if data:
            data[rng.randrange(len(data))] = rng.randrange(256)
    return bytes(data)


@pytest.mark.slow
def test_tables_and_addresses(tmp_path: Path) -> None:
    rng = random.Random(9989)
    private(tmp_path / "k")
    used = 0
    for round_ in range(200):
        kind = ("file", "refile")[round_ % 2]
        (tmp_path / "kt").write_bytes(b"k %:s:./k\n" + table(rng))
        (tmp_path / "st").write_bytes(b"joe@example.com k\n" + table(rng))
        text = (
            f'[sign]\nkey_table = "file:kt"\nsigning_table = "{kind}:st"\n'
            f"multiple_signatures = {str(round_ % 3 == 0).lower()}\n"
        )
        try:
            made = site.load(load.parse(text.encode(), tmp_path / "postseal.toml"))
        except ConfigError as error:
            assert all(one.file and one.what for one in error.mistakes)
            (tmp_path / "st").write_bytes(b"* k\njoe@% %\n")
            (tmp_path / "kt").write_bytes(b"k %:s:./k\n")
            made = site.load(load.parse(text.encode(), tmp_path / "postseal.toml"))
        used += len(made.senders)
        for _ in range(10):
            address = "".join(rng.choices(PIECES, k=rng.randrange(6)))
            try:
                made.chooser.choose(address)
            except SigningUnavailable as reason:
                assert str(reason)
    assert used > 200


def test_a_table_of_noise(tmp_path: Path) -> None:
    (tmp_path / "kt").write_bytes(random.Random(1).randbytes(1 << 16))
    (tmp_path / "st").write_bytes(random.Random(1).randbytes(1 << 16))
    text = '[sign]\nkey_table = "refile:kt"\nsigning_table = "refile:st"\n'
    try:
        site.load(load.parse(text.encode(), tmp_path / "postseal.toml"))
    except ConfigError as error:
        assert all(str(one).isprintable() for one in error.mistakes)
