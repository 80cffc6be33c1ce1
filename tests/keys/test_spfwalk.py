"""spfwalk: lookups, voids and circles, counted; and the same over a served zone."""

from __future__ import annotations

import importlib
import warnings
from pathlib import Path

import pytest

from postseal_keys.dnsask import Address, Network, Outcome
from postseal_keys.findings import Harm, worst
from postseal_keys.spfcost import Walk, lighter
from postseal_keys.spfwalk import QUESTIONS, TERMS, walk
from support import nsd as nsd_support
from support.fakeasker import FakeAsker

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # an escape in a docstring of pyspf 2.0.14
    pyspf = importlib.import_module("spf")

HOSTS = {
    (f"h{n}.example", kind): [value]
    for n in range(20)
    for kind, value in (("A", f"192.0.2.{n + 1}"), ("AAAA", f"2001:db8::{n + 1:x}"))
}
WORLD = {
    **HOSTS,
    ("empty.example", "HINFO"): ["x"],
    ("only4.example", "A"): ["192.0.2.99"],
    ("only4b.example", "A"): ["192.0.2.98"],
    ("only4c.example", "A"): ["192.0.2.97"],
    ("mail.example", "MX"): [f"10 h{n}.example" for n in range(10)],
    ("eleven.example", "MX"): [f"10 h{n}.example" for n in range(11)],
    ("null.example", "MX"): ["0 "],
    ("deadmx.example", "MX"): ["10 gone.example"],
    ("leaf.example", "TXT"): ["v=spf1 ip4:192.0.2.0/28 -all"],
    ("three.example", "TXT"): ["v=spf1 a:h1.example a:h2.example a:h3.example -all"],
    ("nine.example", "TXT"): ["v=spf1 include:three.example include:three.example mx:mail.example"],
    ("after.example", "TXT"): ["v=spf1 a:h1.example ?all a:h2.example redirect=three.example"],
    ("open.example", "TXT"): ["v=spf1 +all"],
    ("broken.example", "TXT"): ["v=spf1 ip4:1.2.3 -all"],
    ("two.example", "TXT"): ["v=spf1 -all", "v=spf1 mx -all"],
    ("none.example", "TXT"): ["google-site-verification=x"],
    ("ping.example", "TXT"): ["v=spf1 include:pong.example -all"],
    ("pong.example", "TXT"): ["v=spf1 include:ping.example -all"],
    ("self.example", "TXT"): ["v=spf1 redirect=SELF.example"],
    ("yes.example", "A"): ["127.0.0.2"],
}


def looked(
    text: str, domain: str = "top.example", broken: dict[str, Outcome] | None = None
) -> Walk:
    return walk(domain, FakeAsker(WORLD, broken=broken), text)


@pytest.mark.parametrize(
    ("text", "lookups"),
    [
        pytest.param("v=spf1 ip4:192.0.2.1 ip6:::1 exp=x.example -all", 0, id="4.6.4-free"),
        pytest.param("v=spf1 a:h1.example mx:mail.example ptr -all", 3, id="4.6.4-each-costs-one"),
        pytest.param("v=spf1 include:leaf.example -all", 1, id="4.6.4-include"),
        pytest.param("v=spf1 include:three.example -all", 4, id="4.6.4-below-include"),
        pytest.param("v=spf1 redirect=three.example", 4, id="4.6.4-redirect"),
        pytest.param("v=spf1 include:nine.example -all", 10, id="4.6.4-ten"),
        pytest.param("v=spf1 include:nine.example a:h1.example -all", 11, id="4.6.4-eleven"),
        pytest.param("v=spf1 include:after.example -all", 2, id="5.1-ends-at-all"),
        pytest.param("v=spf1 exists:%{i}.x.example -all", 1, id="7-macro-counts"),
        pytest.param("v=spf1 exists:%{p}.x.example -all", 2, id="4.6.4-macro-p"),
        pytest.param("v=spf1 ptr ptr -all", 2, id="4.6.4-ptr-twice"),
        pytest.param("v=spf1 include:three.%{d1} -all", 4, id="7-macro-d-expanded"),
    ],
)
def test_lookups(text: str, lookups: int) -> None:
    result = looked(text)
    assert result.lookups == lookups
    assert ("spf-lookups" in {f.code for f in result.findings}) == (lookups > 10)


