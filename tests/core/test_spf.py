"""SPF: the faults of the library that we stand in front of, limits, identities, DNS failures."""

from __future__ import annotations

import random
import warnings
from ipaddress import ip_address
from typing import Any

import pytest

from postseal.core import spf
from postseal.core.resolver import DnsFault, Kind, Record
from postseal.core.spf import Limits, Result, Status, Why
from support.fakedns import FakeDns

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import spf as pyspf

CLIENT = "192.0.2.1"
OTHER = "198.51.100.1"
SIX = "2001:db8::1"
Records = dict[tuple[str, str], tuple[Record, ...]]


def txt(**records: str) -> Records:
    """TXT records by the name in front of example.com; at is example.com itself."""
    return {
        ("example.com" if name == "at" else f"{name}.example.com", "TXT"): (text.encode(),)
        for name, text in records.items()
    }


def check(
    records: Records,
    *,
    client: str | None = CLIENT,
    sender: str = "user@example.com",
    helo: str = "mail.example.com",
    limits: Limits | None = None,
    **dns: Any,
) -> Result:
    return spf.evaluate(
        client=ip_address(client) if client else None,
        helo=helo,
        sender=sender,
        resolver=FakeDns(records, **dns),
        limits=limits,
    )


class Bare(pyspf.query):
    """pyspf as it is, but for where its answers come from."""

    table: FakeDns

    def dns(self, name: str, qtype: str, cnames: object = None, ignore_void: bool = False) -> Any:
        answer = self.table.ask(name, Kind(qtype))
        if not answer.records and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > 2:
                raise pyspf.PermError("void")
        return [[record] if isinstance(record, bytes) else record for record in answer.records]


def bare(
    records: Records, *, client: str = CLIENT, sender: str = "user@example.com", **dns: Any
) -> str:
    """What the library alone says."""
    query = Bare(i=client, s=sender, h="mail.example.com")
    query.table = FakeDns(records, **dns)
    return query.check()[0]


# -- the rows S1 to S12 of the study of pyspf ----------------------------------------


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

    monkeypatch.setattr(pyspf.query, "validate_mechanism", broken)
    result = check(txt(at="v=spf1 -all"))
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


# -- domains and identities ----------------------------------------------------------


@pytest.mark.parametrize(
    "sender",
    [
        pytest.param("user@localhost", id="single-label"),
        pytest.param("user@[192.0.2.1]", id="literal"),
        pytest.param("user@" + "x." * 130 + "example", id="too-long"),
        pytest.param("user@a..example", id="empty-label"),
        pytest.param("user@exa mple.com", id="blank"),
        pytest.param("user@", id="nothing"),
        pytest.param("user", id="no-domain"),
        pytest.param("user@exam\r\nple.com", id="line-break"),
    ],
)
def test_no_domain(sender: str) -> None:
    dns = FakeDns({})
    result = spf.evaluate(client=ip_address(CLIENT), helo="h.x", sender=sender, resolver=dns)
    assert (result.status, result.why, result.domain.count(".")) == (Status.NONE, Why.NO_DOMAIN, 0)
    assert not dns.asked
    spf.prefetch(client=ip_address(CLIENT), helo="h.x", sender=sender, resolver=dns)
    assert not dns.prefetched


def test_the_last_at_sign_begins_the_domain() -> None:
    records: Records = {
        ("example.com", "TXT"): (b"v=spf1 exists:%{o}.o.test exists:%{l}.l.test -all",),
        ("example.com.o.test", "A"): ("127.0.0.2",),
    }
    result = check(records, sender='"a@evil.example"@example.com')
    assert (result.status, result.domain) == (Status.PASS, "example.com")


def test_null_sender_is_postmaster_at_helo() -> None:
    records: Records = {
        ("mail.example.com", "TXT"): (b"v=spf1 exists:%{s}.test -all",),
        ("postmaster@mail.example.com.test", "A"): ("127.0.0.2",),
    }
    result = check(records, sender="")
    assert (result.status, result.identity) == (Status.PASS, "helo")
    assert result.domain == "mail.example.com"
    assert check(records, sender="", helo="").why is Why.NO_DOMAIN


