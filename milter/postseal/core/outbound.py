"""Mail of our own: sign it, or say why not.

NAME
    outbound - the Work of a message from one of ours with a key for its author

GIVES
    Outbound: one DKIM-Signature per choice, put on top; forged results removed.
    Refused: a signature is due but cannot be made; the operator's on_signing_error.
    LeaveAlone: a peer's message, not touched at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from postseal.core.action import Accept, Action, Defer, Edit
from postseal.core.address import Authors
from postseal.core.canon import BodyHashes
from postseal.core.dkim import sign
from postseal.core.field import Field, Header
from postseal.core.findings import Findings
from postseal.core.roles import Origin, Role
from postseal.core.rules import OnFault, Rules
from postseal.core.signing import Choice
from postseal.core.transaction import Client
from postseal.core.verdict import Verdict, deletions, insert_on_top, no_body


class LeaveAlone:
    """A message that is none of our business."""

    __slots__ = ("_origin", "body")

    wants_body = False

    def __init__(self, origin: Origin) -> None:
        self._origin = origin
        self.body: Callable[[bytes], None] = no_body

    def close(self) -> Verdict:
        return Verdict(role=Role.PEER, found=Findings(origin=self._origin), action=Accept())


class Refused:
    """A message that must not go out unsigned and cannot be signed."""

    __slots__ = ("_authors", "_client", "_origin", "_reason", "_rules", "body")

    wants_body = False

    def __init__(
        self, rules: Rules, origin: Origin, client: Client, authors: Authors, reason: str
    ) -> None:
        self._rules = rules
        self._origin = origin
        self._client = client
        self._authors = authors
        self._reason = reason
        self.body: Callable[[bytes], None] = no_body

    def close(self) -> Verdict:
        action: Action = Accept()
        if self._rules.on_signing_error is OnFault.TEMPFAIL:
            action = Defer("message cannot be signed at the moment; please try again later")
        return Verdict(
            role=Role.OUTBOUND,
            found=Findings(origin=self._origin, authors=self._authors, client=self._client),
            action=action,
            story={
                "origin": self._origin.value,
                "from": self._authors.domains[0],
                "signed": "error",
                "reason": self._reason,
            },
        )


class Outbound:
    """A message to be signed."""

    __slots__ = (
        "_authors", "_bodies", "_choices", "_client", "_header", "_now", "_origin", "_rules",
        "body",
    )  # fmt: skip

    wants_body = True

    def __init__(
        self,
        rules: Rules,
        origin: Origin,
        client: Client,
        authors: Authors,
        header: Header,
        choices: Sequence[Choice],
        now: int,
    ) -> None:
        self._rules = rules
        self._origin = origin
        self._client = client
        self._authors = authors
        self._header = header
        self._choices = choices
        self._now = now
        self._bodies = BodyHashes([rules.signing.body_key])
        self.body: Callable[[bytes], None] = self._bodies.update

    def close(self) -> Verdict:
        signatures = self._sign()
        edits: list[Edit] = list(deletions(self._header, self._rules.own_ids))
        # The first choice ends on top: insertions at 0 stack.
        edits += [insert_on_top("DKIM-Signature", made.value) for made in reversed(signatures)]
        return Verdict(
            role=Role.OUTBOUND,
            found=Findings(origin=self._origin, authors=self._authors, client=self._client),
            action=Accept(),
            edits=tuple(edits),
            signatures=signatures,
            story={
                "origin": self._origin.value,
                "from": self._authors.domains[0],
                "signed": ",".join(
                    f"{choice.key.selector}._domainkey.{choice.key.domain}"
                    for choice in self._choices
                ),
            },
        )

    def _sign(self) -> tuple[Field, ...]:
        digest = self._bodies.digests()[self._rules.signing.body_key]
        return tuple(
            sign.sign(self._header, choice.key, digest, self._options(choice), now=self._now)
            for choice in self._choices
        )

    def _options(self, choice: Choice) -> sign.Options:
        if choice.identity is None:
            return self._rules.signing
        return replace(self._rules.signing, identity=choice.identity)
