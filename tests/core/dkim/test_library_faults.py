"""Every known fault of dkimpy's verifier, shown on dkimpy and absent from ours.

The numbers are those of our list of faults.  Where dkimpy of a later version has mended one,
the second half of its row fails: good news, to be noted there.
"""

from __future__ import annotations

import base64
from collections.abc import Callable

import pytest

from postseal.core.dkim.verify import Why
from support.dkimmail import (
    ED25519,
    ED25519_RECORD,
    FIELDS,
    KEYS,
    NOW,
    RSA,
    RSA_P,
    RSA_RECORD,
    Mail,
    check,
    dkimpy_says,
    mail,
    signed,
)
from support.fakedns import FakeDns

S1 = ("s1._domainkey.example.com", "TXT")


def zone(*records: bytes) -> FakeDns:
    return FakeDns({S1: records})


KEY = zone(RSA_RECORD)
GOOD = signed()

Case = tuple[Mail, FakeDns, Why, object]

CASES: dict[str, Case] = {
    "d1-from-not-in-h": (signed(tags={"h": "to:subject"}), KEY, Why.FROM_NOT_SIGNED, True),
    "d3-key-h": (GOOD, zone(b"h=sha1; p=" + RSA_P), Why.KEY_HASH, True),
    "d4-key-t-s": (
        signed(tags={"i": "@sub.example.com"}),
        zone(b"t=s; p=" + RSA_P),
        Why.KEY_STRICT,
        True,
    ),
    "d5-key-s-list": (
        GOOD,
        zone(b"s=email:other; p=" + RSA_P),
        Why.VERIFIED,
        "UnknownKeyTypeError",
    ),
    "d6-revoked": (GOOD, zone(b"v=DKIM1; p="), Why.KEY_REVOKED, False),
    "d6-no-key": (GOOD, FakeDns(), Why.NO_KEY, False),
    "d7-second-record": (GOOD, zone(b"v=spf1 -all", RSA_RECORD), Why.VERIFIED, False),
    "d7-version-not-first": (GOOD, zone(b"k=rsa; v=DKIM1; p=" + RSA_P), Why.KEY_VERSION, True),
    "d8-sha1": (signed(tags={"a": "rsa-sha1"}), KEY, Why.SHA1, True),
    "d10-bh-padding": (
        signed(tags={"bh": "A" * 41 + "==="}),
        KEY,
        Why.SYNTAX,
        "Error",
    ),
    "d11-short-ed25519": (
        signed(key=ED25519, tags={"b": "YQ=="}),
        FakeDns(KEYS),
        Why.HEADER_CHANGED,
        "ValueError",
    ),
    "d11-k-against-a": (
        signed(tags={"b": "A" * 172}),
        zone(ED25519_RECORD),
        Why.KEY_TYPE,
        "ValueError",
    ),
    "d12-t-digits": (signed(tags={"t": "9" * 4301}), KEY, Why.SYNTAX, "ValueError"),
    "d13-blank-before-colon": (
        signed([*FIELDS, ("X ", " 1")]),
        KEY,
        Why.VERIFIED,
        "MessageFormatError",
    ),
    "d13-8-bit-name": (
        signed([*FIELDS, (b"X\xff", " 1")], tags={"h": "from"}),
        KEY,
        Why.VERIFIED,
        "MessageFormatError",
    ),
    "d14-l-longer": (signed(tags={"l": "99999"}), KEY, Why.BODY_SHORT, True),
    "d14-l-shorter": (signed(tags={"l": "2"}), KEY, Why.PARTIAL_BODY, True),
    "d14-l-empty": (signed(tags={"l": ""}), KEY, Why.SYNTAX, "ValueError"),
    "d15-a-case": (signed(tags={"a": "RSA-SHA256"}), KEY, Why.VERIFIED, "ValidationError"),
    "d15-q-list": (signed(tags={"q": "http:dns/txt"}), KEY, Why.VERIFIED, "ValidationError"),
    "d15-i-qp": (signed(tags={"i": "a@=65xample.com"}), KEY, Why.VERIFIED, "ValidationError"),
    "d16-no-final-crlf": (
        signed(body=b"abc  "),
        KEY,
        Why.VERIFIED,
        "ValidationError",
    ),
    "d16-bare-lf": (signed(body=b"a\nb\r\n"), KEY, Why.VERIFIED, "ValidationError"),
    "d17-bad-names": (signed(tags={"s": "x" * 64}), KEY, Why.NAME, "BadName"),
    "k-20-no-v": (signed(tags={"v": None}), KEY, Why.MISSING_TAG, "ValidationError"),
}


@pytest.mark.parametrize(("what", "dns", "why", "dkimpy"), CASES.values(), ids=CASES.keys())
def test_fault(what: Mail, dns: FakeDns, why: Why, dkimpy: object) -> None:
    assert [result.why for result in check(what, dns)] == [why]
    assert dkimpy_says(what, dns) == dkimpy


def test_d16_a_line_feed_is_no_line_end() -> None:
    """dkimpy passes `a LF b` as the `a CRLF b` that was signed."""
    what = signed(body=b"a\r\nb\r\n")
    changed = Mail(what.fields, b"a\nb\r\n")
    assert [r.why for r in check(changed, KEY)] == [Why.BODY_CHANGED]
    assert dkimpy_says(changed, KEY) is True


def test_d2_a_long_exponent_is_refused_before_any_arithmetic() -> None:
    """dkimpy computes with it: 69 s for the largest that fits a TXT record."""
    n = RSA.public_key().public_numbers().n

    def integer(value: int) -> bytes:
        octets = value.to_bytes(value.bit_length() // 8 + 1, "big")
        return b"\x02\x82" + len(octets).to_bytes(2, "big") + octets

    inner = integer(n) + integer(n - 2)
    der = b"\x30\x82" + len(inner).to_bytes(2, "big") + inner
    dns = zone(b"p=" + base64.b64encode(der))
    assert [r.why for r in check(GOOD, dns)] == [Why.KEY_UNREADABLE]
    assert dkimpy_says(GOOD, dns) is False  # after computing


@pytest.mark.parametrize(("tag", "away"), [("x", -301), ("t", 301)])
def test_d9_clock_skew(tag: str, away: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """dkimpy allows ten hours."""
    what = signed(tags={tag: str(NOW + away)})
    (result,) = check(what, KEY)
    assert result.why in (Why.EXPIRED, Why.FUTURE)
    monkeypatch.setattr("dkim.time.time", lambda: float(NOW))
    assert dkimpy_says(what, KEY) is True


def test_d18_many_signatures() -> None:
    """dkimpy verifies whichever it is asked for, without end."""
    what = mail(FIELDS)
    for i in range(30):
        what = signed(what, tags={"t": str(i), "h": "from"})
    dns = FakeDns(KEYS)
    results = check(what, dns)
    assert sum(r.why is Why.VERIFIED for r in results) == 10
    assert dns.questions == 10
    assert dkimpy_says(what, KEY, 29) is True


@pytest.mark.parametrize(
    "break_it",
    [
        pytest.param(lambda m: Mail(((b" x", b""), *m.fields), m.body), id="continuation-first"),
        pytest.param(lambda m: Mail(((b"garbage\r\nX", b""), *m.fields), m.body), id="no-colon"),
    ],
)
def test_d12_d13_broken_headers(break_it: Callable[[Mail], Mail]) -> None:
    what = break_it(GOOD)
    assert [r.why for r in check(what, KEY)] == [Why.VERIFIED]
    assert dkimpy_says(what, KEY) in ("IndexError", "MessageFormatError")