def test_helo_identity_on_its_own() -> None:
    result = spf.check_helo(
        client=ip_address(CLIENT),
        helo="Mail.Example.com",
        resolver=FakeDns(txt(mail="v=spf1 -all")),
    )
    assert (result.status, result.identity) == (Status.FAIL, "helo")
    literal = spf.check_helo(client=ip_address(CLIENT), helo="[192.0.2.1]", resolver=FakeDns())
    assert (literal.status, literal.why) == (Status.NONE, Why.NO_DOMAIN)


def test_ipv4_mapped_clients_are_ipv4() -> None:
    records = txt(at=f"v=spf1 ip4:{CLIENT} -all")
    assert check(records, client=f"::ffff:{CLIENT}").status is Status.PASS


@pytest.mark.parametrize("term", ["%{l}", "%{s}", "%{L1r-}"])
def test_s_5_local_parts_beyond_ascii_match_no_term_that_holds_them(term: str) -> None:
    records: Records = dict(txt(at=f"v=spf1 include:{term}.example.com exists:{term}.test ?all"))
    assert check(records, sender="ü@example.com").status is Status.NEUTRAL
    redirected = txt(at=f"v=spf1 redirect={term}.example.com")
    result = check(redirected, sender="ü@example.com")
    assert (result.status, result.why) == (Status.NEUTRAL, Why.NO_MATCH)
    bad = txt(at=f"v=spf1 exists:{term}.1 ?all")
    assert check(bad, sender="ü@example.com").status is Status.PERMERROR


def test_prefetch_asks_what_evaluate_will_ask() -> None:
    dns = FakeDns(txt(at="v=spf1 -all", mail="v=spf1 -all"))
    client = ip_address(CLIENT)
    for sender in ("<user@EXAMPLE.com>", ""):
        spf.prefetch(client=client, helo="mail.example.com", sender=sender, resolver=dns)
        spf.evaluate(client=client, helo="mail.example.com", sender=sender, resolver=dns)
    assert dns.prefetched == dns.asked


def test_later_terms_are_asked_together_once_dns_is_needed() -> None:
    records: Records = dict(
        txt(
            at=f"v=spf1 ip4:{OTHER} include:i.example.com mx a:b.example.com -all",
            i="v=spf1 exists:e.example.com ?all",
        )
    )
    dns = FakeDns(records)
    check_with: dict[str, Any] = {
        "helo": "h.example.com",
        "sender": "u@example.com",
        "resolver": dns,
    }
    spf.evaluate(client=ip_address(OTHER), **check_with)
    assert not dns.prefetched  # an address decided
    spf.evaluate(client=ip_address(CLIENT), **check_with)
    assert dns.prefetched == [
        ("i.example.com", Kind.TXT),
        ("example.com", Kind.MX),
        ("b.example.com", Kind.A),
        ("e.example.com", Kind.A),
    ]


def test_terms_of_an_included_record_that_was_decided_early_are_not_asked() -> None:
    dns = FakeDns(
        txt(
            at="v=spf1 include:i.example.com a:b.example.com -all",
            i="v=spf1 -all exists:e.example.com",
        )
    )
    spf.evaluate(client=ip_address(CLIENT), helo="h.x", sender="u@example.com", resolver=dns)
    assert ("e.example.com", Kind.A) not in dns.prefetched


