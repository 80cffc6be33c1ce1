"""The callbacks against a fake libmilter context: order, guards, replies."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import milter
import pytest

from postseal.core.action import Accept, Action, Defer, Delete, Edit, Hold, Insert, Reject
from postseal.core.field import Header
from postseal.core.resolver import Answer, Kind, Resolver
from postseal.core.transaction import Client, Envelope
from postseal.daemon import adapter, libmilter
from postseal.daemon.logs import Level, Log
from postseal.daemon.session import HEADER_ROOM

ALL = 0x1FF
STEPS = 0x1FFFFF


@dataclass
class Ctx:
    """milter.Context as the callbacks use it.  calls: what the MTA is told, in order."""

    macros: Mapping[str, str] = field(default_factory=lambda: {"i": "4ABC"})
    priv: Any = None
    calls: list[tuple[Any, ...]] = field(default_factory=list)
    broken: bool = False
    asked: dict[int, list[str]] = field(default_factory=dict)  # macros, by stage

    def getpriv(self) -> Any:
        return self.priv

    def setpriv(self, value: Any) -> None:
        self.priv = value

    def getsymval(self, name: str) -> str | None:
        if name == "{undecodable}":
            b"\xff".decode()
        return self.macros.get(name)

    def setsymlist(self, stage: int, macros: str) -> None:
        self.asked.setdefault(stage, macros.split())

    def addheader(self, name: str, value: str, index: int) -> None:
        if self.broken:
            raise milter.error("cannot add header")
        self.calls.append(("insert", index, name, value))

    def chgheader(self, name: str, index: int, value: str | None) -> None:
        self.calls.append(("change", index, name, value))

    def quarantine(self, reason: str) -> None:
        self.calls.append(("quarantine", reason))

    def setreply(self, code: str, enhanced: str, text: str) -> None:
        self.calls.append(("reply", code, enhanced, text))


@dataclass
class Share:
    """A message's resolver."""

    usage: SimpleNamespace = field(default_factory=lambda: SimpleNamespace(sent=3))
    closed: int = 0

    def close(self) -> None:
        self.closed += 1

    def ask(self, name: str, kind: Kind, /) -> Answer:
        return Answer(name=name, kind=kind)

    def prefetch(self, name: str, kind: Kind, /) -> None: ...
    def insist(self, domains: Sequence[str], /) -> None: ...
    def ration(self, share: float, /) -> None: ...


@dataclass
class Engine:
    """Keeps what it was given; raises where told to."""

    action: Action = field(default_factory=Accept)
    edits: tuple[Edit, ...] = ()
    wants_body: bool = True
    fails: BaseException | None = None
    fails_in: str = ""
    opened: list[tuple[Client, Envelope, Header]] = field(default_factory=list)
    chunks: list[bytes] = field(default_factory=list)
    role: str = "inbound"
    story: dict[str, str | int] = field(default_factory=lambda: {"from": "b.example"})

    def open(
        self, client: Client, envelope: Envelope, header: Header, _resolver: Resolver
    ) -> Engine:
        self._maybe("open")
        self.opened.append((client, envelope, header))
        return self

    def body(self, chunk: bytes) -> None:
        self._maybe("body")
        self.chunks.append(chunk)

    def close(self) -> Engine:
        self._maybe("close")
        return self

    def _maybe(self, where: str) -> None:
        if self.fails_in == where and self.fails is not None:
            raise self.fails


