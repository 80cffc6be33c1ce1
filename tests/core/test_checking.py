"""checking: the mechanisms that the operator may switch on, through the whole pipeline."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from postseal.core.action import Delete, Insert
from postseal.core.dkim import sign
from postseal.core.dmarc.suffix import Choice
from postseal.core.explain import sentences
from postseal.core.resolver import Kind, Record
from postseal.core.roles import Origins
from postseal.core.rules import ArcRules, DmarcRules, UpstreamRules
from postseal.core.spf import Limits
from postseal.core.transaction import Address, Client
from postseal.core.verdict import Verdict
from support.arcmail import ONE, TWO, judge
from support.dkimmail import FIELDS, KEYS, RSA, Mail, mail, signed
from support.fakedns import FakeDns
from support.pipeline import ID, OUTSIDE, USER, Loopback, rules, through

WORLD: dict[tuple[str, str], tuple[Record, ...]] = {
    **KEYS,
    ("example.com", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
    ("mail.example.com", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
    ("_dmarc.example.com", "TXT"): (b"v=DMARC1; p=reject",),
    ("other.example", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
    ("7.113.0.203.in-addr.arpa", "PTR"): ("mail.example.com",),
    ("mail.example.com", "A"): ("203.0.113.7",),
    # Where the tree walk and a public suffix list come to different ends.
    ("_dmarc.a.co.test", "TXT"): (b"v=DMARC1; p=reject",),
    ("_dmarc.co.test", "TXT"): (b"v=DMARC1; p=none",),
    ("b.co.test", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
}
BARE = mail(FIELDS)
RELAY = Client(address=ip_address("192.0.2.25"), name="mx2.example.org", helo="mx2.example.org")


class Hosts:
    """A HostSet of networks."""

    def __init__(self, *networks: str) -> None:
        self.networks = [ip_network(one) for one in networks]

    def matches(self, address: Address | None, name: str, /) -> bool:
        return address is not None and any(address in one for one in self.networks)


class TwoLabels:
    """A public suffix list in which co.test is a suffix, or test alone."""

    def __init__(self, suffix: str) -> None:
        self.count = suffix.count(".") + 2

    def organizational_domain(self, name: str, /) -> str:
        return ".".join(name.split(".")[-self.count :])


def results(verdict: Verdict) -> str:
    """The Authentication-Results that would be added, unfolded."""
    top = verdict.edits[-1]
    assert isinstance(top, Insert)
    assert top.name == "Authentication-Results"
    return " ".join(top.value.split())


def inserted(verdict: Verdict, name: str) -> list[str]:
    return [e.value for e in verdict.edits if isinstance(e, Insert) and e.name == name]


def story(verdict: Verdict) -> str:
    return "\n".join(sentences(verdict))


# Discovery.

FOREIGN = mail([("From", " a@a.co.test"), *FIELDS[1:]])


@pytest.mark.parametrize(
    ("choice", "says", "differs"),
    [
        pytest.param(Choice.TREEWALK, "dmarc=pass header.from=a.co.test", "", id="treewalk"),
        pytest.param(Choice.PSL, "dmarc=fail (by public suffix list)", "", id="psl"),
        pytest.param(
            Choice.BOTH,
            "dmarc=pass header.from=a.co.test",
            "psl: fail (policy reject), record at a.co.test",
            id="both",
        ),
    ],
)
def test_discovery(choice: Choice, says: str, differs: str) -> None:
    """The walk ends at co.test, which covers both names; on the list that is a suffix."""
    told = rules(dmarc=DmarcRules(discovery=choice, suffixes=TwoLabels("co.test")))
    verdict = through(FOREIGN, FakeDns(WORLD), sender="x@b.co.test", told=told)
    assert says in results(verdict)
    assert verdict.story.get("differs", "") == differs
    assert (differs in story(verdict)) is True
    assert ("another way of discovery" in story(verdict)) is bool(differs)


def test_no_difference_is_not_told() -> None:
    told = rules(dmarc=DmarcRules(discovery=Choice.BOTH, suffixes=TwoLabels("test")))
    assert "differs" not in through(FOREIGN, FakeDns(WORLD), told=told).story


def test_what_alignment_needs_is_asked_ahead() -> None:
    """Of the DMARC questions none waits for another, and none is in vain."""
    dns = FakeDns(WORLD | {("b.example.com", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",)})
    through(BARE, dns, sender="x@b.example.com")
    assert set(dns.asked) == set(dns.prefetched)
    assert ("_dmarc.b.example.com", Kind.TXT) in dns.asked


# HELO, Received-SPF, iprev.


def test_helo_has_a_result_of_its_own() -> None:
    verdict = through(BARE, FakeDns(WORLD), sender="a@none.example", told=rules(spf_helo=True))
    text = results(verdict)
    assert "; spf=none smtp.mailfrom=none.example; spf=pass smtp.helo=mail.example.com;" in text
    assert verdict.story["spf_helo"] == "pass/matched"
    assert "mail.example.com, the domain in HELO, allows the client" in story(verdict)


def test_helo_never_counts_for_dmarc() -> None:
    """RFC 9989 section 4.4.2."""
    told = rules(spf_helo=True)
    assert "dmarc=fail" in results(
        through(BARE, FakeDns(WORLD), sender="a@none.example", told=told)
    )


def test_the_null_sender_has_one_result() -> None:
    """RFC 7208 section 2.4: HELO is then what MAIL FROM stands for."""
    text = results(through(BARE, FakeDns(WORLD), sender="", told=rules(spf_helo=True)))
    assert text.count("spf=") == 1
    assert "spf=pass smtp.helo=mail.example.com; dmarc=pass" in text


def test_helo_is_not_checked_unless_asked_for() -> None:
    dns = FakeDns(WORLD)
    assert through(BARE, dns).found.helo is None
    assert ("mail.example.com", Kind.TXT) not in dns.asked


def test_without_spf_helo_is_not_checked_either() -> None:
    told = rules(spf_helo=True, spf_enabled=False)
    assert "spf=" not in results(through(BARE, FakeDns(WORLD), told=told))


def test_received_spf_stands_below_the_results() -> None:
    verdict = through(BARE, FakeDns(WORLD), told=rules(spf_received=True))
    names = [edit.name for edit in verdict.edits if isinstance(edit, Insert)]
    assert names == ["Received-SPF", "Authentication-Results"]
    text = inserted(verdict, "Received-SPF")[0]
    assert text.startswith(" pass (")
    assert "client-ip=203.0.113.7" in text
    assert "\r" not in text


def test_iprev_names_the_address_and_its_name() -> None:
    """RFC 8601 section 2.7.3."""
    verdict = through(BARE, FakeDns(WORLD), told=rules(iprev=True))
    says = "; iprev=pass (mail.example.com) policy.iprev=203.0.113.7;"
    assert says in results(verdict).replace(" dkim", "; dkim").replace(";;", ";")
    assert verdict.story["iprev"] == "pass/agreed"
    assert "has the name mail.example.com, which leads back" in story(verdict)


@pytest.mark.parametrize(
    ("address", "broken", "status"),
    [
        pytest.param("203.0.113.9", set(), "permerror", id="no-name"),
        pytest.param("203.0.113.7", {"mail.example.com"}, "temperror", id="dns"),
    ],
)
def test_iprev_keeps_its_errors_apart(address: str, broken: set[str], status: str) -> None:
    client = Client(address=ip_address(address), helo="h.example")
    verdict = through(BARE, FakeDns(WORLD, broken=broken), client=client, told=rules(iprev=True))
    assert f"iprev={status}" in results(verdict)
    assert ("reason=" in results(verdict).partition("; dkim")[0]) is bool(broken)


def test_an_ipv6_client_is_quoted() -> None:
    client = Client(address=ip_address("2001:db8::1"), helo="h.example")
    verdict = through(BARE, FakeDns(WORLD), client=client, told=rules(iprev=True))
    assert 'policy.iprev="2001:db8::1"' in results(verdict)


# Relays of ours.

TRACE = ("Received", " from mail.example.com (mail.example.com [203.0.113.7]) by mx2.example.org")


@pytest.mark.parametrize(
    ("fields", "spf", "logged"),
    [
        pytest.param([TRACE, *FIELDS], "spf=pass", "203.0.113.7", id="read"),
        pytest.param(FIELDS, "spf=none", "unreadable", id="unreadable"),
    ],
)
def test_spf_looks_behind_a_trusted_relay(
    fields: list[tuple[str, str]], spf: str, logged: str
) -> None:
    told = rules(relays=Hosts("192.0.2.0/24"), iprev=True)
    verdict = through(mail(fields), FakeDns(WORLD), client=RELAY, told=told)
    assert spf in results(verdict)
    assert verdict.story["relayed_for"] == logged
    assert "It came by way of a trusted relay" in story(verdict)


def test_a_relay_that_is_not_trusted_is_judged_itself() -> None:
    told = rules(relays=Hosts("198.51.100.0/24"))
    verdict = through(mail([TRACE, *FIELDS]), FakeDns(WORLD), client=RELAY, told=told)
    assert "spf=fail" in results(verdict)
    assert "relayed_for" not in verdict.story


# A host of ours in front.

SAID = (
    "Authentication-Results",
    " mx1.example.org; spf=pass smtp.mailfrom=example.com;\r\n\tdkim=pass header.d=example.com",
)
UPSTREAM = UpstreamRules(authserv_ids=frozenset({"mx1.example.org"}), hosts=Hosts("192.0.2.0/24"))


def upstream(
    fields: list[tuple[str, str]], client: Client = RELAY, sender: str = "ann@example.com"
) -> Verdict:
    told = rules(upstream=UPSTREAM)
    return through(mail(fields), FakeDns(WORLD), client=client, told=told, sender=sender)


def test_results_of_a_trusted_upstream_count_for_dmarc() -> None:
    verdict = upstream([SAID, *FIELDS])
    assert "spf=fail" in results(verdict)  # our own result stays our own
    assert "dmarc=pass (by results of mx1.example.org)" in results(verdict)
    assert verdict.story["upstream"] == "read"
    assert "Results that mx1.example.org wrote count" in story(verdict)


@pytest.mark.parametrize(
    ("fields", "client", "sender"),
    [
        pytest.param([SAID, *FIELDS], Client(address=ip_address("198.51.100.1")), "ann@example.com",
                     id="other-client"),
        pytest.param([SAID, *FIELDS], RELAY, "eve@other.example", id="other-sender"),
        pytest.param([("Authentication-Results", " elsewhere.example; none"), SAID, *FIELDS], RELAY,
                     "ann@example.com", id="not-topmost"),
        pytest.param([TRACE, TRACE, SAID, *FIELDS], RELAY, "ann@example.com", id="too-low"),
    ],
)  # fmt: skip
def test_results_that_are_not_the_upstream_hosts_do_not(
    fields: list[tuple[str, str]], client: Client, sender: str
) -> None:
    """RFC 8601 section 5: only topmost, only from there, only about this message."""
    assert "dmarc=fail" in results(upstream(fields, client, sender=sender))


@pytest.mark.parametrize(
    ("sender", "word"),
    [
        pytest.param("", "dmarc=pass", id="null-sender"),
        pytest.param("eve@[192.0.2.1]", "dmarc=fail", id="a-sender-without-a-domain"),
        pytest.param("eve", "dmarc=fail", id="no-domain-at-all"),
    ],
)
def test_what_the_upstream_host_says_of_helo_is_for_the_null_sender(sender: str, word: str) -> None:
    said = ("Authentication-Results", " mx1.example.org; spf=pass smtp.helo=mail.example.com")
    client = Client(address=RELAY.address, helo="mail.example.com")
    assert word in results(upstream([said, *FIELDS], client, sender=sender))


def test_our_own_pass_is_not_called_borrowed() -> None:
    told = rules(upstream=UpstreamRules(authserv_ids=UPSTREAM.authserv_ids, hosts=Hosts("::/0",
                 "0.0.0.0/0")))  # fmt: skip
    verdict = through(mail([SAID, *FIELDS]), FakeDns(WORLD), told=told)
    assert "dmarc=pass header.from" in results(verdict)


# The text of what was removed.

FORGED = ("Authentication-Results", f" {ID}; dmarc=pass\r\n\theader.from=\x07example.com \xe9")


def test_removed_text_is_kept_when_asked_for() -> None:
    what = Mail(
        ((b"Authentication-Results", b" " + ID.encode() + b"; spf=pass \x07\xe9\r\n\tx"),
         *BARE.fields),
        BARE.body,
    )  # fmt: skip
    verdict = through(what, FakeDns(WORLD), told=rules(keep_removed="X-Removed"))
    assert verdict.edits[0] == Delete("Authentication-Results", 1)
    assert inserted(verdict, "X-Removed") == [f" {ID}; spf=pass ?? x"]


def test_removed_text_is_not_kept_by_default() -> None:
    verdict = through(mail([FORGED, *FIELDS]), FakeDns(WORLD))
    assert [type(edit) for edit in verdict.edits] == [Delete, Insert]


def test_what_stays_is_not_kept_twice() -> None:
    other = ("Authentication-Results", " elsewhere.example; spf=pass")
    told = rules(keep_removed="X-Removed")
    verdict = through(mail([other, FORGED, *FIELDS]), FakeDns(WORLD), told=told)
    assert [ID in text for text in inserted(verdict, "X-Removed")] == [True]


# Our own users' mail.

EVERYTHING = rules(
    spf_helo=True,
    spf_received=True,
    iprev=True,
    relays=Hosts("0.0.0.0/0"),
    upstream=UpstreamRules(authserv_ids=UPSTREAM.authserv_ids, hosts=Hosts("0.0.0.0/0")),
    origins=Origins(internal=Loopback()),
)


def test_mail_of_ours_is_asked_none_of_this() -> None:
    what = mail([SAID, ("From", " a@elsewhere.example"), *FIELDS[1:]])
    dns = FakeDns(WORLD)
    verdict = through(what, dns, client=USER, told=EVERYTHING)
    found = verdict.found
    assert (found.spf, found.helo, found.iprev, found.upstream, found.relayed) == (None,) * 5
    assert dns.asked == []
    assert results(verdict).startswith(f"{ID}; auth=pass smtp.auth=ann")


# Budgets.


def test_a_spent_budget_is_told() -> None:
    verdict = through(signed(), FakeDns(WORLD, limit=1))
    assert verdict.story["limits"] == "dns"
    assert "The DNS budget of this message was spent" in story(verdict)


def test_the_authors_zones_are_insisted_on() -> None:
    dns = FakeDns(WORLD)
    through(mail([("From", " a@example.com, b@other.example")]), dns)
    assert dns.insisted == ("example.com", "other.example")


def test_a_budget_that_lasts_is_not_mentioned() -> None:
    assert "limits" not in through(signed(), FakeDns(WORLD), client=OUTSIDE).story


def crowd(domain: str) -> Mail:
    """Ten signatures, each with a key of its own to ask for."""
    made = mail([("From", " ceo@example.com"), ("Subject", " x")])
    for number in range(10):
        made = signed(made, tags={"d": f"z{number}.{domain}"})
    return made


BARE_CEO = mail([("From", " ceo@example.com")])
ZONES: dict[tuple[str, str], tuple[Record, ...]] = {
    ("example.com", "TXT"): (b"v=spf1 include:spf.example.com -all",),
    ("spf.example.com", "TXT"): (b"v=spf1 ip4:192.0.2.0/24 -all",),
    ("_dmarc.example.com", "TXT"): (b"v=DMARC1; p=reject",),
    ("evil.example", "TXT"): (
        b"v=spf1 " + b" ".join(b"exists:%d.evil.example" % n for n in range(9)) + b" -all",
    ),
}


@pytest.mark.parametrize(
    ("what", "sender", "questions"),
    [
        pytest.param(crowd("evil.example"), "a@example.com", 10, id="dkim"),
        pytest.param(BARE_CEO, "a@evil.example", 10, id="spf"),
        pytest.param(crowd("evil.example"), "a@evil.example", 20, id="both"),
    ],
)
def test_a_sender_cannot_spend_what_dmarc_needs(what: Mail, sender: str, questions: int) -> None:
    """Else a forgery would be a temporary error and go through, by the forger's own zones."""
    told = rules(spf=Limits(voids=10), dmarc=DmarcRules(reject=True))
    verdict = through(what, FakeDns(ZONES, limit=questions), sender=sender, told=told)
    assert verdict.dmarc is not None
    assert (verdict.dmarc.status, verdict.action.word) == ("fail", "reject")