# -- results and limits ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("records", "status", "why"),
    [
        pytest.param({}, Status.NONE, Why.NO_SUCH_DOMAIN, id="nxdomain"),
        pytest.param(txt(at="hello"), Status.NONE, Why.NO_RECORD, id="no-record"),
        pytest.param(txt(at="v=spf10 -all"), Status.NONE, Why.NO_RECORD, id="v=spf10"),
        pytest.param(txt(at="V=SPF1 -ALL"), Status.FAIL, Why.MATCHED, id="case"),
        pytest.param(txt(at="v=spf1"), Status.NEUTRAL, Why.NO_MATCH, id="nothing-said"),
        pytest.param(txt(at="v=spf1 +all"), Status.PASS, Why.MATCHED, id="pass"),
        pytest.param(txt(at="v=spf1 ~all"), Status.SOFTFAIL, Why.MATCHED, id="softfail"),
        pytest.param(txt(at="v=spf1 ?all"), Status.NEUTRAL, Why.MATCHED, id="neutral"),
        pytest.param(txt(at="v=spf1 +all foo"), Status.PERMERROR, Why.SYNTAX, id="error-at-end"),
        pytest.param(
            {("example.com", "TXT"): (b"v=spf1 +all", b"v=spf1 -all")},
            Status.PERMERROR,
            Why.MANY_RECORDS,
            id="two-records",
        ),
        pytest.param(
            txt(at="v=spf1 include:nix.example.com ?all"),
            Status.PERMERROR,
            Why.MISSING_RECORD,
            id="include-nothing",
        ),
        pytest.param(
            txt(at="v=spf1 redirect=nix.example.com"),
            Status.PERMERROR,
            Why.MISSING_RECORD,
            id="redirect-nothing",
        ),
        pytest.param(
            txt(at="v=spf1 Redirect=r.example.com", r="v=spf1 -all"),
            Status.FAIL,
            Why.MATCHED,
            id="modifier-names-in-any-case",
        ),
        pytest.param(
            txt(at="v=spf1 REDIRECT=r.example.com redirect=r.example.com", r="v=spf1 -all"),
            Status.PERMERROR,
            Why.SYNTAX,
            id="redirect-twice",
        ),
        pytest.param(
            txt(at="v=spf1 redirect=at.example.com", at2=""),
            Status.PERMERROR,
            Why.MISSING_RECORD,
            id="redirect-into-the-void",
        ),
        pytest.param(
            txt(at="v=spf1 redirect=example.com"),
            Status.PERMERROR,
            Why.LOOKUP_LIMIT,
            id="redirect-loop",
        ),
        pytest.param(
            txt(at="v=spf1 include:i.example.com", i="v=spf1 include:example.com"),
            Status.PERMERROR,
            Why.LOOKUP_LIMIT,
            id="include-loop",
        ),
        pytest.param(
            txt(at="v=spf1 include:i.example.com -all", i="v=spf1 " + "x" * 5000),
            Status.PERMERROR,
            Why.TOO_LONG,
            id="included-record-too-long",
        ),
    ],
)
def test_results(records: Records, status: Status, why: Why) -> None:
    result = check(records)
    assert (result.status, result.why) == (status, why)


@pytest.mark.parametrize("kind", ["a", "mx", "exists", "include", "ptr"])
@pytest.mark.parametrize(
    ("count", "status"), [(10, Status.FAIL), (11, Status.PERMERROR)], ids=["10", "11"]
)
def test_lookup_limit(kind: str, count: int, status: Status) -> None:
    records: Records = dict(txt(t="v=spf1 -all"))
    records["t.example.com", "A"] = (OTHER,)
    records["t.example.com", "MX"] = ((1, "t.example.com"),)
    term = f"{'?' if kind == 'exists' else ''}{kind}:t.example.com"
    if kind == "exists":  # an address of that name would match
        del records["t.example.com", "A"]
    records["example.com", "TXT"] = (f"v=spf1 {f'{term} ' * count}-all".encode(),)
    result = check(records, client="203.0.113.7", limits=Limits(voids=99))
    assert result.status is status
    assert result.lookups == count


def test_limits_can_be_set() -> None:
    records = txt(at="v=spf1 a:a.example.com a:b.example.com -all")
    assert check(records, limits=Limits(lookups=1)).why is Why.LOOKUP_LIMIT
    assert check(records, limits=Limits(voids=1)).why is Why.VOID_LIMIT
    deep = {f"i{n}": f"v=spf1 include:i{n + 1}.example.com" for n in range(80)}
    result = check(txt(at="v=spf1 include:i0.example.com", **deep), limits=Limits(lookups=100))
    assert (result.status, result.why) == (Status.PERMERROR, Why.LOOKUP_LIMIT)


@pytest.mark.parametrize(
    ("count", "status"), [(10, Status.FAIL), (11, Status.PERMERROR)], ids=["10", "11"]
)
def test_mx_hosts_are_bounded(count: int, status: Status) -> None:
    records: Records = dict(txt(at="v=spf1 mx -all"))
    records["example.com", "MX"] = tuple((n, f"m{n}.example.com") for n in range(count))
    result = check(records)
    assert result.status is status
    assert (result.why is Why.MX_LIMIT) is (status is Status.PERMERROR)


def test_ptr_names_beyond_the_tenth_are_ignored() -> None:
    names = [f"h{n}.example.com" for n in range(11)]
    records: Records = {
        **txt(at="v=spf1 ptr -all"),
        ("1.2.0.192.in-addr.arpa", "PTR"): tuple(names),
        (names[10], "A"): (CLIENT,),
    }
    assert check(records).status is Status.FAIL
    records[names[9], "A"] = (CLIENT,)
    assert check(records).status is Status.PASS


