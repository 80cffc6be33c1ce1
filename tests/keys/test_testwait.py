"""testwait: rounds until every server agrees, over NSDs whose zone changes meanwhile."""

from __future__ import annotations

import io
import signal
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from postseal_keys.dnsask import Address, Network
from postseal_keys.findings import Finding, Harm
from postseal_keys.keycheck import wanted
from postseal_keys.keyreport import Job, network
from postseal_keys.testwait import Wait, until_all
from support import zones
from support.child import free_port, wait_until
from support.zones import HEAD, NS1, NS2, txt

WANT = wanted(Ed25519PrivateKey.generate())
JOB = Job(label="k", selector="s1", domain="d.example", want=WANT)
RECORD = f"s1._domainkey TXT {txt(WANT.record)}\n"


class Terminal(io.StringIO):
    """A screen that says it is one."""

    def isatty(self) -> bool:
        return True


@pytest.mark.skipif(bool(zones.missing()), reason=f"{zones.missing()} is not installed")
def test_waits_until_the_last_server_has_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    port = free_port()
    serials = iter(range(2, 99))

    def publish(address: str) -> None:
        text = HEAD.replace("hostmaster 1 ", f"hostmaster {next(serials)} ") + RECORD
        (tmp_path / address / "d.example.zone").write_text(text)
        servers[address].signal(signal.SIGHUP)
        asker = Network([Address(address, port)], recursive=False)
        wait_until(lambda: asker.ask(JOB.name, "TXT").texts, "the new zone")

    rounds: list[float] = []

    def sleep(time: float) -> None:
        rounds.append(time)
        if len(rounds) == 1:
            publish(NS1)
        elif len(rounds) == 3:
            publish(NS2)

    screen = Terminal()
    with (
        zones.one_server(tmp_path / NS1, NS1, port, {"d.example": HEAD}) as one,
        zones.one_server(tmp_path / NS2, NS2, port, {"d.example": HEAD}) as two,
        zones.resolver(tmp_path, ["d.example"], port) as resolver,
    ):
        servers = {NS1: one, NS2: two}
        host, _, resolver_port = resolver.partition(":")
        world = network([Address(host, int(resolver_port))], port=port)
        clock = iter(range(0, 1000, 10))
        (report,) = until_all(
            [JOB],
            world,
            Wait(longest=600, interval=10),
            clock=lambda: next(clock),
            sleep=sleep,
            screen=screen,
        )
    assert report.ok
    assert len(rounds) >= 3  # a busy name server may cost a round more
    assert "0 of 1 keys, 1 of 2 answers right" in screen.getvalue()


def test_gives_up_when_the_time_is_over() -> None:
    clock = iter(range(0, 1000, 10))
    rounds: list[float] = []
    world = network([Address("127.0.0.1", free_port())], timeout=0.05)
    (report,) = until_all(
        [JOB],
        world,
        Wait(longest=30, interval=10),
        clock=lambda: next(clock),
        sleep=rounds.append,
        screen=io.StringIO(),
    )
    assert not report.ok
    assert rounds == [10, 10]


def test_what_waiting_cannot_mend_is_not_waited_for() -> None:
    note = Finding(harm=Harm.ERROR, code="key-file", where="x", what="cannot be read")
    job = Job(label="k", selector="s", domain="d.example", notes=(note,))
    rounds: list[float] = []
    world = network([Address("127.0.0.1", 9)], timeout=0.05)
    (report,) = until_all([job], world, Wait(longest=600), sleep=rounds.append)
    assert not report.ok
    assert rounds == []


def test_a_closed_standard_error_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """`--wait 10m 2>&-`, as a cron job may have it."""
    monkeypatch.setattr("sys.stderr", None)
    note = Finding(harm=Harm.ERROR, code="key-file", where="k", what="x", hint="y")
    job = Job(label="k", selector="s1", domain="d.example", notes=(note,))
    (one,) = until_all([job], network([], use_resolver=False), Wait(longest=600))
    assert not one.ok


def test_a_dumb_terminal_gets_no_control_sequences(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    note = Finding(harm=Harm.ERROR, code="key-file", where="k", what="x", hint="y")
    job = Job(label="k", selector="s1", domain="d.example", notes=(note,))
    screen = Terminal()
    until_all([job], network([], use_resolver=False), Wait(longest=600), screen=screen)
    assert screen.getvalue() == ""
