"""libmilter's callbacks: the one module that imports pymilter, and it does not think.

NAME
    adapter - collects what the MTA says, asks the engine, carries its verdict out

GIVEN
    an Engine (core/pipeline.py), a resolver, a Log.

GIVES
    callbacks for libmilter.  Every one is guarded: an exception of ours becomes the
    configured on-error action at end of message, logged once with the queue id, and
    never travels into libmilter.

DOES NOT
    use pymilter's Milter package: its class per connection, its decoding and its wrappers
    cost more than all work here.

SEE ALSO
    session.py (the collector), worker.py (who calls install() and serve()).

All steps up to end of message are negotiated as "no reply" (P_NR_*): the MTA does not
wait for us, so there is also nothing to say before the end.  Where an old MTA does not
know them libmilter answers for us; the callbacks return NOREPLY all the same.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping
from time import perf_counter
from typing import Any, Protocol, assert_never

import milter

from postseal.core.action import Accept, Action, Defer, Delete, Edit, Hold, Insert, Reject
from postseal.core.field import Header
from postseal.core.resolver import Resolver
from postseal.core.transaction import Client, Envelope
from postseal.daemon.guard import Fault, fault_of
from postseal.daemon.logline import Value, logline
from postseal.daemon.logs import Log
from postseal.daemon.session import FIELD_COST, Session

NAME = "postseal"
NOREPLY, CONTINUE, TEMPFAIL, REJECT = (
    milter.NOREPLY, milter.CONTINUE, milter.TEMPFAIL, milter.REJECT,
)  # fmt: skip

NEEDED = milter.ADDHDRS | milter.CHGHDRS  # without these results can be neither added nor removed
WISHED = NEEDED | milter.QUARANTINE
SILENT = (
    milter.P_NR_CONN | milter.P_NR_HELO | milter.P_NR_MAIL | milter.P_NR_RCPT | milter.P_NR_DATA
    | milter.P_NR_UNKN | milter.P_NR_HDR | milter.P_NR_EOH | milter.P_NR_BODY
)  # fmt: skip
NOT_SENT = milter.P_NORCPT | milter.P_NODATA | milter.P_NOUNKNOWN
BROKEN = Defer("internal error, please try again later", 451, "4.3.0")
TOO_LARGE = Reject("message header too large", 552, "5.3.4")


class Verdict(Protocol):
    """What is to be done with a message, and what the log says of it."""

    @property
    def role(self) -> str: ...
    @property
    def action(self) -> Action: ...
    @property
    def edits(self) -> tuple[Edit, ...]: ...
    @property
    def story(self) -> Mapping[str, str | int]: ...


class Work(Protocol):
    """One message in the engine's hands, from the end of its header on."""

    @property
    def wants_body(self) -> bool: ...
    def body(self, chunk: bytes) -> None: ...
    def close(self) -> Verdict: ...


class Engine(Protocol):
    """Whatever judges messages: core/pipeline.Pipeline, or a test's stand-in."""

    def open(
        self, client: Client, envelope: Envelope, header: Header, resolver: Resolver
    ) -> Work: ...


class Usage(Protocol):
    """What a message cost in DNS."""

    @property
    def sent(self) -> int: ...


class MessageResolver(Resolver, Protocol):
    """One message's share of the resolver: resolver.Session, or a test's stand-in."""

    @property
    def usage(self) -> Usage: ...
    def close(self) -> None: ...


