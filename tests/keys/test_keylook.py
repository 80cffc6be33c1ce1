"""keylook: where a record may have gone, without packets.  Over packets: test_testkey.py."""

from __future__ import annotations

import pytest

from postseal_keys.dnsask import Outcome, Reply
from postseal_keys.keylook import look
from support.fakeasker import FakeAsker

KEY = "v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="  # RFC 8463 A.2
NAME = "s1._domainkey.d.example"


GONE = ["key-missing"]
DOUBLED = ["key-missing", "key-doubled"]
MISPLACED = ["key-missing", "key-misplaced"]
ALIAS = {(NAME, "CNAME"): ["k.p.example"], ("k.p.example", "TXT"): [KEY]}


@pytest.mark.parametrize(
    ("world", "codes", "ok"),
    [
        pytest.param({(NAME, "TXT"): [KEY]}, ["key-ok"], True, id="there"),
        pytest.param({}, GONE, False, id="nowhere"),
        pytest.param({(f"{NAME}.d.example", "TXT"): [KEY]}, DOUBLED, False, id="doubled"),
        pytest.param({(f"{NAME}.example", "TXT"): [KEY]}, DOUBLED, False, id="doubled-apex"),
        pytest.param({("s1.d.example", "TXT"): [KEY]}, MISPLACED, False, id="misplaced"),
        pytest.param({("_domainkey.d.example", "TXT"): [KEY]}, MISPLACED, False, id="above"),
        pytest.param({("s1.d.example", "TXT"): ["v=spf1"]}, GONE, False, id="something-else"),
        pytest.param(ALIAS, ["key-cname", "key-ok"], True, id="cname"),
        pytest.param({(NAME, "CNAME"): [NAME]}, ["key-cname-loop"], False, id="cname-to-itself"),
    ],
)
def test_look(world: dict[tuple[str, str], list[str]], codes: list[str], ok: bool) -> None:
    asker = FakeAsker(world)
    result = look("s1", "d.example", asker, resolver=asker, apex="example")
    assert [finding.code for finding in result.findings] == codes
    assert result.ok is ok


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.SERVFAIL, Outcome.REFUSED])
def test_no_answer_is_not_no_record(outcome: Outcome) -> None:
    asker = FakeAsker({}, broken={NAME: outcome})
    result = look("s1", "d.example", asker, resolver=asker)
    assert [finding.code for finding in result.findings] == ["dns"]
    assert result.findings[0].hint
    assert asker.asked == [(NAME, "TXT")]


def test_a_wildcard_shows_in_an_answer_for_no_name() -> None:
    class Wild(FakeAsker):
        def ask(self, name: str, kind: str, /) -> Reply:
            return FakeAsker({(name, kind): [KEY]}).ask(name, kind)

    asker = Wild({})
    result = look("s1", "d.example", asker, resolver=asker)
    assert [finding.code for finding in result.findings] == ["key-wildcard", "key-ok"]


def test_an_alias_into_another_zone_is_followed_by_the_resolver() -> None:
    zone = FakeAsker({(NAME, "CNAME"): ["k.p.example"]})
    resolver = FakeAsker({("k.p.example", "TXT"): [KEY]})
    assert look("s1", "d.example", zone, resolver=resolver).ok


def test_a_name_too_long() -> None:
    result = look(
        "s" * 60, ".".join(["d" * 60] * 3) + ".example", FakeAsker({}), resolver=FakeAsker({})
    )
    assert [finding.code for finding in result.findings] == ["key-name"]
