"""Each fault found in pyspf: what the library alone does, and that we do not.

S1 to S12 number the faults; the bare library is shown to have them where that is cheap.
"""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from postseal.core import spf
from postseal.core.spf import Limits, Status, Why
from support.barespf import Bare, bare, pyspf
from support.fakedns import FakeDns
from support.spfworld import CLIENT, OTHER, SIX, Records, check, txt


def test_s1_macro_checks_are_linear() -> None:
    """The bare library searches the whole text once per label."""
    hostile = "%{d}" + ".a" * 2000 + ".com"
    searched: list[int] = []

    class Pattern:
        def search(self, text: str) -> None:
            searched.append(len(text))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pyspf, "RE_INVALID_MACRO", Pattern())
        Bare(i=CLIENT, s="user@example.com", h="h.example.com").expand(hostile)  # type: ignore[attr-defined]
        assert len(searched) == 2002
        searched.clear()
        result = check(txt(at=f"v=spf1 exists:{hostile} -all"))
        assert result.status is Status.FAIL
        assert not searched


def test_s1_long_records_are_refused_unread() -> None:
    result = check(txt(at="v=spf1 " + "ip4:192.0.2.1 " * 4300 + "-all"))
    assert (result.status, result.why) == (Status.PERMERROR, Why.TOO_LONG)
    allowed = check(txt(at="v=spf1 " + "ip4:192.0.2.1 " * 280 + "-all"))
    assert allowed.status is Status.PASS


@pytest.mark.parametrize(
    ("records", "status"),
    [
        pytest.param(txt(at="v=spf1 a:%{d" + "9" * 4000 + "} -all"), Status.FAIL, id="digits"),
        pytest.param(
            txt(at="v=spf1 a:%{d" + "9" * 5000 + "} -all"), Status.PERMERROR, id="digits-too-long"
        ),
        pytest.param({("example.com", "TXT"): (b"",)}, Status.NONE, id="empty-txt"),
        pytest.param({("example.com", "TXT"): ()}, Status.NONE, id="no-string"),
    ],
)
def test_s2_no_exception(records: Records, status: Status) -> None:
    assert check(records).status is status


def test_s2_the_bare_library_raises() -> None:
    with pytest.raises(ValueError, match="digit"):
        bare(txt(at="v=spf1 a:%{d" + "9" * 5000 + "} -all"))
    for address in ("unknown", "IPv6:2001:db8::1"):
        with pytest.raises(pyspf.PermError):
            pyspf.query(i=address, s="user@example.com", h="h.example.com")


def test_s2_no_client_address() -> None:
    result = check(txt(at="v=spf1 -all"), client=None)
    assert (result.status, result.why) == (Status.NONE, Why.NO_CLIENT)


def test_s2_anything_unforeseen_is_permerror(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RecursionError("too deep\r\nX: y")

    monkeypatch.setattr(pyspf.query, "check0", broken)
    result = check(txt(at="v=spf1 exists:%{d}.test -all"))
    assert (result.status, result.why) == (Status.PERMERROR, Why.INTERNAL)
    assert "\n" not in result.detail


@pytest.mark.parametrize("name", ["a..b.example", "x" * 64 + ".example", "%{l}.example"])
def test_s3_names_that_dns_cannot_hold_match_nothing(name: str) -> None:
    result = check(txt(at=f"v=spf1 a:{name}.com -all"), sender=f"{'y' * 70}@example.com")
    assert (result.status, result.voids) == (Status.FAIL, 0)


def test_s4_no_global_of_the_library_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pyspf, "DNSLookup", None)
    monkeypatch.setattr(pyspf, "MAX_LOOKUP", None)
    monkeypatch.setattr(pyspf, "MAX_VOID_LOOKUPS", None)
    records = txt(at="v=spf1 include:i.example.com mx ptr -all", i="v=spf1 a -all")
    assert check(records, limits=Limits(voids=9)).status is Status.FAIL


def test_s5_the_message_budget_bounds_the_work() -> None:
    records: Records = dict(txt(at="v=spf1 " + "mx " * 10 + "-all"))
    records["example.com", "MX"] = tuple((n, f"m{n}.example.com") for n in range(10))
    result = check(records, limit=20)
    assert (result.status, result.why) == (Status.TEMPERROR, Why.DNS_BUDGET)


def test_s6_redirect_counts_when_it_is_followed() -> None:
    terms = " ".join(f"a:h{n}.example.com" for n in range(10))
    records: Records = dict(txt(at=f"v=spf1 {terms} redirect=r.example.com", r="v=spf1 -all"))
    records |= {(f"h{n}.example.com", "A"): (OTHER if n < 9 else CLIENT,) for n in range(10)}
    assert bare(records) == "permerror"
    assert check(records).status is Status.PASS
    result = check(records, client="203.0.113.9")
    assert (result.status, result.why) == (Status.PERMERROR, Why.LOOKUP_LIMIT)