class World:
    """An adapter, its engine, its log and one connection."""

    def __init__(self, engine: Engine | None = None, **options: Any) -> None:
        self.engine = engine or Engine()
        self.lines: list[tuple[Level, str]] = []
        self.shares: list[Share] = []
        self.adapter = adapter.Adapter(
            self.engine,
            self._share,
            Log(lambda level, line: self.lines.append((level, line))),
            **options,
        )
        self.fake = Ctx()

    @property
    def ctx(self) -> milter.Context:
        return self.fake  # type: ignore[return-value]

    def _share(self) -> Share:
        self.shares.append(Share())
        return self.shares[-1]

    def negotiate(self, actions: int = ALL, steps: int = STEPS) -> list[int]:
        offer = [actions, steps, 0, 0]
        assert self.adapter.negotiate(self.ctx, offer) == milter.CONTINUE
        return offer

    def begin(self, sender: bytes = b"<a@b.example>") -> None:
        silent = milter.NOREPLY
        assert self.adapter.envfrom(self.ctx, sender, b"SIZE=9") == silent
        assert self.adapter.header(self.ctx, "From", b" a@b.example") == silent
        assert self.adapter.eoh(self.ctx) == silent
        assert self.adapter.body(self.ctx, b"x\r\n") == silent

    def message(self, sender: bytes = b"<a@b.example>") -> int:
        self.begin(sender)
        return self.adapter.eom(self.ctx)

    def connect(self) -> None:
        assert self.adapter.connect(self.ctx, "c.example", 2, ("192.0.2.1", 9)) == milter.NOREPLY
        assert self.adapter.helo(self.ctx, "h.example") == milter.NOREPLY


def ready(engine: Engine | None = None, **options: Any) -> World:
    world = World(engine, **options)
    world.negotiate()
    world.connect()
    return world


def test_negotiation_takes_what_helps() -> None:
    actions, steps, _, _ = World().negotiate()
    assert actions == milter.ADDHDRS | milter.CHGHDRS | milter.QUARANTINE
    assert steps == libmilter.SILENT | milter.P_HDR_LEADSPC | libmilter.NOT_SENT


def test_negotiation_with_an_old_mta() -> None:
    """libmilter answers in our place where no-reply steps are unknown; nothing else is faked."""
    actions, steps, _, _ = World().negotiate(0x3F, 0x7F)
    assert actions == milter.ADDHDRS | milter.CHGHDRS | milter.QUARANTINE
    assert steps == libmilter.SILENT | milter.P_NORCPT


def test_an_mta_that_lets_nothing_be_changed_is_refused() -> None:
    world = World()
    assert world.adapter.negotiate(world.ctx, [milter.ADDHDRS, STEPS, 0, 0]) == milter.REJECT
    assert [line for _, line in world.lines if "event=negotiation-refused" in line]


def test_one_message() -> None:
    world = ready(Engine(edits=(Delete("A", 2), Delete("A", 1), Insert(0, "B", " x"))))
    assert world.message() == milter.CONTINUE
    assert world.fake.calls == [
        ("change", 2, "A", None),
        ("change", 1, "A", None),
        ("insert", 0, "B", " x"),
    ]
    ((client, envelope, header),) = world.engine.opened
    assert (str(client.address), client.name, client.helo) == (
        "192.0.2.1",
        "c.example",
        "h.example",
    )
    assert envelope.sender == "a@b.example"
    assert [one.simple for one in header] == [b"From: a@b.example\r\n"]
    assert world.engine.chunks == [b"x\r\n"]
    assert world.shares[0].closed == 1
    ((level, line),) = world.lines
    assert level is Level.INFO
    assert line.startswith(
        "queue_id=4ABC role=inbound client=192.0.2.1 from=b.example action=accept ms="
    )
    assert line.endswith(" dns=3")


def test_without_leading_space_the_mta_puts_it() -> None:
    world = World(Engine(edits=(Insert(0, "B", " x\n y"),)))
    world.negotiate(steps=STEPS & ~milter.P_HDR_LEADSPC)
    world.connect()
    world.message()
    assert world.fake.calls == [("insert", 0, "B", "x\n y")]


def test_a_body_nobody_wants_is_not_fed() -> None:
    world = ready(Engine(wants_body=False))
    assert world.message() == milter.CONTINUE
    assert world.engine.chunks == []


@pytest.mark.parametrize(
    ("action", "code", "calls"),
    [
        pytest.param(Accept(), milter.CONTINUE, [], id="accept"),
        pytest.param(
            Hold("DMARC\r\nfailed"),
            milter.CONTINUE,
            [("quarantine", "DMARC??failed")],
            id="P-40-hold",
        ),
        pytest.param(
            Reject("100% no"),
            milter.REJECT,
            [("reply", "550", "5.7.1", "100%% no")],
            id="P-38-percent",
        ),
        pytest.param(
            Defer("later\r\n250 ok"),
            milter.TEMPFAIL,
            [("reply", "451", "4.7.0", "later??250 ok")],
            id="P-39-one-line",
        ),
    ],
)
def test_reply(action: Action, code: int, calls: list[tuple[Any, ...]]) -> None:
    world = ready(Engine(action=action))
    assert world.message() == code
    assert world.fake.calls == calls


