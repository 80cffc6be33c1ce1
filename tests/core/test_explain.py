"""explain: each verdict tells why, naming the domains it rests on."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest

from postseal.core.explain import sentences
from postseal.core.resolver import DnsFault
from postseal.core.rules import DmarcRules, OnQuarantine
from postseal.core.transaction import Client
from support.dkimmail import FIELDS, KEYS, Mail, mail, signed
from support.fakedns import FakeDns
from support.pipeline import ID, USER, rules, through

WORLD = {
    **KEYS,
    ("example.com", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
    ("_dmarc.example.com", "TXT"): (b"v=DMARC1; p=reject; t=y",),
    ("other.example", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
    ("no.example", "TXT"): (b"v=spf1 -all",),
    ("bad.example", "TXT"): (b"v=spf1 nonsense -all",),
    ("long.example", "TXT"): (b"v=spf1 " + b"ip4:192.0.2.1 " * 40 + b"-all",),
    ("_dmarc.mild.example", "TXT"): (b"v=DMARC1; p=none",),
}
BARE = mail(FIELDS)


def told(what: Mail = BARE, sender: str = "ann@example.com", **more: object) -> str:
    verdict = through(what, FakeDns(WORLD), sender=sender, **more)  # type: ignore[arg-type]
    return "\n".join(sentences(verdict))


@pytest.mark.parametrize(
    ("story", "says"),
    [
        pytest.param(told(), "came from outside (203.0.113.7)", id="client"),
        pytest.param(told(client=USER), "one of our users, who authenticated", id="user"),
        pytest.param(
            told(client=USER), "It was signed: s1._domainkey.example.com", id="signed-with"
        ),
        pytest.param(told(), "From field names example.com.", id="author"),
        pytest.param(told(mail([("To", " x")])), "has no From field", id="no-from"),
        pytest.param(
            told(mail([*FIELDS, ("From", " e@other.example")])),
            "more than one From field, with example.com and other.example",
            id="two-from",
        ),
        pytest.param(
            told(mail([("From", " a@example.com, b@other.example")])),
            "several domains: example.com and other.example",
            id="two-domains",
        ),
        pytest.param(told(mail([("From", " a@[192.0.2.1]")])), "domain in its From", id="literal"),
        pytest.param(told(mail([("From", " list:;")])), "no address with a domain", id="group"),
        pytest.param(told(mail([("From", " a@b@c")])), "cannot be read", id="unreadable"),
        pytest.param(told(), "DKIM: it carries no signature", id="unsigned"),
        pytest.param(
            told(signed()), "signature of example.com (rsa-sha256, 1024-bit key at"
            " s1._domainkey.example.com) verifies.", id="dkim-pass"
        ),
        pytest.param(
            told(replace(signed(), body=b"Bye\r\n")), "counts for nothing, fail", id="dkim-fail"
        ),
        pytest.param(
            told(), "example.com, the domain in MAIL FROM, allows the client 203.0.113.7 (ip4:",
            id="spf-pass",
        ),
        pytest.param(
            told(sender="a@no.example"),
            "no.example, the domain in MAIL FROM, forbids", id="spf-fail",
        ),
        pytest.param(told(sender="a@none.example"), "MAIL FROM, does not exist", id="spf-nxdomain"),
        pytest.param(told(sender="a@_dmarc.example.com"), "has no SPF record", id="spf-none"),
        pytest.param(
            told(client=Client(helo="h.example")),
            "allows the client is not known without its address", id="spf-no-client",
        ),
        pytest.param(
            told(mail([("From", " e@else.example")]), client=USER),
            "SPF and DMARC are for mail from outside", id="ours-unsigned",
        ),
        pytest.param(told(sender="a@bad.example"), "permerror: syntax", id="spf-permerror"),
        pytest.param(told(sender=""), "the domain in HELO", id="spf-helo"),
        pytest.param(
            told(sender="", client=Client(address=ip_address("203.0.113.7"))),
            "no domain in HELO to check", id="spf-no-domain",
        ),
        pytest.param(
            told(), "passes, because SPF for example.com speaks for the author", id="dmarc-pass"
        ),
        pytest.param(
            told(sender="e@other.example"),
            "fails: SPF for other.example passed, but not for the author's domain",
            id="dmarc-unaligned",
        ),
        pytest.param(
            told(sender="a@no.example"), "fails: neither DKIM nor SPF passed", id="dmarc-nothing"
        ),
        pytest.param(
            told(sender="a@no.example"), "example.com asks for reject at", id="dmarc-test-mode",
        ),
        pytest.param(
            told(mail([("From", " a@quiet.example")])), "quiet.example publishes no policy",
            id="dmarc-none",
        ),
        pytest.param(
            told(mail([("Authentication-Results", f" {ID}; spf=pass"), *FIELDS])),
            "1 Authentication-Results field that claims to be ours", id="forged",
        ),
        pytest.param(told(), "It is accepted.", id="accepted"),
        pytest.param(
            told(sender="a@no.example", told=rules(dmarc=DmarcRules(quarantine=OnQuarantine.HOLD))),
            "It is put on hold: DMARC failure for example.com", id="held",
        ),
    ],
)  # fmt: skip
def test_sentences(story: str, says: str) -> None:
    assert says in story


@pytest.mark.parametrize(
    ("story", "says"),
    [
        pytest.param(told(), 'its record is "v=spf1 ip4:203.0.113.7 -all".', id="spf"),
        pytest.param(
            told(sender="a@bad.example"), 'Its record is "v=spf1 nonsense -all".', id="spf-broken"
        ),
        pytest.param(
            told(sender="a@long.example"), f'"v=spf1 {"ip4:192.0.2.1 " * 13}ip4:192.0.2..."',
            id="spf-long",
        ),
        pytest.param(
            told(), 'reject at _dmarc.example.com ("v=DMARC1; p=reject; t=y"), in test mode (t=y);',
            id="dmarc",
        ),
        pytest.param(
            told(sender="e@other.example"), "in test mode (t=y, which leaves quarantine); the",
            id="test-mode",
        ),
    ],
)  # fmt: skip
def test_the_records_that_results_rest_on_are_shown(story: str, says: str) -> None:
    assert says in story


@pytest.mark.parametrize(
    ("author", "more", "says"),
    [
        pytest.param("x@example.com", {}, "accepted. The configuration does nothing about mail for"
                     " which quarantine is asked.", id="switched-off"),
        pytest.param("x@mild.example", {}, "accepted. Its author's domain asks for nothing else.",
                     id="p-none"),
        pytest.param("x@no.example", {}, "It is accepted.", id="no-policy"),
        pytest.param("x@example.com", {"told": rules(dmarc=DmarcRules(
            quarantine=OnQuarantine.HOLD))}, "It is put on hold: DMARC failure for example.com.",
            id="held"),
    ],
)  # fmt: skip
def test_why_a_failure_goes_on(author: str, more: dict[str, object], says: str) -> None:
    story = told(mail([("From", f" {author}")]), sender="e@other.example", **more)
    assert story.endswith(says)


def test_a_dns_fault_is_named() -> None:
    down = FakeDns(WORLD, broken={"_dmarc.example.com": DnsFault.SERVFAIL})
    story = "\n".join(sentences(through(BARE, down, sender="a@no.example")))
    assert "no verdict, temperror: TXT _dmarc.example.com: servfail" in story


@pytest.mark.parametrize(
    ("sender", "because"),
    [
        pytest.param("ann@example.com", "SPF for example.com aligned with example.com", id="pass"),
        pytest.param(
            "e@other.example",
            "SPF for other.example passed, not aligned with example.com;"
            " quarantine asked at _dmarc.example.com",
            id="fail",
        ),
    ],
)
def test_the_log_line_has_the_short_form(sender: str, because: str) -> None:
    assert through(BARE, FakeDns(WORLD), sender=sender).story["because"] == because
