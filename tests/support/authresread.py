"""A strict reader of RFC 8601 section 2.2, written from the grammar alone.

NAME
    authresread - take an Authentication-Results value apart, or say why not

DOES NOT
    forgive, and does not use any code of Postseal.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field


class NotStrict(Exception):
    """The text is not in the grammar."""


@dataclass
class Resinfo:
    """One statement.  comments are those that stand anywhere in it."""

    method: str
    result: str
    reason: str = ""
    properties: list[tuple[str, str]] = field(default_factory=list)
    comments: list[str] = field(default_factory=list)


@dataclass
class Read:
    """A whole field."""

    authserv_id: str
    version: int
    results: list[Resinfo]


TOKEN = re.compile(r"[!#$%&'*+.0-9A-Z^_`a-z{|}~-]+")
KEYWORD = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?")
DIGITS = re.compile(r"[0-9]+")
DOT_ATOM = re.compile(r"[\w!#$%&'*+/=?^`{|}~-]+(?:\.[\w!#$%&'*+/=?^`{|}~-]+)*")
DOMAIN = re.compile(r"[A-Za-z0-9_](?:[\w-]*\w)?(?:\.[A-Za-z0-9_](?:[\w-]*\w)?)*", re.ASCII)
QUOTED = re.compile(r'"(?:[ !#-\[\]-~]|\\[ -~])*"')
BLANK = re.compile(r"(?:[ \t]|\r\n[ \t])+")
PVALUE_END = re.compile(r"[ \t\r;(]|\Z")


def read(value: str) -> Read:
    """Raises NotStrict."""
    reader = _Reader(value)
    reader.cfws()
    authserv_id = reader.value()
    reader.cfws()
    version = reader.take(DIGITS)
    reader.cfws()
    results: list[Resinfo] = []
    while reader.skip(";"):
        reader.comments.clear()
        reader.cfws()
        if not results and reader.skip("none"):
            reader.cfws()
            reader.end()
            return Read(authserv_id, int(version or 1), [])
        results.append(reader.resinfo())
    reader.end()
    if not results:
        raise NotStrict("no results")
    return Read(authserv_id, int(version or 1), results)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.comments: list[str] = []

    def take(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self.text, self.at)
        if not found:
            return ""
        self.at = found.end()
        return found[0]

    def need(self, pattern: re.Pattern[str]) -> str:
        taken = self.take(pattern)
        if not taken:
            raise NotStrict(f"expected {pattern.pattern} at {self.text[self.at :]!r}")
        return taken

    def skip(self, literal: str) -> bool:
        if self.text.startswith(literal, self.at):
            self.at += len(literal)
            return True
        return False

    def expect(self, literal: str) -> None:
        if not self.skip(literal):
            raise NotStrict(f"expected {literal} at {self.text[self.at :]!r}")

    def end(self) -> None:
        if self.at != len(self.text):
            raise NotStrict(f"left over: {self.text[self.at :]!r}")

    def cfws(self) -> bool:
        began = self.at
        while True:
            self.take(BLANK)
            if not self.text.startswith("(", self.at):
                return self.at > began
            self._comment()

    def _comment(self) -> None:
        began = self.at
        depth = 0
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char == "\\":
                self.at += 1
            depth += {"(": 1, ")": -1}.get(char, 0)
            if not depth:
                self.comments.append(self.text[began + 1 : self.at - 1])
                return
        raise NotStrict("comment not closed")

    def quoted(self) -> str:
        found = self.take(QUOTED)
        return re.sub(r"\\(.)", r"\1", found[1:-1])

    def value(self) -> str:
        if self.text.startswith('"', self.at):
            began = self.at
            content = self.quoted()
            if self.at == began:
                raise NotStrict("bad quoted-string")
            return content
        return self.need(TOKEN)

    def pvalue(self) -> str:
        self.cfws()
        began = self.at
        for local in (QUOTED, DOT_ATOM, None):
            self.at = began
            part = self.take(local) if local else ""
            if (part or local is None) and self.skip("@"):
                return f"{part}@{self.need(DOMAIN)}"
        self.at = began
        return self.value()

    def resinfo(self) -> Resinfo:
        method = self.need(KEYWORD)
        self.cfws()
        if self.skip("/"):
            self.cfws()
            self.need(DIGITS)
            self.cfws()
        self.expect("=")
        self.cfws()
        found = Resinfo(method, self.need(KEYWORD))
        spaced = self.cfws()
        while self.at < len(self.text) and not self.text.startswith(";", self.at):
            if not spaced:
                raise NotStrict("no space between parts")
            self._part(found)
            if not PVALUE_END.match(self.text, self.at):
                raise NotStrict(f"value runs on: {self.text[self.at :]!r}")
            spaced = self.cfws()
        found.comments = list(self.comments)
        return found

    def _part(self, found: Resinfo) -> None:
        name = self.need(KEYWORD)
        self.cfws()
        if name == "reason" and self.skip("="):
            if found.reason or found.properties:
                raise NotStrict("reason out of place")
            self.cfws()
            found.reason = self.value()
            return
        self.expect(".")
        self.cfws()
        property_name = self.need(KEYWORD)
        self.cfws()
        self.expect("=")
        found.properties.append((f"{name}.{property_name}", self.pvalue()))
