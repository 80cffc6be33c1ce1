"""outbound: signatures held against their own keys, what threatens them, and why there is none."""

from __future__ import annotations

import gc
from dataclasses import replace
from ipaddress import ip_address

import pytest

from postseal.core.action import Accept, Defer
from postseal.core.canon import BodyDigest, BodyHasher, BodyKey
from postseal.core.dkim import sign
from postseal.core.dkim.sign import Options, SelfCheck
from postseal.core.roles import MacroRule, Origins, Role
from postseal.core.rules import OnFault
from postseal.core.signing import Choice, ChooseBy, SigningUnavailable
from postseal.core.transaction import Client
from postseal.core.verdict import Verdict
from support.dkimmail import ED25519, FIELDS, RSA, Mail, mail
from support.fakedns import FakeDns
from support.pipeline import OUTSIDE, USER, Loopback, rules, through

ANN = "ann@example.com"


def sent(what: Mail, *, client: Client = USER, sender: str = ANN, **told: object) -> Verdict:
    return through(what, FakeDns({}), client=client, sender=sender, told=rules(**told))


class Broken:
    """A key whose public half belongs to another private half."""

    def choose(self, address: str, /) -> tuple[Choice, ...]:
        key = sign.signing_key(ED25519, "example.com", "ed")
        return (Choice(key=replace(key, public=RSA.public_key())),)


# Self-check.


@pytest.mark.parametrize(
    ("wanted", "action"), [(OnFault.TEMPFAIL, Defer), (OnFault.ACCEPT, Accept)]
)
def test_a_signature_that_does_not_verify_is_not_sent(wanted: OnFault, action: type) -> None:
    told = rules(signing=Options(self_check=SelfCheck.ALL), on_signing_error=wanted)
    verdict = through(mail(FIELDS), FakeDns({}), client=USER, told=told, keys=Broken())
    assert isinstance(verdict.action, action)
    assert verdict.signatures == () and verdict.edits == ()
    assert verdict.story["signed"] == "error"
    assert "ed._domainkey.example.com does not verify" in str(verdict.story["reason"])


@pytest.mark.parametrize(("how", "share"), [("all", 256), ("sample", 16), ("off", 0)])
def test_how_many_are_checked(how: str, share: int) -> None:
    """The body decides, so that a message tried again is treated as before."""
    options = Options(self_check=SelfCheck(how))
    found = {"checked": 0, "not": 0}
    for number in range(2000):
        body = b"%d\r\n" % number
        told = rules(signing=options)
        if number < 40:  # the whole way, for some
            verdict = through(
                mail(FIELDS, body), FakeDns({}), client=USER, told=told, keys=Broken()
            )
            checked = isinstance(verdict.action, Defer)
            assert checked is options.checks(_digest(body))
        found["checked" if options.checks(_digest(body)) else "not"] += 1
    assert found["checked"] == pytest.approx(2000 * share / 256, abs=40)


def _digest(body: bytes) -> BodyDigest:
    hasher = BodyHasher(BodyKey(True))
    hasher.update(body)
    return hasher.digest()


# What will break it.


@pytest.mark.parametrize(
    ("what", "risks", "where"),
    [
        pytest.param(mail(FIELDS), None, None, id="none"),
        pytest.param(
            mail(FIELDS, b"a\r\n" + b"x" * 999 + b"\r\n"),
            "long-body-line",
            "line 2 of the body has more than 998 octets",
            id="long-body-line",
        ),
        pytest.param(
            mail([*FIELDS, ("References", " " + "x" * 1200)]),
            "long-header-line",
            "a line of the field References has 1212 octets",
            id="long-header-line",
        ),
        pytest.param(mail([*FIELDS, ("X-Long", "x" * 1200)]), None, None, id="not-signed"),
        pytest.param(mail(FIELDS, "für\r\n".encode()), "eight-bit-body", None, id="8-bit"),
        pytest.param(
            mail([*FIELDS, ("Cc", " " + "x" * 999)], "ü\r\na\rb\r\n".encode()),
            "long-header-line,eight-bit-body,bare-cr",
            "a line of the field Cc has 1003 octets; a CR without LF in line 2 of the body",
            id="several",
        ),
    ],
)
def test_risks_are_told(what: Mail, risks: str | None, where: str | None) -> None:
    verdict = sent(what)
    assert verdict.signatures and verdict.action == Accept()
    assert verdict.story.get("risks") == risks
    assert verdict.story.get("where") == where
    assert "risks" not in sent(what, signing=Options(watch=False)).story


# Why there is no signature.


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param([("From", " a@elsewhere.example")], "no-key", id="no-key"),
        pytest.param([("From", f" {ANN}"), ("From", f" {ANN}")], "several-fields", id="two-fields"),
        pytest.param([("From", f" {ANN}, b@b.example")], "several-domains", id="two-domains"),
        pytest.param([("From", " a@")], "unparsable", id="unparsable"),
        pytest.param([("To", f" {ANN}")], "missing", id="no-from"),
    ],
)
def test_mail_of_ours_that_is_not_signed_says_why(
    fields: list[tuple[str, str]], reason: str
) -> None:
    verdict = sent(mail(fields))
    assert verdict.role is Role.INTERNAL and verdict.signatures == ()
    assert (verdict.story["signed"], verdict.story["reason"]) == ("no", reason)