# ARC.

SEALER = sign.signing_key(RSA, "example.com", "s1")
CHANGED = Mail(ONE.fields, b"changed\r\n")


def test_a_chain_is_reported() -> None:
    """RFC 8617 section 10: header.oldest-pass and smtp.remote-ip."""
    verdict = through(TWO, FakeDns(WORLD))
    text = results(verdict)
    assert "; arc=pass (sealed by example.com) header.oldest-pass=0" in text
    assert " smtp.remote-ip=203.0.113.7; spf=" in text
    assert verdict.story["arc"] == "pass/valid"
    assert verdict.story["sealer"] == "example.com"
    assert "ARC: its chain of 2 verifies, sealed by example.com." in story(verdict)


def test_a_broken_chain_is_reported() -> None:
    verdict = through(CHANGED, FakeDns(WORLD))
    text = results(verdict)
    assert 'arc=fail reason="the body was changed [i: 1]" smtp.remote-ip=203.0.113.7' in text
    assert "oldest-pass" not in text
    assert "ARC: its chain proves nothing at set 1: the body was changed" in story(verdict)


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_single_field_of_a_chain_is_no_chain(number: int) -> None:
    what = Mail((ONE.fields[number], *BARE.fields), BARE.body)
    assert 'arc=fail reason="the ARC sets are not complete"' in results(
        through(what, FakeDns(WORLD))
    )


