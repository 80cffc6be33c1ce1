"""overrides: each condition alone, together, and against who would bend it."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address, ip_network
from typing import Any

import pytest

from postseal.core.address import Authors, Why
from postseal.core.arc import verify as arc
from postseal.core.dkim import verify as dkim
from postseal.core.dmarc import evaluate as dmarc
from postseal.core.field import Field, Header
from postseal.core.findings import Findings
from postseal.core.overrides import Effect, Names, Override, first_match
from postseal.core.relays import Relayed
from postseal.core.relays import Why as Relay
from postseal.core.roles import Origin
from postseal.core.transaction import Address, Client, Envelope

LIST = Header([Field(b"List-Id", b" <dev.lists.example>")])


class Net:
    """A HostSet of one network and one name."""

    def matches(self, address: Address | None, name: str, /) -> bool:
        return name == "out.example" or (
            address is not None and address in ip_network("192.0.2.0/24")
        )


def signature(domain: str, status: dkim.Status = dkim.Status.PASS, **more: bool) -> dkim.Result:
    return dkim.Result(status=status, why=dkim.Why.VERIFIED, domain=domain, **more)  # type: ignore[arg-type]


CHAIN = arc.ArcResult(
    status=arc.Status.PASS,
    why=arc.Why.VALID,
    sealers=(arc.Sealer(domain="old.example", selector="s"),
             arc.Sealer(domain="new.example", selector="s")),
    from_signed=True,
)  # fmt: skip
FOUND = Findings(
    origin=Origin.OUTSIDE,
    authors=Authors(why=Why.ONE, domains=("a.example",), addresses=1),
    client=Client(address=ip_address("192.0.2.1"), name="out.example"),
    envelope=Envelope(sender="x@y.example", recipients=("Bob@our.example", "eve@our.example")),
    dkim=(signature("list.example"),),
    arc=CHAIN,
    dmarc=dmarc.Result(status=dmarc.Status.FAIL, why=dmarc.Why.NO_IDENTIFIER),
)
TWO_AUTHORS = FOUND._replace(
    authors=Authors(why=Why.SEVERAL_DOMAINS, domains=("a.example", "b.example"))
)


def row(effect: Effect = Effect.ACCEPT, **conditions: Any) -> Override:
    made: dict[str, Any] = {"number": 1, "effect": effect, "why": "x"}
    for name, value in conditions.items():
        if name in ("author", "dkim", "list_id", "arc", "recipient"):
            value = Names([value] if isinstance(value, str) else value)
        made[name] = value
    return Override(**made)


def met(
    one: Override, found: Findings = FOUND, header: Header = LIST, *, planned: bool = True
) -> bool:
    return first_match([one], found, header, planned=planned, now=1000) is one


@pytest.mark.parametrize(
    ("names", "name", "listed"),
    [
        pytest.param(["a.b"], "a.b", True, id="same"),
        pytest.param(["a.b"], "x.a.b", False, id="not-below"),
        pytest.param([".a.b"], "x.y.a.b", True, id="below"),
        pytest.param([".a.b"], "a.b", False, id="only-below"),
        pytest.param([".a.b"], "xa.b", False, id="at-a-label"),
        pytest.param([".a.b", "a.b"], "a.b", True, id="both"),
        pytest.param([".a.b", "c.d"], "x.a.b", True, id="among-others"),
        pytest.param(["a.b"], "", False, id="nothing"),
        pytest.param(["a@b.c"], "b.c", False, id="a-mailbox-is-no-domain"),
    ],
)
def test_names(names: list[str], name: str, listed: bool) -> None:
    assert (name in Names(names)) is listed


@pytest.mark.parametrize(
    ("names", "address", "listed"),
    [
        pytest.param(["ann@a.b"], "Ann@A.B", True, id="mailbox"),
        pytest.param(["ann@a.b"], "bob@a.b", False, id="another"),
        pytest.param(["a.b"], "bob@a.b", True, id="domain"),
        pytest.param([".b"], "bob@a.b", True, id="below"),
        pytest.param(["a.b"], "a.b", False, id="no-mailbox"),
        pytest.param(["a.b"], '"@x.y"@a.b', True, id="quoted"),
    ],
)
def test_mailboxes(names: list[str], address: str, listed: bool) -> None:
    assert Names(names).has_mailbox(address) is listed


@pytest.mark.parametrize(
    ("one", "yes"),
    [
        pytest.param(row(author="a.example"), True, id="from"),
        pytest.param(row(author="b.example"), False, id="from-other"),
        pytest.param(row(dkim="list.example"), True, id="dkim"),
        pytest.param(row(dkim="a.example"), False, id="dkim-other"),
        pytest.param(row(client=Net()), True, id="client"),
        pytest.param(row(list_id="dev.lists.example"), True, id="list"),
        pytest.param(row(list_id=".lists.example"), True, id="list-below"),
        pytest.param(row(list_id="x.lists.example"), False, id="list-other"),
        pytest.param(row(arc="new.example"), True, id="arc"),
        pytest.param(row(arc="old.example"), False, id="arc-not-newest"),
        pytest.param(row(recipient="our.example"), True, id="recipients"),
        pytest.param(row(recipient="bob@our.example"), False, id="not-all-recipients"),
        pytest.param(row(author="a.example", dkim="list.example"), True, id="two"),
        pytest.param(row(author="a.example", dkim="x.example"), False, id="one-of-two"),
        pytest.param(row(expires=1001, author="a.example"), True, id="in-force"),
        pytest.param(row(expires=1000, author="a.example"), False, id="expired"),
    ],
)
def test_conditions(one: Override, yes: bool) -> None:
    assert met(one) is yes


@pytest.mark.parametrize(
    ("one", "found", "header"),
    [
        pytest.param(row(dkim="list.example"),
                     FOUND._replace(dkim=(signature("list.example", dkim.Status.FAIL),)), LIST,
                     id="dkim-fails"),
        pytest.param(row(dkim="list.example"),
                     FOUND._replace(dkim=(signature("list.example", testing=True),)), LIST,
                     id="dkim-test-key"),
        pytest.param(row(arc="new.example"), FOUND._replace(arc=replace(CHAIN, from_signed=False)),
                     LIST, id="arc-without-from"),
        pytest.param(row(arc="new.example"),
                     FOUND._replace(arc=replace(CHAIN, status=arc.Status.FAIL)), LIST,
                     id="arc-fails"),
        pytest.param(row(arc="new.example"), FOUND._replace(arc=None), LIST, id="no-arc"),
        pytest.param(row(list_id=".lists.example"), FOUND, Header([]), id="no-list"),
        pytest.param(row(recipient="our.example"), FOUND._replace(envelope=Envelope()), LIST,
                     id="no-recipients"),
        pytest.param(row(author="a.example"), FOUND._replace(authors=Authors(why=Why.MISSING)),
                     LIST, id="no-author"),
        pytest.param(row(client=Net()), FOUND._replace(relayed=Relayed(
            address=ip_address("198.51.100.1"), helo="h", why=Relay.RELAYED, hops=1)), LIST,
            id="the-relay-is-not-the-client"),
    ],
)  # fmt: skip
def test_what_is_no_proof(one: Override, found: Findings, header: Header) -> None:
    assert not met(one, found, header)


def test_accept_wants_every_author_and_reject_any() -> None:
    assert not met(row(author="b.example"), TWO_AUTHORS)
    assert met(row(author=["a.example", "b.example"]), TWO_AUTHORS)
    assert met(row(Effect.REJECT, author="b.example"), TWO_AUTHORS)


ALL = set(dmarc.Status)


@pytest.mark.parametrize(
    ("one", "planned", "statuses"),
    [
        pytest.param(row(Effect.REJECT, author="a.example"), False, {"fail"}, id="reject"),
        pytest.param(row(Effect.HOLD, author="a.example"), True, {"fail"}, id="hold"),
        pytest.param(row(author="a.example"), False, ALL - {"pass"}, id="accept"),
        pytest.param(row(author="a.example"), True, ALL, id="accept-what-was-to-be-refused"),
        pytest.param(
            row(Effect.REJECT, author="a.example", dmarc=frozenset({dmarc.Status.NONE})), False,
            {"none"}, id="named",
        ),
    ],
)  # fmt: skip
def test_which_results_a_row_is_for(one: Override, planned: bool, statuses: set[str]) -> None:
    found = {
        status
        for status in dmarc.Status
        if met(
            one,
            FOUND._replace(dmarc=dmarc.Result(status=status, why=dmarc.Why.ALIGNED)),
            planned=planned,
        )
    }
    assert found == statuses


def test_without_dmarc_only_exemptions_apply() -> None:
    found = FOUND._replace(dmarc=None)
    assert met(row(author="a.example"), found)
    assert not met(row(Effect.REJECT, author="a.example"), found)


def test_the_first_row_decides() -> None:
    rows = [row(author="x.example", number=1), row(dkim="list.example", number=2),
            row(author="a.example", number=3)]  # fmt: skip
    found = first_match(rows, FOUND, LIST, planned=True, now=0)
    assert found is rows[1]
