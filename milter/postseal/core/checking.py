"""Mail of others: check who stands behind it.

NAME
    checking - the Work of a message that is verified

GIVEN
    everything known at the end of the header; a Resolver with a budget.

GIVES
    a Verdict with every result, the Authentication-Results field that tells them,
    and the deletions of fields that claim to be ours.

THE ORDER
    Questions whose names are known go out at once, before the body comes: keys,
    the SPF record, the DMARC record.  Results pass from one mechanism to the
    next in memory, never through a header; the one exception is a host of ours in
    front (rules.upstream), by name and address.

    Each mechanism may use a share of the DNS budget, DMARC, which comes last, all that
    is left: a sender chooses whose name servers DKIM, SPF, ARC and iprev have to wait for.
    With time used up by his own, a forgery would be a temporary error and no failure.

    Mail of our own without a key for its author (Origin.trusted) has its
    signatures checked and nothing else: its client is a user's device or an
    internal host, of which SPF and DMARC would say nothing true.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from postseal.core import iprev, policy, received_spf, relays, removed, report, spf
from postseal.core.action import MARK, Accept, Edit, Hold, forged
from postseal.core.address import Authors
from postseal.core.arc import seal
from postseal.core.arc import verify as arc
from postseal.core.arc.chain import AAR, AMS, SEAL
from postseal.core.authres import compose
from postseal.core.authres_upstream import Identities, Upstream, read_upstream
from postseal.core.canon import BodyDigest, BodyHashes, BodyKey
from postseal.core.decision import Decision
from postseal.core.dkim import verify
from postseal.core.dmarc import evaluate as dmarc
from postseal.core.dmarc.suffix import judge
from postseal.core.field import Header
from postseal.core.findings import Findings, dkim_domains
from postseal.core.names import BadDomain, ascii_domain, mailbox_domain
from postseal.core.resolver import Kind, Resolver
from postseal.core.roles import Origin, Role
from postseal.core.rules import OnQuarantine, Rules
from postseal.core.transaction import Address, Client, Envelope
from postseal.core.verdict import Verdict, deletions, deletions_of, insert_on_top, no_body

# Shares of what is left of the DNS budget.
_FOR_DKIM = 0.5
_FOR_SPF = 0.75
_FOR_OTHERS = 0.5  # ARC, SPF of HELO, iprev: together


class Checking:
    """A message to be verified."""

    __slots__ = (
        "_address", "_arc", "_authors", "_bodies", "_client", "_count", "_dkim", "_envelope",
        "_header", "_helo", "_now", "_origin", "_relayed", "_resolver", "_rules", "_trusted",
        "body", "wants_body",
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
        count: Callable[[int], None],
    ) -> None:
        self._rules = rules
        self._origin = origin
        self._trusted = origin.trusted
        self._authors = authors
        self._client = client
        self._envelope = envelope
        self._header = header
        self._resolver = resolver
        self._now = now
        self._count = count
        self._relayed: relays.Relayed | None = None
        self._address: Address | None = client.address
        self._helo = client.helo
        if rules.relays is not None and not self._trusted:
            self._relayed = relays.true_client(client, header, rules.relays)
            self._address, self._helo = self._relayed.address, self._relayed.helo
        self._dkim = verify.prepare(header, rules.dkim, now, prefer=authors.domains)
        self._arc = _chain(header, rules, now) if not self._trusted else None
        self._start_questions()
        wanted = {*self._dkim.body_keys, *self._body_keys()}
        self._bodies = BodyHashes(wanted)
        self.wants_body = bool(wanted)
        self.body: Callable[[bytes], None] = self._bodies.update if self.wants_body else no_body

    def _body_keys(self) -> Iterator[BodyKey]:
        """What ARC wants of the body, beside DKIM."""
        if self._arc is not None:
            yield from self._arc.body_keys
        if self._seals:
            yield seal.BODY_KEY

    @property
    def _seals(self) -> bool:
        return self._rules.arc.key is not None and not self._trusted

    def _start_questions(self) -> None:
        resolver = self._resolver
        resolver.insist(self._authors.domains)
        rules = self._rules
        if rules.dmarc.enabled and not self._trusted:  # first, while all can be asked
            identifiers = [claim.domain for claim in self._dkim.signatures]
            identifiers += filter(None, [mailbox_domain(self._envelope.sender)])
            dmarc.prefetch(self._authors, resolver, identifiers)
        for name in self._dkim.query_names:
            resolver.prefetch(name, Kind.TXT)
        for name in self._arc.query_names if self._arc is not None else ():
            resolver.prefetch(name, Kind.TXT)
        if self._trusted:
            return
        if rules.spf_enabled:
            spf.prefetch(
                client=self._address,
                helo=self._helo,
                sender=self._envelope.sender,
                resolver=resolver,
            )
            if rules.spf_helo and self._envelope.sender:
                spf.prefetch(client=self._address, helo=self._helo, sender="", resolver=resolver)
        if rules.iprev:
            iprev.prefetch(client=self._address, resolver=resolver)

    def close(self) -> Verdict:
        digests = self._bodies.digests()
        found = self._find(digests)
        decision = self._decide(found)
        edits = self._edits(found, decision)
        story = report.story(found, decision)
        if count := forged(edits):
            story["removed"] = count
        if self._seals and isinstance(decision.action, Accept | Hold):
            edits += self._seal(found, decision, digests)
        return Verdict(
            role=Role.INTERNAL if self._trusted else Role.INBOUND,
            found=found,
            action=decision.action,
            mark=decision.mark,
            local=decision.local,
            edits=tuple(edits),
            story=story,
        )

    def _decide(self, found: Findings) -> Decision:
        """Mail of our own is never refused."""
        if self._trusted:
            return policy.ACCEPT
        decision = policy.decide(found, self._header, self._rules, now=self._now)
        if decision.local is not None and decision.local.row:
            self._count(decision.local.row)
        return decision

    def _find(self, digests: Mapping[BodyKey, BodyDigest]) -> Findings:
        """Every mechanism's result."""
        ration = self._resolver.ration
        ration(_FOR_DKIM)
        signatures = self._dkim.finish(digests, self._resolver)
        if self._trusted:
            return Findings(
                origin=self._origin,
                authors=self._authors,
                client=self._client,
                envelope=self._envelope,
                dkim=signatures,
            )
        rules = self._rules
        upstream = self._ask_upstream(signatures) if rules.upstream is not None else None
        ration(_FOR_SPF)
        sender = self._check_spf() if rules.spf_enabled else None
        ration(_FOR_OTHERS)
        chain = self._arc.finish(digests, self._resolver) if self._arc is not None else None
        helo = self._check_helo() if rules.spf_helo and self._envelope.sender else None
        host = (
            iprev.evaluate(client=self._address, resolver=self._resolver) if rules.iprev else None
        )
        ration(1.0)
        return Findings(
            origin=self._origin,
            authors=self._authors,
            client=self._client,
            envelope=self._envelope,
            relayed=self._relayed,
            dkim=signatures,
            arc=chain,
            spf=sender,
            helo=helo,
            iprev=host,
            upstream=upstream,
            dmarc=self._check_dmarc(signatures, sender, upstream) if rules.dmarc.enabled else None,
        )

    def _check_spf(self) -> spf.Result:
        return spf.evaluate(
            client=self._address,
            helo=self._helo,
            sender=self._envelope.sender,
            resolver=self._resolver,
            limits=self._rules.spf,
            receiver=self._rules.authserv_id,
        )

    def _check_helo(self) -> spf.Result | None:
        """HELO beside MAIL FROM: told, and used for nothing else (RFC 9989 section 4.4.2)."""
        if not self._rules.spf_enabled:
            return None
        return spf.check_helo(
            client=self._address,
            helo=self._helo,
            resolver=self._resolver,
            limits=self._rules.spf,
            receiver=self._rules.authserv_id,
        )

    def _ask_upstream(self, signatures: tuple[verify.Result, ...]) -> Upstream | None:
        """What our own host in front of us has found; None when the client is another."""
        told = self._rules.upstream
        if told is None or not told.hosts.matches(self._client.address, self._client.name):
            return None
        helo: str | None
        try:
            helo = ascii_domain(self._helo)
        except BadDomain:
            helo = None
        mine = Identities(
            sender=mailbox_domain(self._envelope.sender),
            helo=None if self._envelope.sender else helo,
            signatures=[(one.domain, one.selector) for one in signatures if one.domain],
        )
        return read_upstream(self._header, told.authserv_ids, mine)

    def _check_dmarc(
        self,
        signatures: tuple[verify.Result, ...],
        sender: spf.Result | None,
        upstream: Upstream | None,
    ) -> dmarc.Result:
        """Only the MAIL FROM identity counts (RFC 9989 section 4.4.2)."""
        passed = sender.domain if sender and sender.status is spf.Status.PASS else None
        signers = dkim_domains(signatures, verify.Status.PASS)
        if upstream is not None:
            passed = passed or upstream.spf_pass_domain
            signers += upstream.dkim_pass_domains
        rules = self._rules.dmarc
        return judge(
            self._authors,
            choice=rules.discovery,
            suffixes=rules.suffixes,
            spf_pass_domain=passed,
            spf_temperror_domain=(
                sender.domain if sender and sender.status is spf.Status.TEMPERROR else None
            ),
            dkim_pass_domains=signers,
            dkim_temperror_domains=dkim_domains(signatures, verify.Status.TEMPERROR),
            resolver=self._resolver,
        )

    def _edits(self, found: Findings, decision: Decision) -> list[Edit]:
        """What goes, then what is put on top; the last one ends uppermost."""
        rules = self._rules
        gone = deletions(self._header, rules.own_ids)
        edits: list[Edit] = [*gone]
        if rules.dmarc.quarantine is OnQuarantine.HEADER and not self._trusted:
            edits += deletions_of(self._header, MARK)
            if decision.mark:
                edits.append(insert_on_top(MARK, b" " + decision.mark.encode("ascii", "replace")))
        if rules.keep_removed:
            edits += [
                insert_on_top(rules.keep_removed, b" " + text)
                for text in removed.texts(self._header, gone)
            ]
        if rules.spf_received and found.spf is not None:
            value = received_spf.compose(
                found.spf,
                client=self._address,
                helo=self._helo,
                sender=self._envelope.sender,
                receiver=rules.authserv_id,
            )
            edits.append(insert_on_top("Received-SPF", b" " + value))
        field = compose(rules.authserv_id, report.results(found, decision.local))
        edits.append(insert_on_top("Authentication-Results", b" " + field))
        return edits

    def _seal(
        self, found: Findings, decision: Decision, digests: Mapping[BodyKey, BodyDigest]
    ) -> list[Edit]:
        """Our own set, after every other change (RFC 8617 section 5.1).

        No field that we add or remove is among those that the set covers.
        """
        key = self._rules.arc.key
        assert key is not None
        made = seal.seal(
            self._header,
            key,
            digests[seal.BODY_KEY],
            found.arc or _NO_CHAIN,
            compose(self._rules.authserv_id, report.results(found, decision.local)),
            now=self._now,
        )
        return [insert_on_top(field.name.decode(), field.value) for field in reversed(made)]


_NO_CHAIN = arc.ArcResult(status=arc.Status.NONE, why=arc.Why.NO_CHAIN)


def _chain(header: Header, rules: Rules, now: int) -> arc.PreparedArc | None:
    """The ARC sets; None for mail without any, which is most mail."""
    if not (rules.arc.enabled or rules.arc.key) or not (
        SEAL in header or AMS in header or AAR in header
    ):
        return None
    return arc.prepare(header, now, skew=rules.dkim.skew, min_rsa_bits=rules.dkim.min_rsa_bits)
