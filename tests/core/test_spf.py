"""SPF: identities, results, limits, DNS failures.  Faults of pyspf: test_spf_faults."""

from __future__ import annotations

import random
from ipaddress import ip_address
from typing import Any

import pytest

from postseal.core import spf
from postseal.core.resolver import DnsFault, Kind
from postseal.core.spf import Limits, Status, Why
from support.fakedns import FakeDns
from support.spfworld import CLIENT, OTHER, SIX, Records, check, txt

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


@pytest.mark.parametrize(
    ("macro", "value"),
    [
        ("s", "user@example.com"),
        ("l", "user"),
        ("o", "example.com"),
        ("d", "i.example.com"),
        ("i", "192.0.2.1"),
        ("v", "in-addr"),
        ("h", "mail.example.com"),
    ],
)
def test_letters_in_an_included_record(macro: str, value: str) -> None:
    """RFC 7208 section 7.2: only d changes."""
    records: Records = {
        **txt(at="v=spf1 include:i.example.com -all", i=f"v=spf1 exists:%{{{macro}}}.test -all"),
        (f"{value}.test", "A"): ("127.0.0.2",),
    }
    assert check(records).status is Status.PASS


def test_long_senders_are_not_remembered() -> None:
    room = spf._remembered.cache_info
    for length, more in ((400, 1), (600, 0)):
        before = room().misses
        check({}, sender="x" * length + "@long.example")
        assert room().misses == before + more


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


def test_ptr_names_are_asked_together() -> None:
    """They are the client's to choose: waited for in turn, slow ones would use up the budget."""
    names = [f"h{n}.example.com" for n in range(11)]
    dns = FakeDns({**txt(at="v=spf1 ptr -all"), ("1.2.0.192.in-addr.arpa", "PTR"): tuple(names)})
    spf.evaluate(client=ip_address(CLIENT), helo="", sender="a@example.com", resolver=dns)
    assert [name for name, kind in dns.prefetched if kind is Kind.A] == names[:10]


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


def test_the_record_is_told() -> None:
    assert check(txt(at="v=spf1 a\t\r\n-all")).record == "v=spf1 a???-all"
    assert check(txt(at="v=spf1 mx:" + "x" * 3000)).record == "v=spf1 mx:" + "x" * 502
    assert check(txt(at="v=spf1 foo -all")).record == "v=spf1 foo -all"
    assert check({}).record == ""


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
