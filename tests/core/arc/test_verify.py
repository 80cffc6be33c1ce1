"""arc.verify: RFC 8617 section 5.2, one row per rule; chains made by our sealer and then bent."""

from __future__ import annotations

import random
import re
from base64 import b64encode
from collections.abc import Callable

import pytest

from postseal.core.arc import seal, verify
from postseal.core.arc.verify import Status, Why
from postseal.core.canon import BodyHashes, BodyKey
from postseal.core.dkim import sign
from postseal.core.resolver import DnsFault
from support.arcmail import BASE, DNS, ED_KEY, ONE, THREE, TWO, field, judge, sealed, swap, without
from support.dkimmail import ED25519, ED25519_RECORD, FIELDS, KEYS, NOW, RSA_P, Mail, mail
from support.fakedns import FakeDns


def test_no_chain() -> None:
    result = judge(BASE)
    assert (result.status, result.why, result.instances) == (Status.NONE, Why.NO_CHAIN, 0)


@pytest.mark.parametrize(("what", "count"), [(ONE, 1), (TWO, 2), (THREE, 3)])
def test_a_chain_passes(what: Mail, count: int) -> None:
    result = judge(what)
    assert (result.status, result.why, result.instances) == (Status.PASS, Why.VALID, count)
    assert (result.oldest_pass, result.failed, result.from_signed) == (0, 0, True)
    assert [s.selector for s in result.sealers] == ["s1", "ed", "s1"][:count]
    assert [b"i=%d;" % i in text for i, text in enumerate(result.assessments, 1)] == [True] * count