class Adapter:
    """The callbacks of one worker.  All that changes is its sessions, one thread at a time each."""

    def __init__(
        self,
        engine: Engine,
        resolver: Callable[[], MessageResolver],
        log: Log,
        *,
        accept_on_error: bool = False,
        macros: Iterable[str] = (),
    ) -> None:
        self.engine = engine
        self.resolver = resolver
        self.log = log
        self.on_error: Action = Accept() if accept_on_error else BROKEN
        self.macros = tuple(macros)
        self.sessions: set[Session] = set()  # open connections; add and discard are atomic
        self.last_reply = 0.0  # perf_counter() when a verdict was last handed to libmilter
        self.leading_space = False  # as last negotiated, for connections after QUIT_NC

    # -- connection -------------------------------------------------------------------------

    def negotiate(self, ctx: milter.Context, offer: list[int]) -> int:
        """Take what the MTA offers of what we like.  offer is [actions, steps, 0, 0], in place."""
        try:
            actions, steps = offer[0], offer[1]
            if actions & NEEDED != NEEDED:
                self.log.error(logline([
                    ("event", "negotiation-refused"), ("actions", hex(actions)),
                    ("hint", "the MTA must let milters add and change header fields"),
                ]))  # fmt: skip
                return REJECT
            # NOREPLY is what the callbacks return, so it is always asked for: libmilter fakes it
            offer[:] = [actions & WISHED, SILENT | steps & (NOT_SENT | milter.P_HDR_LEADSPC), 0, 0]
            self.leading_space = bool(steps & milter.P_HDR_LEADSPC)
            self._new_session(ctx)
        except BaseException as error:
            self._oops(fault_of(error), "-")
            return REJECT
        return CONTINUE

    def connect(self, ctx: milter.Context, name: str, _family: int, address: Any) -> int:
        """A client: forget whoever was there before."""
        return self._guarded(ctx, lambda session: session.begin_connection(name, address))

    def helo(self, ctx: milter.Context, name: str) -> int:
        return self._guarded(ctx, lambda session: session.greet(name))

    def close(self, ctx: milter.Context) -> int:
        """The connection ends.  Comes without connect too, and after abort."""
        session = ctx.getpriv()
        if session is not None:
            self.sessions.discard(session)
            ctx.setpriv(None)
            self._forget_message(session)
        return CONTINUE

    # -- message ----------------------------------------------------------------------------

    def envfrom(self, ctx: milter.Context, sender: bytes = b"", *params: bytes) -> int:
        return self._guarded(ctx, lambda session: session.begin_message(sender, params))

    def header(self, ctx: milter.Context, name: str, value: bytes) -> int:
        """Keep the octets.  Runs for every field of every message: nothing else here."""
        session = ctx.getpriv()
        if session is not None:
            session.room -= len(value) + FIELD_COST
            if session.room >= 0:
                session.add((name, value))
        return NOREPLY

    def eoh(self, ctx: milter.Context) -> int:
        """End of header: all facts are there, DNS questions can start."""
        return self._guarded(ctx, lambda session: self._open(ctx, session))

    def body(self, ctx: milter.Context, chunk: bytes) -> int:
        session = ctx.getpriv()
        if session is not None and session.feed is not None:
            try:
                session.feed(chunk)
            except BaseException as error:
                session.feed = None
                session.fault = fault_of(error)
        return NOREPLY

    def eom(self, ctx: milter.Context) -> int:
        """End of message: the only step that is answered."""
        session = self._session(ctx)
        code = self._finish(ctx, session)
        self.last_reply = perf_counter()
        self._forget_message(session)
        return code

    def abort(self, ctx: milter.Context) -> int:
        """The message is given up.  Comes twice, and before any MAIL."""
        session = ctx.getpriv()
        if session is not None:
            self._forget_message(session)
        return NOREPLY

    # -- behind the callbacks ---------------------------------------------------------------

    def _new_session(self, ctx: milter.Context) -> Session:
        session = Session(self.leading_space)
        self.sessions.add(session)
        ctx.setpriv(session)
        return session

    def _session(self, ctx: milter.Context) -> Session:
        """The connection's session.  libmilter forgets it at QUIT_NC, before a new client."""
        found: Session | None = ctx.getpriv()
        return found if found is not None else self._new_session(ctx)

    def _forget_message(self, session: Session) -> None:
        try:
            session.end_message()
        except BaseException as error:
            self._oops(fault_of(error), "-")

    def _guarded(self, ctx: milter.Context, step: Callable[[Session], object]) -> int:
        """Do the step; keep an exception for the end of the message, where it can be answered."""
        session = self._session(ctx)
        try:
            step(session)
        except BaseException as error:
            session.fault = fault_of(error)
        return NOREPLY

    def _open(self, ctx: milter.Context, session: Session) -> None:
        if session.fault is not None or session.room < 0:
            return
        session.opened = perf_counter()

        def macro(name: str) -> str | None:
            try:
                return ctx.getsymval(name)
            except UnicodeDecodeError:  # pymilter decodes strictly
                return None

        resolver = session.resolver = self.resolver()
        work = self.engine.open(
            session.client(macro, self.macros), session.envelope(macro), session.header(), resolver
        )
        session.headers.clear()  # the engine has them now
        session.work = work
        if work.wants_body:
            session.feed = work.body

    def _finish(self, ctx: milter.Context, session: Session) -> int:
        """The verdict carried out and told.  Never raises."""
        queue_id = "-"
        try:
            queue_id = ctx.getsymval("i") or "-"
            if session.fault is None and session.room < 0:
                self._tell(session, queue_id, [("reason", "header-too-large")], TOO_LARGE)
                return reply(ctx, TOO_LARGE)
            if session.fault is None and session.work is None:
                self._open(ctx, session)  # no end-of-header came: an empty header and body
            if session.fault is None and session.work is not None:
                verdict = session.work.close()
                session.role = verdict.role
                edit(ctx, verdict.edits, session.leading_space)
                code = reply(ctx, verdict.action)
                self._tell(session, queue_id, verdict.story.items(), verdict.action)
                return code
            fault = session.fault or Fault(error="no work", where="eom")
        except BaseException as error:
            fault = fault_of(error)
        return self._failed(ctx, fault, queue_id)

    def _failed(self, ctx: milter.Context, fault: Fault, queue_id: str) -> int:
        self._oops(fault, queue_id)
        try:
            return reply(ctx, self.on_error)
        except BaseException:
            return TEMPFAIL if self.on_error is BROKEN else CONTINUE

    def _tell(
        self, session: Session, queue_id: str, story: Iterable[tuple[str, Value]], action: Action
    ) -> None:
        """One line for the message."""
        if not self.log.informs:
            return
        pairs: list[tuple[str, Value]] = [
            ("queue_id", queue_id),
            ("role", session.role or "-"),
            ("client", "-" if session.address is None else str(session.address)),
            *story,
            ("action", action.word),
        ]
        if session.opened:
            pairs.append(("ms", round((perf_counter() - session.opened) * 1000)))
        if session.resolver is not None:
            pairs.append(("dns", session.resolver.usage.sent))
        self.log.info(logline(pairs))

    def _oops(self, fault: Fault, queue_id: str) -> None:
        """A bug of ours: one line.  Not even a broken log may raise here."""
        try:
            self.log.error(logline([
                ("queue_id", queue_id), ("event", "internal-error"),
                ("action", self.on_error.word), ("error", fault.error), ("where", fault.where),
            ]))  # fmt: skip
        except BaseException:
            sys.exc_info()  # nowhere left to say it


