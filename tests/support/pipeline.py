"""A pipeline with tables for keys and DNS, for tests of the whole way of a message."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address, ip_network

from postseal.core.dkim import sign
from postseal.core.pipeline import Pipeline
from postseal.core.resolver import Resolver
from postseal.core.roles import Origins
from postseal.core.rules import Rules
from postseal.core.signing import Choice, KeyChooser, SigningUnavailable
from postseal.core.transaction import Address, Client, Envelope
from postseal.core.verdict import Verdict
from support.dkimmail import ED25519_SEED, NOW, RSA_PEM, Mail

ID = "mx.example.org"
OUTSIDE = Client(address=ip_address("203.0.113.7"), helo="mail.example.com")
USER = Client(address=ip_address("203.0.113.8"), helo="[192.168.1.2]", auth_user="ann")


class Loopback:
    """The internal hosts of these tests."""

    def matches(self, address: Address | None, name: str, /) -> bool:
        return address is not None and address in ip_network("127.0.0.0/8")


class Keys:
    """RSA and Ed25519 for example.com; a table that is broken for broken.example."""

    def choose(self, address: str, /) -> tuple[Choice, ...]:
        domain = address.rpartition("@")[2]
        if domain == "broken.example":
            raise SigningUnavailable("keys/broken.pem: cannot be read")
        if domain != "example.com":
            return ()
        return (
            Choice(key=sign.load(RSA_PEM, "example.com", "s1")),
            Choice(key=sign.load(ED25519_SEED, "example.com", "ed"), identity="@example.com"),
        )


def rules(**changes: object) -> Rules:
    """Rules with everything at its default but the given fields."""
    told: dict[str, object] = {
        "authserv_id": ID,
        "own_ids": frozenset({ID}),
        "origins": Origins(internal=Loopback()),
    }
    return Rules(**told | changes)  # type: ignore[arg-type]


def through(
    mail: Mail,
    resolver: Resolver,
    *,
    client: Client = OUTSIDE,
    sender: str = "ann@example.com",
    told: Rules | None = None,
    keys: KeyChooser | None = None,
    chunk: int = 1 << 16,
    clock: Callable[[], float] = lambda: NOW,
    count: Callable[[int], None] = lambda _row: None,
) -> Verdict:
    """The verdict on this mail, its body handed over in chunks."""
    pipeline = Pipeline(told or rules(), keys or Keys(), clock, count)
    work = pipeline.open(client, Envelope(sender=sender), mail.header, resolver)
    if work.wants_body:
        for at in range(0, len(mail.body), chunk):
            work.body(mail.body[at : at + chunk])
    return work.close()
