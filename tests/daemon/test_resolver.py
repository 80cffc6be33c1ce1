"""The cache, the budget, and questions shared between messages."""

from __future__ import annotations

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from postseal.core.resolver import Answer, BadName, DnsFault, Kind, Record, TemporaryDnsError
from postseal.daemon.resolver import Resolver, ResolverConfig, Session
from postseal.daemon.resolver_cache import CacheLimits
from support.dnsserver import DnsServer, Fault
from support.stilltime import StillTime

pytestmark = pytest.mark.usefixtures("still")  # waiting takes no time, nothing is ever late

RECORDS: dict[tuple[str, str], tuple[Record, ...]] = {
    ("example.com", "TXT"): (b"v=spf1 -all",),
    ("example.com", "A"): ("192.0.2.1",),
    ("zero.example.com", "TXT"): (b"once",),
    ("long.example.com", "TXT"): (b"years",),
    ("late.example.com", "TXT"): (b"worth waiting for",),
    **{(f"n{i}.example.com", "A"): ("192.0.2.1",) for i in range(100)},
}


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def make(server: DnsServer, clock: Clock | None = None, **settings: object) -> Resolver:
    options = {"nameservers": (server.address,), "timeout": 1.0, "attempts": 1, **settings}
    config = ResolverConfig(**options)  # type: ignore[arg-type]
    return Resolver(config, clock=clock or Clock())


def fault_of(session: Session, name: str, kind: Kind = Kind.TXT) -> DnsFault:
    with pytest.raises(TemporaryDnsError) as caught:
        session.ask(name, kind)
    return caught.value.fault


# -- cache -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "kind", "holds"),
    [
        pytest.param("example.com", Kind.TXT, 300, id="ttl"),
        pytest.param("long.example.com", Kind.TXT, 86_400, id="at-most-a-day"),
        pytest.param("nowhere.example.com", Kind.TXT, 60, id="nxdomain-as-the-soa-says"),
        pytest.param("example.com", Kind.AAAA, 60, id="nodata-as-the-soa-says"),
    ],
)
def test_answers_are_kept_for_their_time(name: str, kind: Kind, holds: float) -> None:
    clock = Clock()
    with DnsServer(RECORDS, ttls={"long.example.com": 10_000_000}) as server:
        dns = make(server, clock)
        first = dns.session().ask(name, kind)
        clock.now += holds - 0.1
        session = dns.session()
        assert session.ask(name, kind) == first
        assert (session.usage.cached, session.usage.sent) == (1, 0)
        assert len(server.seen) == 1
        clock.now += 0.1
        assert dns.session().ask(name, kind) == first
        assert len(server.seen) == 2


def test_ttl_0_holds_for_one_message() -> None:
    with DnsServer(RECORDS, ttl=0) as server:
        dns = make(server)
        session = dns.session()
        assert session.ask("zero.example.com", Kind.TXT) is session.ask(
            "zero.example.com", Kind.TXT
        )
        assert len(server.seen) == 1
        dns.session().ask("zero.example.com", Kind.TXT)
        assert len(server.seen) == 2


def test_failures_are_remembered_for_seconds() -> None:
    clock = Clock()
    with DnsServer(faults={"sick.example": Fault.SERVFAIL}) as server:
        dns = make(server, clock)
        for _ in range(3):
            assert fault_of(dns.session(), "sick.example") is DnsFault.SERVFAIL
        assert len(server.seen) == 1
        clock.now += 5.0
        server.faults.clear()
        assert dns.session().ask("sick.example", Kind.TXT).exists is False


def test_names_are_one_whatever_their_case() -> None:
    with DnsServer(RECORDS) as server:
        session = make(server).session()
        answers = {session.ask(name, Kind.A) for name in ("example.com", "EXAMPLE.com.")}
        assert len(answers) == 1
        assert len(server.seen) == 1


