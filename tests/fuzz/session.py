"""A whole milter session, driven in any order with anything in it.

NAME
    session - the fuzz target that is the daemon but for libmilter

The octets are sections, a line of two hyphens between them: the steps, one letter each (see
Player.play); client name, address, HELO, sender and parameters, one on a line; the message; the
zone (evaluators.py).  The adapter must answer every end of message, must never report an
internal error, and must write no field that is more than one.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from fuzz.evaluators import MARK, NOW, zone
from postseal.conf import load
from postseal.core.dkim import sign
from postseal.core.pipeline import Pipeline
from postseal.daemon import rulebook
from postseal.daemon.adapter import Adapter
from postseal.daemon.logs import Log
from postseal.tables import site
from support.dkimmail import RSA
from support.fakedns import FakeDns
from support.pipeline import Keys, rules

OUTSIDE = (b"203.0.113.7", b"mail.example.com", b"mail.example.com", b"<ann@example.com>")


class Fault(AssertionError):
    """What no message may bring about."""


STRICT = b"""
authserv_id = "mx.example.org"
[roles]
trusted_relays = ["203.0.113.0/24"]
[verify]
iprev = true
keep_removed = "X-Removed-Authentication-Results"
[spf]
helo = true
received_spf = true
[upstream]
authserv_ids = ["up.example.org"]
hosts = ["203.0.113.0/24"]
[dmarc]
quarantine = "hold"
reject = true
temperror = "tempfail"
[from]
missing = "reject"
broken = "hold"
multiple = "reject"
[arc]
trusted_sealers = ["example.com"]
"""


@functools.cache
def _pipeline(strict: bool) -> Pipeline:
    """strict: everything that can be switched on is on."""
    told = rules()
    if strict:
        found = site.load(load.parse(STRICT, Path("postseal.toml")), keys=False)
        told = rulebook.rules_of(found)
        key = sign.signing_key(RSA, "example.org", "s1")
        told = replace(told, arc=replace(told.arc, key=key))
    return Pipeline(told, Keys(), lambda: NOW)


class Share(FakeDns):
    """DNS as a message's session sees it."""

    usage = SimpleNamespace(sent=0)

    def close(self) -> None:
        pass


class Ctx:
    """milter.Context; keeps what the MTA would be told."""

    def __init__(self) -> None:
        self.priv: Any = None
        self.macros: dict[str, str] = {"i": "4ABC"}
        self.calls: list[tuple[Any, ...]] = []

    def getpriv(self) -> Any:
        return self.priv

    def setpriv(self, value: Any) -> None:
        self.priv = value

    def getsymval(self, name: str) -> str | None:
        return self.macros.get(name)

    def addheader(self, name: str, value: str, index: int) -> None:
        self.calls.append(("insert", index, name, value))
        if not name.isascii() or ":" in name or not name.isprintable():
            raise Fault(f"field name {name!r}")
        for line in value.replace("\r\n", "\n").split("\n")[1:]:
            if line[:1] not in (" ", "\t"):
                raise Fault(f"{name}: {value!r}")
        if "\0" in value or "\r" in value.replace("\r\n", "\n"):
            raise Fault(f"{name}: {value!r}")

    def chgheader(self, name: str, index: int, value: str | None) -> None:
        self.calls.append(("change", index, name, value))
        if index < 1 or value is not None:
            raise Fault(f"{name}[{index}] = {value!r}")

    def quarantine(self, reason: str) -> None:
        self.calls.append(("quarantine", reason))

    def setreply(self, code: str, enhanced: str, text: str) -> None:
        self.calls.append(("reply", code, enhanced, text))
        if not text.isprintable() or not text.isascii() or code[0] != enhanced[0]:
            raise Fault(f"{code} {enhanced} {text!r}")


