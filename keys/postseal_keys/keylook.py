"""Look a key record up, and find out why it is not there.

NAME
    keylook - one key, one server: the answer, and what explains a wrong one

GIVEN
    selector and domain, the Asker to look with, the resolver that follows aliases into
    other zones, and the Wanted key if it is known.

GIVES
    look(): findings.  Never raises.

SEE ALSO
    keycheck judges the text; zoneservers finds the servers.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, replace

from postseal_keys.dnsask import CHAIN, Asker, Outcome, Reply
from postseal_keys.findings import Finding, Harm
from postseal_keys.keycheck import Wanted, judge
from postseal_keys.names import NAME_MAX

TTL_LONG = 86_400  # seconds; beyond a day a change takes too long to reach everybody
TTL_SHORT = 60
CHAIN_LONG = 3  # aliases one after the other before it is worth a word


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one server says.  ok: a verifier that asks it would use the key."""

    reply: Reply
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Whether the key is there and nothing hinders its use."""
        fine = any(finding.code.startswith("key-ok") for finding in self.findings)
        return fine and all(finding.harm < Harm.UNKNOWN for finding in self.findings)


def look(
    selector: str,
    domain: str,
    asker: Asker,
    *,
    resolver: Asker,
    want: Wanted | None = None,
    apex: str = "",
) -> Look:
    """Ask for selector._domainkey.domain.  apex: the zone's name, where known."""
    name = f"{selector}._domainkey.{domain}"
    if len(name) > NAME_MAX:
        reply = Reply(name=name, kind="TXT", outcome=Outcome.BAD_NAME)
        what = f"the name has {len(name)} characters; DNS allows {NAME_MAX}"
        hint = "use a shorter selector"
        return Look(reply=reply, findings=(_on(name, Harm.ERROR, "key-name", what, hint),))
    reply = asker.ask(name, "TXT")
    found: list[Finding] = []
    if reply.chain:
        found += _alias(name, reply)
        if reply.outcome is not Outcome.ANSWER and len(reply.chain) < CHAIN:
            reply = _follow(reply, resolver)
    if reply.outcome is Outcome.BAD_NAME or not reply.known:
        found.append(_silent(name, reply))
    elif len(reply.chain) < CHAIN:
        judged = judge(name, reply.texts, want)
        if reply.texts:
            judged = _wildcard(selector, domain, reply, asker, judged)
            found += _ttl(name, reply)
        else:
            judged = _explain(selector, domain, asker, apex, judged)
        found += judged
    return Look(reply=reply, findings=tuple(found))


def _follow(reply: Reply, resolver: Asker) -> Reply:
    """The alias leads to another zone: ask the resolver for its end."""
    far = resolver.ask(reply.chain[-1], "TXT")
    return replace(far, name=reply.name, chain=(*reply.chain, *far.chain), ttl=far.ttl)


def _alias(name: str, reply: Reply) -> list[Finding]:
    way = " -> ".join((name, *reply.chain))
    if len(reply.chain) >= CHAIN or len(set(reply.chain)) < len(reply.chain):
        hint = "let the first CNAME point at the name that has the record"
        return [
            _on(name, Harm.ERROR, "key-cname-loop", f"CNAMEs without an end: {way[:200]}", hint)
        ]
    harm = Harm.WARNING if len(reply.chain) > CHAIN_LONG else Harm.GOOD
    return [_on(name, harm, "key-cname", f"the record is reached through CNAME: {way}")]


def _silent(name: str, reply: Reply) -> Finding:
    hints = {
        Outcome.REFUSED: "this server does not serve the zone: mend its NS records, or the server",
        Outcome.SERVFAIL: "is the zone loaded, and are its DNSSEC signatures valid?",
        Outcome.TIMEOUT: "is the server up, and are UDP and TCP port 53 open?",
        Outcome.NETWORK: "is the server up, and is there a route to it?",
    }
    what = f"no answer ({reply.outcome})"
    return _on(name, Harm.UNKNOWN, "dns", what, hints.get(reply.outcome, "ask again"))


def _wildcard(
    selector: str, domain: str, reply: Reply, asker: Asker, judged: list[Finding]
) -> list[Finding]:
    """Would any other selector get the same answer?"""
    probe = f"x{secrets.token_hex(6)}._domainkey.{domain}"
    if len(probe) > NAME_MAX:
        return judged
    other = asker.ask(probe, "TXT")
    if other.outcome is not Outcome.ANSWER or set(other.texts) != set(reply.texts):
        return judged
    fine = any(finding.code.startswith("key-ok") for finding in judged)
    publish = next((finding.publish for finding in judged if finding.publish), ())
    what = "the answer comes from a wildcard record: every selector gets it"
    hint = f"publish a record of its own at {selector}._domainkey.{domain}"
    if fine:
        wild = _on(reply.name, Harm.WARNING, "key-wildcard", what, "no other selector can be used")
        return [wild, *judged]
    return [replace(_on(reply.name, Harm.ERROR, "key-wildcard", what, hint), publish=publish)]


def _explain(
    selector: str, domain: str, asker: Asker, apex: str, judged: list[Finding]
) -> list[Finding]:
    """There is no record: look where it may have gone by mistake."""
    name = f"{selector}._domainkey.{domain}"
    doubled = [f"{name}.{zone}" for zone in dict.fromkeys((apex or domain, domain))]
    for place, code, what in [
        *((one, "key-doubled", "the record stands under a doubled zone name") for one in doubled),
        (f"{selector}.{domain}", "key-misplaced", "the record stands without ._domainkey"),
        (f"_domainkey.{domain}", "key-misplaced", "the record stands at _domainkey itself"),
    ]:
        if len(place) > NAME_MAX:
            continue
        reply = asker.ask(place, "TXT")
        if any(b"p=" in text for text in reply.texts):
            hint = f"move it to {name}"
            if code == "key-doubled":
                hint = f"end the name with a dot in the zone file, or write {selector}._domainkey"
            found = _on(place, Harm.ERROR, code, what, hint)
            return [*judged, replace(found, publish=judged[0].publish if judged else ())]
    return judged


def _ttl(name: str, reply: Reply) -> list[Finding]:
    if reply.ttl > TTL_LONG:
        what = f"time to live {reply.ttl} s: a change reaches some receivers only after that"
        return [_on(name, Harm.ADVICE, "key-ttl", what, "3600 is usual")]
    if reply.ttl < TTL_SHORT:
        what = f"time to live {reply.ttl} s: receivers ask again for nearly every message"
        return [_on(name, Harm.ADVICE, "key-ttl", what, "3600 is usual")]
    return []


def _on(name: str, harm: Harm, code: str, what: str, hint: str = "") -> Finding:
    return Finding(harm=harm, code=code, where=name, what=what, hint=hint)