@pytest.mark.parametrize("name", ["", ".", "a..example", "x" * 64 + ".example", "ü.example"])
def test_bad_names_are_not_asked(name: str) -> None:
    with DnsServer(RECORDS) as server:
        session = make(server).session()
        session.prefetch(name, Kind.A)
        with pytest.raises(BadName):
            session.ask(name, Kind.A)
        assert not server.seen


# -- budget ----------------------------------------------------------------------


def test_questions_are_counted() -> None:
    with DnsServer(RECORDS) as server:
        session = make(server).session(questions=3)
        for number in range(3):
            session.ask(f"n{number}.example.com", Kind.A)
        assert fault_of(session, "n3.example.com", Kind.A) is DnsFault.BUDGET
        assert session.ask("n0.example.com", Kind.A).records  # known: costs nothing
        assert len(server.seen) == 3
        session.close()


def test_questions_sent_ahead_are_counted() -> None:
    with DnsServer(RECORDS) as server:
        session = make(server).session(questions=2)
        for number in range(5):
            session.prefetch(f"n{number}.example.com", Kind.A)
        assert session.usage.sent == 2
        assert session.ask("n1.example.com", Kind.A).records
        assert fault_of(session, "n4.example.com", Kind.A) is DnsFault.BUDGET
        session.close()


def test_cached_answers_cost_nothing_of_the_budget() -> None:
    with DnsServer(RECORDS) as server:
        dns = make(server)
        dns.session().ask("example.com", Kind.A)
        assert dns.session(questions=0).ask("example.com", Kind.A).records
        assert dns.session(seconds=0).ask("example.com", Kind.A).records


def test_time_is_shared_by_all_questions() -> None:
    faults = {f"slow{number}.example": Fault.TIMEOUT for number in range(9)}
    with DnsServer(faults=faults) as server:
        session = make(server, timeout=0.2).session(seconds=0.5)
        faults_seen = [fault_of(session, f"slow{number}.example") for number in range(5)]
        assert faults_seen == [DnsFault.TIMEOUT] * 2 + [DnsFault.BUDGET] * 3
        assert len(server.seen) == 3
        assert session.usage.waited == pytest.approx(0.5, abs=0.01)
        session.close()


def test_time_between_questions_is_free(still: StillTime) -> None:
    """A slow sender's body must not use up what DNS may take."""
    with DnsServer(RECORDS) as server:
        session = make(server).session(seconds=0.2)
        session.prefetch("example.com", Kind.A)
        still.now += 0.3
        assert session.ask("example.com", Kind.A).records


def test_an_answer_that_is_there_counts_though_the_time_is_spent(still: StillTime) -> None:
    with DnsServer(RECORDS, faults={"slow.example": Fault.TIMEOUT}) as server:
        session = make(server).session(seconds=0.1)
        session.prefetch("example.com", Kind.A)
        assert fault_of(session, "slow.example") is DnsFault.BUDGET
        still.settle()
        assert session.ask("example.com", Kind.A).records
        session.close()


# -- parallel --------------------------------------------------------------------


def test_questions_of_one_message_run_in_parallel() -> None:
    delays = {f"n{number}.example.com": 0.3 for number in range(10)}
    with DnsServer(RECORDS, delays=delays) as server:
        session = make(server).session()
        for name in delays:
            session.prefetch(name, Kind.A)
        for name in delays:
            assert session.ask(name, Kind.A).records
        assert len(server.seen) == 10
        assert session.usage.waited == pytest.approx(0.3, abs=0.01)  # and not ten times as long


def test_one_question_for_many_messages() -> None:
    with DnsServer(RECORDS, delays={"late.example.com": 0.3}, ttl=0) as server:
        dns = make(server)
        ready = threading.Barrier(16)

        def message() -> tuple[Answer, int]:
            with dns.session() as session:
                session.prefetch("late.example.com", Kind.TXT)
                ready.wait()  # nobody receives before all have asked
                answer = session.ask("late.example.com", Kind.TXT)
                return answer, session.usage.sent

        with ThreadPoolExecutor(16) as pool:
            results = [future.result() for future in [pool.submit(message) for _ in range(16)]]
        assert {answer.texts for answer, _ in results} == {(b"worth waiting for",)}
        assert sum(sent for _, sent in results) == 1
        assert server.count("late.example.com") == 1
        assert dns.in_flight == 0