@pytest.mark.parametrize(
    ("text", "code", "harm"),
    [
        pytest.param(
            "v=spf1 include:gone.example", "spf-target-none", Harm.ERROR, id="5.2-nxdomain"
        ),
        pytest.param("v=spf1 include:none.example", "spf-target-none", Harm.ERROR, id="5.2-none"),
        pytest.param("v=spf1 redirect=none.example", "spf-target-none", Harm.ERROR, id="6.1-none"),
        pytest.param("v=spf1 include:two.example", "spf-target-many", Harm.ERROR, id="4.5-many"),
        pytest.param("v=spf1 include:broken.example", "spf-target-syntax", Harm.ERROR, id="4.6"),
        pytest.param("v=spf1 include:open.example -all", "spf-pass-all", Harm.ERROR, id="5.2-open"),
        pytest.param("v=spf1 exists:yes.example -all", "spf-pass-all", Harm.ERROR, id="5.7-open"),
        pytest.param("v=spf1 include:ping.example", "spf-loop", Harm.ERROR, id="circle"),
        pytest.param("v=spf1 include:self.example", "spf-loop", Harm.ERROR, id="circle-of-one"),
        pytest.param("v=spf1 redirect=top.example", "spf-loop", Harm.ERROR, id="circle-at-once"),
        pytest.param("v=spf1 mx:eleven.example -all", "spf-mx-many", Harm.ERROR, id="4.6.4-mx-11"),
        pytest.param("v=spf1 mx:null.example -all", "spf-void", Harm.WARNING, id="rfc7505"),
        pytest.param("v=spf1 mx:deadmx.example -all", "spf-void", Harm.WARNING, id="mx-no-address"),
        pytest.param("v=spf1 a:empty.example -all", "spf-void", Harm.WARNING, id="a-no-address"),
        pytest.param("v=spf1 include:slow.example", "dns", Harm.UNKNOWN, id="4.4-temperror"),
        pytest.param("v=spf1 a:slow.example", "dns", Harm.UNKNOWN, id="5-temperror"),
    ],
)
def test_faults(text: str, code: str, harm: Harm) -> None:
    result = looked(text, broken={"slow.example": Outcome.TIMEOUT})
    assert (code, harm) in {(f.code, f.harm) for f in result.findings}


def test_ten_mx_hosts_are_allowed() -> None:
    assert worst(looked("v=spf1 mx:mail.example -all").findings) is Harm.GOOD


@pytest.mark.parametrize(
    ("text", "four", "six", "harm"),
    [
        pytest.param("a:g1.example a:g2.example", 2, 2, Harm.WARNING, id="two-allowed"),
        pytest.param("a:g1.example a:g2.example a:empty.example", 3, 3, Harm.ERROR, id="three"),
        pytest.param(
            "a:only4.example a:only4b.example a:only4c.example", 0, 3, Harm.WARNING, id="ipv6"
        ),
        pytest.param(
            "exists:g1.example exists:g2.example mx:g3.example", 3, 3, Harm.ERROR, id="ex"
        ),
        pytest.param("a:only4.example a:only4b.example", 0, 2, Harm.GOOD, id="ipv6-two"),
    ],
)
def test_void_lookups(text: str, four: int, six: int, harm: Harm) -> None:
    result = looked(f"v=spf1 {text} -all")
    assert (len(result.void4), len(result.void6)) == (four, six)
    assert worst(result.findings) is harm


def test_an_endless_chain_is_cut() -> None:
    class Endless(FakeAsker):
        def ask(self, name: str, kind: str, /) -> object:  # type: ignore[override]
            number = int(name.partition(".")[0].removeprefix("n") or 0)
            text = f"v=spf1 include:n{number + 1}.example -all"
            return FakeAsker({(name, "TXT"): [text]}).ask(name, kind)

    result = walk("n0.example", Endless({}), "v=spf1 include:n1.example -all")  # type: ignore[arg-type]
    assert not result.complete
    assert len(result.steps) == TERMS <= QUESTIONS
    assert any(f.code == "spf-lookups" for f in result.findings)


