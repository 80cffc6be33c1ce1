"""libopendkim's own test messages: what it said, what we say, and why we differ where we do.

The data lies beside the checkout on some machines; the tests skip loudly where it does not.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA1

from postseal.core.dkim import headerhash, keyrecord, signature
from postseal.core.dkim.verify import Status, Why
from postseal.core.resolver import Kind
from support.dkimmail import Mail, check
from support.fakedns import FakeDns

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "opendkim"
WHEN = 1172620939  # the moment that the tests of libopendkim live in

pytestmark = pytest.mark.skipif(
    not (DATA / "verify-vectors.json").exists(), reason=f"no OpenDKIM vectors at {DATA}"
)


@cache
def vectors(kind: str) -> dict[str, dict[str, Any]]:
    path = DATA / f"{kind}-vectors.json"
    if not path.exists():
        return {}
    return {f"{row['test']}-{row['n']}": row for row in json.loads(path.read_text())}


@cache
def zone() -> FakeDns:
    rows = (line.partition(" ") for line in (DATA / "keys.txt").read_text().splitlines())
    return FakeDns({(name, "TXT"): (text.encode(),) for name, _, text in rows if "." in name})


def split(text: str, *more: tuple[bytes, bytes]) -> Mail:
    head, _, body = text.encode("latin-1").partition(b"\r\n\r\n")
    fields = re.split(rb"\r\n(?![ \t])", head.removesuffix(b"\r\n"))
    pairs = tuple((n, v) for n, _, v in (field.partition(b":") for field in fields))
    return Mail((*more, *pairs), body)


# What we say where libopendkim's word is given.
OURS = {
    "OK": Why.VERIFIED,
    "BADSIG": Why.HEADER_CHANGED,
    "NOKEY": Why.NO_KEY,
    "INVALID_HC": Why.CANONICALIZATION,
    "INVALID_BC": Why.CANONICALIZATION,
    "INVALID_A": Why.ALGORITHM,
    "INVALID_H": Why.FROM_NOT_SIGNED,
    "EMPTY_H": Why.MISSING_TAG,
    "MISSING_BH": Why.MISSING_TAG,
    "VERSION": Why.VERSION,
    "DOMAIN": Why.IDENTITY,
}
PARTIAL = "the end of the body is unsigned: policy and not pass (RFC 6376 section 8.2)"
IGNORED = "the test told libopendkim to ignore this signature"
# Deliberate differences beside rsa-sha1, which never passes here (RFC 8301 section 3.1).
DIFFERENT: dict[str, tuple[list[Why], str]] = {
    "t-test28-0": ([Why.PARTIAL_BODY], PARTIAL),
    "t-test29-0": ([Why.PARTIAL_BODY], PARTIAL),
    "t-test30-0": ([Why.PARTIAL_BODY], PARTIAL),
    "t-test31-0": ([Why.PARTIAL_BODY], PARTIAL),
    "t-test45-0": ([Why.HEADER_CHANGED, Why.VERIFIED], IGNORED),
    "t-test63-0": ([Why.SHA1], "a missing From is judged elsewhere, not by DKIM"),
    "t-test66-0": ([Why.SHA1], "an unreadable From is judged elsewhere, not by DKIM"),
}


def is_sha1(what: Mail) -> list[bool]:
    tags = [v for n, v in what.fields if n.lower() == b"dkim-signature"]
    return [b"rsa-sha1" in value for value in tags]


SYNTAX_FIRST = {
    "INVALID_HC",
    "INVALID_BC",
    "VERSION",
    "DOMAIN",
    "INVALID_H",
    "EMPTY_H",
    "MISSING_BH",
}


@pytest.mark.parametrize("name", vectors("verify"))
def test_verify(name: str) -> None:
    row = vectors("verify")[name]
    what = split(row["message"])
    results = check(what, zone(), now=WHEN)
    assert results
    got = Counter(result.why for result in results)
    if name in DIFFERENT:
        wanted, reason = DIFFERENT[name]
        assert got == Counter(wanted), reason
    elif row["sigs"]:
        # A syntax error is found before the algorithm is looked at.
        sha1 = is_sha1(what)
        assert got == Counter(
            Why.SHA1 if old and sig["error"] not in SYNTAX_FIRST else OURS[sig["error"]]
            for sig, old in zip(_in_header_order(row["sigs"], name), sha1, strict=True)
        )
    # Rows without signatures exercise an interface; no verdict is recorded.
    assert all(result.algorithm != "rsa-sha1" or result.status != "pass" for result in results)


def _in_header_order(sigs: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """t-test46 sorts the signatures; all others keep the order."""
    return sigs[::-1] if name == "t-test46-0" else sigs


def old_and_passed() -> list[str]:
    return [
        name
        for name, row in vectors("verify").items()
        if any(sig["passed"] for sig in row["sigs"]) and all(is_sha1(split(row["message"])))
    ]


@pytest.mark.parametrize("name", old_and_passed())
def test_header_hash_of_sha1_vectors(name: str) -> None:
    """rsa-sha1 never passes, but most vectors are of that time: the header hash must fit."""
    what = split(vectors("verify")[name]["message"])
    claims = [signature.parse(field) for field in what.header.all(b"dkim-signature")]
    assert claims
    assert all(fits(what, claim) for claim in claims)


def fits(what: Mail, claim: signature.Signature) -> bool:
    chosen = headerhash.select(what.header, claim.names)
    own = headerhash.without_value(claim.field)
    octets = headerhash.canonical([*chosen, own], claim.header_relaxed)[:-2]
    key = keyrecord.parse(zone().ask(claim.query_name, Kind.TXT).texts, "rsa").key
    assert isinstance(key, RSAPublicKey)
    try:
        key.verify(claim.value, octets, PKCS1v15(), SHA1())
    except InvalidSignature:
        return False
    return True


@pytest.mark.parametrize("name", [n for n, row in vectors("sign").items() if row["sighdr"]])
def test_what_opendkim_signed(name: str) -> None:
    row = vectors("sign")[name]
    field = (b"DKIM-Signature", b" " + row["sighdr"].encode())
    what = split(row["message"], field)
    (result,) = check(what, zone(), now=WHEN)
    if b"rsa-sha1" in field[1]:
        assert (result.status, result.why) == (Status.POLICY, Why.SHA1)
        if "CRLF fixing" not in row["title"]:
            assert fits(what, signature.parse(what.header.fields[0]))
    else:
        assert result.status is Status.PASS


def test_the_vectors_are_all_there() -> None:
    assert (len(vectors("verify")), len(vectors("sign"))) == (86, 45)
