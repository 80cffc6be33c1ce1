"""dmarc.align: identifiers in normal form, evidence, and the fault that is kept."""

from __future__ import annotations

import pytest

from postseal.core.dmarc.align import MAX_IDENTIFIERS, Aligner, normal, pairs
from postseal.core.dmarc.record import Alignment, Record
from postseal.core.dmarc.walk import Discovery
from postseal.core.resolver import DnsFault
from support.fakedns import FakeDns


def aligner(record: Record, resolver: FakeDns) -> Aligner:
    return Aligner("example.com", record, Discovery(resolver))


def world(broken: str = "") -> FakeDns:
    return FakeDns(
        {("_dmarc.example.com", "TXT"): [b"v=DMARC1; p=reject"]},
        broken={broken} if broken else frozenset(),
    )


RELAXED = Record()
STRICT = Record(adkim=Alignment.STRICT, aspf=Alignment.STRICT)


def test_identifiers_are_names_each_once() -> None:
    given = ["Example.COM", "example.com.", "bücher.example", "", "a b", "[192.0.2.1]", "x\0y"]
    assert normal(given) == ("example.com", "xn--bcher-kva.example")
    assert pairs("X.example", ["Y.example"]) == (("spf", "x.example"), ("dkim", "y.example"))
    assert pairs(None, []) == pairs("", []) == pairs("a b", ["a b"]) == ()


@pytest.mark.parametrize(
    ("record", "given", "evidence"),
    [
        pytest.param(RELAXED, pairs("example.com", []), ["spf example.com"], id="equal"),
        pytest.param(RELAXED, pairs(None, ["b.example.com", "example.com"]), ["dkim example.com"],
                     id="equal-first"),
        pytest.param(RELAXED, pairs("a.example.com", ["b.example.com"]),
                     ["spf a.example.com", "dkim b.example.com"], id="one-of-each"),
        pytest.param(STRICT, pairs("a.example.com", ["b.example.com"]), [], id="strict"),
        pytest.param(RELAXED, pairs("example.net", ["com"]), [], id="others"),
    ],
)  # fmt: skip
def test_evidence(record: Record, given: tuple[tuple[str, str], ...], evidence: list[str]) -> None:
    one = aligner(record, world())
    assert (one.aligned(given), one.fault) == (evidence, None)


def test_the_fault_is_kept_and_the_others_are_still_looked_at() -> None:
    one = aligner(RELAXED, world("_dmarc.slow.example.com"))
    evidence = one.aligned(pairs("slow.example.com", ["b.example.com"]))
    assert evidence == ["dkim b.example.com"]
    assert one.fault is not None
    assert (one.fault.fault, one.fault.name) == (DnsFault.TIMEOUT, "_dmarc.slow.example.com")


def test_the_crowd_is_cut_but_not_spf() -> None:
    crowd = pairs("a.example.com", [f"{n}.elsewhere.example" for n in range(50)])
    assert aligner(RELAXED, world()).aligned(crowd) == ["spf a.example.com"]
    late = pairs(None, [*(f"{n}.x.example" for n in range(MAX_IDENTIFIERS + 1)), "a.example.com"])
    assert aligner(RELAXED, world()).aligned(late) == []
