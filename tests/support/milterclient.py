"""The MTA's side of the milter protocol, as small as a test needs it.

    with MilterClient(address) as mta:          # ("127.0.0.1", port) or "/path"
        mta.negotiate()                         # version 6, everything offered
        mta.connect("client.example", "192.0.2.1")
        reply = mta.message(b"From: a@b.example\\r\\n\\r\\nhello\\r\\n", sender="<a@b.example>")
    reply.code       # "continue", "accept", "reject", "tempfail", "replycode", "discard"
    reply.text       # of replycode: "550 5.7.1 no"
    reply.edits      # ("insert", index, name, value), ("change", index, name, value), ...
    reply.quarantine # the reason, or None

Every step can also be sent by itself, in any order, or as raw packets (send()).  A step
that the filter wants no answer for (as negotiated) waits for none; others give the code.
"""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import TracebackType

ALL_ACTIONS = 0x1FF
ALL_STEPS = 0x1FFFFF
STEPS = {2: 0x7F, 3: 0x1FF, 4: 0x3FF, 6: ALL_STEPS}  # what Postfix offers, by version
ACTIONS = {2: 0x3F, 3: 0x3F, 4: 0x3F, 6: ALL_ACTIONS}
LEADING_SPACE = 0x100000
CHUNK = 65535

# What the filter may ask not to be sent, and not to be waited for, by command.
NOT_SENT = {"C": 0x1, "H": 0x2, "M": 0x4, "R": 0x8, "B": 0x10, "L": 0x20, "N": 0x40,
            "U": 0x100, "T": 0x200}  # fmt: skip
NO_REPLY = {"L": 0x80, "C": 0x1000, "H": 0x2000, "M": 0x4000, "R": 0x8000, "T": 0x10000,
            "U": 0x20000, "N": 0x40000, "B": 0x80000}  # fmt: skip
CODES = {"c": "continue", "a": "accept", "r": "reject", "t": "tempfail", "d": "discard",
         "s": "skip", "y": "replycode", "4": "shutdown"}  # fmt: skip

Edit = tuple[str, int, str, str]


class Closed(Exception):
    """The filter closed the connection."""


@dataclass
class Reply:
    """What the filter said at end of message, and what it changed before."""

    code: str
    text: str = ""
    edits: list[Edit] = field(default_factory=list)
    quarantine: str | None = None

    def inserted(self, name: str) -> list[str]:
        """Values of the fields of that name that were inserted or added."""
        return [
            value
            for kind, _, got, value in self.edits
            if kind in ("insert", "add") and got.lower() == name.lower()
        ]


