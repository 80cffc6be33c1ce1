"""arc.chain: which fields make a chain; the rest of its rules are rows of test_verify."""

from __future__ import annotations

import pytest

from postseal.core.arc import chain
from postseal.core.arc.verify import Why
from postseal.core.field import Field, Header
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


def test_no_more_fields_are_read_than_a_chain_can_have(monkeypatch: pytest.MonkeyPatch) -> None:
    """The instance to count from, and the newest cv=, of a message with a thousand seals."""
    read: list[bytes] = []
    real = chain._instance

    def counted(key: bytes, field: Field) -> int | None:
        read.append(key)
        return real(key, field)

    monkeypatch.setattr(chain, "_instance", counted)
    header = Header([Field(b"ARC-Seal", b" i=%d; cv=none" % (1 + n % 50)) for n in range(1000)])
    assert chain.highest_instance(header) == 50
    assert chain.newest_cv(header) == "none"
    assert len(read) == 2 * (chain.MAX_INSTANCE + 1)


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
