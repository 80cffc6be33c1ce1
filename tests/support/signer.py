"""DKIM signatures made by others: dkimpy signs the inbound test mail.

NAME
    signer - Signer, one key of a domain that is not ours, and its DNS record

DOES NOT
    use any code of Postseal.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass

import dkim as dkimpy
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

SIGNED = (b"from", b"to", b"subject", b"date", b"message-id")


@dataclass(frozen=True, slots=True, kw_only=True)
class Signer:
    """One private key and where its public half is published."""

    domain: str
    selector: str
    algorithm: str  # "rsa" or "ed25519"
    private: bytes  # as dkimpy wants it: PEM, or the seed in base64
    public: str  # the p= value

    @classmethod
    def make(cls, domain: str, selector: str, algorithm: str = "rsa") -> Signer:
        """A new key pair."""
        private, public = _rsa() if algorithm == "rsa" else _ed25519()
        return cls(
            domain=domain, selector=selector, algorithm=algorithm, private=private, public=public
        )

    @property
    def name(self) -> str:
        """Where the record belongs."""
        return f"{self.selector}._domainkey.{self.domain}"

    @property
    def record(self) -> str:
        """The TXT record's text."""
        return f"v=DKIM1; k={self.algorithm}; p={self.public}"

    def sign(self, message: bytes, headers: Sequence[bytes] = SIGNED) -> bytes:
        """message with a DKIM-Signature on top."""
        field: bytes = dkimpy.sign(
            message,
            self.selector.encode(),
            self.domain.encode(),
            self.private,
            canonicalize=(b"relaxed", b"relaxed"),
            signature_algorithm=f"{self.algorithm}-sha256".encode(),
            include_headers=list(headers),
        )
        return field + message


def _rsa() -> tuple[bytes, str]:
    key = generate_private_key(public_exponent=65537, key_size=2048)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return private, base64.b64encode(public).decode()


def _ed25519() -> tuple[bytes, str]:
    key = Ed25519PrivateKey.generate()
    public = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return base64.b64encode(key.private_bytes_raw()), base64.b64encode(public).decode()
