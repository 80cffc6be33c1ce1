"""Mail of our own: sign it, or say why not.

NAME
    outbound - the Work of a message from one of ours with a key for its author

GIVES
    Outbound: one DKIM-Signature per choice, put on top; forged results removed.
    Refused: a signature is due but cannot be made; the operator's on_signing_error.
    Unsigned: a message that is only checked; its story says why it was not signed.
    LeaveAlone: a peer's message, not touched at all.

STORY
    signed=NAME,NAME   the names under which the keys are published
    signed=no          reason=no-key, never-sign, not-owner, outside (somebody else's client
                       with an author of ours), or what is wrong with From
    signed=error       reason=TEXT: a signature was due
    risks=WORD,WORD    what will break the signature on the way, and where
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from postseal.core.action import Accept, Action, Defer
from postseal.core.address import Authors
from postseal.core.canon import BodyDigest, BodyHasher
from postseal.core.dkim import sign
from postseal.core.dkim.survival import BodyObserver, header_risks, is_at_risk
from postseal.core.field import Field, Header
from postseal.core.findings import Findings
from postseal.core.roles import Origin, Role
from postseal.core.rules import OnFault, Rules
from postseal.core.signing import Choice
from postseal.core.transaction import Client
from postseal.core.verdict import Verdict, Work, deletions, insert_on_top, no_body

Signatures = tuple[Field, ...]
Turn = Callable[[Callable[[], Signatures]], Signatures]  # calls what it is given


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

    __slots__ = ("_authors", "_client", "_header", "_origin", "_reason", "_rules", "body")

    wants_body = False

    def __init__(
        self,
        rules: Rules,
        origin: Origin,
        client: Client,
        authors: Authors,
        header: Header,
        reason: str,
    ) -> None:
        self._rules = rules
        self._header = header
        self._origin = origin
        self._client = client
        self._authors = authors
        self._reason = reason
        self.body: Callable[[bytes], None] = no_body

    def close(self) -> Verdict:
        action = _on_error(self._rules)
        goes_on = isinstance(action, Accept)
        return Verdict(
            role=Role.OUTBOUND,
            found=Findings(origin=self._origin, authors=self._authors, client=self._client),
            action=action,
            edits=deletions(self._header, self._rules.own_ids) if goes_on else (),
            story={
                "origin": self._origin,
                "from": ",".join(self._authors.domains),
                "signed": "error",
                "reason": self._reason,
            },
        )


class Unsigned:
    """A message that is checked, not signed, and whose story says why."""

    __slots__ = ("_why", "_work", "body", "wants_body")

    def __init__(self, work: Work, why: str) -> None:
        self._work = work
        self._why = why
        self.body: Callable[[bytes], None] = work.body
        self.wants_body = work.wants_body

    def close(self) -> Verdict:
        verdict = self._work.close()
        return verdict._replace(story={**verdict.story, "signed": "no", "reason": self._why})


class Outbound:
    """A message to be signed."""

    __slots__ = (
        "_authors", "_choices", "_client", "_hasher", "_header", "_now", "_observer", "_origin",
        "_rules", "_turn", "body",
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
        turn: Turn,
    ) -> None:
        self._rules = rules
        self._origin = origin
        self._client = client
        self._authors = authors
        self._header = header
        self._choices = choices
        self._now = now
        self._turn = turn
        self._hasher = BodyHasher(rules.signing.body_key)
        self._observer = BodyObserver() if rules.signing.watch else None
        self.body: Callable[[bytes], None] = self._hasher.update
        if self._observer is not None:
            self.body = _both(self._observer.update, self._hasher.update)

    def close(self) -> Verdict:
        digest = self._hasher.digest()
        covered = sign.cover(self._header, self._rules.signing)
        # An RSA signature takes a millisecond without Python's lock.  Hundreds of threads of a
        # worker that is bound to one processor would make theirs at once, and whoever has the lock
        # would wait behind them: 512 connections cost 4.4 ms a message so, and 2.6 ms in turn.
        signatures = self._turn(partial(self._sign, covered, digest))
        if self._rules.signing.checks(digest) and (bad := self._unsound(signatures, digest)):
            reason = f"the signature of {bad} does not verify: this is a fault of this host"
            return Refused(
                self._rules, self._origin, self._client, self._authors, self._header, reason
            ).close()
        # The first choice ends on top: insertions at 0 stack.
        inserts = [insert_on_top("DKIM-Signature", made.value) for made in reversed(signatures)]
        return Verdict(
            role=Role.OUTBOUND,
            found=Findings(origin=self._origin, authors=self._authors, client=self._client),
            action=Accept(),
            edits=(*deletions(self._header, self._rules.own_ids), *inserts),
            signatures=signatures,
            story=self._story(covered),
        )

    def _sign(self, covered: sign.Coverage, digest: BodyDigest) -> Signatures:
        options, now = self._rules.signing, self._now
        return tuple([
            sign.sign_covered(covered, key, digest, options, identity or "", now)
            for key, identity in self._choices
        ])  # fmt: skip

    def _story(self, covered: sign.Coverage) -> dict[str, str | int]:
        names = [choice.key.query_name for choice in self._choices]
        story: dict[str, str | int] = {
            "origin": self._origin,
            "from": self._authors.domains[0],
            "signed": ",".join(names),
        }
        if self._observer is not None:
            threats = self._observer.risks()
            if is_at_risk(covered.fields):
                threats = header_risks(self._header, self._rules.signing.signed) + threats
            if threats:
                story["risks"] = ",".join(dict.fromkeys(threat.risk.value for threat in threats))
                if places := "; ".join(threat.place for threat in threats if threat.place):
                    story["where"] = places
        return story

    def _unsound(self, signatures: Signatures, digest: BodyDigest) -> str:
        """The name of the first key whose signature a verifier would not accept; "" for none."""
        for made, choice in zip(signatures, self._choices, strict=True):
            if not sign.self_check(made, self._header, choice.key, digest):
                return choice.key.query_name
        return ""


def _on_error(rules: Rules) -> Action:
    """What the operator wants for mail that should be signed and cannot be."""
    if rules.on_signing_error is OnFault.TEMPFAIL:
        return Defer("message cannot be signed at the moment; please try again later")
    return Accept()


def _both(
    first: Callable[[bytes], None], second: Callable[[bytes], None]
) -> Callable[[bytes], None]:
    """One function for two.

    A bound method of the Work itself would be a cycle: the whole message would then
    wait for the garbage collector, which has hardly anything else to do and comes seldom.
    """

    def body(chunk: bytes) -> None:
        first(chunk)
        second(chunk)

    return body