def test_the_story_keeps_what_the_check_found() -> None:
    verdict = sent(mail([("From", " a@elsewhere.example")], b"body\r\n"))
    assert verdict.story["dkim"] == "none" and verdict.story["from"] == "elsewhere.example"
    assert list(verdict.story)[-2:] == ["signed", "reason"]


def test_mail_that_is_injected_again_says_so() -> None:
    told = Origins(internal=Loopback(), never_sign=(MacroRule.parse("daemon_port=10025"),))
    client = Client(address=ip_address("127.0.0.1"), macros={"daemon_port": "10025"})
    verdict = sent(mail(FIELDS), client=client, origins=told)
    assert verdict.signatures == () and verdict.role is Role.INTERNAL
    assert (verdict.story["signed"], verdict.story["reason"]) == ("no", "never-sign")


@pytest.mark.parametrize(
    ("author", "attempt"),
    [
        pytest.param(ANN, True, id="our-domain"),
        pytest.param("ann@sub.example.com", True, id="below-our-domain"),
        pytest.param("ann@notexample.com", False, id="similar"),
        pytest.param("ann@com", False, id="above"),
        pytest.param(f"eve@b.example, {ANN}", True, id="one-of-several"),
    ],
)
def test_a_stranger_with_our_from_is_told(author: str, attempt: bool) -> None:
    told = mail([("From", f" {author}"), *FIELDS[1:]])
    verdict = sent(told, client=OUTSIDE, ours=frozenset({"example.com"}))
    assert verdict.role is Role.INBOUND and verdict.signatures == ()
    assert verdict.story.get("reason") == ("outside" if attempt else None)
    assert verdict.story.get("signed") == ("no" if attempt else None)


def test_a_stranger_is_no_business_of_the_key_tables() -> None:
    class Untouched:
        def choose(self, address: str, /) -> tuple[Choice, ...]:
            raise SigningUnavailable("asked for a stranger's mail")

    told = rules(ours=frozenset({"example.com"}))
    verdict = through(mail(FIELDS), FakeDns({}), told=told, keys=Untouched())
    assert verdict.role is Role.INBOUND


# For whom keys are looked up.


@pytest.mark.parametrize(
    ("by", "author", "sender", "login", "is_signed"),
    [
        pytest.param("from", "a@x.example", ANN, ANN, False, id="from"),
        pytest.param("from", ANN, "a@x.example", "a@x.example", True, id="from-ours"),
        pytest.param("envelope", "a@x.example", ANN, "", True, id="envelope"),
        pytest.param("envelope", "a@x.example", "Ann@EXAMPLE.com", "", True, id="letter-case"),
        pytest.param("envelope", ANN, "a@x.example", "", False, id="envelope-foreign"),
        pytest.param("envelope", ANN, "", "", True, id="bounce-falls-back-to-from"),
        pytest.param("login", "a@x.example", "b@x.example", ANN, True, id="login"),
        pytest.param("login", ANN, "b@x.example", "ann", True, id="login-no-address"),
        pytest.param("login", ANN, "b@x.example", "", True, id="no-login"),
        pytest.param("login", "a@x.example", "", "@example.com", False, id="login-no-local-part"),
    ],
)
def test_whose_address_decides(
    by: str, author: str, sender: str, login: str, is_signed: bool
) -> None:
    told = mail([("From", f" {author}"), *FIELDS[1:]])
    client = USER._replace(auth_user=login, auth_type="PLAIN")
    verdict = sent(told, client=client, sender=sender, choose_by=ChooseBy(by))
    assert bool(verdict.signatures) is is_signed


def test_several_authors_are_not_signed_whoever_sends() -> None:
    told = mail([("From", f" {ANN}"), ("From", " b@b.example")])
    assert sent(told, choose_by=ChooseBy.ENVELOPE).signatures == ()


def test_a_table_of_logins_that_gives_no_answer() -> None:
    class Unreachable:
        def allows(self, login: str, address: str, /) -> bool:
            raise SigningUnavailable("table logins: no connection")

    verdict = sent(mail(FIELDS), logins=Unreachable())
    assert isinstance(verdict.action, Defer)
    assert verdict.story["reason"] == "table logins: no connection"


def test_a_message_leaves_no_cycle_behind() -> None:
    """The garbage collector comes seldom: a message that is done with must go by itself."""
    sent(mail(FIELDS))
    gc.collect()
    gc.disable()
    try:
        for _ in range(50):
            assert sent(mail(FIELDS)).signatures
        assert gc.collect() < 50
    finally:
        gc.enable()