def test_a_long_reply_is_cut() -> None:
    world = ready(Engine(action=Reject("x" * 5000)))
    world.message()
    assert len(world.fake.calls[0][3]) == 400


@pytest.mark.parametrize("where", ["open", "body", "close"])
@pytest.mark.parametrize(
    "error",
    [
        pytest.param(RuntimeError, id="exception"),
        pytest.param(SystemExit, id="exit"),
        pytest.param(RecursionError, id="recursion"),
        pytest.param(MemoryError, id="memory"),
    ],
)
def test_a_bug_defers_the_message_and_is_logged_once(
    where: str, error: type[BaseException]
) -> None:
    world = ready(Engine(fails=error("no\nqueue_id=x"), fails_in=where))
    assert world.message() == milter.TEMPFAIL
    assert world.fake.calls == [("reply", "451", "4.3.0", "internal error, please try again later")]
    ((level, line),) = world.lines
    assert level is Level.ERROR
    assert line.startswith(
        f'queue_id=4ABC event=internal-error action=defer error="{error.__name__}: no\\nqueue_id=x"'
    )
    assert f" {where} < " in line
    world.engine.fails = None
    assert world.message() == milter.CONTINUE  # the next message on the connection is well


def test_a_bug_may_let_mail_through_if_the_operator_says_so() -> None:
    world = ready(Engine(fails=KeyError("k"), fails_in="close"), accept_on_error=True)
    assert world.message() == milter.CONTINUE
    assert world.fake.calls == []
    assert "event=internal-error action=accept" in world.lines[0][1]


def test_edits_that_cannot_be_sent() -> None:
    world = ready(Engine(edits=(Insert(0, "B", " x"),)))
    world.fake.broken = True
    assert world.message() == milter.TEMPFAIL
    assert len(world.lines) == 1


def test_a_broken_log_does_not_matter() -> None:
    world = ready(Engine(fails=KeyError("k"), fails_in="close"))

    def sink(_level: Level, _line: str) -> None:
        raise OSError("disk full")

    world.adapter.log = Log(sink)
    assert world.message() == milter.TEMPFAIL
    world.engine.fails = None
    assert world.message() == milter.TEMPFAIL


def test_macros_that_cannot_be_decoded_are_absent() -> None:
    world = ready(macros=("undecodable", "v"))
    world.fake.macros = {"i": "4", "v": "Postfix"}
    assert world.message() == milter.CONTINUE
    assert world.engine.opened[0][0].macros == {"v": "Postfix"}


def test_macros_of_the_operators_rules_are_asked_for() -> None:
    asked = ready(macros=("daemon_port", "v")).fake.asked
    assert {"{daemon_name}", "{daemon_port}", "v"} <= set(asked[milter.M_CONNECT])
    assert {"{auth_authen}", "{mail_addr}", "{daemon_port}"} <= set(asked[milter.M_ENVFROM])
    assert {"i", "{daemon_port}"} <= set(asked[milter.M_EOH])


def test_no_macros_are_asked_for_where_what_comes_will_do() -> None:
    assert ready().fake.asked == {}


def test_missing_macros() -> None:
    world = ready()
    world.fake.macros = {}
    assert world.message() == milter.CONTINUE
    client, envelope, _ = world.engine.opened[0]
    assert (client.daemon_name, client.auth_type, client.auth_user) == ("", "", "")
    assert envelope.sender == "a@b.example"
    assert world.lines[0][1].startswith("queue_id=- ")


def test_several_messages_on_a_connection() -> None:
    world = ready()
    world.message(b"<one@b.example>")
    world.message(b"<two@b.example>")
    assert [envelope.sender for _, envelope, _ in world.engine.opened] == [
        "one@b.example",
        "two@b.example",
    ]
    assert [len(header) for _, _, header in world.engine.opened] == [1, 1]


