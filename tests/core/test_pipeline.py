"""pipeline: the whole way of a message, from the end of the header to the verdict."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import ip_address

import pytest

from postseal.core.action import Accept, Defer, Delete, Hold, Insert, Reject
from postseal.core.outbound import Signatures
from postseal.core.pipeline import Pipeline
from postseal.core.resolver import DnsFault
from postseal.core.roles import Origin, Origins, Role
from postseal.core.rules import DmarcRules, FromRules, OnBadFrom, OnFault, OnQuarantine
from postseal.core.signing import ChooseBy, SigningUnavailable
from postseal.core.transaction import Address, Client, Envelope
from postseal.core.verdict import Verdict
from support.dkimmail import FIELDS, KEYS, NOW, Mail, check, mail, signed
from support.fakedns import FakeDns
from support.pipeline import ID, USER, Keys, Loopback, rules, through

WORLD = {
    **KEYS,
    ("example.com", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
    ("_dmarc.example.com", "TXT"): (b"v=DMARC1; p=reject",),
    ("other.example", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
    ("_dmarc.careful.example", "TXT"): (b"v=DMARC1; p=quarantine",),
}
LOCAL = Client(address=ip_address("127.0.0.1"))
SOMEBODY = "eve@other.example"  # SPF passes, for a domain that is not the author's
FORGED = ("Authentication-Results", f" {ID}; dmarc=pass header.from=example.com")


def dns() -> FakeDns:
    return FakeDns(WORLD)


def results(verdict: Verdict) -> str:
    """The Authentication-Results that would be added, unfolded."""
    added = [e for e in verdict.edits if isinstance(e, Insert)]
    assert [edit.name for edit in added] == ["Authentication-Results"]
    assert added[0].position == 0
    return " ".join(added[0].value.split())


# Mail from outside.


def test_good_mail_from_outside() -> None:
    verdict = through(signed(), dns())
    assert verdict.role is Role.INBOUND
    assert verdict.action == Accept()
    text = results(verdict)
    assert text.startswith(f"{ID}; dkim=pass ")
    assert "header.d=example.com" in text and "header.s=s1" in text
    assert "header.a=rsa-sha256" in text and "header.b=" in text
    assert "; spf=pass smtp.mailfrom=example.com;" in text
    assert text.endswith("dmarc=pass header.from=example.com policy.dmarc=none")
    assert verdict.story["dkim"] == "pass/verified:example.com"


@pytest.mark.parametrize("chunk", [1, 2, 3, 65535])
def test_the_body_may_be_cut_anywhere(chunk: int) -> None:
    body = b"one  \r\n\r\ntwo\t three\r\n\r\n\r\n"
    assert "dkim=pass" in results(through(signed(FIELDS, body), dns(), chunk=chunk))


def test_a_changed_body_fails() -> None:
    good = signed()
    verdict = through(Mail(good.fields, b"Bye.\r\n"), dns(), sender=SOMEBODY)
    text = results(verdict)
    assert "dkim=fail" in text and "dmarc=fail" in text and "policy.dmarc=reject" in text


def test_unsigned_mail_is_told_so() -> None:
    assert "dkim=none" in results(through(mail(FIELDS), dns()))


def test_mail_from_outside_with_our_from_is_never_signed() -> None:
    verdict = through(mail(FIELDS), dns(), sender=SOMEBODY)
    assert verdict.signatures == ()
    assert verdict.role is Role.INBOUND
    assert "dmarc=fail" in results(verdict)


def test_questions_are_sent_before_the_body() -> None:
    asked = dns()
    through(signed(), asked)
    for name in ("s1._domainkey.example.com", "_dmarc.example.com", "example.com"):
        assert (name, "TXT") in [(one, str(kind)) for one, kind in asked.prefetched]


# Forged results.


@pytest.mark.parametrize("client", [USER, None], ids=["outbound", "inbound"])
def test_forged_results_go_highest_index_first(client: Client | None) -> None:
    other = ("Authentication-Results", " elsewhere.example; spf=pass")
    told = mail([FORGED, other, FORGED, *FIELDS])
    verdict = through(told, dns(), client=client) if client else through(told, dns())
    deleted = [edit for edit in verdict.edits if isinstance(edit, Delete)]
    assert deleted == [Delete("Authentication-Results", 3), Delete("Authentication-Results", 1)]
    assert isinstance(verdict.edits[0], Delete)  # before any insertion


@pytest.mark.parametrize("number", [0, 1, 2])
def test_the_log_says_how_many_were_forged(number: int) -> None:
    other = ("Authentication-Results", " elsewhere.example; spf=pass")
    verdict = through(mail([*[FORGED] * number, other, *FIELDS]), dns())
    assert verdict.story.get("removed", 0) == number


def test_forged_results_prove_nothing() -> None:
    verdict = through(mail([FORGED, *FIELDS]), dns(), sender=SOMEBODY)
    assert "dmarc=fail" in results(verdict)


# Mail of ours.


def test_mail_of_ours_is_signed_with_every_key() -> None:
    verdict = through(mail(FIELDS), dns(), client=USER)
    assert verdict.role is Role.OUTBOUND
    assert verdict.origin is Origin.AUTHENTICATED
    assert [(e.position, e.name) for e in verdict.edits if isinstance(e, Insert)] == [
        (0, "DKIM-Signature")
    ] * 2
    made = tuple((field.name, field.value) for field in verdict.signatures)
    sent = Mail(made + mail(FIELDS).fields, mail(FIELDS).body)
    assert [result.status for result in check(sent, dns())] == ["pass", "pass"]
    assert verdict.story["signed"] == "s1._domainkey.example.com,ed._domainkey.example.com"


def test_the_first_choice_ends_on_top() -> None:
    verdict = through(mail(FIELDS), dns(), client=USER)
    inserted = [edit.value for edit in verdict.edits if isinstance(edit, Insert)]
    assert "a=ed25519-sha256" in inserted[0] and "a=rsa-sha256" in inserted[1]


def test_inserted_values_are_folded_as_libmilter_wants() -> None:
    for client in (USER, Client(address=ip_address("203.0.113.7"))):
        for edit in through(mail(FIELDS), dns(), client=client).edits:
            assert isinstance(edit, Insert)
            assert "\r" not in edit.value and edit.value.startswith(" ")
            assert all(line.startswith((" ", "\t")) for line in edit.value.split("\n")[1:])


def test_mail_of_ours_for_another_domain_is_only_checked() -> None:
    told = mail([("From", " a@elsewhere.example"), *FIELDS[1:]])
    verdict = through(told, dns(), client=USER, told=rules(dmarc=DmarcRules(reject=True)))
    assert verdict.role is Role.INTERNAL
    assert verdict.action == Accept()
    assert results(verdict).startswith(f"{ID}; auth=pass smtp.auth=ann")
    assert verdict.spf is None and verdict.dmarc is None


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param([("From", " a@example.com"), ("From", " b@example.com")], id="two-fields"),
        pytest.param([("From", " a@example.com, b@elsewhere.example")], id="two-domains"),
        pytest.param([("From", " example.com")], id="no-address"),
        pytest.param([("To", " a@example.com")], id="no-from"),
    ],
)
def test_mail_of_ours_without_one_author_domain_is_not_signed(
    fields: list[tuple[str, str]],
) -> None:
    assert through(mail(fields), dns(), client=USER).signatures == ()


class OwnOnly:
    """Ann may write as ann@example.com."""

    def allows(self, login: str, address: str, /) -> bool:
        return (login, address) == ("ann", "ann@example.com")


@pytest.mark.parametrize(
    ("client", "author", "is_signed"),
    [
        pytest.param(USER, "ann@example.com", True, id="own-address"),
        pytest.param(USER, "boss@example.com", False, id="somebody-elses"),
        pytest.param(USER, "ann@example.com, boss@example.com", False, id="own-and-another"),
        pytest.param(USER._replace(auth_user="bob"), "ann@example.com", False, id="other-user"),
        pytest.param(
            USER._replace(auth_user="", auth_type="PLAIN"), "ann@example.com", False, id="no-name"
        ),
        pytest.param(LOCAL, "boss@example.com", True, id="did-not-authenticate"),
    ],
)
def test_users_bound_to_their_authors(client: Client, author: str, is_signed: bool) -> None:
    told = mail([("From", f" {author}"), *FIELDS[1:]])
    verdict = through(told, dns(), client=client, told=rules(logins=OwnOnly()))
    assert bool(verdict.signatures) is is_signed
    assert is_signed or verdict.origin is Origin.NOT_OWNER
    assert verdict.action == Accept()


@pytest.mark.parametrize(
    ("sender", "is_signed"),
    [
        pytest.param("ann@example.com", True, id="own-address"),
        pytest.param("ann@Example.COM", True, id="own-address-otherwise-written"),
        pytest.param("boss@example.com", False, id="somebody-elses"),
        pytest.param("", True, id="a-bounce-is-the-authors"),
    ],
)
def test_users_bound_to_the_envelope_that_chooses_the_key(sender: str, is_signed: bool) -> None:
    """Or one customer has mail signed by another's key, with a MAIL FROM of his."""
    told = rules(logins=OwnOnly(), choose_by=ChooseBy.ENVELOPE)
    verdict = through(mail(FIELDS), dns(), client=USER, sender=sender, told=told)
    assert bool(verdict.signatures) is is_signed
    assert is_signed or verdict.origin is Origin.NOT_OWNER