def test_p_counts_as_a_lookup_once() -> None:
    records: Records = {
        **txt(at="v=spf1 exists:%{p}.a.test exists:%{p}.b.test -all"),
        ("1.2.0.192.in-addr.arpa", "PTR"): ("host.example.com",),
        ("host.example.com", "A"): (CLIENT,),
        ("host.example.com.b.test", "A"): ("127.0.0.2",),
    }
    result = check(records)
    assert (result.status, result.lookups) == (Status.PASS, 3)
    unknown = check(records, broken={"1.2.0.192.in-addr.arpa"})
    assert unknown.status is Status.FAIL


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        (DnsFault.TIMEOUT, Why.DNS_TIMEOUT),
        (DnsFault.SERVFAIL, Why.DNS_FAILURE),
        (DnsFault.REFUSED, Why.DNS_FAILURE),
        (DnsFault.MALFORMED, Why.DNS_FAILURE),
        (DnsFault.NETWORK, Why.DNS_FAILURE),
        (DnsFault.BUDGET, Why.DNS_BUDGET),
    ],
)
@pytest.mark.parametrize("name", ["example.com", "i.example.com", "h.example.com"])
def test_dns_failures(name: str, broken: DnsFault, why: Why) -> None:
    records: Records = {
        **txt(at="v=spf1 mx include:i.example.com -all", i="v=spf1 ?all"),
        ("example.com", "MX"): ((1, "h.example.com"),),
    }
    result = check(records, broken={name: broken})
    assert (result.status, result.why) == (Status.TEMPERROR, why)


def test_a_term_behind_the_match_is_not_asked() -> None:
    records: Records = {
        **txt(at="v=spf1 mx include:slow.example -all"),
        ("example.com", "MX"): ((1, "a.example.com"), (2, "b.example.com")),
        ("a.example.com", "A"): (CLIENT,),
    }
    assert check(records, broken={"b.example.com", "slow.example"}).status is Status.PASS


def test_the_deciding_mechanism_is_told() -> None:
    assert check(txt(at=f"v=spf1 ip4:{CLIENT}/24 -all")).mechanism == f"ip4:{CLIENT}/24"
    redirected = txt(at="v=spf1 redirect=r.example.com", r="v=spf1 ~all")
    assert check(redirected).mechanism == "~all"


def test_the_domain_itself_is_not_expanded_again() -> None:
    """A local part may look like a macro; it becomes part of a domain by include."""
    records: Records = {
        ("example.com", "TXT"): (b"v=spf1 include:%{l}.example.com -all",),
        ("%{i}.example.com", "TXT"): (b"v=spf1 a -all",),
        ("%{i}.example.com", "A"): (CLIENT,),
    }
    assert check(records, sender="%{i}@example.com").status is Status.PASS


TERMS = [
    "a", "mx", "ptr", "all", "include:", "exists:", "ip4:192.0.2.1", "ip6:2001:db8::", "redirect=",
    "exp=", "x=", "%{d}", "%{l1r-}", "%{S}", "%{p}", "%%", "%", "%{", "}", ".", ".com", "/24",
    "//64", "/", ":", "=", "-", "+", "?", "~", " ", "  ", "example.com", "\t", "\x00", "1" * 30,
]  # fmt: skip


def test_garbage_gives_a_result() -> None:
    rng = random.Random(7208)
    seen: set[Status] = set()
    for _ in range(4000):
        terms = "".join(rng.choices(TERMS, k=rng.randrange(8)))
        include = "".join(rng.choices(TERMS, k=rng.randrange(6)))
        records = txt(at=f"v=spf1 {terms}{rng.choice(['', ' -all'])}", i=f"v=spf1 {include}")
        result = check(
            records,
            client=rng.choice([CLIENT, SIX]),
            sender=rng.choice(["user@example.com", "%{l}@example.com", "", "ü@example.com"]),
            helo=rng.choice(["example.com", "%{h}", "", "[1]"]),
            broken={"com"},
        )
        assert result.why is not Why.INTERNAL
        seen.add(result.status)
    assert {Status.PERMERROR, Status.PASS, Status.FAIL, Status.NONE} <= seen
