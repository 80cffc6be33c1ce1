"""Key pairs: made, read, and their public half as DNS wants it.

NAME
    keypair - RSA and Ed25519 private keys for DKIM

GIVEN
    a kind and a size, or the bytes of a key: PEM (PKCS#1 and PKCS#8), DER, or
    base64 of either DER or an Ed25519 seed (what dkimpy's dknewkey writes).

GIVES
    a private key of the cryptography package, its PKCS#8 PEM, and the text of
    p=.

DOES NOT
    write files (store does), or put any part of a private key into a message.

SEE ALSO
    RFC 6376 section 3.6.1 (p=), RFC 8301 section 3.2 (sizes), RFC 8463
    section 3 (Ed25519: the bare 32 octets).
"""

from __future__ import annotations

import base64
import binascii
import os
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from postseal_keys.console import DATAERR, NOINPUT, Problem, os_problem

RSA_MIN = 1024  # signers must not use less, RFC 8301 section 3.2
RSA_MAX = 4096  # verifiers must handle up to this, RFC 8301 section 3.2
RSA_ADVISED = 2048
FILE_MAX = 65536  # octets; the largest real key has some 3300

PrivateKey = RSAPrivateKey | Ed25519PrivateKey


class Kind(StrEnum):
    """The value of k= (RFC 6376 section 3.6.1, RFC 8463 section 4.1)."""

    RSA = "rsa"
    ED25519 = "ed25519"


def make(kind: Kind, bits: int = RSA_ADVISED) -> PrivateKey:
    """A new private key; bits is for RSA only.  Raises Problem for a size out of range."""
    if kind is Kind.ED25519:
        return Ed25519PrivateKey.generate()
    if not RSA_MIN <= bits <= RSA_MAX:
        raise Problem(
            f"an RSA key of {bits} bits is not possible",
            hint=f"from {RSA_MIN} to {RSA_MAX} bits; {RSA_ADVISED} is the usual size",
        )
    return generate_private_key(public_exponent=65537, key_size=bits)


def load_file(path: str | os.PathLike[str], *, trial: bool = False) -> PrivateKey:
    """The private key in a file.  Raises Problem.

    trial: instead of having its primes checked, it signs something that must verify.
    """
    try:
        with Path(path).open("rb") as file:
            data = file.read(FILE_MAX + 1)
    except OSError as error:
        raise os_problem(error, hint="check the path and who may read it", code=NOINPUT) from None
    key = load(data, where=os.fspath(path), quick=trial)
    return tried(key, where=os.fspath(path)) if trial else key


def tried(key: PrivateKey, *, where: str = "key") -> PrivateKey:
    """The key, when what it signs verifies with its own public half.  Raises Problem."""
    if isinstance(key, Ed25519PrivateKey):
        return key  # the public half is computed: it cannot be another's
    try:
        signature = key.sign(b"trial", PKCS1v15(), SHA256())
        key.public_key().verify(signature, b"trial", PKCS1v15(), SHA256())
    except (InvalidSignature, ValueError):
        raise Problem(
            f"{where}: the private key is damaged: what it signs does not verify",
            hint="take it from a backup, or make a new one",
            code=DATAERR,
        ) from None
    return key


def load(data: bytes, *, where: str = "key", quick: bool = False) -> PrivateKey:
    """The private key in data; where names it in messages.  Raises Problem, nothing else.

    quick leaves out the check of an RSA key's primes (some 40 ms); the caller then
    tries a signature before trusting the key.
    """
    if len(data) > FILE_MAX:
        raise Problem(
            f"{where}: too long for a key", hint="give the file with the private key", code=DATAERR
        )
    try:
        key = _read(data, quick)
    except TypeError:  # cryptography's word for "this one wants a password"
        raise Problem(
            f"{where}: the key is encrypted",
            hint="decrypt it first: openssl pkey -in FILE -out NEW",
            code=DATAERR,
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise Problem(
            f"{where}: not a private key that can be read",
            hint="give an RSA or Ed25519 key as PEM (PKCS#8 or PKCS#1)",
            code=DATAERR,
        ) from None
    if isinstance(key, Ed25519PrivateKey):
        return key
    if not isinstance(key, RSAPrivateKey):
        raise Problem(
            f"{where}: a key of a kind that DKIM does not know",
            hint="DKIM signs with RSA and Ed25519",
            code=DATAERR,
        )
    if key.key_size < RSA_MIN:
        raise Problem(
            f"{where}: an RSA key of {key.key_size} bits",
            hint=f"keys below {RSA_MIN} bits are worthless (RFC 8301); make a new one",
            code=DATAERR,
        )
    return key


def _read(data: bytes, quick: bool) -> object:
    if b"-----BEGIN" in data:
        return load_pem_private_key(data, password=None, unsafe_skip_rsa_key_validation=quick)
    try:
        raw = base64.b64decode(b"".join(data.split()), validate=True)
    except binascii.Error:
        raw = data
    if len(raw) == 32:
        return Ed25519PrivateKey.from_private_bytes(raw)
    return load_der_private_key(raw, password=None, unsafe_skip_rsa_key_validation=quick)


def kind(key: PrivateKey) -> Kind:
    """Which algorithm the key is for."""
    return Kind.ED25519 if isinstance(key, Ed25519PrivateKey) else Kind.RSA


def pem(key: PrivateKey) -> bytes:
    """The private key as unencrypted PKCS#8 PEM: what goes into the file."""
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_text(key: PrivateKey) -> str:
    """The value of p=: base64 of the public key, SPKI for RSA, 32 octets for Ed25519."""
    public = key.public_key()
    if isinstance(key, Ed25519PrivateKey):
        octets = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
    else:
        octets = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return base64.b64encode(octets).decode("ascii")


def strength_warning(key: PrivateKey) -> str:
    """What to tell the owner of an unusual key; empty for a usual one."""
    if isinstance(key, Ed25519PrivateKey) or RSA_ADVISED <= key.key_size <= RSA_MAX:
        return ""
    if key.key_size < RSA_ADVISED:
        return f"RSA keys of {key.key_size} bits are weak; {RSA_ADVISED} is the least to choose"
    return f"RSA keys of {key.key_size} bits are more than verifiers must handle ({RSA_MAX})"