def test_abort_and_close_at_any_time() -> None:
    """P-35: twice, before any MAIL, and in the middle."""
    world = World()
    steps: list[Callable[[milter.Context], int]] = [
        world.adapter.abort,
        world.adapter.close,
        world.adapter.close,
    ]
    for step in steps:
        step(world.ctx)
    world.negotiate()
    world.adapter.abort(world.ctx)
    world.connect()
    world.begin()
    world.adapter.abort(world.ctx)
    world.adapter.abort(world.ctx)
    assert world.shares[0].closed == 1
    world.begin()
    world.adapter.close(world.ctx)
    world.adapter.close(world.ctx)
    assert world.shares[1].closed == 1
    assert world.adapter.sessions == set()
    assert world.lines == []


def test_no_helo_no_header_no_body() -> None:
    """P-34: HELO may be missing; so may everything between MAIL and the end."""
    world = World()
    world.negotiate()
    world.adapter.connect(world.ctx, "[192.0.2.1]", 2, ("192.0.2.1", 9))
    world.adapter.envfrom(world.ctx, b"<>")
    assert world.adapter.eom(world.ctx) == milter.CONTINUE
    client, envelope, header = world.engine.opened[0]
    assert (client.helo, envelope.sender, len(header)) == ("", "", 0)


def test_a_new_client_after_quit_nc() -> None:
    """libmilter forgets the session and what was negotiated; we remember the leading space."""
    world = ready()
    world.message()
    world.adapter.close(world.ctx)
    world.adapter.connect(world.ctx, "d.example", 2, ("192.0.2.2", 9))
    world.message()
    client, _, header = world.engine.opened[1]
    assert (str(client.address), client.helo) == ("192.0.2.2", "")
    assert header.fields[0].simple == b"From: a@b.example\r\n"


def test_message_without_connect() -> None:
    world = World()
    assert world.message() == milter.CONTINUE
    assert world.engine.opened[0][0].address is None
    assert " client=- " in world.lines[0][1]


def test_a_header_without_end_is_not_kept() -> None:
    """Memory stays bounded, and the message is refused for good."""
    world = ready()
    world.adapter.envfrom(world.ctx, b"<a@b.example>")
    value = b"x" * 60000
    for _ in range(HEADER_ROOM // 60000 + 20):
        world.adapter.header(world.ctx, "X", value)
    kept = world.fake.priv.header()
    assert 0 < len(kept) * 60000 < HEADER_ROOM
    world.adapter.eoh(world.ctx)
    world.adapter.body(world.ctx, b"x")
    assert world.adapter.eom(world.ctx) == milter.REJECT
    assert world.fake.calls == [("reply", "552", "5.3.4", "message header too large")]
    assert world.engine.opened == []
    assert "reason=header-too-large action=reject" in world.lines[0][1]
    assert world.message() == milter.CONTINUE


def test_names_without_end_use_up_the_room_too() -> None:
    """Postfix lets a name be as long as a whole field."""
    world = ready()
    world.adapter.envfrom(world.ctx, b"<a@b.example>")
    name = "X" * 60000
    for _ in range(HEADER_ROOM // 60000 + 20):
        world.adapter.header(world.ctx, name, b"")
    assert 0 < len(world.fake.priv.header()) * 60000 < HEADER_ROOM
    assert world.adapter.eom(world.ctx) == milter.REJECT


def test_many_tiny_fields_use_up_the_room_too() -> None:
    world = ready()
    world.adapter.envfrom(world.ctx, b"<a@b.example>")
    for _ in range(HEADER_ROOM // 128 + 10):
        world.adapter.header(world.ctx, "X", b"")
    assert world.adapter.eom(world.ctx) == milter.REJECT


def test_busy_only_while_a_message_is_under_way() -> None:
    world = ready()
    assert not world.fake.priv.busy
    assert world.adapter.last_reply == 0
    world.begin()
    assert world.fake.priv.busy
    assert len(world.fake.priv.header()) == 0  # the engine has it: not kept twice
    world.adapter.eom(world.ctx)
    assert not world.fake.priv.busy
    assert world.adapter.last_reply > 0


def test_no_line_per_message_when_nobody_wants_it() -> None:
    world = ready()
    world.adapter.log = Log(lambda level, line: world.lines.append((level, line)), Level.WARNING)
    world.message()
    assert world.lines == []
