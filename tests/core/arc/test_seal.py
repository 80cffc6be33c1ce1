"""arc.seal: RFC 8617 section 5.1."""

from __future__ import annotations

from hashlib import sha256

import pytest

from postseal.core import taglist
from postseal.core.arc import chain
from postseal.core.arc.verify import Status, Why
from postseal.core.dkim import crypto, headerhash
from support.arcmail import (
    BASE,
    ED_KEY,
    ONE,
    RESULTS,
    RSA_KEY,
    TWO,
    field,
    judge,
    sealed,
    swap,
)
from support.dkimmail import KEYS, Mail, mail
from support.fakedns import FakeDns


def test_the_new_fields() -> None:
    (arc_seal, _), (ams, signed), (aar, results) = ((n, v) for n, v in ONE.fields[:3])
    assert (arc_seal, ams, aar) == (
        b"ARC-Seal",
        b"ARC-Message-Signature",
        b"ARC-Authentication-Results",
    )
    assert results == b" i=1; " + RESULTS
    listed = taglist.parse(signed)["h"].split(b":")
    assert listed.count(b"from") == 2
    assert b"dkim-signature" in listed
    assert not [n for n in listed if n.startswith(b"arc-") or n == b"authentication-results"]
    for _, value in ONE.fields[:3]:
        assert max(map(len, value.split(b"\r\n"))) < 400


def test_a_broken_chain_is_sealed_once_and_then_left_alone() -> None:
    """RFC 8617 sections 5.1.2 and 5.1 step 2."""
    broken = field(TWO, 6, swap(b"Ann", b"Eve"))
    marked = sealed(broken)
    assert marked.fields[0][0] == b"ARC-Seal"
    assert b"cv=fail" in marked.fields[0][1]
    assert b"i=3" in marked.fields[0][1]
    result = judge(marked)
    assert (result.why, result.ended, result.highest) == (Why.CV_FAIL, True, 3)
    assert sealed(marked) == marked


def test_the_seal_of_a_broken_chain_covers_its_own_set_only() -> None:
    marked = sealed(field(TWO, 6, swap(b"Ann", b"Eve")))
    alone = Mail((*marked.fields[:3], *marked.fields[9:]), marked.body)
    as_first = [(n, v) for n, v in alone.fields]
    # The same three fields would be a good set 1, but for i= and cv=: check the seal itself.
    header = Mail(tuple(as_first), b"").header
    arc_seal, ams, aar = header.fields[:3]
    covered = headerhash.canonical([aar, ams, headerhash.without_value(arc_seal)], True)[:-2]
    read = chain._seal(3, arc_seal)
    assert crypto.is_signed(RSA_KEY.public, read.value, sha256(covered).digest())


@pytest.mark.slow
def test_fifty_sets_and_no_more_a3() -> None:
    what = BASE
    for _ in range(50):
        what = sealed(what, ED_KEY)
    result = judge(what)
    assert (result.status, result.instances) == (Status.PASS, 50)
    assert sealed(what) == what
    more = Mail(((b"ARC-Seal", b" i=51"), *what.fields), what.body)
    dns = FakeDns(KEYS)
    assert (judge(more, dns).why, dns.questions) == (Why.INSTANCE, 0)


def test_a_message_without_any_field_can_be_sealed() -> None:
    bare = sealed(mail([]))
    assert judge(bare).status is Status.PASS
    assert judge(sealed(bare)).instances == 2
