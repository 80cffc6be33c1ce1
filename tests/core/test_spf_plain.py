"""Records without macros: what is made ready, and that pyspf would have said the same."""

from __future__ import annotations

import random
from ipaddress import ip_address

import pytest

from postseal.core import spf, spf_query
from postseal.core.resolver import DnsFault, Kind, Record
from postseal.core.spf import Limits, Result, Status
from postseal.core.spf_plain import Plain, Term, read
from support.fakedns import FakeDns
from support.spfworld import CLIENT, SIX, Records


def test_what_is_read() -> None:
    text = "v=spf1 ip4:192.0.2.0/24 ip6:2001:db8::/32 -MX/28//64 ?include:i.example ptr ~all x=y"
    four = read(f"{text} Redirect=r.example.", "example.com", Kind.A, 4)
    assert four == Plain(
        terms=(
            Term("ip4:192.0.2.0/24", "ip", "pass", shift=8, network=0xC00002),
            Term("-MX/28//64", "mx", "fail", "example.com", shift=4),
            Term("?include:i.example", "include", "neutral", "i.example"),
            Term("ptr", "ptr", "pass", "example.com"),
            Term("~all", "all", "softfail", "example.com"),
        ),
        redirect="r.example",
        ahead=(("example.com", Kind.MX), ("i.example", Kind.TXT)),
    )
    six = read(text, "example.com", Kind.AAAA, 1)
    assert six is not None
    assert six.terms[:2] == (
        Term("ip6:2001:db8::/32", "ip", "pass", shift=96, network=0x20010DB8),
        Term("-MX/28//64", "mx", "fail", "example.com", shift=64),
    )
    assert (six.redirect, six.ahead) == ("", (("example.com", Kind.MX),))


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("v=spf2 -all", id="version"),
        pytest.param("v=spf1 -all foo", id="unknown-term"),
        pytest.param("v=spf1 ip4:192.0.2.0/33", id="prefix"),
        pytest.param("v=spf1 a:nodot", id="domain"),
        pytest.param("v=spf1 include:example.com", id="includes-itself"),
        pytest.param("v=spf1 redirect=a.example redirect=b.example", id="redirect-twice"),
        pytest.param("v=spf1 x=1 X=2", id="modifier-twice"),
        pytest.param("v=spf1 redirect=", id="redirect-nowhere"),
        pytest.param("v=spf1 exp=", id="explanation-nowhere"),
        pytest.param("v=spf1 a/24\n", id="line-break"),
        pytest.param("v=spf1 a:%{d}", id="macro"),
        pytest.param("v=spf1" + " a" * 129, id="many-terms"),
    ],
)
def test_what_is_left_to_pyspf(text: str) -> None:
    assert read(text, "example.com", Kind.A, 4) is None


def test_the_domain_itself_is_taken_as_it_is() -> None:
    """A local part may look like a macro; it becomes part of a domain by include."""
    plain = read("v=spf1 a", "%%.example.com", Kind.A, 4)
    assert plain is not None
    assert plain.terms[0].domain == "%%.example.com"


def test_as_many_terms_as_are_remembered() -> None:
    assert read("v=spf1" + " a" * 128, "example.com", Kind.A, 4) is not None


# -- both ways -------------------------------------------------------------------------

HOSTS = [
    "example.com",
    "i.example.com",
    "j.example.com",
    "a.example",
    "nix.example",
    "sick.example",
]
NETWORKS = [CLIENT, "192.0.2.0/24", "198.51.100.1", "10.0.0.0/8"]
ODD = ["a.example.", "x/y.example", "A.Example", "nodot", "1.2.3.4", "a..example", "", "%{l}.test"]


def random_term(rng: random.Random) -> str:
    host = rng.choice(ODD if rng.random() < 0.05 else HOSTS)
    prefix = rng.choice(
        ["", "", "", "/24", "//64", "/0", "/24//48", "/33" if rng.random() < 0.1 else ""]
    )
    term = rng.choice(
        [
            f"ip4:{rng.choice(NETWORKS)}", f"ip6:{SIX}{rng.choice(['', '/32'])}",
            f"a:{host}{prefix}", f"mx:{host}{prefix}", f"a{prefix}", f"mx{prefix}",
            f"include:{host}", f"include:{host}", f"exists:{host}", f"ptr:{host}", "ptr", "all",
        ]
    )  # fmt: skip
    if rng.random() < 0.1:
        term = term.upper()
    return rng.choice(["", "", "-", "~", "?", "+"]) + term


def random_record(rng: random.Random) -> bytes:
    terms = [random_term(rng) for _ in range(rng.randrange(8))]
    if rng.random() < 0.4:
        name = rng.choice(["redirect", "redirect", "REDIRECT", "exp", "x", "op"])
        terms.insert(rng.randrange(len(terms) + 1), f"{name}={rng.choice(HOSTS)}")
    if rng.random() < 0.05:
        terms.append(rng.choice(["foo", "\t", "a,", "redirect=a.example", "=a", "all:", "ip4:1"]))
    return rng.choice([" ", " ", "  "]).join(["v=spf1", *terms]).encode()


def random_world(rng: random.Random) -> Records:
    records: dict[tuple[str, str], tuple[Record, ...]] = {}
    for host in HOSTS[:-2]:
        records[host, "TXT"] = (b"other", random_record(rng))
        records[host, "A"] = (rng.choice([CLIENT, "192.0.2.9", "198.51.100.1"]),)
        records[host, "MX"] = tuple(
            (n, h) for n, h in enumerate(rng.choices(HOSTS, k=rng.choice([1, 3, 11])))
        )
        if rng.random() < 0.5:
            records[host, "AAAA"] = (rng.choice([SIX, "2001:db8:1::1"]),)
    for client in (CLIENT, SIX):
        records[ip_address(client).reverse_pointer, "PTR"] = tuple(rng.choices(HOSTS, k=2))
    return records


def evaluated(seed: int) -> tuple[Result, list[object]]:
    """What comes out, and all that DNS was asked."""
    rng = random.Random(seed)
    fault = rng.choice([DnsFault.TIMEOUT, DnsFault.SERVFAIL])
    dns = FakeDns(
        random_world(rng),
        broken={"sick.example": fault},
        limit=rng.choice([None, None, None, rng.randrange(12)]),
    )
    result = spf.evaluate(
        client=ip_address(rng.choice([CLIENT, CLIENT, SIX])),
        helo="example.com",
        sender=rng.choice(["user@example.com", "", "\xfc@example.com"]),
        resolver=dns,
        limits=rng.choice([None, Limits(lookups=rng.randrange(25), voids=9, ahead=1)]),
    )
    return result, [dns.asked, dns.prefetched]


def test_pyspf_says_the_same_of_the_same_records(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nothing is ready, its evaluation is what remains."""
    ready = [evaluated(seed) for seed in range(1500)]
    monkeypatch.setattr(spf_query, "read", lambda *_: None)
    for seed, ours in enumerate(ready):
        assert ours == evaluated(seed), seed
    seen = {result.status for result, _ in ready}
    assert seen == set(Status) - {Status.NONE, Status.POLICY}
    decided = {result.mechanism.lstrip("+-~?").partition(":")[0] for result, _ in ready}
    assert decided >= {"ip4", "ip6", "a", "mx", "include", "exists", "ptr", "all"}
