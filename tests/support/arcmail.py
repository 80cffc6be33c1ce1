"""ARC chains made by our sealer, and ways to bend them.

In TWO the first fields are: 0 AS2, 1 AMS2, 2 AAR2, 3 AS1, 4 AMS1, 5 AAR1, then the message.
"""

from __future__ import annotations

from collections.abc import Callable

from postseal.core.arc import seal, verify
from postseal.core.arc.verify import ArcResult
from postseal.core.canon import BodyHasher, BodyHashes
from postseal.core.dkim import sign
from postseal.core.dkim.sign import SigningKey
from support.dkimmail import ED25519, FIELDS, KEYS, NOW, RSA, Mail, mail
from support.fakedns import FakeDns

DNS = FakeDns(KEYS)
RSA_KEY = sign.signing_key(RSA, "example.com", "s1")
ED_KEY = sign.signing_key(ED25519, "example.com", "ed")
RESULTS = b"mx.example.com;\r\n dkim=pass header.d=example.com"


def judge(what: Mail, dns: FakeDns = DNS, now: int = NOW) -> ArcResult:
    prepared = verify.prepare(what.header, now)
    hashes = BodyHashes(prepared.body_keys)
    hashes.update(what.body)
    return prepared.finish(hashes.digests(), dns)


def sealed(
    what: Mail,
    key: SigningKey = RSA_KEY,
    found: ArcResult | None = None,
    options: seal.Options | None = None,
) -> Mail:
    hasher = BodyHasher(seal.BODY_KEY)
    hasher.update(what.body)
    made = seal.seal(
        what.header,
        key,
        hasher.digest(),
        found or judge(what),
        RESULTS,
        options or seal.Options(),
        now=NOW,
    )
    return Mail((*[(f.name, f.value) for f in made], *what.fields), what.body)


BASE = mail([*FIELDS, ("DKIM-Signature", " v=1; b=x")])
ONE = sealed(BASE)
TWO = sealed(ONE, ED_KEY)
THREE = sealed(TWO)


def field(what: Mail, number: int, change: Callable[[bytes], bytes]) -> Mail:
    fields = list(what.fields)
    fields[number] = (fields[number][0], change(fields[number][1]))
    assert tuple(fields) != what.fields
    return Mail(tuple(fields), what.body)


def swap(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    return lambda value: value.replace(old, new, 1)


def without(what: Mail, *numbers: int) -> Mail:
    return Mail(tuple(f for i, f in enumerate(what.fields) if i not in numbers), what.body)