@pytest.mark.parametrize(
    ("what", "arc"),
    [
        pytest.param(BARE, ArcRules(), id="no-chain"),
        pytest.param(ONE, ArcRules(enabled=False), id="off"),
    ],
)
def test_no_chain_is_not_reported(what: Mail, arc: ArcRules) -> None:
    verdict = through(what, FakeDns(WORLD), told=rules(arc=arc))
    assert " arc=" not in results(verdict)
    assert "arc" not in verdict.story


def test_keys_of_a_chain_are_asked_ahead() -> None:
    dns = FakeDns(KEYS)
    through(ONE, dns)
    assert ("s1._domainkey.example.com", Kind.TXT) in dns.prefetched


SEALING = rules(arc=ArcRules(key=SEALER))


def sent_on(what: Mail, verdict: Verdict) -> Mail:
    """The message as it leaves: insertions at 0 stack."""
    fields = list(what.fields)
    for edit in verdict.edits:
        assert isinstance(edit, Insert)
        value = edit.value.replace("\n", "\r\n").encode()
        fields.insert(0, (edit.name.encode(), value))
    return Mail(tuple(fields), what.body)


@pytest.mark.parametrize(("what", "count"), [(BARE, 1), (ONE, 2), (TWO, 3)])
def test_a_set_is_added_on_top_of_everything(what: Mail, count: int) -> None:
    verdict = through(what, FakeDns(WORLD), told=SEALING)
    names = [edit.name for edit in verdict.edits if isinstance(edit, Insert)]
    assert names == [
        "Authentication-Results", "ARC-Authentication-Results", "ARC-Message-Signature",
        "ARC-Seal",
    ]  # fmt: skip
    found = judge(sent_on(what, verdict), FakeDns(WORLD))
    assert (found.status, found.instances, found.oldest_pass) == ("pass", count, 0)
    said = found.assessments[-1]
    assert said.startswith(b" i=%d; %b;" % (count, ID.encode()))
    assert b"dmarc=pass header.from=example.com" in said