def test_a_bush_asks_each_name_once() -> None:
    world = {
        (f"b{n}.example", "TXT"): [f"v=spf1 include:b{n + 1}.example include:b{n + 1}.example"]
        for n in range(30)
    }
    asker = FakeAsker(world)
    result = walk("b0.example", asker, "v=spf1 include:b1.example include:b1.example")
    assert not result.complete
    assert len(asker.asked) == len(set(asker.asked)) <= TERMS


def test_costs_of_a_subtree_add_up() -> None:
    result = looked("v=spf1 include:nine.example a:h1.example -all")
    costs = {step.term: step.lookups for step in result.steps if step.depth == 0}
    assert costs == {"include:nine.example": 10, "a:h1.example": 1}


def test_a_lighter_record() -> None:
    result = looked("v=spf1 include:nine.example a:only4.example ptr a:empty.example -all")
    assert result.lookups == 13
    assert lighter(result) == "v=spf1 include:nine.example ip4:192.0.2.99 -all"
    assert looked(lighter(result)).lookups == 10
    assert lighter(looked("v=spf1 include:nine.example include:three.example -all")) == ""
    gone = "v=spf1 include:nine.example a:only4.example include:nowhere.example -all"
    assert lighter(looked(gone)) == "v=spf1 include:nine.example ip4:192.0.2.99 -all"
    too_much = "v=spf1 include:nine.example include:three.example a:only4.example -all"
    assert lighter(looked(too_much)) == ""


@pytest.mark.parametrize(
    "text",
    [
        "v=spf1 ip4:192.0.2.250 exp=x.example -all",
        "v=spf1 a:h1.example mx:mail.example ptr -all",
        "v=spf1 include:three.example -all",
        "v=spf1 redirect=three.example",
        "v=spf1 include:nine.example -all",
        "v=spf1 include:nine.example a:h1.example -all",
        # not include:after.example: pyspf 2.0.14 counts a redirect that "all" voids
        "v=spf1 exists:%{i}.x.example -all",
        "v=spf1 include:three.%{d1} include:leaf.example mx:mail.example -all",
    ],
)
def test_pyspf_counts_the_same_lookups(text: str) -> None:
    """pyspf evaluates for a client that nothing matches; it stops after the eleventh."""

    class Query(pyspf.query):  # type: ignore[misc,name-defined]
        def dns(self, name: str, qtype: str, *_: object, **__: object) -> list[object]:
            reply = FakeAsker(WORLD).ask(name.removesuffix("."), qtype)
            if qtype == "MX":
                return [(int(one.split()[0]), one.split()[1]) for one in reply.hosts]
            return list(reply.records if qtype == "TXT" else reply.hosts)

    query = Query(i="198.51.100.1", s="a@top.example", h="mx.top.example", strict=True)
    result = query.check(spf=text)[0]
    ours = looked(text).lookups
    assert (result == "permerror") == (ours > 10)
    assert query.lookups == min(ours, 11)


ZONE = """\
$TTL 300
. SOA ns. hostmaster. 1 3600 600 86400 300
. NS ns.
ns. A 127.0.0.1
"""


@pytest.mark.skipif(not nsd_support.available(), reason="nsd is not installed")
def test_the_same_walk_over_a_served_zone(tmp_path: Path) -> None:
    """Every world of this file, served by nsd: the walk must not differ from the table's."""
    lines = [ZONE]
    for (name, kind), values in WORLD.items():
        for value in values:
            data = f'"{value}"' if kind == "TXT" else value
            if kind == "MX":
                data = f"{value}."
            elif kind == "HINFO":
                data = '"x" "y"'
            lines.append(f"{name}. {kind} {data}\n")
    texts = [
        "v=spf1 include:nine.example a:only4.example ptr a:empty.example -all",
        "v=spf1 include:gone.example include:none.example include:two.example mx:null.example",
        "v=spf1 include:ping.example include:self.example include:after.example redirect=x.%{d}",
    ]
    with nsd_support.nsd(tmp_path, "".join(lines)) as server:
        network = Network([Address("127.0.0.1", server.port)])
        for text in texts:
            served, table = walk("top.example", network, text), looked(text)
            assert sorted(served.findings, key=str) == sorted(table.findings, key=str)
            assert [(s.term, s.lookups, s.note, sorted(s.addresses)) for s in served.steps] == [
                (s.term, s.lookups, s.note, sorted(s.addresses)) for s in table.steps
            ]
