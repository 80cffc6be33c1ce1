"""Signed messages whose every tag can be bent, made without any code of postseal's.

    mail = signed([("From", "a@example.com"), ("Subject", "x")], b"Hi\r\n", tags={"l": "2"})
    results = check(mail, FakeDns(KEYS))

Canonicalization is written here a second time, as plainly as RFC 6376 says it. The keys are the
published examples of RFC 6376 appendix C and RFC 8463 appendix A.1.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA1, SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_pem_private_key,
)

from postseal.core.canon import BodyHashes
from postseal.core.dkim import verify
from postseal.core.field import Field, Header
from postseal.core.resolver import Resolver

NOW = 1_700_000_000

RSA_PEM = b"""-----BEGIN RSA PRIVATE KEY-----
MIICXwIBAAKBgQDwIRP/UC3SBsEmGqZ9ZJW3/DkMoGeLnQg1fWn7/zYtIxN2SnFC
jxOCKG9v3b4jYfcTNh5ijSsq631uBItLa7od+v/RtdC2UzJ1lWT947qR+Rcac2gb
to/NMqJ0fzfVjH4OuKhitdY9tf6mcwGjaNBcWToIMmPSPDdQPNUYckcQ2QIDAQAB
AoGBALmn+XwWk7akvkUlqb+dOxyLB9i5VBVfje89Teolwc9YJT36BGN/l4e0l6QX
/1//6DWUTB3KI6wFcm7TWJcxbS0tcKZX7FsJvUz1SbQnkS54DJck1EZO/BLa5ckJ
gAYIaqlA9C0ZwM6i58lLlPadX/rtHb7pWzeNcZHjKrjM461ZAkEA+itss2nRlmyO
n1/5yDyCluST4dQfO8kAB3toSEVc7DeFeDhnC1mZdjASZNvdHS4gbLIA1hUGEF9m
3hKsGUMMPwJBAPW5v/U+AWTADFCS22t72NUurgzeAbzb1HWMqO4y4+9Hpjk5wvL/
eVYizyuce3/fGke7aRYw/ADKygMJdW8H/OcCQQDz5OQb4j2QDpPZc0Nc4QlbvMsj
7p7otWRO5xRa6SzXqqV3+F0VpqvDmshEBkoCydaYwc2o6WQ5EBmExeV8124XAkEA
qZzGsIxVP+sEVRWZmW6KNFSdVUpk3qzK0Tz/WjQMe5z0UunY9Ax9/4PVhp/j61bf
eAYXunajbBSOLlx4D+TunwJBANkPI5S9iylsbLs6NkaMHV6k5ioHBBmgCak95JGX
GMot/L2x0IYyMLAz6oLWh2hm7zwtb0CgOrPo1ke44hFYnfc=
-----END RSA PRIVATE KEY-----
"""
ED25519_SEED = b"nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="


def _rsa() -> RSAPrivateKey:
    key = load_pem_private_key(RSA_PEM, None)
    assert isinstance(key, RSAPrivateKey)
    return key


RSA = _rsa()
ED25519 = Ed25519PrivateKey.from_private_bytes(base64.b64decode(ED25519_SEED))
SPKI = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
PKCS1 = RSA.public_key().public_bytes(Encoding.DER, PublicFormat.PKCS1)
RSA_P = base64.b64encode(SPKI)
ED25519_P = base64.b64encode(ED25519.public_key().public_bytes_raw())
RSA_RECORD = b"v=DKIM1; k=rsa; p=" + RSA_P
ED25519_RECORD = b"v=DKIM1; k=ed25519; p=" + ED25519_P
KEYS = {
    ("s1._domainkey.example.com", "TXT"): (RSA_RECORD,),
    ("ed._domainkey.example.com", "TXT"): (ED25519_RECORD,),
}

FIELDS = [("From", " Ann <ann@example.com>"), ("To", " bob@example.net"), ("Subject", " Hello")]


@dataclass(frozen=True)
class Mail:
    """Header fields as (name, value) octets, and a body."""

    fields: tuple[tuple[bytes, bytes], ...]
    body: bytes

    @property
    def header(self) -> Header:
        return Header([Field(name, value) for name, value in self.fields])

    @property
    def octets(self) -> bytes:
        head = b"".join(b"%b:%b\r\n" % field for field in self.fields)
        return head + b"\r\n" + self.body


def _bytes(text: str | bytes) -> bytes:
    return text if isinstance(text, bytes) else text.encode("utf-8")


def mail(fields: Sequence[tuple[str | bytes, str | bytes]], body: bytes = b"Hi.\r\n") -> Mail:
    """Unsigned mail."""
    return Mail(tuple((_bytes(n), _bytes(v)) for n, v in fields), body)


def canonical_body(body: bytes, relaxed: bool) -> bytes:
    lines = body.split(b"\r\n")
    if relaxed:
        lines = [re.sub(rb"[ \t]+", b" ", line).removesuffix(b" ") for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        return b"" if relaxed else b"\r\n"
    return b"\r\n".join(lines) + b"\r\n"


def canonical_field(name: bytes, value: bytes, relaxed: bool) -> bytes:
    if not relaxed:
        return name + b":" + value + b"\r\n"
    value = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.lower().rstrip(b" \t") + b":" + value + b"\r\n"


def signed(
    what: Sequence[tuple[str | bytes, str | bytes]] | Mail = FIELDS,
    body: bytes = b"Hi.\r\n",
    *,
    key: RSAPrivateKey | Ed25519PrivateKey = RSA,
    tags: Mapping[str, str | bytes | None] | None = None,
    name: bytes = b"DKIM-Signature",
    extra: bytes = b"",
) -> Mail:
    """The mail with one more signature on top.

    tags: replaced or added; None takes a tag away; `bh` and `b` are computed unless
    given.  extra: text after the last tag.
    """
    base = what if isinstance(what, Mail) else mail(what, body)
    rsa = isinstance(key, RSAPrivateKey)
    bent = {k: None if v is None else _bytes(v) for k, v in (tags or {}).items()}
    listed: dict[str, bytes | None] = {
        "v": b"1",
        "a": b"rsa-sha256" if rsa else b"ed25519-sha256",
        "c": b"relaxed/relaxed",
        "d": b"example.com",
        "s": b"s1" if rsa else b"ed",
        "h": b":".join(n.lower().strip() for n, _ in base.fields),
        "bh": b"",
        "b": b"",
    }
    listed |= bent
    form = (listed["c"] or b"simple/simple").lower().split(b"/")
    relaxed_header, relaxed_body = form[0] == b"relaxed", form[1:] == [b"relaxed"]
    sha1 = listed["a"] == b"rsa-sha1"
    if not bent.keys() & {"bh"}:
        hashed = canonical_body(base.body, relaxed_body)
        if listed.get("l"):
            hashed = hashed[: int(listed["l"] or b"0")]
        digest = hashlib.sha1(hashed) if sha1 else hashlib.sha256(hashed)
        listed["bh"] = base64.b64encode(digest.digest())
    given_b = listed.get("b")
    listed["b"] = None if given_b is None else b""
    text = b" " + b"; ".join(k.encode() + b"=" + v for k, v in listed.items() if v is not None)
    covered = _covered(base, listed.get("h") or b"", relaxed_header)
    # White space after the value of b= is deleted with it.
    covered += canonical_field(name, text + extra.lstrip(b" \t\r\n"), relaxed_header)[:-2]
    b = given_b or base64.b64encode(_arithmetic(key, covered, sha1))
    # The last "b=" without a value is the signature's.
    start = text.rindex(b"b=") + 2 if given_b is not None else len(text)
    value = text[:start] + (b if given_b is not None else b"") + text[start:] + extra
    return Mail(((name, value), *base.fields), base.body)


def _covered(base: Mail, names: bytes, relaxed: bool) -> bytes:
    left = list(base.fields)
    covered = b""
    for name in names.split(b":"):
        wanted = name.strip(b" \t\r\n").lower()
        for i in range(len(left) - 1, -1, -1):
            if left[i][0].lower().rstrip(b" \t") == wanted:
                covered += canonical_field(*left.pop(i), relaxed)
                break
    return covered


def _arithmetic(key: RSAPrivateKey | Ed25519PrivateKey, covered: bytes, sha1: bool) -> bytes:
    if isinstance(key, RSAPrivateKey):
        return key.sign(covered, padding.PKCS1v15(), SHA1() if sha1 else SHA256())
    return key.sign(hashlib.sha256(covered).digest())


def check(
    what: Mail,
    dns: Resolver,
    *,
    now: int = NOW,
    limits: verify.Limits | None = None,
    prefer: Collection[str] = (),
) -> tuple[verify.Result, ...]:
    """The results of our verifier, as the pipeline asks for them."""
    prepared = verify.prepare(what.header, limits or verify.Limits(), now, prefer)
    hashes = BodyHashes(prepared.body_keys)
    hashes.update(what.body)
    return prepared.finish(hashes.digests(), dns)


def dkimpy_says(what: Mail, dns: Resolver, index: int = 0) -> bool | str:
    """What dkimpy alone says of that signature: its answer, or the name of its exception."""
    import dkim as dkimpy

    def txt(name: bytes, timeout: float = 5) -> bytes:
        from postseal.core.resolver import Kind

        texts = dns.ask(name.decode().removesuffix("."), Kind.TXT).texts
        return texts[0] if texts else b""

    try:
        checker = dkimpy.DKIM(what.octets)
        return bool(checker.verify(idx=index, dnsfunc=txt))
    except Exception as error:
        return type(error).__name__
