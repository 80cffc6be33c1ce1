"""Mail of others: check who stands behind it.

NAME
    checking - the Work of a message that is verified

GIVEN
    everything known at the end of the header; a Resolver with a budget.

GIVES
    a Verdict with DKIM, SPF and DMARC results, the Authentication-Results field
    that tells them, and the deletions of fields that claim to be ours.

THE ORDER
    Questions whose names are known go out at once, before the body comes: keys,
    the SPF record, the DMARC record.  Results pass from one mechanism to the
    next in memory, never through a header.

    Mail of our own without a key for its author (Origin.trusted) has its
    signatures checked and nothing else: its client is a user's device or an
    internal host, of which SPF and DMARC would say nothing true.
"""

from __future__ import annotations

from collections.abc import Callable

from postseal.core import policy, report, spf
from postseal.core.action import Accept, Action
from postseal.core.address import Authors
from postseal.core.authres import MethodResult, compose
from postseal.core.canon import BodyHashes
from postseal.core.dkim import verify
from postseal.core.dmarc import evaluate as dmarc
from postseal.core.field import Header
from postseal.core.resolver import Kind, Resolver
from postseal.core.roles import Origin, Role
from postseal.core.rules import Rules
from postseal.core.transaction import Client, Envelope
from postseal.core.verdict import Verdict, deletions, insert_on_top, no_body


class Checking:
    """A message to be verified."""

    __slots__ = (
        "_authors", "_bodies", "_client", "_dkim", "_envelope", "_header", "_origin", "_resolver",
        "_rules", "body", "wants_body",
    )  # fmt: skip

    def __init__(
        self,
        rules: Rules,
        origin: Origin,
        authors: Authors,
        client: Client,
        envelope: Envelope,
        header: Header,
        resolver: Resolver,
        now: int,
    ) -> None:
        self._rules = rules
        self._origin = origin
        self._authors = authors
        self._client = client
        self._envelope = envelope
        self._header = header
        self._resolver = resolver
        self._dkim = verify.prepare(header, rules.dkim, now, prefer=authors.domains)
        self._start_questions()
        self._bodies = BodyHashes(self._dkim.body_keys)
        self.wants_body = bool(self._dkim.body_keys)
        self.body: Callable[[bytes], None] = self._bodies.update if self.wants_body else no_body

    def _start_questions(self) -> None:
        for name in self._dkim.query_names:
            self._resolver.prefetch(name, Kind.TXT)
        if self._origin.trusted:
            return
        if self._rules.dmarc.enabled:
            signers = (claim.domain for claim in self._dkim.signatures)
            dmarc.prefetch(self._authors, self._resolver, signers)
        if self._rules.spf_enabled:
            spf.prefetch(
                client=self._client.address,
                helo=self._client.helo,
                sender=self._envelope.sender,
                resolver=self._resolver,
            )

    def close(self) -> Verdict:
        signatures = self._dkim.finish(self._bodies.digests(), self._resolver)
        sender = self._check_spf()
        verdict = self._check_dmarc(signatures, sender)
        results = self._results(signatures, sender, verdict)
        field = compose(self._rules.authserv_id, results)
        return Verdict(
            role=Role.INTERNAL if self._origin.trusted else Role.INBOUND,
            origin=self._origin,
            action=self._act(verdict),
            edits=(
                *deletions(self._header, self._rules.own_ids),
                insert_on_top("Authentication-Results", b" " + field),
            ),
            dkim=signatures,
            spf=sender,
            dmarc=verdict,
            authors=self._authors,
            client=self._client,
            story=report.story(self._origin, self._authors, signatures, sender, verdict),
        )

    def _check_spf(self) -> spf.Result | None:
        if self._origin.trusted or not self._rules.spf_enabled:
            return None
        return spf.evaluate(
            client=self._client.address,
            helo=self._client.helo,
            sender=self._envelope.sender,
            resolver=self._resolver,
            limits=self._rules.spf,
            receiver=self._rules.authserv_id,
        )

    def _check_dmarc(
        self, signatures: tuple[verify.Result, ...], sender: spf.Result | None
    ) -> dmarc.Result | None:
        """Only the MAIL FROM identity counts (RFC 9989 section 4.4.2)."""
        if self._origin.trusted or not self._rules.dmarc.enabled:
            return None
        return dmarc.evaluate(
            self._authors,
            spf_pass_domain=sender.domain if sender and sender.status is spf.Status.PASS else None,
            spf_temperror_domain=(
                sender.domain if sender and sender.status is spf.Status.TEMPERROR else None
            ),
            dkim_pass_domains=_domains(signatures, verify.Status.PASS),
            dkim_temperror_domains=_domains(signatures, verify.Status.TEMPERROR),
            resolver=self._resolver,
        )

    def _results(
        self,
        signatures: tuple[verify.Result, ...],
        sender: spf.Result | None,
        verdict: dmarc.Result | None,
    ) -> list[MethodResult]:
        results = report.dkim(signatures)
        if self._origin is Origin.AUTHENTICATED:
            results.insert(0, report.auth(self._client, self._envelope))
        if sender is not None:
            results.append(report.spf(sender))
        if verdict is not None:
            results.append(report.dmarc(verdict))
        return results

    def _act(self, verdict: dmarc.Result | None) -> Action:
        if self._origin.trusted:
            return Accept()
        return policy.decide(self._authors, verdict, self._rules.from_, self._rules.dmarc)


def _domains(signatures: tuple[verify.Result, ...], status: verify.Status) -> tuple[str, ...]:
    """The signing domains with that result; a key in test mode vouches for nobody.

    RFC 6376 section 3.6.1: verifiers must not treat messages from signers in
    testing mode differently from unsigned mail.
    """
    return tuple(
        dict.fromkeys(
            result.domain for result in signatures if result.status is status and not result.testing
        )
    )
