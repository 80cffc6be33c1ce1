"""Authentication-Results that claim our name are removed, however they are written."""

from __future__ import annotations

import pytest

from support import results
from support.mail import header_fields, message
from support.smtpclient import Pose
from support.world import BAD_V4, INSIDE, World

pytestmark = [pytest.mark.e2e, pytest.mark.usefixtures("normal")]

ANN = "ann@good.example"
LIE = "dkim=pass header.d=forged.example"
NAME = "Authentication-Results"

FORGED = {
    "plain": f"{NAME}: mx.e2e.example; {LIE}",
    "upper-case": f"{NAME.upper()}: MX.E2E.EXAMPLE; {LIE}",
    "mixed-case": f"authentication-RESULTS: Mx.e2E.example; {LIE}",
    "no-space": f"{NAME}:mx.e2e.example;{LIE}",
    "much-space": f"{NAME}: \t  mx.e2e.example \t ; {LIE}",
    "folded-before": f"{NAME}:\r\n mx.e2e.example; {LIE}",
    "folded-after": f"{NAME}: mx.e2e.example\r\n\t; {LIE}",
    "comment-before": f"{NAME}: (hello) mx.e2e.example; {LIE}",
    "comment-after": f"{NAME}: mx.e2e.example (hello); {LIE}",
    "nested-comment": f"{NAME}: (a (b \\) ) c)mx.e2e.example(d); {LIE}",
    "comment-with-semicolon": f"{NAME}: (x; y)mx.e2e.example; {LIE}",
    "quoted": f'{NAME}: "mx.e2e.example"; {LIE}',
    "quoted-pairs": f'{NAME}: "mx\\.e2e.ex\\ample"; {LIE}',
    "version": f"{NAME}: mx.e2e.example 1; {LIE}",
    "unknown-version": f"{NAME}: mx.e2e.example 77; {LIE}",
    "trailing-dot": f"{NAME}: mx.e2e.example.; {LIE}",
    "none-then-more": f"{NAME}: mx.e2e.example; none; {LIE}",
    "broken-tail": f'{NAME}: mx.e2e.example; {LIE} =;;"(',
    "no-semicolon": f"{NAME}: mx.e2e.example {LIE}",
    "unfinished-comment": f"{NAME}: mx.e2e.example; {LIE} (",
    "very-long": f"{NAME}: mx.e2e.example; {LIE};" + "\r\n x=pass (filler)" * 1500,
}


@pytest.mark.parametrize("field", FORGED.values(), ids=FORGED.keys())
def test_a_forged_field_is_gone(world: World, field: str) -> None:
    delivered = world.deliver(message(ANN, field), ANN, Pose(address=BAD_V4))
    assert b"forged.example" not in delivered.content
    assert results.only(delivered, "dmarc").result == "fail"


def test_all_of_many_forged_fields_are_gone_and_nothing_else(world: World) -> None:
    foreign = f"{NAME}: mx.other.example; dkim=pass header.d=kept.example"
    mixed = [field for forged in FORGED.values() for field in (forged, foreign)]
    delivered = world.deliver(message(ANN, *mixed), ANN, Pose(address=BAD_V4))
    assert b"forged.example" not in delivered.content
    assert len(header_fields(delivered.content, NAME)) == 1 + len(FORGED)
    assert delivered.content.count(b"header.d=kept.example") == len(FORGED)


@pytest.mark.parametrize(
    "foreign",
    ["mx.e2e.example.other.example", "e2e.example", "xmx.e2e.example", "other.example"],
)
def test_fields_of_others_stay(world: World, foreign: str) -> None:
    field = f"{NAME}: {foreign}; dkim=pass header.d=kept.example"
    delivered = world.deliver(message(ANN, field), ANN, Pose(address=BAD_V4))
    assert b"kept.example" in delivered.content


def test_forged_fields_of_our_own_people_do_not_leave_either(world: World) -> None:
    content = message("ann@unknown.example", FORGED["plain"])
    delivered = world.deliver(content, "ann@unknown.example", Pose(address=INSIDE))
    assert b"forged.example" not in delivered.content