class MilterClient:
    """One connection to a filter."""

    def __init__(self, address: str | tuple[str, int], timeout: float = 30.0) -> None:
        if isinstance(address, str):
            self.socket = socket.socket(socket.AF_UNIX)
        else:
            self.socket = socket.socket(socket.AF_INET6 if ":" in address[0] else socket.AF_INET)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(timeout)
        try:
            self.socket.connect(address)
        except OSError:
            self.socket.close()
            raise
        self.version = self.actions = self.steps = 0

    def __enter__(self) -> MilterClient:
        return self

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        _error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Drop the connection without a word."""
        self.socket.close()

    # -- packets ----------------------------------------------------------------------------

    def send(self, command: str, data: bytes = b"") -> None:
        """One packet, whatever it is."""
        self.socket.sendall(struct.pack("!I", len(data) + 1) + command.encode() + data)

    def receive(self) -> tuple[str, bytes]:
        """One packet.  Raises Closed, or TimeoutError."""
        (length,) = struct.unpack("!I", self._exactly(4))
        packet = self._exactly(length)
        return packet[:1].decode("latin-1"), packet[1:]

    def _exactly(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                raise Closed
            data += more
        return bytes(data)

    def answer(self) -> Reply:
        """Modifications up to the final answer, and that answer."""
        reply = Reply("")
        while True:
            command, data = self.receive()
            if command in CODES:
                reply.code = CODES[command]
                reply.text = data.rstrip(b"\0").decode() if command == "y" else ""
                return reply
            if command == "q":
                reply.quarantine = data.rstrip(b"\0").decode()
            elif command in "him":
                reply.edits.append(_edit(command, data))
            elif command != "p":  # progress
                reply.edits.append((command, 0, "", data.decode("latin-1")))

    # -- steps ------------------------------------------------------------------------------

    def negotiate(
        self, version: int = 6, actions: int | None = None, steps: int | None = None
    ) -> MilterClient:
        """Offer, and take what the filter answers."""
        actions = ACTIONS[version] if actions is None else actions
        steps = STEPS[version] if steps is None else steps
        self.send("O", struct.pack("!III", version, actions, steps))
        command, data = self.receive()
        assert command == "O", (command, data)
        self.version, self.actions, self.steps = struct.unpack("!III", data[:12])
        return self

    def step(self, command: str, data: bytes = b"") -> str:
        """A command as negotiated; its answer's code, "" where none is due or nothing was sent."""
        if self.steps & NOT_SENT.get(command, 0):
            return ""
        self.send(command, data)
        if self.steps & NO_REPLY.get(command, 0):
            return ""
        return self.answer().code

    def macros(self, command: str, macros: Mapping[str, str] | None) -> None:
        """Macros for the command that follows.  Names of several letters get their braces."""
        if macros:
            parts = [command.encode()]
            for name, value in macros.items():
                shown = name if len(name) == 1 else f"{{{name}}}"
                parts.append(f"{shown}\0{value}\0".encode("utf-8", "surrogateescape"))
            self.send("D", b"".join(parts))

    def connect(
        self,
        name: str = "client.example",
        address: str | None = "192.0.2.1",
        port: int = 40000,
        macros: Mapping[str, str] | None = None,
    ) -> str:
        """SMFIC_CONNECT.  address: IPv4, IPv6, a path, or None for an unknown family."""
        self.macros("C", macros)
        data = name.encode("utf-8", "surrogateescape") + b"\0"
        if address is None:
            return self.step("C", data + b"U")
        family = "L" if "/" in address else "6" if ":" in address else "4"
        return self.step(
            "C", data + family.encode() + struct.pack("!H", port) + address.encode() + b"\0"
        )

    def helo(self, name: str = "client.example", macros: Mapping[str, str] | None = None) -> str:
        self.macros("H", macros)
        return self.step("H", name.encode("utf-8", "surrogateescape") + b"\0")

    def mail(
        self,
        sender: str | bytes = "<a@b.example>",
        params: Iterable[str] = (),
        macros: Mapping[str, str] | None = None,
    ) -> str:
        self.macros("M", macros)
        raw = sender if isinstance(sender, bytes) else sender.encode()
        return self.step("M", b"".join(part + b"\0" for part in (raw, *map(str.encode, params))))

    def rcpt(
        self, recipient: str = "<c@d.example>", macros: Mapping[str, str] | None = None
    ) -> str:
        self.macros("R", macros)
        return self.step("R", recipient.encode() + b"\0")

    def header(self, name: bytes | str, value: bytes | str) -> str:
        """One field as the MTA has it: value with everything after the colon, folds as LF."""
        name = name if isinstance(name, bytes) else name.encode()
        value = value if isinstance(value, bytes) else value.encode()
        if not self.steps & LEADING_SPACE:
            value = value.removeprefix(b" ")
        return self.step("L", name + b"\0" + value + b"\0")

    def end_of_header(self, macros: Mapping[str, str] | None = None) -> str:
        self.macros("N", macros)
        return self.step("N")

    def body(self, data: bytes, chunk: int = CHUNK) -> None:
        for start in range(0, len(data), chunk):
            self.step("B", data[start : start + chunk])

    def end(self, macros: Mapping[str, str] | None = None) -> Reply:
        """End of message, and the filter's answer."""
        self.macros("E", macros)
        self.send("E")
        return self.answer()

    def abort(self) -> None:
        self.send("A")

    def quit(self) -> None:
        self.send("Q")
        self.close()

    def quit_new_connection(self) -> None:
        """SMFIC_QUIT_NC: this client is done, another follows on the same connection."""
        self.send("K")

    # -- a whole message --------------------------------------------------------------------

    def message(
        self,
        message: bytes,
        *,
        sender: str | bytes = "<a@b.example>",
        params: Iterable[str] = (),
        recipients: Iterable[str] = ("<c@d.example>",),
        mail_macros: Mapping[str, str] | None = None,
        queue_id: str | None = "4XYZ",
    ) -> Reply:
        """MAIL to end of message.  message is as in a file, with CRLF or LF."""
        head, _, body = message.replace(b"\r\n", b"\n").partition(b"\n\n")
        self.mail(sender, params, mail_macros)
        for recipient in recipients:
            self.rcpt(recipient)
        for name, value in fields(head):
            self.header(name, value)
        known = {"i": queue_id} if queue_id else None
        self.end_of_header(known)
        self.body(body.replace(b"\n", b"\r\n"))
        return self.end(known)


def fields(head: bytes) -> list[tuple[bytes, bytes]]:
    """The fields of a header with LF line ends: name, and value with its folds."""
    found: list[tuple[bytes, bytes]] = []
    for line in head.strip(b"\n").split(b"\n"):
        if line[:1] in (b" ", b"\t") and found:
            found[-1] = (found[-1][0], found[-1][1] + b"\n" + line)
        else:
            name, _, value = line.partition(b":")
            found.append((name, value))
    return found


def _edit(command: str, data: bytes) -> Edit:
    index = 0
    if command in "im":
        (index,) = struct.unpack("!I", data[:4])
        data = data[4:]
    name, value = data.split(b"\0")[:2]
    kind = {"h": "add", "i": "insert", "m": "change"}[command]
    return kind, index, name.decode(), value.decode("utf-8", "surrogateescape")