# -- towards the MTA -------------------------------------------------------------------------


def edit(ctx: milter.Context, edits: Iterable[Edit], leading_space: bool) -> None:
    """Carry the edits out, in their order.  Raises milter.error when the MTA is gone."""
    for change in edits:
        match change:
            case Delete(name, index):
                ctx.chgheader(name, index, None)
            case Insert(position, name, value):
                # without P_HDR_LEADSPC the MTA puts the space itself
                ctx.addheader(name, value if leading_space else value.removeprefix(" "), position)
            case _:
                assert_never(change)


def reply(ctx: milter.Context, action: Action) -> int:
    """Prepare the SMTP reply, and give libmilter's code for the action."""
    match action:
        case Accept():
            return CONTINUE
        case Hold(reason):
            ctx.quarantine(printable(reason))
            return CONTINUE
        case Reject(text, code, enhanced):
            ctx.setreply(str(code), enhanced, reply_text(text))
            return REJECT
        case Defer(text, code, enhanced):
            ctx.setreply(str(code), enhanced, reply_text(text))
            return TEMPFAIL
        case _:
            assert_never(action)


def printable(text: str) -> str:
    """The text as one line of printable ASCII, of a length every MTA takes."""
    return "".join(char if " " <= char <= "~" else "?" for char in text[:400])


def reply_text(text: str) -> str:
    """As printable(), with % doubled: libmilter would read a format, and the MTA halves it."""
    return printable(text).replace("%", "%%")


# -- towards libmilter -----------------------------------------------------------------------


def open_socket(name: str, backlog: int) -> None:
    """Make libmilter listen on name, in libmilter's form.  Raises milter.error.

    The socket is inherited by fork(); serve() may then be called in each child.
    """
    milter.set_flags(WISHED)
    milter.register(NAME)
    milter.setconn(name)
    milter.setbacklog(backlog)
    milter.opensocket(False)


def install(adapter: Adapter) -> None:
    """Make the adapter's methods libmilter's callbacks."""
    milter.set_connect_callback(adapter.connect)
    milter.set_helo_callback(adapter.helo)
    milter.set_envfrom_callback(adapter.envfrom)
    milter.set_header_callback(adapter.header)
    milter.set_eoh_callback(adapter.eoh)
    milter.set_body_callback(adapter.body)
    milter.set_eom_callback(adapter.eom)
    milter.set_abort_callback(adapter.abort)
    milter.set_close_callback(adapter.close)
    # What pymilter itself cannot decode never reaches us.  Nothing may be replied before the
    # end of the message, and any other answer makes libmilter drop the rest of it.
    milter.set_exception_policy(CONTINUE)
    milter.register(NAME, negotiate=adapter.negotiate)


def serve() -> None:
    """Serve on the socket that open_socket() made.  Does not come back while all is well."""
    milter.main()


Error = milter.error