class Player:
    """One run: the steps in the order that the input has."""

    def __init__(self, data: bytes) -> None:
        parts = data.split(MARK, 3)
        parts += [b""] * (4 - len(parts))
        self.steps, told, self.message, records = parts
        lines = told.split(b"\n")
        self.told = [*lines, *OUTSIDE[len(lines) :]]
        self.zone = records
        self.ctx = Ctx()
        self.ends = 0
        self.adapter = Adapter(
            _pipeline(b"S" in self.steps), self._share, Log(lambda _level, line: self._line(line))
        )
        head, _, body = self.message.replace(b"\r\n", b"\n").partition(b"\n\n")
        self.fields = _fields(head)
        self.body = body.replace(b"\n", b"\r\n")

    def _share(self) -> Any:
        return zone(self.zone, Share)

    def _line(self, line: str) -> None:
        if "event=internal-error" in line or "\n" in line or not line.isprintable():
            raise Fault(line)

    def play(self) -> None:
        moves: dict[str, Callable[[], object]] = {
            "O": lambda: self.adapter.negotiate(self.ctx, [0x1FF, 0x1FFFFF, 0, 0]),  # type: ignore[arg-type]
            "o": lambda: self.adapter.negotiate(self.ctx, [0x3F, 0x7F, 0, 0]),  # type: ignore[arg-type]
            "C": self._connect,
            "U": lambda: self.ctx.macros.update({"{auth_authen}": "ann", "{auth_type}": "PLAIN"}),
            "H": lambda: self.adapter.helo(self.ctx, self._text(2)),  # type: ignore[arg-type]
            "M": lambda: self.adapter.envfrom(self.ctx, *self.told[3:]),  # type: ignore[arg-type]
            "L": self._header,
            "N": lambda: self.adapter.eoh(self.ctx),  # type: ignore[arg-type]
            "B": self._body,
            "E": self._end,
            "A": lambda: self.adapter.abort(self.ctx),  # type: ignore[arg-type]
            "Q": lambda: self.adapter.close(self.ctx),  # type: ignore[arg-type]
        }
        for number, letter in enumerate(self.steps.removeprefix(b"S")[:40].decode("latin-1")):
            # libmilter negotiates before everything else, and once
            if letter in moves and (letter not in "Oo" or number == 0):
                moves[letter]()
        self.adapter.close(self.ctx)  # type: ignore[arg-type]
        if self.adapter.sessions:
            raise Fault("a session is left")

    def _text(self, number: int) -> str:
        """As pymilter decodes what libmilter hands over."""
        return self.told[number].decode("utf-8", "surrogateescape")

    def _connect(self) -> None:
        address: object = (self._text(0), 40000)
        if b"/" in self.told[0]:
            address = self._text(0)
        self.adapter.connect(self.ctx, self._text(1), 2, address)  # type: ignore[arg-type]

    def _header(self) -> None:
        for name, value in self.fields:
            self.adapter.header(self.ctx, name, value)  # type: ignore[arg-type]

    def _body(self) -> None:
        for at in range(0, len(self.body), 7):
            self.adapter.body(self.ctx, self.body[at : at + 7])  # type: ignore[arg-type]

    def _end(self) -> None:
        self.ctx.calls.clear()
        self.adapter.eom(self.ctx)  # type: ignore[arg-type]
        self.ends += 1
        replies = [call for call in self.ctx.calls if call[0] == "reply"]
        if len(replies) > 1:
            raise Fault(repr(replies))
        if any("internal error" in call[-1] for call in replies):
            raise Fault(repr(replies))


def _fields(head: bytes) -> list[tuple[str, bytes]]:
    """As Postfix hands them over: folds as LF, printable names."""
    found: list[tuple[str, bytes]] = []
    for line in head.split(b"\n"):
        if line[:1] in (b" ", b"\t") and found:
            found[-1] = (found[-1][0], found[-1][1] + b"\n" + line)
        else:
            name, colon, value = line.partition(b":")
            if colon and name and name.isascii() and name.decode().isprintable():
                found.append((name.decode(), value.replace(b"\0", b"")))
    return found


def session(data: bytes) -> None:
    """The target.  Raises Fault, or whatever went wrong."""
    Player(data).play()
