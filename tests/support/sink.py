"""Where Postfix delivers to: an SMTP server that keeps every message byte for byte.

NAME
    sink - Sink and what was Delivered

DOES NOT
    judge, change or lose anything; it accepts every recipient.
"""

from __future__ import annotations

import socketserver
import threading
import time
from dataclasses import dataclass
from types import TracebackType

from support.child import LOOPBACK, PATIENCE, NotReady

CAPABILITIES = (b"250-sink", b"250-8BITMIME", b"250-SMTPUTF8", b"250 SIZE 104857600")


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivered:
    """One delivered message.  content is as sent, CRLF line ends, without dot-stuffing."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes


class _Session(socketserver.StreamRequestHandler):
    """One connection of Postfix's SMTP client."""

    server: _Server

    def handle(self) -> None:
        self._reset()
        self._say(b"220 sink ESMTP")
        while line := self.rfile.readline(8192):
            verb = line[:4].upper()
            if verb == b"QUIT":
                self._say(b"221 bye")
                return
            self._obey(verb, line.rstrip(b"\r\n").decode("utf-8", "surrogateescape"))

    def _reset(self) -> None:
        self._sender = ""
        self._recipients: list[str] = []

    def _obey(self, verb: bytes, line: str) -> None:
        if verb == b"EHLO":
            self._say(*CAPABILITIES)
        elif verb == b"MAIL":
            self._reset()
            self._sender = _address(line)
            self._say(b"250 ok")
        elif verb == b"RCPT":
            self._recipients.append(_address(line))
            self._say(b"250 ok")
        elif verb == b"DATA":
            self._say(b"354 go on")
            self._keep(self._content())
        else:
            self._say(b"250 ok")

    def _content(self) -> bytes:
        lines = []
        while (line := self.rfile.readline()) not in (b".\r\n", b""):
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    def _keep(self, content: bytes) -> None:
        self.server.sink.keep(
            Delivered(sender=self._sender, recipients=tuple(self._recipients), content=content)
        )
        self._say(b"250 kept")

    def _say(self, *lines: bytes) -> None:
        self.wfile.write(b"".join(line + b"\r\n" for line in lines))


def _address(line: str) -> str:
    return line[line.find("<") + 1 : line.rfind(">")] if "<" in line else ""


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        super().__init__((LOOPBACK, 0), _Session)


class Sink:
    """The running server and all that came."""

    def __init__(self) -> None:
        self._arrived = threading.Condition()
        self._all: list[Delivered] = []
        self._server = _Server(self)
        self.port = int(self._server.server_address[1])

    def __enter__(self) -> Sink:
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    def keep(self, delivered: Delivered) -> None:
        """Called by the server's threads."""
        with self._arrived:
            self._all.append(delivered)
            self._arrived.notify_all()

    def copies(self, recipient: str) -> list[Delivered]:
        """What has come for recipient so far."""
        with self._arrived:
            return [one for one in self._all if recipient in one.recipients]

    def wait(self, recipient: str, seconds: float = PATIENCE) -> Delivered:
        """The first message for recipient.  Raises NotReady."""
        deadline = time.monotonic() + seconds
        with self._arrived:
            while True:
                for one in self._all:
                    if recipient in one.recipients:
                        return one
                if not self._arrived.wait(deadline - time.monotonic()):
                    raise NotReady(f"nothing came for {recipient} in {seconds:.0f} s")