@pytest.mark.parametrize(
    ("wanted", "action"), [(OnFault.TEMPFAIL, Defer), (OnFault.ACCEPT, Accept)]
)
def test_a_signature_that_cannot_be_made(wanted: OnFault, action: type) -> None:
    told = mail([("From", " a@broken.example"), *FIELDS[1:]])
    verdict = through(told, dns(), client=USER, told=rules(on_signing_error=wanted))
    assert isinstance(verdict.action, action)
    assert verdict.story["reason"] == "keys/broken.pem: cannot be read"


class Silent:
    """A table of hosts that does not answer."""

    def matches(self, address: Address | None, name: str, /) -> bool:
        raise SigningUnavailable("table hosts does not answer")


SILENT = Origins(internal=Silent())


@pytest.mark.parametrize(
    ("wanted", "action"), [(OnFault.TEMPFAIL, Defer), (OnFault.ACCEPT, Accept)]
)
def test_a_client_that_nothing_is_known_of(wanted: OnFault, action: type) -> None:
    """It waits, or is a stranger: it is checked, and nothing forged gets through."""
    told = rules(on_signing_error=wanted, origins=SILENT)
    verdict = through(mail([FORGED, *FIELDS]), dns(), told=told)
    assert isinstance(verdict.action, action)
    assert verdict.story["reason"] == "table hosts does not answer"
    assert not verdict.signatures
    assert bool(verdict.edits) is (wanted is OnFault.ACCEPT)
    assert verdict.origin is Origin.OUTSIDE


