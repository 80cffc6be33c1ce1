"""An SMTP client that sends what it is told, and can pose as any client by XCLIENT.

NAME
    smtpclient - SmtpClient, Reply, Pose

DOES NOT
    help: no line ending is mended, no command added, no address checked.

SEE ALSO
    Postfix's XCLIENT_README.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from ipaddress import ip_address
from types import TracebackType

from support.child import LOOPBACK

TIMEOUT = 120.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server answered; text joins the lines of one answer with LF."""

    code: int
    text: str

    @property
    def good(self) -> bool:
        """Whether the command was taken."""
        return self.code < 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Pose:
    """The client that Postfix is to believe in."""

    address: str
    name: str = "[UNAVAILABLE]"
    helo: str = "client.example"
    login: str = ""

    def command(self) -> bytes:
        """The XCLIENT command.  helo is not in it: the client says EHLO again anyway."""
        family = "IPV6:" if ip_address(self.address).version == 6 else ""
        login = f" LOGIN={self.login}" if self.login else ""
        return f"XCLIENT NAME={self.name} ADDR={family}{self.address}{login}\r\n".encode()


class SmtpClient:
    """One connection."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection((LOOPBACK, port), timeout=TIMEOUT)
        self._file = self._socket.makefile("rb")
        self.greeting = self.reply()

    def __enter__(self) -> SmtpClient:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._socket.close()

    def send(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def reply(self) -> Reply:
        """One answer; code 0 when the server hung up instead."""
        lines = []
        try:
            while line := self._file.readline(8192):
                lines.append(line[4:].rstrip(b"\r\n").decode("utf-8", "replace"))
                if line[3:4] != b"-":
                    return Reply(int(line[:3]), "\n".join(lines))
        except ConnectionResetError:
            pass
        return Reply(0, "\n".join(lines))

    def command(self, line: str | bytes) -> Reply:
        """Send one line and take its answer."""
        raw = line.encode("utf-8") if isinstance(line, str) else line
        self.send(raw + b"\r\n")
        return self.reply()

    def pose(self, pose: Pose) -> Reply:
        """Be somebody else from now on; greets before and after."""
        self.command("EHLO localhost")
        self.send(pose.command())
        answer = self.reply()
        assert answer.code == 220, answer
        return self.command(f"EHLO {pose.helo}") if pose.helo else answer

    def mail(self, message: bytes, sender: str, recipient: str, arguments: str = "") -> Reply:
        """One transaction; the first answer that refuses, or the last."""
        for line in (
            f"MAIL FROM:<{sender}>{arguments}",
            f"RCPT TO:<{recipient}>",
            "DATA",
        ):
            answer = self.command(line)
            if not answer.good:
                return answer
        self.send(stuffed(message) + b".\r\n")
        return self.reply()


def stuffed(message: bytes) -> bytes:
    """message with the dots that SMTP wants doubled."""
    body = message if message.endswith(b"\r\n") else message + b"\r\n"
    body = body.replace(b"\r\n.", b"\r\n..")
    return b"." + body if body.startswith(b".") else body