def test_who_waits_longest_gets_the_answer_though_the_first_gives_up(still: StillTime) -> None:
    with DnsServer(RECORDS, delays={"late.example.com": 0.4}) as server:
        dns = make(server)
        hasty, patient = dns.session(seconds=0.1), dns.session()
        hasty.prefetch("late.example.com", Kind.TXT)
        with ThreadPoolExecutor(1) as pool:
            asked: list[Future[Answer]] = []  # while the hasty one is waiting
            still.later(
                0.05, lambda: asked.append(pool.submit(patient.ask, "late.example.com", Kind.TXT))
            )
            assert fault_of(hasty, "late.example.com") is DnsFault.BUDGET
            hasty.close()
            assert asked[0].result().texts == (b"worth waiting for",)
        assert len(server.seen) == 1


def test_questions_that_nobody_wants_any_more_are_dropped() -> None:
    with DnsServer(RECORDS, delays={"late.example.com": 0.5}) as server:
        dns = make(server)
        first, second = dns.session(), dns.session()
        for session in (first, second):
            session.prefetch("late.example.com", Kind.TXT)
        assert (dns.in_flight, first.usage.sent, second.usage.shared) == (1, 1, 1)
        first.close()
        assert dns.in_flight == 1  # the other one still wants it
        second.close()
        second.close()
        assert dns.in_flight == 0
        assert dns.counters["abandoned"] == 1


def test_a_session_that_was_not_closed_leaves_no_socket() -> None:
    with DnsServer(RECORDS, faults={"slow.example": Fault.TIMEOUT}) as server:
        dns = make(server)
        dns.session().prefetch("slow.example", Kind.A)
        assert dns.in_flight == 1
        dns.session()
        assert dns.in_flight == 0


def test_sockets_sent_ahead_are_bounded() -> None:
    delays = {f"n{number}.example.com": 0.3 for number in range(10)}
    with DnsServer(RECORDS, delays=delays) as server:
        dns = make(server, in_flight=4)
        session = dns.session()
        for number in range(10):
            session.prefetch(f"n{number}.example.com", Kind.A)
        assert dns.in_flight == 4
        assert session.ask("n9.example.com", Kind.A).records  # needed now: asked all the same
        session.close()


def test_answers_nobody_has_asked_for_yet_free_their_sockets(still: StillTime) -> None:
    with DnsServer(RECORDS, ttl=0) as server:
        dns = make(server, in_flight=4)
        with dns.session() as session:
            for number in range(4):
                session.prefetch(f"n{number}.example.com", Kind.A)
            still.settle()
            session.prefetch("n4.example.com", Kind.A)
            assert dns.in_flight == 1
            for number in range(5):
                assert session.ask(f"n{number}.example.com", Kind.A).records
        assert len(server.seen) == 5


def test_an_answer_cut_short_is_asked_for_over_tcp_by_who_needs_it(still: StillTime) -> None:
    with DnsServer(RECORDS, faults={"example.com": Fault.TRUNCATE}, ttl=0) as server:
        dns = make(server, in_flight=1)
        with dns.session() as session:
            session.prefetch("example.com", Kind.A)
            still.settle()
            session.prefetch("n0.example.com", Kind.A)  # gathers, and must not wait for TCP
            assert [by for _, _, by in server.seen] == ["udp"]
            assert session.ask("example.com", Kind.A).records == ("192.0.2.1",)
            assert [by for _, _, by in server.seen] == ["udp", "tcp"]


