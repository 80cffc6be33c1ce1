"""policy: every switch, alone and against the others, through the whole pipeline."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest

from postseal.core.action import Accept, Action, Defer, Delete, Hold, Insert, Reject
from postseal.core.arc import seal
from postseal.core.canon import BodyHasher
from postseal.core.decision import Kind, Local
from postseal.core.dkim import sign
from postseal.core.dmarc.result import Status as Dmarc
from postseal.core.explain import sentences
from postseal.core.overrides import Effect, Names, Override
from postseal.core.resolver import Record
from postseal.core.rules import (
    ArcRules,
    DmarcRules,
    FaultRules,
    FromRules,
    OnBadFrom,
    OnFault,
    OnQuarantine,
    Rules,
    Soften,
)  # fmt: skip
from postseal.core.verdict import Verdict
from support.arcmail import judge
from support.dkimmail import FIELDS, KEYS, NOW, RSA, Mail, mail, signed
from support.fakedns import FakeDns
from support.pipeline import USER, rules, through

WORLD: dict[tuple[str, str], tuple[Record, ...]] = {
    **KEYS,
    ("other.example", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
    ("broken.example", "TXT"): (b"v=spf1 nonsense -all",),
    ("_dmarc.strict.example", "TXT"): (b"v=DMARC1; p=reject",),
    ("_dmarc.careful.example", "TXT"): (b"v=DMARC1; p=quarantine",),
    ("_dmarc.lax.example", "TXT"): (b"v=DMARC1; p=none",),
}
ALL_ON = DmarcRules(quarantine=OnQuarantine.HOLD, reject=True)
HEADER = replace(ALL_ON, quarantine=OnQuarantine.HEADER)
LIST = ("List-Id", " Developers <dev.lists.example>")


def by(author: str, *more: tuple[str, str]) -> list[tuple[str, str]]:
    return [*more, ("From", f" a@{author}"), *FIELDS[1:]]


def judged(
    what: Mail, told: Rules, *, sender: str = "e@other.example", broken: str = ""
) -> Verdict:
    return through(what, FakeDns(WORLD, broken={broken} - {""}), sender=sender, told=told)


def results(verdict: Verdict) -> str:
    [text] = [e.value for e in verdict.edits
              if isinstance(e, Insert) and e.name == "Authentication-Results"]  # fmt: skip
    return " ".join(text.split())


def story(verdict: Verdict) -> str:
    return "\n".join(sentences(verdict))


# Quarantine as a header field.


@pytest.mark.parametrize(
    ("author", "dmarc", "mark"),
    [
        pytest.param("careful.example", HEADER, "dmarc; careful.example asks for quarantine",
                     id="quarantine"),
        pytest.param("strict.example", replace(HEADER, reject=False),
                     "dmarc; strict.example asks for reject", id="reject-that-is-off"),
        pytest.param("lax.example", HEADER, "", id="none"),
        pytest.param("careful.example", replace(HEADER, quarantine=OnQuarantine.NONE), "",
                     id="off"),
    ],
)  # fmt: skip
def test_quarantine_as_a_field(author: str, dmarc: DmarcRules, mark: str) -> None:
    verdict = judged(mail(by(author)), rules(dmarc=dmarc))
    assert verdict.action == Accept()
    assert verdict.mark == mark
    assert verdict.story.get("quarantine", "") == ("header" if mark else "")
    marks = [e.value for e in verdict.edits
             if isinstance(e, Insert) and e.name == "X-Postseal-Quarantine"]  # fmt: skip
    assert marks == ([f" {mark}"] if mark else [])
    assert (f"X-Postseal-Quarantine: {mark}." in story(verdict)) is bool(mark)


FORGED = ("x-postseal-quarantine", " no")


def test_a_forged_mark_from_outside_is_removed() -> None:
    verdict = judged(mail([FORGED, *by("lax.example"), FORGED]), rules(dmarc=HEADER))
    gone = [edit for edit in verdict.edits if isinstance(edit, Delete)]
    assert gone == [Delete("X-Postseal-Quarantine", 2), Delete("X-Postseal-Quarantine", 1)]
    assert "Authentication-Results field" not in story(verdict)


def test_a_mark_in_mail_of_ours_or_of_others_stays() -> None:
    what = mail([FORGED, *by("lax.example")])
    ours = through(what, FakeDns(WORLD), client=USER, told=rules(dmarc=HEADER))
    off = judged(what, rules())
    assert [type(edit) for verdict in (ours, off) for edit in verdict.edits] == [Insert, Insert]


# Errors of single mechanisms.

TEMPFAIL = OnFault.TEMPFAIL
UNSIGNED = mail(by("none.example"))
BROKEN_KEY = signed(by("none.example"), tags={"s": "unknown"})


@pytest.mark.parametrize(
    ("what", "sender", "broken", "faults", "defers"),
    [
        pytest.param(signed(by("none.example")), "e@x.example", "s1._domainkey.example.com",
                     FaultRules(dkim_temperror=TEMPFAIL), "DKIM could not", id="dkim-temp"),
        pytest.param(BROKEN_KEY, "e@x.example", "", FaultRules(dkim_permerror=TEMPFAIL),
                     "DKIM signature", id="dkim-perm"),
        pytest.param(UNSIGNED, "e@slow.example", "slow.example",
                     FaultRules(spf_temperror=TEMPFAIL), "SPF could not", id="spf-temp"),
        pytest.param(UNSIGNED, "e@broken.example", "", FaultRules(spf_permerror=TEMPFAIL),
                     "SPF record of broken.example", id="spf-perm"),
    ],
)  # fmt: skip
def test_errors_may_defer(
    what: Mail, sender: str, broken: str, faults: FaultRules, defers: str
) -> None:
    verdict = judged(what, rules(faults=faults), sender=sender, broken=broken)
    assert isinstance(verdict.action, Defer)
    assert defers in verdict.action.text
    others = FaultRules(
        **{
            one.name: TEMPFAIL
            for one in fields(FaultRules)
            if getattr(faults, one.name) is OnFault.ACCEPT
        }
    )
    for told in (rules(), rules(faults=others)):
        assert judged(what, told, sender=sender, broken=broken).action == Accept()


EVERY = FaultRules(
    dkim_temperror=TEMPFAIL, dkim_permerror=TEMPFAIL, spf_temperror=TEMPFAIL,
    spf_permerror=TEMPFAIL,
)  # fmt: skip


def test_mail_that_dmarc_passes_is_not_deferred() -> None:
    world = WORLD | {("_dmarc.example.com", "TXT"): (b"v=DMARC1; p=reject",)}
    dns = FakeDns(world, broken={"slow.example"})
    verdict = through(signed(), dns, sender="e@slow.example", told=rules(faults=EVERY))
    assert verdict.spf and verdict.spf.status == "temperror"
    assert verdict.action == Accept()


def test_a_second_signature_in_error_does_not_matter() -> None:
    bad = BROKEN_KEY.fields[0]
    good = signed(by("none.example"))
    both = Mail((bad, *good.fields), good.body)
    assert judged(both, rules(faults=EVERY)).action == Accept()


# Mailing lists.


def relisted(author: str, *more: tuple[str, str]) -> Mail:
    """As a mailing list sends it on: its own signature, the author's no more."""
    return signed(by(author, *(more or (LIST,))))


