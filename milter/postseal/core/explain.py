"""The story of a message in plain sentences, for people.

NAME
    explain - from a Verdict to sentences, and to one short line for the log

GIVES
    sentences(): who sent it, what each mechanism found and where, what follows.
    short(): the reason of the verdict in one line, for the log.

DOES NOT
    decide anything, or escape: names are in normal form already (A-labels, host
    names), and the log and the terminal filter the rest.

SEE ALSO
    cli/verify.py --explain; report.py for the same facts as RFC 8601 words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from postseal.core import action, iprev, spf
from postseal.core.address import Authors
from postseal.core.address import Why as From
from postseal.core.arc import verify as arc
from postseal.core.authres_upstream import Why as Upstream
from postseal.core.decision import Kind, Local
from postseal.core.dkim import verify
from postseal.core.dmarc.record import Disposition
from postseal.core.dmarc.result import Result as Dmarc
from postseal.core.dmarc.result import Status as DmarcStatus
from postseal.core.dmarc.result import Why as DmarcWhy
from postseal.core.relays import Relayed
from postseal.core.relays import Why as Relay
from postseal.core.roles import Origin
from postseal.core.transaction import Address, Client
from postseal.core.verdict import Verdict


def sentences(verdict: Verdict) -> tuple[str, ...]:
    """The whole story, in the order in which it happened."""
    return tuple(_story(verdict))


def _story(verdict: Verdict) -> Iterator[str]:
    yield from _who(verdict)
    yield from _results(verdict)
    if removed := action.forged(verdict.edits):
        fields = "field that claims" if removed == 1 else "fields that claim"
        yield f"{removed} Authentication-Results {fields} to be ours came with it, and is removed."
    if verdict.local is not None:
        yield _local(verdict.local)
    yield _outcome(verdict.action) + _unheeded(verdict)
    if verdict.mark:
        yield f"It gets a field that says so: {action.MARK}: {verdict.mark}."


def _who(verdict: Verdict) -> Iterator[str]:
    """Where it came from, and whose it says it is."""
    found = verdict.found
    yield _arrival(found.origin, found.client)
    if found.relayed is not None and found.relayed.why is not Relay.DIRECT:
        yield _relayed(found.relayed)
    if found.authors is not None:
        yield _author(found.authors)
    if verdict.signatures:
        yield f"It was signed: {verdict.story.get('signed', '')}."


def _results(verdict: Verdict) -> Iterator[str]:
    """What each mechanism found."""
    found = verdict.found
    if found.origin.trusted and not (verdict.signatures or verdict.spf or verdict.dmarc):
        yield "SPF and DMARC are for mail from outside: they are not asked about it."
    if found.iprev is not None:
        yield _name(found.iprev)
    yield from _signatures(found.dkim)
    if found.arc is not None:
        yield _chain(found.arc)
    for sender in (found.spf, found.helo):
        if sender is not None:
            yield _sender(sender, found.address)
    if found.upstream is not None:
        yield _UPSTREAM[found.upstream.why].format(id=found.upstream.authserv_id or "it")
    if found.dmarc is not None:
        yield from _dmarc(found.dmarc, verdict)
    for limit in found.limits:
        yield _LIMITS[limit]


_ORIGINS = {
    Origin.AUTHENTICATED: "one of our users, who authenticated",
    Origin.DAEMON: "a listener for our users (daemon_names)",
    Origin.MACRO: "one of ours, by a macro rule",
    Origin.LOCAL: "this host, by sendmail or Postfix itself",
    Origin.INTERNAL_HOST: "an internal host",
    Origin.NEVER_SIGN: "a listener whose mail is never signed",
    Origin.NOT_OWNER: "one of our users, who may not write as that author (sender_login)",
    Origin.PEER: "a peer, whose mail is left alone",
    Origin.OUTSIDE: "outside",
}


def _arrival(origin: Origin, client: Client | None) -> str:
    where = f" ({client.address})" if client is not None and client.address is not None else ""
    return f"The message came from {_ORIGINS[origin]}{where}."


def _relayed(relayed: Relayed) -> str:
    """Where SPF looks, behind relays of ours."""
    relays = "a trusted relay" if relayed.hops == 1 else f"{relayed.hops} trusted relays"
    match relayed.why:
        case Relay.LOCAL:
            return f"It was written on {relays} of ours."
        case Relay.RELAYED:
            return f"It came by way of {relays}, which had it from {relayed.address}."
        case _:
            return f"It came by way of {relays}; who sent it there cannot be read ({relayed.why})."


def _name(result: iprev.Result) -> str:
    """One sentence on reverse look-up."""
    match result.status:
        case iprev.Status.PASS:
            return f"The client's address has the name {result.name}, which leads back to it."
        case iprev.Status.FAIL:
            return f"The client's address has the name {result.name}, which does not lead back."
        case iprev.Status.PERMERROR:
            return "The client's address has no name."
        case iprev.Status.TEMPERROR:
            return f"The name of the client's address could not be found out: {result.detail}."


_UPSTREAM = {
    Upstream.READ: "Results that {id} wrote count as ours where they fit this message.",
    Upstream.ABSENT: "The upstream host has written no results.",
    Upstream.NOT_TOPMOST: "The topmost results are of {id}, not of the upstream host: ignored.",
    Upstream.TOO_LOW: "The results of {id} stand too low to be the upstream host's: ignored.",
    Upstream.UNREADABLE: "The upstream host's results cannot be read.",
}
_LIMITS = {
    "dns": "The DNS budget of this message was spent; what was still open is a temporary error.",
    "signatures": "It has more signatures than are verified (verify.max_signatures).",
    "spf": "SPF ended at a limit on DNS look-ups (RFC 7208 section 4.6.4).",
}


def _author(authors: Authors) -> str:
    domains = _listed(authors.domains)
    match authors.why:
        case From.ONE:
            return f"Its From field names {domains}."
        case From.MISSING:
            return "It has no From field, so it names no author."
        case From.SEVERAL_FIELDS:
            return f"It has more than one From field, with {domains or 'no domain'}."
        case From.SEVERAL_DOMAINS:
            return f"Its From field names authors in several domains: {domains}."
        case From.NO_DOMAIN:
            return "Its From field holds no address with a domain."
        case From.BAD_DOMAIN:
            return "The domain in its From field is not one that DNS can hold."
        case From.UNPARSABLE:
            also = f"; {domains} can be seen in it" if domains else ""
            return f"Its From field cannot be read as RFC 5322 has it{also}."


def _signatures(results: tuple[verify.Result, ...]) -> Iterator[str]:
    for result in results:
        if result.status is verify.Status.NONE:
            yield "DKIM: it carries no signature."
            continue
        whose = f"signature of {result.domain}" if result.domain else "a signature"
        about = f"DKIM: {whose} ({result.algorithm or 'unreadable'}{_key(result)})"
        if result.status is verify.Status.PASS:
            test = ", but its key is in test mode and proves nothing" if result.testing else ""
            yield f"{about} verifies{test}."
        else:
            yield f"{about} counts for nothing, {result.status}: {result.detail or result.why}."


def _key(result: verify.Result) -> str:
    """The record that the signature names, and what was found there."""
    if not (result.selector and result.domain):
        return ""
    bits = f"{result.key_bits}-bit " if result.key_bits else ""
    return f", {bits}key at {result.selector}._domainkey.{result.domain}"


def _chain(result: arc.ArcResult) -> str:
    """One sentence on ARC."""
    if result.status is arc.Status.PASS:
        sealers = _listed(dict.fromkeys(one.domain for one in result.sealers))
        since = f", its content unchanged since set {result.oldest_pass}"
        return (
            f"ARC: its chain of {result.instances} verifies, sealed by {sealers}"
            f"{since if result.oldest_pass else ''}."
        )
    where = f" at set {result.failed}" if result.failed else ""
    return f"ARC: its chain proves nothing{where}: {result.detail or result.why}."


_SPF = {
    spf.Status.PASS: "allows",
    spf.Status.FAIL: "forbids",
    spf.Status.SOFTFAIL: "says it probably does not allow",
    spf.Status.NEUTRAL: "says nothing for or against",
}


def _sender(result: spf.Result, client: Address | None) -> str:
    """One sentence on SPF."""
    which = "HELO" if result.identity == "helo" else "MAIL FROM"
    host = str(client) if client is not None else "it"
    if not result.domain:
        return f"SPF: there is no domain in {which} to check."
    if (verb := _SPF.get(result.status)) is not None:
        term = f" ({result.mechanism})" if result.mechanism else ""
        return (
            f"SPF: {result.domain}, the domain in {which}, {verb} the client {host}{term};"
            f' its record is "{_cut(result.record)}".'
        )
    if result.status is spf.Status.NONE:
        if result.why is spf.Why.NO_CLIENT:
            return (
                f"SPF: whether {result.domain} allows the client is not known without its address."
            )
        lack = "does not exist" if result.why is spf.Why.NO_SUCH_DOMAIN else "has no SPF record"
        return f"SPF: {result.domain}, the domain in {which}, {lack}."
    reason = f"{result.why}, {result.detail}" if result.detail else result.why
    record = f' Its record is "{_cut(result.record)}".' if result.record else ""
    return f"SPF: {result.domain} could not be checked, {result.status}: {reason}.{record}"


_RECORD_MAX = 200


def _cut(record: str) -> str:
    return record if len(record) <= _RECORD_MAX else f"{record[:_RECORD_MAX]}..."


def _dmarc(result: Dmarc, verdict: Verdict) -> Iterator[str]:
    for one in result.each or (result,):
        yield f"DMARC: {_policy(one)}{_alignment(one, verdict)}"
    if result.each:
        yield f"DMARC: with several authors the result is {result.status} ({result.detail})."
    if result.difference:
        yield f"DMARC: another way of discovery has it otherwise: {result.difference}."
    for note in result.notes:
        yield f"DMARC: note: {note}."


def _policy(result: Dmarc) -> str:
    if not result.policy_domain:
        return ""
    where = f"_dmarc.{result.policy_domain}"
    if result.published is None:
        return f"{result.author_domain} has a record at {where}; "
    record = f' ("{_cut(str(result.record))}")' if result.record is not None else ""
    test = ""
    if result.testing:
        lower = f", which leaves {result.applied}" if result.applied != result.published else ""
        test = f", in test mode (t=y{lower if result.status is DmarcStatus.FAIL else ''})"
    return f"{result.author_domain} asks for {result.published} at {where}{record}{test}; "


def _alignment(result: Dmarc, verdict: Verdict) -> str:
    match result.status, result.why:
        case DmarcStatus.PASS, _:
            proof = _listed(_proof(one) for one in result.aligned_by)
            return f"the message passes, because {proof} speaks for the author."
        case DmarcStatus.FAIL, DmarcWhy.NOT_ALIGNED:
            passed = _listed(_passed(verdict.dkim, verdict.spf))
            return f"the message fails: {passed} passed, but not for the author's domain."
        case DmarcStatus.FAIL, _:
            return "the message fails: neither DKIM nor SPF passed."
        case DmarcStatus.NONE, _:
            return f"{result.author_domain} publishes no policy."
        case _:
            return f"no verdict, {result.status}: {result.detail or result.why}."


def _proof(evidence: str) -> str:
    mechanism, _, domain = evidence.partition(" ")
    return f"{mechanism.upper()} for {domain}"


def _passed(signatures: Iterable[verify.Result], sender: spf.Result | None) -> Iterator[str]:
    domains = dict.fromkeys(
        one.domain for one in signatures if one.status is verify.Status.PASS and not one.testing
    )
    yield from (f"DKIM for {domain}" for domain in domains)
    if sender is not None and sender.status is spf.Status.PASS:
        yield f"SPF for {sender.domain}"


def _local(local: Local) -> str:
    match local.kind:
        case Kind.OVERRIDE:
            return f"Local policy decides, override {local.row}: {local.text}."
        case Kind.LIST:
            return f"Local policy treats it more gently, as mail of a {local.text}."
        case Kind.SEALER:
            return f"Local policy takes the word of the {local.text} for it."


def _outcome(act: action.Action) -> str:
    match act:
        case action.Accept():
            return "It is accepted."
        case action.Hold(reason):
            return f"It is put on hold: {reason}."
        case action.Reject(text, code, enhanced):
            return f"It is refused: {code} {enhanced} {text}."
        case action.Defer(text, code, enhanced):
            return f"It is deferred: {code} {enhanced} {text}."


def _unheeded(verdict: Verdict) -> str:
    """Why mail that fails DMARC goes on, where nobody's policy says so."""
    result = verdict.dmarc
    heeded = verdict.mark or verdict.local or not isinstance(verdict.action, action.Accept)
    if heeded or result is None or result.status is not DmarcStatus.FAIL:
        return ""
    if result.applied is Disposition.NONE:
        return " Its author's domain asks for nothing else."
    return f" The configuration does nothing about mail for which {result.applied} is asked."


def short(result: Dmarc, signatures: Iterable[verify.Result], sender: spf.Result | None) -> str:
    """Why the DMARC verdict is what it is, in one line for the log."""
    match result.status:
        case DmarcStatus.PASS:
            return f"{_listed(map(_proof, result.aligned_by))} aligned with {result.author_domain}"
        case DmarcStatus.FAIL:
            passed = _listed(_passed(signatures, sender)) or "nothing"
            asked = (result.applied or Disposition.NONE).value
            return (
                f"{passed} passed, not aligned with {result.author_domain}; "
                f"{asked} asked at _dmarc.{result.policy_domain}"
            )
        case DmarcStatus.NONE:
            return f"no policy for {result.author_domain}"
        case _:
            return result.detail or result.why.value


def _listed(words: Iterable[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    *most, last = [*words] or [""]
    return f"{', '.join(most)} and {last}" if most else last