# In TWO: 0 AS2, 1 AMS2, 2 AAR2, 3 AS1, 4 AMS1, 5 AAR1, then the message.
@pytest.mark.parametrize(
    ("what", "why", "instance"),
    [
        pytest.param(Mail(TWO.fields, b"x"), Why.BODY_CHANGED, 2, id="body"),
        pytest.param(field(TWO, 6, swap(b"Ann", b"Eve")), Why.HEADER_CHANGED, 2, id="from"),
        pytest.param(field(TWO, 2, swap(b"pass", b"fail")), Why.SEAL_INVALID, 2, id="aar-2"),
        pytest.param(field(TWO, 5, swap(b"pass", b"fail")), Why.SEAL_INVALID, 2, id="aar-1"),
        pytest.param(field(TWO, 4, swap(b"t=", b"zz=1; t=")), Why.SEAL_INVALID, 2, id="ams-1"),
        pytest.param(field(TWO, 3, swap(b"t=", b"zz=1; t=")), Why.SEAL_INVALID, 2, id="as-1"),
        pytest.param(field(TWO, 0, swap(b"cv=pass", b"cv=none")), Why.CV, 2, id="cv-2-none"),
        pytest.param(field(TWO, 3, swap(b"cv=none", b"cv=pass")), Why.CV, 1, id="cv-1-pass"),
        pytest.param(field(TWO, 0, swap(b"cv=pass", b"cv=x")), Why.CV, 2, id="cv-unknown"),
        pytest.param(field(TWO, 0, swap(b"cv=pass", b"cv=fail")), Why.CV_FAIL, 2, id="cv-2-fail"),
        pytest.param(field(TWO, 3, swap(b"cv=none", b"cv=fail")), Why.CV_FAIL, 1, id="cv-1-fail"),
        pytest.param(field(TWO, 0, swap(b"cv=pass", b"")), Why.INSTANCE, 0, id="tag-list"),
        pytest.param(field(TWO, 0, swap(b"t=", b"h=from; t=")), Why.SEAL_SYNTAX, 2, id="as-h"),
        pytest.param(field(TWO, 0, swap(b"a=ed25519-", b"a=x-")), Why.SEAL_SYNTAX, 2, id="as-a"),
        pytest.param(
            field(ONE, 0, swap(b"rsa-sha256", b"rsa-sha1")), Why.SEAL_SYNTAX, 1, id="as-sha1"
        ),
        pytest.param(field(TWO, 1, swap(b"bh=", b"bh=!")), Why.SIGNATURE_SYNTAX, 2, id="ams-bh"),
        pytest.param(
            field(TWO, 1, swap(b"h=from", b"h=arc-seal:from")),
            Why.SIGNATURE_SYNTAX,
            2,
            id="ams-covers-seal",
        ),
        pytest.param(
            field(TWO, 1, swap(b"t=", b"x=%d; t=" % (NOW - 301))), Why.SIGNATURE_SYNTAX, 2, id="x-t"
        ),
        pytest.param(
            field(TWO, 1, lambda v: v.replace(b"t=%d" % NOW, b"x=%d" % (NOW - 301))),
            Why.EXPIRED,
            2,
            id="ams-expired",
        ),
        pytest.param(
            field(TWO, 1, lambda v: v.replace(b"t=%d" % NOW, b"x=%d" % (NOW - 300))),
            Why.HEADER_CHANGED,
            2,
            id="ams-expired-within-skew",
        ),
        pytest.param(
            field(TWO, 1, lambda v: v.replace(b" h=", b" hh=")), Why.SIGNATURE_SYNTAX, 2, id="no-h"
        ),
        pytest.param(field(TWO, 1, swap(b"t=", b"l=2; t=")), Why.BODY_CHANGED, 2, id="l-short"),
        pytest.param(field(TWO, 1, swap(b"t=", b"l=99; t=")), Why.PARTIAL_BODY, 2, id="l-long"),
        pytest.param(without(TWO, 0), Why.STRUCTURE, 0, id="as-2-missing"),
        pytest.param(without(TWO, 4), Why.STRUCTURE, 0, id="ams-1-missing"),
        pytest.param(without(TWO, 5), Why.STRUCTURE, 0, id="aar-1-missing"),
        pytest.param(without(TWO, 3, 4, 5), Why.STRUCTURE, 0, id="set-1-missing"),
        pytest.param(field(TWO, 0, swap(b"i=2", b"i=1")), Why.STRUCTURE, 1, id="as-1-twice"),
        pytest.param(field(TWO, 0, swap(b"i=2", b"i=0")), Why.INSTANCE, 0, id="a4-i-zero"),
        pytest.param(field(TWO, 0, swap(b"i=2", b"i=51")), Why.INSTANCE, 0, id="a4-i-51"),
        pytest.param(field(TWO, 0, swap(b"i=2", b"i=+2")), Why.INSTANCE, 0, id="a4-i-sign"),
        pytest.param(field(TWO, 0, swap(b"i=2", b"i=" + b"2" * 4301)), Why.INSTANCE, 0, id="a2-i"),
        pytest.param(field(TWO, 2, swap(b"i=2;", b"a; i=2;")), Why.INSTANCE, 0, id="aar-i-second"),
        pytest.param(field(TWO, 2, lambda v: b" i=2"), Why.INSTANCE, 0, id="aar-no-semicolon"),
        pytest.param(
            field(TWO, 0, swap(b"t=%d" % NOW, b"t=" + b"9" * 4301)), Why.SEAL_SYNTAX, 2, id="a2-t"
        ),
        pytest.param(field(TWO, 0, swap(b"b=", b"b=!")), Why.SEAL_SYNTAX, 2, id="a2-b"),
    ],
)
def test_a_bent_chain_fails(what: Mail, why: Why, instance: int) -> None:
    result = judge(what)
    assert (result.status, result.why, result.failed) == (Status.FAIL, why, instance)
    assert (result.sealers, result.assessments, result.from_signed) == ((), (), False)


def test_a_body_that_is_signed_in_part_fails() -> None:
    """l= less than the body, and the hash right for it: anybody could have added the rest."""
    key = BodyKey(relaxed=True, limit=2)
    hashes = BodyHashes([key])
    hashes.update(TWO.body)
    partial = b"l=2; bh=" + b64encode(hashes.digests()[key].value)
    result = judge(field(TWO, 1, lambda value: re.sub(rb"bh=[^;]+", partial, value)))
    assert (result.status, result.why, result.failed) == (Status.FAIL, Why.PARTIAL_BODY, 2)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda v: b" i=1;" + v.replace(b" i=1;", b""), id="first"),
        pytest.param(lambda v: v.replace(b" i=1;", b"") + b"; i=1", id="last"),
        pytest.param(lambda v: v.replace(b" i=1;", b"\t i = 1 ;"), id="blanks"),
    ],
)
def test_i_may_stand_anywhere_in_a_signature_a1(change: Callable[[bytes], bytes]) -> None:
    """dkimpy raises IndexError for these.  The fields are no longer what was signed."""
    for number in (0, 1):
        result = judge(field(ONE, number, change))
        assert result.why in (Why.SEAL_INVALID, Why.HEADER_CHANGED)


