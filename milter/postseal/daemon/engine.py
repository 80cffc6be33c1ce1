"""What the adapter needs of the engine and of DNS, and nothing more.

NAME
    engine - Engine, Work, Verdict and MessageResolver, as protocols

SEE ALSO
    core/pipeline.py and resolver.py are the real ones; tests have stand-ins.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from postseal.core.action import Action, Edit
from postseal.core.field import Header
from postseal.core.resolver import Resolver
from postseal.core.transaction import Client, Envelope


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