def test_who_authenticated_needs_no_table_of_hosts() -> None:
    assert through(mail(FIELDS), dns(), client=USER, told=rules(origins=SILENT)).signatures


def test_mail_that_goes_on_unsigned_takes_no_forged_results_along() -> None:
    """Whatever the path: what claims to be ours goes."""
    what = mail([FORGED, ("From", " ann@broken.example")])
    told = rules(on_signing_error=OnFault.ACCEPT)
    verdict = through(what, dns(), client=USER, told=told)
    assert isinstance(verdict.action, Accept)
    assert verdict.edits == (Delete("Authentication-Results", 1),)
    deferred = through(what, dns(), client=USER)
    assert not isinstance(deferred.action, Accept) and deferred.edits == ()


def test_a_peer_is_left_alone() -> None:
    told = rules(origins=Origins(peers=Loopback()))
    client = Client(address=ip_address("127.0.0.1"))
    verdict = through(mail([FORGED, *FIELDS]), dns(), client=client, told=told)
    assert verdict.role is Role.PEER and verdict.edits == ()


# What the operator asked for.

STRICT = DmarcRules(quarantine=OnQuarantine.HOLD, reject=True, on_temperror=OnFault.TEMPFAIL)


@pytest.mark.parametrize(
    ("author", "dmarc", "action"),
    [
        pytest.param("example.com", DmarcRules(), Accept(), id="annotate-only-by-default"),
        pytest.param(
            "example.com",
            STRICT,
            Reject("rejected by DMARC policy for example.com"),
            id="reject-switched-on",
        ),
        pytest.param(
            "example.com",
            replace(STRICT, reject=False),
            Hold("DMARC failure for example.com"),
            id="reject-is-quarantine-when-off",
        ),
        pytest.param(
            "careful.example", STRICT, Hold("DMARC failure for careful.example"), id="quarantine"
        ),
        pytest.param(
            "careful.example",
            replace(STRICT, quarantine=OnQuarantine.NONE),
            Accept(),
            id="quarantine-off",
        ),
        pytest.param("nothing.example", STRICT, Accept(), id="no-record"),
    ],
)
def test_dmarc_failures(
    author: str, dmarc: DmarcRules, action: Accept | Reject | Hold | Defer
) -> None:
    told = mail([("From", f" a@{author}"), *FIELDS[1:]])
    assert through(told, dns(), sender=SOMEBODY, told=rules(dmarc=dmarc)).action == action