def test_s7_explanations_are_never_fetched() -> None:
    records = txt(at="v=spf1 -all exp=%{p}.x.example.com", x="because")
    dns = FakeDns(records)
    result = spf.evaluate(
        client=ip_address(CLIENT), helo="h.example.com", sender="u@example.com", resolver=dns
    )
    assert result.status is Status.FAIL
    assert [name for name, _ in dns.asked] == ["example.com"]


@pytest.mark.parametrize("value", ["", "%{z}.example.com", "nodot", "a.example.com exp=a.b"])
def test_s7_their_syntax_still_counts(value: str) -> None:
    result = check(txt(at=f"v=spf1 ip4:{CLIENT} exp={value}"))
    assert (result.status, result.why) == (Status.PERMERROR, Why.SYNTAX)


PTR: Records = {
    **txt(at="v=spf1 ptr:example.com -all"),
    ("1.2.0.192.in-addr.arpa", "PTR"): ("slow.example.net", "host.example.com"),
    ("host.example.com", "A"): (CLIENT,),
}


def test_s8_ptr_failures_match_nothing() -> None:
    dead = check(PTR, broken={"1.2.0.192.in-addr.arpa"})
    assert (dead.status, dead.why) == (Status.FAIL, Why.MATCHED)
    with pytest.raises(Exception, match="timeout"):
        bare(PTR, broken={"1.2.0.192.in-addr.arpa"})
    assert check(PTR, broken={"slow.example.net"}).status is Status.PASS


def test_s8_a_spent_budget_is_no_answer_of_ptr() -> None:
    result = check(PTR, limit=1)
    assert (result.status, result.why) == (Status.TEMPERROR, Why.DNS_BUDGET)
    assert check(PTR, limit=2).status is Status.TEMPERROR


MX: Records = {
    **txt(at=f"v=spf1 mx ip6:{SIX} -all"),
    ("example.com", "MX"): tuple((n, f"m{n}.example.com") for n in range(3)),
    **{(f"m{n}.example.com", "A"): (OTHER,) for n in range(3)},
}


def test_s9_hosts_without_ipv6_are_not_void_lookups() -> None:
    assert bare(MX, client=SIX) == "permerror"
    result = check(MX, client=SIX)
    assert (result.status, result.voids) == (Status.PASS, 0)


@pytest.mark.parametrize(
    ("count", "status", "why"),
    [
        pytest.param(2, Status.FAIL, Why.MATCHED, id="at-limit"),
        pytest.param(3, Status.PERMERROR, Why.VOID_LIMIT, id="over-limit"),
    ],
)
@pytest.mark.parametrize("term", ["a", "mx", "exists"])
def test_s9_void_lookups_are_counted_by_term(
    term: str, count: int, status: Status, why: Why
) -> None:
    terms = " ".join(f"{term}:nix{n}.example.com" for n in range(count))
    result = check(txt(at=f"v=spf1 {terms} -all"))
    assert (result.status, result.why) == (status, why)
    same = check(txt(at="v=spf1 " + f"{term}:nix.example.com " * count + "-all"))
    assert same.status is status  # the same name again counts again


def test_s9_nxdomain_and_no_data_both_count() -> None:
    records = txt(at="v=spf1 a:nix.example.com a:b.example.com a -all", b="data of another kind")
    assert check(records).why is Why.VOID_LIMIT


def test_s10_senders_in_u_labels() -> None:
    records: Records = {("xn--bcher-kva.example", "TXT"): (b"v=spf1 -all",)}
    result = check(records, sender="a@bücher.example")
    assert (result.status, result.domain) == (Status.FAIL, "xn--bcher-kva.example")
    helo = check(records, sender="", helo="BÜCHER.example")
    assert (helo.status, helo.identity) == (Status.FAIL, "helo")


def test_s11_nothing_unprintable_comes_back() -> None:
    result = check(txt(at="v=spf1 a:\r\nX:y\tz\x00.com -all"))
    assert result.status is Status.PERMERROR
    assert result.detail.isprintable()
    long = check(txt(at="v=spf1 " + "z" * 4000))
    assert len(long.detail) <= 160
    binary = check({("example.com", "TXT"): (b"v=spf1 \xc3\xbc -all",)})
    assert (binary.status, binary.why) == (Status.PERMERROR, Why.NOT_ASCII)


def test_s12_angle_brackets_are_taken_off() -> None:
    assert check(txt(at="v=spf1 -all"), sender="<user@example.com>").status is Status.FAIL
    assert check(txt(mail="v=spf1 -all"), sender="<>").identity == "helo"
