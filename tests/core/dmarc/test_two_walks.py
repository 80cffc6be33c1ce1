"""The milter's tree walk and that of the key tools were written apart: they must agree.

The linter would else tell a domain's owner another policy than the milter applies.
"""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from postseal.core.dmarc.record import RecordError, parse
from postseal.core.dmarc.walk import Discovery, policy_names
from postseal_keys import dmarcrecord, treewalk
from support.fakeasker import FakeAsker
from support.fakedns import FakeDns

NAME = st.lists(st.sampled_from("abc"), min_size=1, max_size=10).map(".".join)
TEXT = st.sampled_from(
    ["v=DMARC1; p=reject", "v=DMARC1; psd=y", "v=DMARC1; p=none; psd=n", "v=DMARC1; psd=u",
     "v=DMARC1; psd=x", "v=spf1 -all", "p=reject; v=DMARC1", "v=DMARC1;psd = Y"]
)  # fmt: skip
WORLD = st.dictionaries(NAME, st.lists(TEXT, min_size=1, max_size=3), max_size=8)


@given(NAME)
def test_they_ask_the_same_names(domain: str) -> None:
    assert policy_names(domain) == treewalk.targets(domain)


@given(NAME, WORLD)
def test_they_find_the_same(domain: str, world: dict[str, list[str]]) -> None:
    table = {(f"_dmarc.{name}", "TXT"): texts for name, texts in world.items()}
    fake = FakeDns({key: [text.encode() for text in texts] for key, texts in table.items()})
    ours = Discovery(fake).walk(domain)
    asker = FakeAsker({key: list(texts) for key, texts in table.items()})
    theirs = treewalk.walk(domain, asker)
    assert [name for name, _ in fake.asked] == [name for name, _ in asker.asked]
    assert ours.organizational_domain == theirs.organization
    assert (ours.policy[0] if ours.policy else "") == theirs.policy_domain


PIECE = st.sampled_from(
    ["v=DMARC1", "V=DMARC1", "v=dmarc1", ";", "; ", "p=", "sp=", "np=", "psd=", "t=", "reject",
     "none", "quarantine", "y", "n", "u", "x", "rua=mailto:a@b.example;",
     "ruf=mailto:a@b.example!1m , https://x.example/;", ";rua=x;", ";ruf=,;",
      "fo=", "0", "1", "d", ":", "adkim=", "aspf=", "s", "r",
     " ", "=", "pct=0"]
)  # fmt: skip


@given(st.lists(PIECE, max_size=14).map("".join))
def test_they_read_records_alike(text: str) -> None:
    """Whether it is one, every tag, and what it comes to.

    The linter reads on where a record has a blank or a semicolon at its start,
    which RFC 9989 section 4.8 does not allow.
    """
    text = text.lstrip(" ;")
    try:
        ours = parse(text)
    except RecordError:
        assert not dmarcrecord.is_dmarc(text)
        return
    assert dmarcrecord.is_dmarc(text)
    theirs = dmarcrecord.parse(text)
    assert ours.usable == theirs.usable
    for tag in ("p", "sp", "np", "adkim", "aspf", "psd", "t", "rua", "ruf"):
        assert getattr(ours, tag) == getattr(theirs, tag), tag
    assert ours.fo == (theirs.fo if ours.ruf else ("0",)), "fo without ruf is ignored"
    for below in (False, True):
        for exists in (False, True):
            asked = theirs.asks(below=below, exists=exists)
            assert not ours.usable or ours.policy(below=below, exists=exists) == asked