def test_nothing_is_sealed_unless_switched_on() -> None:
    inserts = [one.name for one in through(TWO, FakeDns(WORLD)).edits if isinstance(one, Insert)]
    assert inserts == ["Authentication-Results"]


def test_a_chain_found_broken_is_sealed_as_such_once() -> None:
    """RFC 8617 section 5.1 step 2: nothing after a seal that says fail."""
    verdict = through(CHANGED, FakeDns(WORLD), told=SEALING)
    assert "cv=fail" in inserted(verdict, "ARC-Seal")[0]
    again = through(sent_on(CHANGED, verdict), FakeDns(WORLD), told=SEALING)
    assert inserted(again, "ARC-Seal") == []


def test_a_chain_that_dns_was_silent_about_is_not_sealed() -> None:
    down = FakeDns(WORLD, broken={"s1._domainkey.example.com"})
    assert inserted(through(ONE, down, told=SEALING), "ARC-Seal") == []


def test_refused_mail_and_mail_of_ours_are_not_sealed() -> None:
    strict = rules(arc=ArcRules(key=SEALER), dmarc=DmarcRules(reject=True))
    refused = through(BARE, FakeDns(WORLD), sender="e@other.example", told=strict)
    ours = through(mail([("From", " a@x.example")]), FakeDns(WORLD), client=USER, told=SEALING)
    for verdict in (refused, ours):
        assert inserted(verdict, "ARC-Seal") == []
