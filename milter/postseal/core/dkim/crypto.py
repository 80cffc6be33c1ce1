"""The arithmetic: OpenSSL's, through cryptography, on ready key objects.

NAME
    crypto - sign a SHA-256 digest, or check such a signature

SEE ALSO
    RFC 8017 section 8.2 (RSASSA-PKCS1-v1_5); RFC 8463 section 3: Ed25519 signs the
    digest, not the message.
"""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed
from cryptography.hazmat.primitives.hashes import SHA256

PublicKey = RSAPublicKey | Ed25519PublicKey
PrivateKey = RSAPrivateKey | Ed25519PrivateKey

_PADDING = PKCS1v15()
_SHA256 = Prehashed(SHA256())


def sign(key: PrivateKey, digest: bytes) -> bytes:
    """The signature over a SHA-256 digest."""
    if isinstance(key, Ed25519PrivateKey):
        return key.sign(digest)
    return key.sign(digest, _PADDING, _SHA256)


def is_signed(key: PublicKey, signature: bytes, digest: bytes) -> bool:
    """Whether signature is the key's over that SHA-256 digest.  Never raises."""
    try:
        if isinstance(key, Ed25519PublicKey):
            key.verify(signature, digest)
        else:
            key.verify(signature, digest, _PADDING, _SHA256)
    except InvalidSignature:
        return False
    except Exception:  # a key or signature that OpenSSL will not even try
        return False
    return True
