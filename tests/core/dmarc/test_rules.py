"""Rules of RFC 9989 about what a receiver does, on the whole way of a message.

The rules' numbers are those of tests/vectors/rules.tsv.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

import pytest

from postseal.core.action import Accept, Action, Hold, Insert, Reject
from postseal.core.resolver import Kind, Record
from postseal.core.rules import DmarcRules, OnQuarantine, Rules
from postseal.core.transaction import Client
from postseal.core.verdict import Verdict
from support.dkimmail import KEYS, Mail, mail, signed
from support.fakedns import FakeDns
from support.pipeline import rules, through

CLIENT = Client(address=ip_address("203.0.113.7"), helo="helo.example.com")
WORLD: dict[tuple[str, str], tuple[Record, ...]] = {
    **KEYS,
    ("_dmarc.example.com", "TXT"): (b"v=DMARC1; p=reject; sp=quarantine; np=reject",),
    ("_dmarc.none.example", "TXT"): (b"v=DMARC1; p=none",),
    ("_dmarc.test.example", "TXT"): (b"v=DMARC1; p=reject; t=y",),
    ("example.com", "TXT"): (b"v=spf1 -all",),
    ("there.example.com", "TXT"): (b"x",),
    ("helo.example.com", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
    ("fails.example", "TXT"): (b"v=spf1 -all",),
}
ALL_ON = rules(dmarc=DmarcRules(quarantine=OnQuarantine.HOLD, reject=True))


def sent(
    author: str = "example.com",
    sender: str = "",
    *,
    what: Mail | None = None,
    dns: FakeDns | None = None,
    told: Rules | None = None,
) -> Verdict:
    return through(
        what or mail([("From", f" a@{author}")]),
        dns or FakeDns(WORLD),
        client=CLIENT,
        sender=sender or f"a@{author}",
        told=told,
    )


def written(verdict: Verdict) -> str:
    """The dmarc statement of our field, unfolded."""
    (field,) = (
        edit.value
        for edit in verdict.edits
        if isinstance(edit, Insert) and edit.name == "Authentication-Results"
    )
    return next(part for part in " ".join(field.split()).split("; ") if part.startswith("dmarc="))


def test_d_14_the_author_domain_is_asked_first() -> None:
    dns = FakeDns(WORLD)
    sent("a.b.example.com", dns=dns)
    asked = [name for name, kind in dns.asked if name.startswith("_dmarc.") and kind is Kind.TXT]
    assert asked[:2] == ["_dmarc.a.b.example.com", "_dmarc.b.example.com"]


@pytest.mark.parametrize(
    ("author", "text"),
    [
        pytest.param("example.com", "dmarc=fail header.from=example.com policy.dmarc=reject",
                     id="D-32-p"),
        pytest.param("there.example.com", "dmarc=fail header.from=there.example.com"
                     " policy.dmarc=quarantine", id="D-32-after-sp"),
        pytest.param("no.example.com", "dmarc=fail header.from=no.example.com"
                     " policy.dmarc=reject", id="D-32-after-np"),
        pytest.param("test.example", "dmarc=fail header.from=test.example"
                     " policy.dmarc=quarantine", id="D-32-after-t"),
        pytest.param("nothing.example", "dmarc=none header.from=nothing.example",
                     id="D-33-no-record"),
    ],
)  # fmt: skip
def test_what_is_written(author: str, text: str) -> None:
    assert written(sent(author)) == text


def test_d_33_a_pass_is_written_too() -> None:
    assert written(sent(what=signed())).startswith("dmarc=pass header.from=example.com")


@pytest.mark.parametrize(
    ("author", "more", "action"),
    [
        pytest.param("none.example", {"told": ALL_ON}, Accept, id="D-34-p-none-changes-nothing"),
        pytest.param("example.com", {}, Accept, id="D-35-nothing-by-default"),
        pytest.param("example.com", {"told": rules(dmarc=DmarcRules(
            quarantine=OnQuarantine.HOLD))}, Hold, id="D-35-reject-is-quarantine-unless-told"),
        pytest.param("example.com", {"told": ALL_ON}, Reject, id="D-35-told"),
        pytest.param("test.example", {"told": ALL_ON}, Hold, id="D-10-one-level-lower"),
        pytest.param("fails.example", {"told": ALL_ON}, Accept, id="D-37-spf-fail-alone"),
        pytest.param("example.com", {"told": ALL_ON, "what": signed(), "sender": "a@fails.example"},
                     Accept, id="D-37-spf-fail-beside-a-dmarc-pass"),
    ],
)  # fmt: skip
def test_what_is_done(author: str, more: dict[str, Any], action: type[Action]) -> None:
    assert isinstance(sent(author, **more).action, action)


def test_d_36_the_refusal_names_dmarc_and_the_domain() -> None:
    """RFC 9989 section 7.2, as the default of the configuration words it."""
    text = "Email rejected per DMARC policy for {domain}"
    told = rules(dmarc=DmarcRules(reject=True, reject_text=text))
    assert sent(told=told).action == Reject("Email rejected per DMARC policy for example.com")
    assert Reject("").code == 550 and Reject("").enhanced == "5.7.1"


def test_d_38_a_pass_of_helo_beside_a_sender_does_not_count() -> None:
    verdict = sent(told=rules(spf_helo=True))
    assert verdict.found.helo is not None and verdict.found.helo.status == "pass"
    assert written(verdict).startswith("dmarc=fail")


def test_d_38_of_the_null_sender_it_does() -> None:
    verdict = through(
        mail([("From", " postmaster@example.com")]), FakeDns(WORLD), client=CLIENT, sender=""
    )
    assert written(verdict).startswith("dmarc=pass")


def test_d_39_one_aligned_signature_is_enough() -> None:
    broken = signed(signed(), tags={"d": "other.example", "s": "gone"})
    assert written(sent(what=broken)).startswith("dmarc=pass")


def test_k_30_a_failed_signature_refuses_nothing() -> None:
    """It is the same as none: without a policy the message goes on (RFC 6376 section 6.1)."""
    broken = signed(mail([("From", " a@nothing.example")]), tags={"b": "AAAA"})
    verdict = sent(what=broken, told=ALL_ON)
    assert [one.status for one in verdict.dkim] == ["fail"]
    assert isinstance(verdict.action, Accept)
