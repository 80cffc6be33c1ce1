"""crowd: so many forged fields that taking them away would cost the MTA too much."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from postseal.core.action import Accept, Delete, Reject
from postseal.core.crowd import MAX_FORGED
from postseal.core.explain import sentences
from postseal.core.rules import DmarcRules, OnQuarantine, Rules
from postseal.core.transaction import Client
from support.dkimmail import FIELDS, mail
from support.fakedns import FakeDns
from support.pipeline import ID, OUTSIDE, USER, rules, through

FORGED = ("Authentication-Results", f" {ID}; spf=pass")
OTHER = ("Authentication-Results", " other.example; spf=pass")
MARK = ("X-Postseal-Quarantine", " no")
MARKS = rules(dmarc=DmarcRules(quarantine=OnQuarantine.HEADER))


@pytest.mark.parametrize("client", [OUTSIDE, USER], ids=["outside", "user"])
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        pytest.param([FORGED] * (MAX_FORGED + 1), rules(), id="results"),
        pytest.param([OTHER, *[FORGED] * (MAX_FORGED + 1)], rules(), id="others-between"),
        pytest.param([MARK] * (MAX_FORGED + 1), MARKS, id="marks"),
    ],
)
def test_a_crowd_is_refused(fields: Sequence[tuple[str, str]], told: Rules, client: Client) -> None:
    verdict = through(mail([*fields, *FIELDS]), FakeDns(), told=told, client=client)
    assert isinstance(verdict.action, Reject)
    assert (verdict.action.code, verdict.action.enhanced) == (550, "5.7.1")
    assert verdict.edits == ()
    assert verdict.story["reason"] == "too-many-forged-fields"
    assert sentences(verdict)[-1].startswith("It is refused: 550 5.7.1 message refused: too many")


@pytest.mark.parametrize(
    ("fields", "told", "gone"),
    [
        pytest.param([FORGED] * MAX_FORGED, rules(), MAX_FORGED, id="not-yet"),
        pytest.param([OTHER] * 2000, rules(), 0, id="of-others"),
        pytest.param([*[OTHER] * 2000, FORGED], rules(), 1, id="of-others-and-one"),
        pytest.param([MARK] * 2000, rules(), 0, id="marks-that-mean-nothing"),
        pytest.param([MARK] * MAX_FORGED, MARKS, MAX_FORGED, id="marks"),
    ],
)
def test_other_mail_is_not(fields: Sequence[tuple[str, str]], told: Rules, gone: int) -> None:
    verdict = through(mail([*fields, *FIELDS]), FakeDns(), told=told)
    assert isinstance(verdict.action, Accept)
    assert sum(isinstance(edit, Delete) for edit in verdict.edits) == gone
