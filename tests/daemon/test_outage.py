"""DNS that is away is told once, and so is its return."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

from postseal.daemon.logs import Level, Log
from postseal.daemon.outage import FAILED, Counting, Outage
from postseal.daemon.resolver import Resolver, ResolverConfig
from postseal.daemon.wiring import Sessions


@dataclass
class Dns:
    counters: Counter[str] = field(default_factory=Counter)
    servers: str = "192.0.2.53:53"


class World:
    def __init__(self) -> None:
        self.dns = Dns()
        self.said: list[str] = []
        log = Log(lambda level, line: self.said.append(f"{level.name} {line}"), Level.INFO)
        self.outage = Outage(self.dns, log)

    def look(self, **more: int) -> list[str]:
        """What is said after these counts have grown."""
        self.dns.counters.update(more)
        self.said.clear()
        self.outage.look()
        return self.said


@pytest.fixture
def world() -> World:
    return World()


def test_dns_that_does_not_answer_is_told_once(world: World) -> None:
    world.look(answers=5, timeout=2)
    assert world.look(timeout=FAILED - 1, network=1) == []
    (line,) = world.look()
    assert line.startswith(
        f'ERROR event=dns-down failed="timeout={FAILED - 1},network=1" servers=192.0.2.53:53 hint='
    )
    assert world.look(timeout=50) == []
    assert world.look(answers=1, timeout=1) == ["INFO event=dns-up"]
    assert world.look(answers=1) == []


def test_from_the_start(world: World) -> None:
    assert world.look(refused=FAILED) == []
    assert len(world.look()) == 1


@pytest.mark.parametrize("more", [{}, {"timeout": 1}], ids=["idle", "slow"])
def test_few_faults_are_none(world: World, more: dict[str, int]) -> None:
    for _ in range(FAILED - 1):
        assert world.look(**more) == []


def test_one_answer_among_many_faults(world: World) -> None:
    """Somebody's name servers are dead, not ours."""
    for _ in range(5):
        assert world.look(timeout=FAILED, answers=1) == []


def test_it_can_look_at_the_real_resolver() -> None:
    resolver = Resolver(ResolverConfig(nameservers=("192.0.2.53", "2001:db8::53")))
    dns = Sessions(resolver, 20.0, 60)
    assert isinstance(dns, Counting)
    assert dns.servers == "192.0.2.53:53 [2001:db8::53]:53"
    assert dns.counters == {}
