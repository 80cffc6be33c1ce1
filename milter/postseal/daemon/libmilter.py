"""The one module that imports pymilter: its C part, spoken to in our terms.

NAME
    libmilter - negotiation, edits, replies, the socket and the callbacks' registration

GIVES
    open_socket(), install() and serve() for the process; agree(), ask_macros(), edit() and
    reply() for a session; Error.

DOES NOT
    use pymilter's Milter package: its object per connection, its decoding and its wrappers
    around every callback cost as much as everything that adapter.py does.

SEE ALSO
    adapter.py, whose methods are the callbacks.

pymilter gives each connection a Python thread state of its own, and libmilter moves it from
thread to thread.  So threading.local is per connection here; and C code that calls back into
Python by way of PyGILState_Ensure() (a ctypes callback, an SQLite function written in Python)
may find another connection's state and wait for itself for ever: none may be reached from a
callback.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Protocol, assert_never

import milter

from postseal.core.action import Accept, Action, Defer, Delete, Edit, Hold, Insert, Reject

if TYPE_CHECKING:
    from milter import Context  # the C module does not export it

Error = milter.error

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
LEADING_SPACE = milter.P_HDR_LEADSPC


class Callbacks(Protocol):
    """What libmilter calls, and what each call is given.  All give one of the codes above."""

    def negotiate(self, ctx: Context, offer: list[int], /) -> int: ...
    def connect(self, ctx: Context, name: str, family: int, address: Any, /) -> int: ...
    def helo(self, ctx: Context, name: str, /) -> int: ...
    def envfrom(self, ctx: Context, sender: bytes, /, *params: bytes) -> int: ...
    def envrcpt(self, ctx: Context, recipient: bytes, /, *params: bytes) -> int: ...
    def header(self, ctx: Context, name: str, value: bytes, /) -> int: ...
    def eoh(self, ctx: Context, /) -> int: ...
    def body(self, ctx: Context, chunk: bytes, /) -> int: ...
    def eom(self, ctx: Context, /) -> int: ...
    def abort(self, ctx: Context, /) -> int: ...
    def close(self, ctx: Context, /) -> int: ...


# -- with the MTA ----------------------------------------------------------------------------


def agree(actions: int, steps: int, recipients: bool = False) -> tuple[int, int] | None:
    """What to ask for of an MTA's offer; None when it does not let us do our work.

    NOREPLY is what the callbacks give, so no-reply steps are always asked for: where the
    MTA does not know them (protocol 2), libmilter answers in our place.  recipients: whether
    RCPT TO is wanted, which costs a packet for each.
    """
    if actions & NEEDED != NEEDED:
        return None
    unwanted = NOT_SENT & ~milter.P_NORCPT if recipients else NOT_SENT
    return actions & WISHED, SILENT | steps & (unwanted | LEADING_SPACE)


# What Postfix sends unasked, at the stages where any macro is sent.
_USUAL = {
    milter.M_CONNECT: "j {daemon_name} {daemon_addr} v _",
    milter.M_ENVFROM: "i {auth_type} {auth_authen} {auth_author} {mail_addr} {mail_host}"
    " {mail_mailer}",
    milter.M_EOH: "i",
}


def ask_macros(ctx: Context, actions: int, names: Iterable[str]) -> None:
    """Ask for these macros (without braces) too, where the MTA lets us: {daemon_port} say.

    Only while negotiating.  Raises Error.
    """
    wanted = "".join(f" {name}" if len(name) == 1 else f" {{{name}}}" for name in names)
    if wanted and actions & milter.SETSYMLIST:
        for stage, usual in _USUAL.items():
            ctx.setsymlist(stage, usual + wanted)


def edit(ctx: Context, edits: Iterable[Edit], leading_space: bool) -> None:
    """Carry the edits out, in their order.  Raises Error when the MTA is gone."""
    for change in edits:
        match change:
            case Delete(name, index):
                ctx.chgheader(name, index, None)
            case Insert(position, name, value):
                # without P_HDR_LEADSPC the MTA puts the space itself
                ctx.addheader(name, value if leading_space else value.removeprefix(" "), position)
            case _:
                assert_never(change)


def reply(ctx: Context, action: Action) -> int:
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
    """Make libmilter listen on name, in libmilter's form.  Raises Error.

    The socket is inherited by fork(); serve() may then be called in each child.
    """
    milter.set_flags(WISHED)
    milter.register(NAME)
    milter.setconn(name)
    milter.setbacklog(backlog)
    milter.opensocket(False)


def install(calls: Callbacks, recipients: bool = False) -> None:
    """Make these methods libmilter's callbacks.  recipients: whether envrcpt is one of them."""
    milter.set_connect_callback(calls.connect)
    milter.set_helo_callback(calls.helo)
    milter.set_envfrom_callback(calls.envfrom)
    if recipients:
        milter.set_envrcpt_callback(calls.envrcpt)
    milter.set_header_callback(calls.header)
    milter.set_eoh_callback(calls.eoh)
    milter.set_body_callback(calls.body)
    milter.set_eom_callback(calls.eom)
    milter.set_abort_callback(calls.abort)
    milter.set_close_callback(calls.close)
    # What pymilter itself cannot decode never reaches us.  Nothing may be replied before the
    # end of the message, and any other answer makes libmilter drop the rest of it.
    milter.set_exception_policy(CONTINUE)
    milter.register(NAME, negotiate=calls.negotiate)


def serve() -> None:
    """Serve on the socket that open_socket() made.  Does not come back while all is well."""
    milter.main()
