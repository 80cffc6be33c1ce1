"""TXT records for the tests of formats, easy ones and awkward ones.

NAME
    txtsamples - SAMPLES by name; ZONE, the zone they are in; ask() a server

GIVES
    records of every kind of key, of every length that formats treat differently, and
    texts with the characters that some format needs to escape.
"""

from __future__ import annotations

from functools import cache

import dns.message
import dns.query
import dns.rdatatype
from dns.rdtypes.ANY.TXT import TXT

from postseal_keys import keypair
from postseal_keys.formats import TxtRecord
from postseal_keys.keypair import Kind
from postseal_keys.records import KeyRecord
from support.child import LOOPBACK

ZONE = "example.com"
TTL = 7200


@cache
def _public(kind: Kind, bits: int) -> str:
    return keypair.public_text(keypair.make(kind, bits))


def _key(kind: Kind = Kind.RSA, bits: int = 2048, **tags: object) -> str:
    return str(KeyRecord(public=_public(kind, bits), kind=kind, **tags))  # type: ignore[arg-type]


_TEXTS = {
    "rsa1024": _key(bits=1024),
    "rsa2048": _key(hashes=("sha256",), flags=("y", "s"), services=("email",)),
    "rsa4096": _key(bits=4096),
    "ed25519": _key(Kind.ED25519),
    "note": _key(Kind.ED25519, note='for "us"; 100% \\ of ${it} = %{é}, until: 2027'),
    "revoked": str(KeyRecord(public="")),
    "exact255": str(KeyRecord(public="", note="x" * (255 - 22))),
    "exact256": str(KeyRecord(public="", note="x" * (256 - 22))),
}

SAMPLES = {
    name: TxtRecord(
        host=f"{name}._domainkey",
        zone=ZONE,
        text=text,
        ttl=TTL,
        comment=f"----- DKIM key {name} for {ZONE}",
    )
    for name, text in _TEXTS.items()
}

# Not key records: what else a format may be given, and what would break out of its quoting.
AWKWARD = TxtRecord(
    host="_awkward",
    zone=ZONE,
    text="a \"quoted\" \\ back: slash; ${x} %{y} 'single' , comma # hash -- $ORIGIN",
    ttl=TTL,
)
APEX = TxtRecord(host="", zone=ZONE, text="v=spf1 mx -all", ttl=TTL)


def ask(
    name: str, port: int, *, address: str = LOOPBACK, seconds: float = 20
) -> tuple[list[str], int]:
    """The strings of the only TXT record at name, and its time to live, from a server."""
    query = dns.message.make_query(name, "TXT", use_edns=0, payload=4096)
    answer, _ = dns.query.udp_with_fallback(query, address, timeout=seconds, port=port)
    found = [rrset for rrset in answer.answer if rrset.rdtype == dns.rdatatype.TXT]
    assert len(found) == 1 and len(found[0]) == 1, f"one record at {name}: {answer.to_text()}"
    record = found[0][0]
    assert isinstance(record, TXT)
    return [string.decode("latin-1") for string in record.strings], found[0].ttl