def test_a_budget_that_ends_during_tcp_spoils_nothing_for_others() -> None:
    with DnsServer(RECORDS, faults={"example.com": Fault.TRUNCATE_MUTE}) as server:
        dns = make(server, timeout=5.0)
        with dns.session(seconds=0.2) as hasty, dns.session() as patient:
            hasty.prefetch("example.com", Kind.A)
            patient.prefetch("example.com", Kind.A)
            assert fault_of(hasty, "example.com", Kind.A) is DnsFault.BUDGET
            server.faults["example.com"] = Fault.TRUNCATE
            assert patient.ask("example.com", Kind.A).records == ("192.0.2.1",)


def test_many_threads_many_names() -> None:
    with DnsServer(RECORDS, ttl=0) as server:
        dns = make(server, cache=CacheLimits(entries=5))

        def message(seed: int) -> int:
            with dns.session() as session:
                names = [f"n{(seed * 7 + step) % 100}.example.com" for step in range(20)]
                for name in names:
                    session.prefetch(name, Kind.A)
                return sum(bool(session.ask(name, Kind.A).records) for name in names)

        with ThreadPoolExecutor(12) as pool:
            assert list(pool.map(message, range(60))) == [20] * 60
        assert dns.in_flight == 0


# -- zones at rest ---------------------------------------------------------------


def test_a_silent_zone_is_left_alone() -> None:
    clock = Clock()
    with DnsServer(RECORDS, faults={"*.slow.example": Fault.TIMEOUT}) as server:
        dns = make(server, clock, timeout=0.05)
        for number in range(12):
            assert fault_of(dns.session(), f"h{number}.slow.example") is DnsFault.TIMEOUT
        asked = len(server.seen)
        assert fault_of(dns.session(), "other.slow.example") is DnsFault.TIMEOUT
        assert len(server.seen) == asked  # not even asked
        assert dns.session().ask("example.com", Kind.A).records  # others are
        clock.now += 11.0
        server.faults.clear()
        assert dns.session().ask("h1.slow.example", Kind.A).exists is False
        assert dns.session().ask("h2.slow.example", Kind.A).exists is False


def test_a_zone_that_answers_now_and_then_is_asked_on() -> None:
    faults = {f"t{number}.h.slow.example": Fault.TIMEOUT for number in range(5)}
    with DnsServer(faults=faults) as server:
        dns = make(server, timeout=0.05)
        for number, name in enumerate(faults):
            assert fault_of(dns.session(), name) is DnsFault.TIMEOUT
            assert server.count(name) == 1
            assert dns.session().ask(f"good{number}.h.slow.example", Kind.A).exists is False


def test_answers_that_nobody_read_are_no_silence(still: StillTime) -> None:
    """Sent ahead and answered at once, but the message did not need it in the end."""
    with DnsServer(RECORDS) as server:
        dns = make(server, timeout=0.05)
        for number in range(4):
            session = dns.session()
            session.prefetch(f"n{number}.example.com", Kind.A)
            still.settle()
            still.now += 0.1
            session.close()
        assert dns.session().ask("n3.example.com", Kind.A).records
        assert dns.session().ask("n9.example.com", Kind.A).records
        assert len(server.seen) == 5  # n3 was kept though nobody had asked for it


def test_silence_that_nobody_waited_for_counts_too(still: StillTime) -> None:
    with DnsServer(faults={"*.slow.example": Fault.TIMEOUT}) as server:
        dns = make(server, timeout=0.05)
        for number in range(3):
            session = dns.session()
            session.prefetch(f"n{number}.h.slow.example", Kind.A)
            still.settle()
            still.now += 0.1
            session.close()
        asked = len(server.seen)
        assert fault_of(dns.session(), "n9.h.slow.example", Kind.A) is DnsFault.TIMEOUT
        assert len(server.seen) == asked


def test_counters_tell_what_became_of_questions() -> None:
    with DnsServer(RECORDS, faults={"sick.example": Fault.SERVFAIL}) as server:
        dns = make(server)
        for _ in range(2):
            with dns.session() as session:
                session.ask("example.com", Kind.A)
                fault_of(session, "sick.example")
        assert dns.counters == {"answers": 1, DnsFault.SERVFAIL: 1}
