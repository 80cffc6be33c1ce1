"""Configurations on disk for tests: a folder, a key, tables, and the file that names them."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

from postseal_keys import keypair


@cache
def rsa_pem() -> bytes:
    """One RSA key for all tests: making one takes long."""
    return keypair.pem(generate_private_key(65537, 1024))


def private(path: Path, data: bytes | None = None) -> Path:
    """A file that only its owner can read, with a key in it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.touch(0o600)
    path.write_bytes(rsa_pem() if data is None else data)
    return path


def ed25519_pem() -> bytes:
    return keypair.pem(Ed25519PrivateKey.generate())


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path