def test_oldest_pass() -> None:
    """Mail changed between two sealers: the older signature no longer fits, the chain holds."""
    listed = Mail((*ONE.fields[:3], (b"List-Id", b" <l>"), *ONE.fields[3:]), b"Hi.\r\nfooter\r\n")
    found = judge(ONE)
    twice = sealed(listed, found=found)
    result = judge(twice)
    assert (result.status, result.oldest_pass) == (Status.PASS, 2)
    thrice = sealed(twice)
    assert judge(thrice).oldest_pass == 2


def test_oldest_pass_is_not_worth_hashing_a_huge_header_many_times() -> None:
    what = mail([*FIELDS, ("X-Large", "x" * 1_500_000)])
    for _ in range(4):
        what = sealed(what, ED_KEY, options=seal.Options(names=(b"from", b"x-large")))
    result = judge(what)
    assert (result.status, result.oldest_pass) == (Status.PASS, 2)


def test_few_names_are_asked_for_ahead() -> None:
    what = BASE
    keys = dict(KEYS)
    for i in range(15):
        key = sign.signing_key(ED25519, "example.com", f"e{i}")
        keys[key.query_name, "TXT"] = (ED25519_RECORD,)
        what = sealed(what, key, found=judge(what, FakeDns(keys)))
    prepared = verify.prepare(what.header, NOW)
    assert prepared.query_names == tuple(f"e{i}._domainkey.example.com" for i in range(14, 4, -1))
    assert judge(what, FakeDns(keys)).instances == 15


def test_keys() -> None:
    assert judge(ONE, FakeDns()).why is Why.NO_KEY
    revoked = FakeDns({("s1._domainkey.example.com", "TXT"): (b"v=DKIM1; p=",)})
    assert judge(ONE, revoked).why is Why.BAD_KEY
    wrong = FakeDns({("s1._domainkey.example.com", "TXT"): (b"h=sha1; p=" + RSA_P,)})
    assert judge(ONE, wrong).why is Why.BAD_KEY


def test_dns_faults_are_told_apart_and_not_sealed_a5() -> None:
    dns = FakeDns(KEYS, broken={"ed._domainkey.example.com": DnsFault.TIMEOUT})
    result = judge(TWO, dns)
    assert (result.status, result.why, result.is_temporary) == (Status.FAIL, Why.DNS, True)
    assert sealed(TWO, found=result) == TWO
    assert not judge(Mail(TWO.fields, b"x")).is_temporary


def test_without_the_body_there_is_no_pass() -> None:
    prepared = verify.prepare(ONE.header, NOW)
    assert prepared.finish({}, DNS).why is Why.BODY_CHANGED


def test_what_does_not_cover_from_is_flagged() -> None:
    what = sealed(BASE, options=seal.Options(names=(b"subject",)))
    result = judge(what)
    assert (result.status, result.from_signed) == (Status.PASS, False)


def test_names_to_ask_for() -> None:
    prepared = verify.prepare(TWO.header, NOW)
    assert prepared.query_names == ("ed._domainkey.example.com", "s1._domainkey.example.com")


def test_garbage_gives_a_result() -> None:
    rng = random.Random(8617)
    seen = set()
    for _ in range(1500):
        fields = [list(f) for f in TWO.fields]
        for _ in range(rng.randrange(1, 4)):
            text = bytearray(fields[number := rng.randrange(6)][1])
            at = rng.randrange(len(text))
            text[at : at + rng.randrange(2)] = rng.choice([b"=", b";", b" ", b"\xff", b"1", b"i"])
            fields[number][1] = bytes(text)
        result = judge(Mail(tuple((n, v) for n, v in fields), TWO.body))
        seen.add(result.why)
        assert result.detail.isascii()
    assert len(seen) > 5