@pytest.mark.parametrize(
    ("soften", "author", "action", "local"),
    [
        pytest.param(Soften.OFF, "strict.example", Reject, False, id="off"),
        pytest.param(Soften.QUARANTINE, "strict.example", Hold, True, id="quarantine"),
        pytest.param(Soften.QUARANTINE, "careful.example", Hold, False, id="no-softer"),
        pytest.param(Soften.ACCEPT, "strict.example", Accept, True, id="accept"),
        pytest.param(Soften.ACCEPT, "careful.example", Accept, True, id="accept-quarantine"),
        pytest.param(Soften.ACCEPT, "lax.example", Accept, False, id="nothing-to-soften"),
    ],
)
def test_mailing_lists(soften: Soften, author: str, action: type[Action], local: bool) -> None:
    verdict = judged(relisted(author), rules(dmarc=replace(ALL_ON, soften_lists=soften)))
    assert isinstance(verdict.action, action)
    assert ('reason="local policy: mailing list dev.lists.example"' in results(verdict)) is local
    assert ("local" in verdict.story) is local
    assert ("Local policy treats it more gently" in story(verdict)) is local


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(mail(by("strict.example", LIST)), id="nobody-signed"),
        pytest.param(relisted("strict.example", ("X-List", " x")), id="no-list-id"),
        pytest.param(relisted("strict.example", LIST, LIST), id="two-list-ids"),
    ],
)
def test_no_mailing_list(what: Mail) -> None:
    told = rules(dmarc=replace(ALL_ON, soften_lists=Soften.ACCEPT))
    assert isinstance(judged(what, told).action, Reject)


