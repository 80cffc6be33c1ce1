"""Which DMARC record applies to a domain, and which is its Organizational Domain.

NAME
    treewalk - the DNS Tree Walk, with everything it met kept

GIVEN
    a domain in A-labels, and an Asker.

GIVES
    a Found: the records at every name asked, the policy record, the Organizational Domain.
    Never raises.  unknown names the questions DNS did not answer.

DOES NOT
    use a public suffix list.

SEE ALSO
    RFC 9989 sections 4.10, 4.10.1, 4.10.2.
"""

from __future__ import annotations

from dataclasses import dataclass

from postseal_keys.dmarcrecord import Record, is_dmarc, parse
from postseal_keys.dnsask import Asker, Outcome, Reply, text_of

LABELS = 7  # a longer name is cut to this many labels after the first question (4.10 step 4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the walk for one domain met.

    texts: domain -> the DMARC records at its _dmarc name, several being a fault.
    policy_domain: where the record that applies stands; "" when there is none.
    """

    domain: str
    texts: dict[str, tuple[str, ...]]
    policy_domain: str = ""
    organization: str = ""
    unknown: tuple[Reply, ...] = ()

    @property
    def record(self) -> Record | None:
        """The record that applies."""
        return parse(self.texts[self.policy_domain][0]) if self.policy_domain else None


def targets(domain: str) -> tuple[str, ...]:
    """The domains asked in turn, the longest first; eight at most (RFC 9989 section 4.10)."""
    labels = domain.split(".")
    rest = labels[-LABELS:] if len(labels) > LABELS else labels[1:]
    return (domain, *(".".join(rest[at:]) for at in range(len(rest))))


def walk(domain: str, asker: Asker) -> Found:
    """Walk from domain to the top."""
    texts: dict[str, tuple[str, ...]] = {}
    unknown: list[Reply] = []
    for name in targets(domain):
        reply = asker.ask(f"_dmarc.{name}", "TXT")
        if not reply.known and reply.outcome is not Outcome.BAD_NAME:
            unknown.append(reply)
        found = tuple(text for text in (text_of(raw) for raw in reply.texts) if is_dmarc(text))
        if found:
            texts[name] = found
        if len(found) == 1 and parse(found[0]).psd != "u":
            break
    single = {name: parse(found[0]) for name, found in texts.items() if len(found) == 1}
    organization = _organization(domain, single)
    return Found(
        domain=domain,
        texts=texts,
        policy_domain=_policy(domain, organization, single),
        organization=organization,
        unknown=tuple(unknown),
    )


def _organization(domain: str, single: dict[str, Record]) -> str:
    """Section 4.10.2, for the records met from the longest name to the shortest."""
    for name, record in single.items():
        if record.psd == "n":
            return name
        if record.psd == "y" and name != domain:
            depth = name.count(".") + 2
            return ".".join(domain.split(".")[-depth:])
    return min(single, key=lambda name: name.count("."), default=domain)


def _policy(domain: str, organization: str, single: dict[str, Record]) -> str:
    """Section 4.10.1: the domain itself, else its organization, else the public suffix."""
    for name in (domain, organization):
        if name in single:
            return name
    return next((name for name, record in single.items() if record.psd == "y"), "")
