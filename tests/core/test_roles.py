"""roles: who may be signed for, one row per rule."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest

from postseal.core.roles import MacroRule, Origin, Origins, decide
from postseal.core.transaction import Address, Client


class Networks:
    """A HostSet of networks."""

    def __init__(self, *networks: str) -> None:
        self.networks = [ip_network(network) for network in networks]

    def matches(self, address: Address | None, name: str, /) -> bool:
        return address is not None and any(address in network for network in self.networks)


ORIGINS = Origins(
    internal=Networks("127.0.0.0/8", "192.0.2.0/24"),
    peers=Networks("198.51.100.9/32"),
    macros=(MacroRule.parse("tls_version=TLSv1.3|TLSv1.2"), MacroRule.parse("{cert_subject}")),
    never_sign=(MacroRule.parse("daemon_name=REINJECT"),),
)


@pytest.mark.parametrize(
    ("client", "origin"),
    [
        pytest.param(
            {"address": "203.0.113.5", "auth_user": "ann"}, Origin.AUTHENTICATED, id="auth-user"
        ),
        pytest.param(
            {"address": "203.0.113.5", "auth_type": "PLAIN"}, Origin.AUTHENTICATED, id="auth-type"
        ),
        pytest.param(
            {"address": "203.0.113.5", "daemon_name": "ORIGINATING"}, Origin.DAEMON, id="daemon"
        ),
        pytest.param(
            {"address": "203.0.113.5", "daemon_name": "mx.example"},
            Origin.OUTSIDE,
            id="daemon-name-is-host-name",
        ),
        pytest.param({"address": "192.0.2.7"}, Origin.INTERNAL_HOST, id="internal"),
        pytest.param({"address": "127.0.0.1", "local": True}, Origin.LOCAL, id="sendmail"),
        pytest.param({"address": "203.0.113.5", "name": "x.example"}, Origin.OUTSIDE, id="other"),
        pytest.param({}, Origin.OUTSIDE, id="no-address"),
        pytest.param(
            {"address": "198.51.100.9", "auth_user": "ann"}, Origin.PEER, id="peer-before-auth"
        ),
        pytest.param(
            {"address": "203.0.113.5", "macros": {"tls_version": "TLSv1.2"}},
            Origin.MACRO,
            id="macro-value",
        ),
        pytest.param(
            {"address": "203.0.113.5", "macros": {"tls_version": "tlsv1.2"}},
            Origin.OUTSIDE,
            id="macro-value-exact",
        ),
        pytest.param(
            {"address": "203.0.113.5", "macros": {"cert_subject": ""}},
            Origin.MACRO,
            id="macro-defined",
        ),
        pytest.param(
            {"address": "127.0.0.1", "macros": {"daemon_name": "REINJECT"}},
            Origin.NEVER_SIGN,
            id="never-sign",
        ),
        pytest.param(
            {"address": "203.0.113.5", "macros": {"daemon_name": "REINJECT"}},
            Origin.OUTSIDE,
            id="never-sign-gives-no-trust",
        ),
    ],
)
def test_origin(client: dict[str, object], origin: Origin) -> None:
    facts = dict(client)
    if "address" in facts:
        facts["address"] = ip_address(str(facts["address"]))
    assert decide(Client(**facts), ORIGINS) is origin  # type: ignore[arg-type]


def test_a_mail_that_is_never_signed_is_still_trusted() -> None:
    assert Origin.NEVER_SIGN.trusted and not Origin.NEVER_SIGN.signs


def test_authentication_can_be_made_to_count_for_nothing() -> None:
    client = Client(auth_user="ann")
    assert decide(client, Origins(authenticated=False)) is Origin.OUTSIDE


def test_the_macros_to_ask_for_are_named_once_without_braces() -> None:
    assert ORIGINS.macro_names == ("tls_version", "cert_subject", "daemon_name")