@pytest.mark.parametrize(
    ("fields", "option"),
    [
        pytest.param([("To", " a@example.com")], "missing", id="missing"),
        pytest.param([("From", " a@"), *FIELDS[1:]], "broken", id="broken"),
        pytest.param([*FIELDS, ("From", " b@example.com")], "multiple", id="several-fields"),
        pytest.param([("From", " a@a.example, b@b.example")], "multiple", id="several-domains"),
    ],
)
def test_bad_from_fields(fields: list[tuple[str, str]], option: str) -> None:
    for wanted, action in zip(OnBadFrom, (Accept, Hold, Reject), strict=True):
        told = rules(from_=FromRules(**{option: wanted}))
        assert isinstance(through(mail(fields), dns(), told=told).action, action)


# DNS that does not answer.


def test_without_dns_mail_flows_and_the_results_say_so() -> None:
    down = FakeDns(WORLD, broken={name: DnsFault.SERVFAIL for name, _ in WORLD})
    verdict = through(signed(), down)
    text = results(verdict)
    assert "dkim=temperror" in text and "spf=temperror" in text and "dmarc=temperror" in text
    assert verdict.action == Accept()


def test_without_dns_mail_can_be_deferred() -> None:
    down = FakeDns(WORLD, broken={"_dmarc.example.com"})
    verdict = through(mail(FIELDS), down, told=rules(dmarc=STRICT))
    assert isinstance(verdict.action, Defer)


def test_signing_waits_for_its_turn() -> None:
    """The threads of a worker sign one after the other; nothing else of a message waits."""
    held: list[str] = []

    def turn(work: Callable[[], Signatures]) -> Signatures:
        held.append("taken")
        made = work()
        held.append("given back")
        return made

    pipeline = Pipeline(rules(), Keys(), lambda: NOW, turn=turn)
    told = mail(FIELDS)
    work = pipeline.open(USER, Envelope(sender="ann@example.com"), told.header, dns())
    work.body(told.body)
    assert held == []
    assert len(work.close().signatures) == 2
    assert held == ["taken", "given back"]
