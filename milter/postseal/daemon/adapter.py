"""libmilter's callbacks: they collect, ask the engine, carry out; they do not think.

NAME
    adapter - what the MTA says becomes a Work, its Verdict becomes edits and a reply

GIVEN
    an Engine (core/pipeline.py), a resolver, a Log.

GIVES
    callbacks for libmilter.  Every one is guarded: an exception of ours becomes the
    configured on-error action at end of message, logged once with the queue id, and
    never travels into libmilter.

SEE ALSO
    session.py (the collector), libmilter.py (the C side), worker.py (who puts them together).

All steps up to end of message are negotiated as "no reply" (P_NR_*): the MTA does not
wait for us, so there is also nothing to say before the end.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from time import perf_counter
from typing import TYPE_CHECKING, Any

from postseal.core.action import Accept, Action, Defer, Reject
from postseal.daemon.engine import Engine, MessageResolver
from postseal.daemon.guard import Fault, fault_of
from postseal.daemon.libmilter import (
    CONTINUE,
    LEADING_SPACE,
    NOREPLY,
    REJECT,
    TEMPFAIL,
    agree,
    ask_macros,
    edit,
    reply,
)
from postseal.daemon.logline import Value, logline
from postseal.daemon.logs import Log
from postseal.daemon.session import Session

if TYPE_CHECKING:
    from milter import Context

BROKEN = Defer("internal error, please try again later", 451, "4.3.0")
TOO_LARGE = Reject("message header too large", 552, "5.3.4")


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
        recipients: bool = False,
    ) -> None:
        self.engine = engine
        self.resolver = resolver
        self.log = log
        self.on_error: Action = Accept() if accept_on_error else BROKEN
        self.macros = tuple(macros)
        self.recipients = recipients
        self.sessions: set[Session] = set()  # open connections; add and discard are atomic
        self.last_reply = 0.0  # perf_counter() when a verdict was last handed to libmilter
        self.leading_space = False  # as last negotiated, for connections after QUIT_NC

    # -- connection -------------------------------------------------------------------------

    def negotiate(self, ctx: Context, offer: list[int]) -> int:
        """Take what the MTA offers of what we like.  offer is [actions, steps, 0, 0], in place."""
        try:
            agreed = agree(offer[0], offer[1], self.recipients)
            if agreed is None:
                self.log.error(logline([
                    ("event", "negotiation-refused"), ("actions", hex(offer[0])),
                    ("hint", "the MTA must let milters add and change header fields"),
                ]))  # fmt: skip
                return REJECT
            ask_macros(ctx, offer[0], self.macros)
            offer[:] = [*agreed, 0, 0]
            self.leading_space = bool(agreed[1] & LEADING_SPACE)
            self._new_session(ctx)
        except BaseException as error:
            self._oops(fault_of(error), "-")
            return REJECT
        return CONTINUE

    def connect(self, ctx: Context, name: str, _family: int, address: Any) -> int:
        """A client: forget whoever was there before."""
        return self._guarded(ctx, Session.begin_connection, name, address)

    def helo(self, ctx: Context, name: str) -> int:
        return self._guarded(ctx, Session.greet, name)

    def close(self, ctx: Context) -> int:
        """The connection ends.  Comes without connect too, and after abort."""
        session = ctx.getpriv()
        if session is not None:
            self.sessions.discard(session)
            ctx.setpriv(None)
            self._forget_message(session)
        return CONTINUE

    # -- message ----------------------------------------------------------------------------

    def envfrom(self, ctx: Context, sender: bytes = b"", *params: bytes) -> int:
        return self._guarded(ctx, Session.begin_message, sender, params)

    def envrcpt(self, ctx: Context, recipient: bytes = b"", *_params: bytes) -> int:
        """A recipient.  Called only when a rule wants to know them."""
        return self._guarded(ctx, Session.add_recipient, recipient)

    def header(self, ctx: Context, name: str, value: bytes) -> int:
        """Keep the octets.  Runs for every field of every message: nothing else here."""
        session = ctx.getpriv()
        if session is not None:
            session.add(name, value)
        return NOREPLY

    def eoh(self, ctx: Context) -> int:
        """End of header: all facts are there, DNS questions can start."""
        return self._guarded(ctx, self._open, ctx)

    def body(self, ctx: Context, chunk: bytes) -> int:
        session = ctx.getpriv()
        if session is not None and session.feed is not None:
            try:
                session.feed(chunk)
            except BaseException as error:
                session.feed = None
                session.fault = fault_of(error)
        return NOREPLY

    def eom(self, ctx: Context) -> int:
        """End of message: the only step that is answered."""
        session = self._session(ctx)
        code = self._finish(ctx, session)
        self.last_reply = perf_counter()
        self._forget_message(session)
        return code

    def abort(self, ctx: Context) -> int:
        """The message is given up.  Comes twice, and before any MAIL."""
        session = ctx.getpriv()
        if session is not None:
            self._forget_message(session)
        return NOREPLY

    # -- behind the callbacks ---------------------------------------------------------------

    def _new_session(self, ctx: Context) -> Session:
        session = Session(self.leading_space)
        self.sessions.add(session)
        ctx.setpriv(session)
        return session

    def _session(self, ctx: Context) -> Session:
        """The connection's session.  libmilter forgets it at QUIT_NC, before a new client."""
        found: Session | None = ctx.getpriv()
        return found if found is not None else self._new_session(ctx)

    def _forget_message(self, session: Session) -> None:
        try:
            session.end_message()
        except BaseException as error:
            self._oops(fault_of(error), "-")

    def _guarded(self, ctx: Context, step: Callable[..., None], *given: object) -> int:
        """Do the step; keep an exception for the end of the message, where it can be answered."""
        session = self._session(ctx)
        try:
            step(session, *given)
        except BaseException as error:
            session.fault = fault_of(error)
        return NOREPLY

    def _open(self, session: Session, ctx: Context) -> None:
        if session.fault is not None or session.overfull:
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
        session.work = work
        if work.wants_body:
            session.feed = work.body

    def _finish(self, ctx: Context, session: Session) -> int:
        """The verdict carried out and told.  Never raises."""
        queue_id = "-"
        try:
            queue_id = ctx.getsymval("i") or "-"
            if session.fault is None and session.overfull:
                self._tell(session, queue_id, [("reason", "header-too-large")], TOO_LARGE)
                return reply(ctx, TOO_LARGE)
            if session.fault is None and session.work is None:
                self._open(session, ctx)  # no end-of-header came: an empty header and body
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

    def _failed(self, ctx: Context, fault: Fault, queue_id: str) -> int:
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
