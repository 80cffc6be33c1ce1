"""What one milter connection has told us so far: a collector without a milter.

NAME
    session - Session: mutable while a message comes in, frozen facts at the end of its header

GIVEN
    what libmilter hands over, as it is: str, bytes, address tuples, macros by name.

GIVES
    Client, Envelope and Header of the message at hand.

DOES NOT
    decide anything, and imports no milter.

SEE ALSO
    adapter.py, which owns the callbacks.
"""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv6Address
from typing import TYPE_CHECKING

from postseal.core.field import Header
from postseal.core.intake import Intake
from postseal.core.transaction import Address, Client, Envelope

if TYPE_CHECKING:
    from postseal.daemon.engine import MessageResolver, Work
    from postseal.daemon.guard import Fault

# Room for the header of one message: octets of the fields and FIELD_COST for each of them.
# Postfix lets a message of any number of fields through; nobody's mail has a fraction of this.
HEADER_ROOM = 4 * 1024 * 1024
FIELD_COST = 256

Macro = Callable[[str], str | None]


class Session:
    """One connection.  All its callbacks come one after another, though on changing threads."""

    # fmt: off
    __slots__ = (
        "_address", "_helo", "_intake", "_local", "_name", "_params", "_recipients", "_sender",
        "add", "busy", "fault", "feed", "leading_space", "opened", "resolver", "role", "work",
    )
    # fmt: on

    def __init__(self, leading_space: bool) -> None:
        self.leading_space = leading_space
        self._intake = Intake(HEADER_ROOM, FIELD_COST, leading_space)
        self.add = self._intake.add  # bound once: it is called for every header field
        self.busy = True  # whether a message is under way; so that end_message() sets the rest
        self.resolver: MessageResolver | None = None
        self._params: tuple[bytes, ...] = ()
        self._recipients: list[bytes] = []
        self.begin_connection()

    def begin_connection(self, name: str = "", address: object = None) -> None:
        """A client connected, or took the place of another (XCLIENT).  Forgets everything."""
        # whoever was there before must be gone, whatever happens below
        self._address, self._name, self._local, self._helo = None, "", False, ""
        self._address, port = read_address(address)
        self._name = "" if name == "unknown" or name.startswith("[") else name
        # sendmail(1) and Postfix's own bounces: simulated by cleanup(8), with port 0
        self._local = port == 0 and name == "localhost" and str(self._address) == "127.0.0.1"
        self.end_message()

    def greet(self, helo: str) -> None:
        """HELO or EHLO: may be missing, may come again (after STARTTLS)."""
        self._helo = helo

    def begin_message(self, sender: bytes = b"", params: tuple[bytes, ...] = ()) -> None:
        """MAIL FROM.  Forgets the message before, keeps the client."""
        self.end_message()
        self._sender = sender
        self._params = params
        self.busy = True

    def add_recipient(self, recipient: bytes) -> None:
        """RCPT TO.  Takes of the room for the header: a crowd of them is refused like one."""
        if self._intake.weigh(len(recipient)):
            self._recipients.append(recipient)

    def end_message(self) -> None:
        """The message is done, or given up.  May be called at any time and again."""
        if self._intake.room == HEADER_ROOM and not (self.busy or self.resolver or self.fault):
            return  # nothing has come since: fields and recipients take room, MAIL makes it busy
        resolver, self.resolver = self.resolver, None
        self.busy = False
        self._intake.renew()
        self.work: Work | None = None
        self.feed: Callable[[bytes], None] | None = None
        self.fault: Fault | None = None
        self.role = ""
        self.opened = 0.0
        self._sender = b""
        self._params = ()
        self._recipients.clear()
        if resolver is not None:
            resolver.close()

    def client(self, macro: Macro, extra: Iterable[str] = ()) -> Client:
        """The client as known at the end of the header, when all its macros are there."""
        return Client(
            address=self._address,
            name=self._name,
            helo=self._helo,
            daemon_name=macro("{daemon_name}") or "",
            auth_type=macro("{auth_type}") or "",
            auth_user=macro("{auth_authen}") or "",
            local=self._local,
            macros=_macros(macro, extra),
        )

    def envelope(self, macro: Macro) -> Envelope:
        """The envelope, with the MTA's reading of the sender where there is one."""
        sender = ""
        if self._sender not in (b"", b"<>"):  # nothing makes a bounce anything else
            told = macro("{mail_addr}")
            sender = read_sender(self._sender) if told is None else told.strip("<>")
        return Envelope(
            sender=sender,
            recipients=tuple(map(read_sender, self._recipients)) if self._recipients else (),
            smtputf8=any(param.upper() == b"SMTPUTF8" for param in self._params),
        )

    def header(self) -> Header:
        """The header that came.  Once: nothing of it is kept here."""
        return Header(self._intake.hand_over())

    @property
    def overfull(self) -> bool:
        """Whether more header, or more recipients, came than there is room for."""
        return self._intake.room < 0

    @property
    def address(self) -> Address | None:
        """The client's address, for the log."""
        return self._address


def _macros(macro: Macro, names: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in names:
        value = macro(name if len(name) == 1 else f"{{{name}}}")
        if value is not None:
            found[name] = value
    return found


def read_address(given: object) -> tuple[Address | None, int | None]:
    """(address, port) of what the connect callback got; (None, None) for all but IP.

    IPv4-mapped IPv6 is IPv4: SPF and access lists mean the IPv4 client.
    """
    if not isinstance(given, tuple) or len(given) < 2 or not isinstance(given[0], str):
        return None, None
    text = given[0]
    if text[:5].lower() == "ipv6:":
        text = text[5:]
    try:  # by way of the octets: a quarter of the time that ip_address() takes
        if ":" in text:
            wide = IPv6Address(socket.inet_pton(socket.AF_INET6, text))
            address: Address = wide.ipv4_mapped or wide
        else:
            address = IPv4Address(socket.inet_pton(socket.AF_INET, text))
    except (OSError, ValueError):
        return None, None
    return address, given[1] if isinstance(given[1], int) else None


def read_sender(raw: bytes) -> str:
    """The MAIL or RCPT argument without brackets and source route; "" for the null sender.

    Octets that are not UTF-8 become U+FFFD, which no domain contains.
    """
    text = raw.decode("utf-8", "replace").strip()
    if text.startswith("<"):
        text = text[1:].partition(">")[0] if '"' not in text else text[1:].rpartition(">")[0]
    if text.startswith("@"):  # RFC 5321 section 4.1.1.2: <@relay,@relay:local@domain>
        text = text.partition(":")[2]
    return text.strip()
