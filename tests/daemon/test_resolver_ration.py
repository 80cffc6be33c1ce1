"""A share of a message's DNS budget, and what is kept for those who come later."""

from __future__ import annotations

from postseal.core.address import author_domains
from postseal.core.dmarc import evaluate
from postseal.core.field import Field
from postseal.core.resolver import DnsFault, Kind, TemporaryDnsError
from postseal.daemon.resolver import Resolver, ResolverConfig, Session
from support.dnsserver import DnsServer, Fault

RECORDS = {(f"n{number}.example.com", "A"): ("192.0.2.1",) for number in range(6)}


def make(server: DnsServer, timeout: float = 9.0) -> Resolver:
    return Resolver(ResolverConfig(nameservers=(server.address,), timeout=timeout, attempts=1))


def fault_of(session: Session, name: str) -> DnsFault | None:
    try:
        session.ask(name, Kind.A)
    except TemporaryDnsError as error:
        return error.fault
    return None


def test_a_share_is_all_that_can_be_used_and_the_rest_is_kept() -> None:
    with DnsServer(RECORDS) as server:
        session = make(server).session(questions=5)
        session.ration(0.5)  # three of five
        faults = [fault_of(session, f"n{number}.example.com") for number in range(4)]
        assert faults == [None, None, None, DnsFault.BUDGET]
        session.ration(1.0)
        faults = [fault_of(session, f"n{number}.example.com") for number in range(6)]
        assert faults == [None] * 5 + [DnsFault.BUDGET]
        session.close()


def test_a_share_of_the_time_is_kept() -> None:
    with DnsServer(RECORDS, faults={"slow.example": Fault.TIMEOUT}) as server:
        session = make(server).session(seconds=2.0)
        session.ration(0.1)
        assert fault_of(session, "slow.example") is DnsFault.BUDGET
        assert fault_of(session, "n1.example.com") is DnsFault.BUDGET
        session.ration(1.0)
        assert fault_of(session, "n1.example.com") is None
        session.close()


def test_what_is_insisted_on_is_asked_though_its_neighbours_are_silent() -> None:
    records = {("_dmarc.bank.co.example", "A"): ("192.0.2.1",)}
    faults = {f"d{number}.co.example": Fault.TIMEOUT for number in range(12)}
    with DnsServer(records, faults=faults) as server:
        dns = make(server, timeout=0.05)
        for name in faults:
            assert fault_of(dns.session(), name) is DnsFault.TIMEOUT
        assert fault_of(dns.session(), "_dmarc.bank.co.example") is DnsFault.TIMEOUT  # rests
        insisting = dns.session()
        insisting.insist(["bank.co.example"])
        assert fault_of(insisting, "other.co.example") is DnsFault.TIMEOUT
        assert fault_of(insisting, "_dmarc.bank.co.example") is None
        insisting.close()


def test_what_is_insisted_on_is_asked_though_nothing_else_answers() -> None:
    """Two messages with forty-eight silent names hide no policy from a third one."""
    records = {("_dmarc.bank.example", "A"): ("192.0.2.1",)}
    with DnsServer(records, faults={"*.silent.example": Fault.TIMEOUT}) as server:
        dns = make(server, timeout=0.5)
        session = dns.session()
        names = [f"n.d{number}.silent.example" for number in range(48)]
        for name in names:
            session.prefetch(name, Kind.A)
        assert {fault_of(session, name) for name in names} == {DnsFault.TIMEOUT}
        session.close()
        forged = dns.session()
        forged.insist(["ceo.office.bank.example"])
        assert fault_of(forged, "s._domainkey.other.example") is DnsFault.TIMEOUT  # rests
        assert fault_of(forged, "_dmarc.bank.example") is None
        forged.close()


def test_what_is_used_is_used() -> None:
    """Shares are of what is left: a second one gives nothing back."""
    with DnsServer(RECORDS) as server:
        session = make(server).session(questions=2)
        for share in (0.5, 1.0):
            session.ration(share)
            assert fault_of(session, f"n{int(share * 2)}.example.com") is None
        session.ration(1.0)
        assert fault_of(session, "n0.example.com") is DnsFault.BUDGET
        session.close()


def test_a_second_author_cannot_spend_the_time_that_the_first_ones_policy_needs() -> None:
    """Each step of his walk is slow; the other's must have been asked for by then."""
    records = {("_dmarc.bank.example", "TXT"): (b"v=DMARC1; p=reject",)}
    faults = {"_dmarc.c.evil.example": Fault.TIMEOUT}
    field = Field(b"From", b" x@a.b.c.evil.example, ceo@a.b.bank.example")
    with DnsServer(records, faults=faults) as server:
        session = make(server, timeout=0.5).session(seconds=0.3)
        authors = author_domains([field])
        evaluate.prefetch(authors, session)
        result = evaluate.evaluate(authors, resolver=session)
        session.close()
    assert (result.status, result.applied) == (evaluate.Status.FAIL, evaluate.Disposition.REJECT)


def test_when_the_seconds_are_spent_nothing_is_sent() -> None:
    with DnsServer(RECORDS) as server:
        dns = make(server)
        spent, after = dns.session(seconds=0.0), dns.session()
        assert fault_of(spent, "n1.example.com") is DnsFault.BUDGET
        assert fault_of(after, "n2.example.com") is None
        assert [name for name, _, _ in server.seen] == ["n2.example.com"]
        spent.close()
        after.close()
