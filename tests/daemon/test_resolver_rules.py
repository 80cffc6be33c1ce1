"""Rules of the standards that are about DNS itself, over the wire."""

from __future__ import annotations

from postseal.core.address import author_domains
from postseal.core.dmarc.evaluate import evaluate
from postseal.core.field import Field
from postseal.daemon.resolver import Resolver, ResolverConfig
from support.dnsserver import DnsServer

RECORD = b"v=DMARC1; rua=mailto:a@example.com," + b"mailto:b@example.com," * 20 + b"; p=reject"


def test_d_1_strings_of_one_record_are_joined() -> None:
    """The server cuts it at 255 octets; the policy stands behind the cut."""
    assert len(RECORD) > 255
    with DnsServer({("_dmarc.example.com", "TXT"): (RECORD,)}) as server:
        dns = Resolver(ResolverConfig(nameservers=(server.address,))).session()
        result = evaluate(author_domains([Field(b"From", b" a@example.com")]), resolver=dns)
        dns.close()
    assert (result.status, result.applied) == ("fail", "reject")
