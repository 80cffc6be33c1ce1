"""arc.chain: which fields make a chain; the rest of its rules are rows of test_verify."""

from __future__ import annotations

from postseal.core.arc import chain
from postseal.core.arc.verify import Why
from support.arcmail import (
    BASE,
    ONE,
    TWO,
    field,
    judge,
    swap,
    without,
)
from support.dkimmail import KEYS, Mail
from support.fakedns import FakeDns


def test_many_fields_cost_nothing_a3() -> None:
    fields = [(b"ARC-Seal", b" i=1")] * 5000
    dns = FakeDns(KEYS)
    result = judge(Mail((*fields, *BASE.fields), BASE.body), dns)
    assert (result.why, dns.questions) == (Why.INSTANCE, 0)


def test_every_fault_of_a_chain_is_a_why() -> None:
    assert {fault.value for fault in chain.ChainFault} <= {why.value for why in Why}


def test_highest_instance_is_read_from_whatever_is_there() -> None:
    assert chain.highest_instance(BASE.header) == 0
    assert chain.highest_instance(without(TWO, 0).header) == 2
    assert chain.highest_instance(field(TWO, 2, swap(b"i=2", b"i=7")).header) == 7
    assert chain.highest_instance(field(ONE, 0, swap(b"i=1", b"i=99")).header) == 1


def test_newest_cv() -> None:
    assert chain.newest_cv(BASE.header) == ""
    assert chain.newest_cv(ONE.header) == "none"
    assert chain.newest_cv(TWO.header) == "pass"
    assert chain.newest_cv(field(TWO, 0, swap(b"cv=pass", b"cv=FAIL")).header) == "fail"


def test_an_unusable_older_signature_does_not_break_the_chain() -> None:
    sets = chain.collect(field(TWO, 4, swap(b"bh=", b"bh=!")).header)
    assert [link.signature is None for link in sets] == [True, False]
