"""Keys by file: read once, tried once, and never more ready ones than wanted."""

from __future__ import annotations

import os
from pathlib import Path
from typing import cast

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import (
    RSAPrivateNumbers,
    generate_private_key,
)

from postseal.tables import keyring
from postseal.tables.keyring import KeyFault, Keyring
from postseal.tables.safety import Fault, Inspector
from postseal_keys import keypair
from support.sites import private


def write(path: Path, data: bytes) -> Path:
    path.touch(0o600)
    path.write_bytes(data)
    return path


def ed25519() -> bytes:
    return keypair.pem(Ed25519PrivateKey.generate())


class Fixed:
    """An Inspector that has one opinion."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def inspect(self, path: Path) -> Fault:
        return self.fault


@pytest.fixture
def ring() -> Keyring:
    return Keyring(os.getuid())


def test_the_key_of_a_file(ring: Keyring, tmp_path: Path) -> None:
    data = keypair.pem(generate_private_key(65537, 1024))
    path = write(tmp_path / "k", data)
    key = ring.file(path)
    assert keypair.pem(key) == data
    assert ring.file(path) is key


def test_a_key_that_this_user_may_not_read(
    ring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As root nothing is refused, so the refusal is made here."""
    path = write(tmp_path / "k", ed25519())

    def refuse(*_given: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(KeyFault) as caught:
        ring.file(path)
    assert caught.value.what == f"{path}: cannot be read: Permission denied"
    assert caught.value.hint == "be root, or let this user read it"


def test_a_file_that_was_added_is_not_opened_again(ring: Keyring, tmp_path: Path) -> None:
    path = write(tmp_path / "k", ed25519())
    ring.add(path)
    path.unlink()
    assert ring.file(path)


@pytest.mark.parametrize(
    ("data", "part"),
    [
        pytest.param(b"", "not a private key", id="empty"),
        pytest.param(b"x" * (keypair.FILE_MAX + 1), "too long", id="long"),
        pytest.param(b"-----BEGIN PRIVATE KEY-----\nAAAA\n", "not a private key", id="garbage"),
    ],
)
def test_not_a_key(ring: Keyring, tmp_path: Path, data: bytes, part: str) -> None:
    with pytest.raises(KeyFault, match=part) as caught:
        ring.file(write(tmp_path / "k", data))
    assert str(tmp_path / "k") in caught.value.what


def test_a_key_whose_parts_do_not_belong_together(ring: Keyring, tmp_path: Path) -> None:
    one = generate_private_key(65537, 1024).private_numbers()
    mixed = RSAPrivateNumbers(
        p=one.p, q=one.q, d=one.d ^ 2, dmp1=one.dmp1 ^ 2, dmq1=one.dmq1, iqmp=one.iqmp,
        public_numbers=one.public_numbers,
    ).private_key(unsafe_skip_rsa_key_validation=True)  # fmt: skip
    path = write(tmp_path / "k", keypair.pem(mixed))
    with pytest.raises(KeyFault, match="belong together"):
        ring.file(path)


def test_unsafe_missing_and_odd_files(ring: Keyring, tmp_path: Path) -> None:
    path = write(tmp_path / "k", ed25519())
    fault = Fault(path, "can be read or written by every user", "chmod o-rwx it")
    ring._inspector = cast(Inspector, Fixed(fault))
    with pytest.raises(KeyFault, match="every user") as caught:
        ring.add(path)
    assert caught.value.hint == "chmod o-rwx it"
    ring = Keyring(os.getuid())
    with pytest.raises(KeyFault, match="no such file"):
        ring.add(tmp_path / "none")
    with pytest.raises(KeyFault, match="regular file"):
        ring.add(tmp_path)
    loop = tmp_path / "loop"
    loop.symlink_to(loop)
    with pytest.raises(KeyFault, match="links"):
        ring.add(loop)


def test_a_fault_is_remembered(ring: Keyring, tmp_path: Path) -> None:
    path = tmp_path / "k"
    for _ in range(2):
        with pytest.raises(KeyFault):
            ring.add(path)
        write(path, ed25519())


def test_only_so_many_keys_are_ready(
    ring: Keyring, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keyring, "KEEP", 2)
    paths = [write(tmp_path / str(number), ed25519()) for number in range(3)]
    first = ring.file(paths[0])
    ring.file(paths[1])
    assert ring.file(paths[0]) is first
    ring.file(paths[2])
    assert ring.file(paths[0]) is first
    assert len(ring._ready) == 2
    assert len(ring) == 3


def test_a_message_never_holds_the_key(ring: Keyring) -> None:
    with pytest.raises(KeyFault) as caught:
        ring.key(b"c2VjcmV0", "line 3")
    assert "c2VjcmV0" not in str(caught.value)
    assert "line 3" in str(caught.value)


def test_what_was_read_beforehand_is_not_read_again(tmp_path: Path) -> None:
    """The daemon gives up root, and cannot."""
    early, late = private(tmp_path / "early"), private(tmp_path / "late")
    ring = Keyring(os.geteuid())
    ring.add(early)
    ring.settled = True
    assert (ring.has(early), ring.has(late)) == (True, False)
    early.unlink()
    assert ring.file(early)
    assert ring.file(late)
    assert not ring.has(late)
    late.unlink()
    with pytest.raises(KeyFault, match="no such file"):
        ring.file(late)
    private(late)
    assert ring.file(late)  # neither a key nor a fault is kept
    assert len(ring) == 1