# Trusted ARC sealers.

PASSED = b"mx.example.com;\r\n dmarc=pass header.from=strict.example"


def chained(said: bytes = PASSED, *more: tuple[str, str]) -> Mail:
    what = mail(by("strict.example", *more))
    hasher = BodyHasher(seal.BODY_KEY)
    hasher.update(what.body)
    key = sign.signing_key(RSA, "example.com", "s1")
    made = seal.seal(what.header, key, hasher.digest(), judge(what), said, now=NOW)
    return Mail((*[(f.name, f.value) for f in made], *what.fields), what.body)


def test_a_trusted_sealer_outweighs_a_failure_and_says_so() -> None:
    told = rules(dmarc=ALL_ON, arc=ArcRules(trusted=frozenset({"example.com"})))
    verdict = judged(chained(), told)
    assert verdict.action == Accept()
    assert verdict.local == Local(Kind.SEALER, "trusted ARC sealer example.com")
    text = results(verdict)
    assert 'dmarc=fail reason="local policy: trusted ARC sealer example.com"' in text
    assert "policy.dmarc=reject" in text  # what was asked for is not hidden
    assert verdict.story["local"] == "trusted ARC sealer example.com"
    assert "takes the word of the trusted ARC sealer example.com" in story(verdict)


@pytest.mark.parametrize(
    ("what", "trusted"),
    [
        pytest.param(chained(), set(), id="nobody-trusted"),
        pytest.param(chained(), {"x.example"}, id="another-trusted"),
        pytest.param(chained(b"mx; dmarc=fail header.from=strict.example"), {"example.com"},
                     id="it-failed-there-too"),
        pytest.param(replace(chained(), body=b"changed\r\n"), {"example.com"}, id="chain-broken"),
    ],
)  # fmt: skip
def test_other_chains_change_nothing(what: Mail, trusted: set[str]) -> None:
    told = rules(dmarc=ALL_ON, arc=ArcRules(trusted=frozenset(trusted)))
    assert isinstance(judged(what, told).action, Reject)


@pytest.mark.parametrize(
    ("body", "action"), [(None, Accept), (b"changed\r\n", Reject)], ids=["passes", "broken"]
)
def test_a_chain_stands_for_a_mailing_list_too(body: bytes | None, action: type[Action]) -> None:
    what = chained(PASSED, LIST)
    what = what if body is None else replace(what, body=body)
    told = rules(dmarc=replace(ALL_ON, soften_lists=Soften.ACCEPT))
    assert isinstance(judged(what, told).action, action)


# Overrides.


def override(effect: Effect, author: str, **more: object) -> Override:
    return Override(number=7, effect=effect, why="why; \x07=", author=Names([author]), **more)  # type: ignore[arg-type]


def test_an_exemption() -> None:
    row = override(Effect.ACCEPT, "strict.example")
    verdict = judged(mail(by("strict.example")), rules(dmarc=ALL_ON, overrides=(row,)))
    assert verdict.action == Accept()
    assert 'dmarc=fail reason="local policy: why, ?:"' in results(verdict)
    assert (verdict.story["override"], verdict.story["row"]) == ("why; \x07=", 7)
    assert "Local policy decides, override 7" in story(verdict)


