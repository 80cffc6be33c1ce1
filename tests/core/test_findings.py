"""findings: what can be concluded from the results alone."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from postseal.core import iprev, spf
from postseal.core.authres_upstream import Upstream
from postseal.core.authres_upstream import Why as Said
from postseal.core.dkim import verify
from postseal.core.dmarc import evaluate as dmarc
from postseal.core.findings import Findings, dkim_domains
from postseal.core.relays import Relayed, Why
from postseal.core.roles import Origin
from postseal.core.transaction import Client

HERE, THERE = ip_address("192.0.2.1"), ip_address("192.0.2.2")


def signature(status: str, domain: str = "a.example", **more: object) -> verify.Result:
    why = more.pop("why", verify.Why.VERIFIED)
    return verify.Result(status=verify.Status(status), why=why, domain=domain, **more)  # type: ignore[arg-type]


def sender(status: str, why: spf.Why = spf.Why.MATCHED) -> spf.Result:
    return spf.Result(status=spf.Status(status), why=why, domain="a.example", identity="mailfrom")


def found(**facts: object) -> Findings:
    return Findings(origin=Origin.OUTSIDE, **facts)  # type: ignore[arg-type]


def test_a_key_in_test_mode_vouches_for_nobody() -> None:
    """RFC 6376 section 3.6.1."""
    several = (
        signature("pass", "a.example"),
        signature("pass", "t.example", testing=True),
        signature("fail", "f.example"),
        signature("pass", "a.example"),
    )
    assert dkim_domains(several, verify.Status.PASS) == ("a.example",)


def test_the_address_is_that_of_the_true_client() -> None:
    client = Client(address=HERE)
    assert found().address is None
    assert found(client=client).address == HERE
    behind = Relayed(address=THERE, helo="h", why=Why.RELAYED, hops=1)
    assert found(client=client, relayed=behind).address == THERE


def test_only_a_name_that_the_mta_verified_counts() -> None:
    client = Client(address=HERE, name="here.example")
    assert found().client_name == ""
    assert found(client=client).client_name == "here.example"
    itself = Relayed(address=HERE, helo="h", why=Why.DIRECT)
    assert found(client=client, relayed=itself).client_name == "here.example"
    behind = Relayed(address=THERE, helo="h", why=Why.RELAYED, hops=1)
    assert found(client=client, relayed=behind).client_name == ""


ALIGNED = dmarc.Result(
    status=dmarc.Status.PASS, why=dmarc.Why.ALIGNED, aligned_by=("dkim a.example", "spf a.example")
)
READ = Upstream(why=Said.READ, authserv_id="mx1")


@pytest.mark.parametrize(
    ("facts", "borrowed"),
    [
        pytest.param({"dmarc": ALIGNED}, False, id="no-upstream"),
        pytest.param({"dmarc": ALIGNED, "upstream": READ}, True, id="nothing-of-ours"),
        pytest.param(
            {"dmarc": ALIGNED, "upstream": READ, "spf": sender("pass")}, False, id="our-spf"
        ),
        pytest.param(
            {"dmarc": ALIGNED, "upstream": READ, "spf": sender("fail")}, True, id="our-spf-fails"
        ),
        pytest.param(
            {"dmarc": ALIGNED, "upstream": READ, "dkim": (signature("pass"),)}, False, id="our-dkim"
        ),
    ],
)
def test_borrowed(facts: dict[str, object], borrowed: bool) -> None:
    assert found(**facts).borrowed is borrowed


@pytest.mark.parametrize(
    ("facts", "limits"),
    [
        pytest.param({}, (), id="none"),
        pytest.param(
            {"dkim": (signature("temperror", detail="no key: budget", why=verify.Why.DNS),)},
            ("dns",), id="dkim",
        ),
        pytest.param(
            {"dkim": (signature("temperror", detail="no key: timeout", why=verify.Why.DNS),)},
            (), id="a-timeout-is-none",
        ),
        pytest.param({"spf": sender("temperror", spf.Why.DNS_BUDGET)}, ("dns",), id="spf"),
        pytest.param({"helo": sender("temperror", spf.Why.DNS_BUDGET)}, ("dns",), id="helo"),
        pytest.param({"spf": sender("temperror", spf.Why.DNS_TIMEOUT)}, (), id="spf-timeout"),
        pytest.param({"spf": sender("permerror", spf.Why.LOOKUP_LIMIT)}, ("spf",), id="lookups"),
        pytest.param(
            {"iprev": iprev.Result(status=iprev.Status.TEMPERROR, why=iprev.Why.DNS, client=HERE,
                                   detail="PTR x: budget")},
            ("dns",), id="iprev",
        ),
        pytest.param(
            {"dmarc": dmarc.Result(status=dmarc.Status.TEMPERROR, why=dmarc.Why.DNS_POLICY,
                                   detail="TXT _dmarc.a.example: budget")},
            ("dns",), id="dmarc",
        ),
        pytest.param(
            {"dkim": (signature("policy", why=verify.Why.TOO_MANY),)}, ("signatures",),
            id="signatures",
        ),
    ],
)  # fmt: skip
def test_limits(facts: dict[str, object], limits: tuple[str, ...]) -> None:
    assert found(**facts).limits == limits
