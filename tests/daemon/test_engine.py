"""The real pipeline and the real resolver are what the adapter takes them for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import milter

from postseal.core.action import Accept
from postseal.core.field import Field, Header
from postseal.core.pipeline import Pipeline
from postseal.core.roles import Origins
from postseal.core.rules import Rules
from postseal.core.signing import NoKeys
from postseal.core.transaction import Client, Envelope
from postseal.daemon.adapter import Adapter
from postseal.daemon.engine import Engine, MessageResolver, Verdict, Work
from postseal.daemon.logs import Log
from postseal.daemon.resolver import Resolver, ResolverConfig
from support.fakedns import FakeDns

RULES = Rules(authserv_id="mx.example", own_ids=frozenset({"mx.example"}), origins=Origins())


class Share(FakeDns):
    """FakeDns as one message's resolver."""

    def __init__(self) -> None:
        super().__init__()
        self.usage = SimpleNamespace(sent=0)
        self.closed = False

    def close(self) -> None:
        self.closed = True


def test_the_pipeline_is_an_engine() -> None:
    engine: Engine = Pipeline(RULES, NoKeys(), lambda: 1_790_000_000.0)
    work: Work = engine.open(
        Client(), Envelope(), Header([Field(b"From", b" a@b.example")]), Share()
    )
    if work.wants_body:
        work.body(b"x\r\n")
    verdict: Verdict = work.close()
    assert verdict.role == "inbound"
    assert verdict.action == Accept()
    assert len(verdict.edits) == 1
    assert "from" in verdict.story


def test_the_resolver_gives_shares() -> None:
    resolver = Resolver(ResolverConfig(nameservers=("127.0.0.1:53",)))
    share: MessageResolver = resolver.session(1.0, 2)
    assert share.usage.sent == 0
    share.close()


class Ctx:
    """libmilter's context: keeps the edits."""

    def __init__(self) -> None:
        self.priv: Any = None
        self.calls: list[tuple[Any, ...]] = []

    def getpriv(self) -> Any:
        return self.priv

    def setpriv(self, value: Any) -> None:
        self.priv = value

    def getsymval(self, name: str) -> str | None:
        return {"i": "4REAL", "{mail_addr}": "a@b.example"}.get(name)

    def addheader(self, *args: Any) -> None:
        self.calls.append(("insert", *args))

    def chgheader(self, *args: Any) -> None:
        self.calls.append(("change", *args))


def test_a_message_from_the_callbacks_through_the_pipeline_and_back() -> None:
    lines: list[str] = []
    shares: list[Share] = []

    def share() -> Share:
        shares.append(Share())
        return shares[-1]

    adapter = Adapter(
        Pipeline(RULES, NoKeys(), lambda: 1_790_000_000.0),
        share,
        Log(lambda _level, line: lines.append(line)),
    )
    fake = Ctx()
    ctx: Any = fake
    assert adapter.negotiate(ctx, [0x1FF, 0x1FFFFF, 0, 0]) == milter.CONTINUE
    adapter.connect(ctx, "c.example", 2, ("192.0.2.1", 9))
    adapter.helo(ctx, "h.example")
    adapter.envfrom(ctx, b"<a@b.example>")
    for name, value in [
        ("Authentication-Results", b" mx.example; dkim=pass"),
        ("From", b" a@b.example"),
        ("Authentication-Results", b" MX.example 1;\n\tspf=pass"),
    ]:
        adapter.header(ctx, name, value)
    adapter.eoh(ctx)
    adapter.body(ctx, b"x\r\n")
    assert adapter.eom(ctx) == milter.CONTINUE
    assert fake.calls[:2] == [
        ("change", "Authentication-Results", 2, None),
        ("change", "Authentication-Results", 1, None),
    ]
    ((_, name, value, index),) = fake.calls[2:]
    assert (name, index) == ("Authentication-Results", 0)
    assert value.startswith(" mx.example;")
    assert "\r" not in value
    assert shares[0].closed
    (line,) = lines
    assert line.startswith("queue_id=4REAL role=inbound client=192.0.2.1 ")
    assert " action=accept ms=" in line