def test_a_tightening_of_p_none() -> None:
    row = override(Effect.REJECT, "lax.example")
    verdict = judged(mail(by("lax.example")), rules(overrides=(row,)))
    assert verdict.action == Reject("message refused by local policy for lax.example")


def test_a_hold() -> None:
    row = override(Effect.HOLD, "nothing.example", dmarc=frozenset({Dmarc.NONE}))
    verdict = judged(mail(by("nothing.example")), rules(overrides=(row,)))
    assert isinstance(verdict.action, Hold)


def test_an_exemption_from_the_rules_about_from() -> None:
    row = override(Effect.ACCEPT, "a.example")
    told = rules(from_=FromRules(multiple=OnBadFrom.REJECT), overrides=(row,))
    assert judged(mail([*by("a.example"), ("From", " b@a.example")]), told).action == Accept()
    assert isinstance(judged(mail([*by("a.example"), *by("b.example")]), told).action, Reject)


@pytest.mark.parametrize("refused", [True, False])
def test_mail_that_passes_needs_an_exemption_only_when_it_would_be_refused(refused: bool) -> None:
    """Two authors in two domains, and both stand behind the message."""
    world = WORLD | {
        ("_dmarc.example.com", "TXT"): (b"v=DMARC1; p=none",),
        ("_dmarc.other.example", "TXT"): (b"v=DMARC1; p=none",),
    }
    row = replace(override(Effect.ACCEPT, "x"), author=Names(["example.com", "other.example"]))
    wanted = OnBadFrom.REJECT if refused else OnBadFrom.ACCEPT
    told = rules(from_=FromRules(multiple=wanted), overrides=(row,))
    what = signed([("From", " a@example.com, e@other.example"), *FIELDS[1:]])
    verdict = through(what, FakeDns(world), sender="e@other.example", told=told)
    assert verdict.dmarc and verdict.dmarc.status == "pass"
    assert (verdict.action, verdict.local is not None) == (Accept(), refused)


def test_other_mail_is_not_concerned() -> None:
    row = override(Effect.ACCEPT, "strict.example")
    verdict = judged(mail(by("careful.example")), rules(dmarc=ALL_ON, overrides=(row,)))
    assert isinstance(verdict.action, Hold)
    assert verdict.local is None


def test_an_expired_row_does_nothing() -> None:
    row = override(Effect.ACCEPT, "strict.example", expires=NOW)
    verdict = judged(mail(by("strict.example")), rules(dmarc=ALL_ON, overrides=(row,)))
    assert isinstance(verdict.action, Reject)


def test_every_hit_is_counted() -> None:
    counted: list[int] = []
    row = override(Effect.ACCEPT, "strict.example")
    told = rules(dmarc=ALL_ON, overrides=(row,))
    for author in ("strict.example", "careful.example", "strict.example"):
        what = mail(by(author))
        through(what, FakeDns(WORLD), sender="e@x.example", told=told, count=counted.append)
    assert counted == [7, 7]


def test_only_overrides_are_counted() -> None:
    """What has softened a policy for another reason is no row."""
    counted: list[int] = []
    told = rules(dmarc=replace(ALL_ON, soften_lists=Soften.ACCEPT))
    what = relisted("strict.example")
    verdict = through(what, FakeDns(WORLD), sender="", told=told, count=counted.append)
    assert (verdict.local is not None, counted) == (True, [])


def test_mail_of_ours_is_never_refused() -> None:
    """Whatever is switched on."""
    row = override(Effect.REJECT, "lax.example", dmarc=frozenset(Dmarc))
    told = rules(
        dmarc=replace(ALL_ON, on_temperror=TEMPFAIL),
        faults=EVERY,
        from_=FromRules(missing=OnBadFrom.REJECT, broken=OnBadFrom.REJECT,
                        multiple=OnBadFrom.REJECT),
        overrides=(row,),
    )  # fmt: skip
    for what in (mail(by("lax.example")), mail([LIST]), mail([*FIELDS, *by("x.example")]),
                 BROKEN_KEY):  # fmt: skip
        verdict = through(what, FakeDns(WORLD), client=USER, told=told)
        assert verdict.action == Accept()
        assert verdict.local is None
