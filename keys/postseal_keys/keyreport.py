"""One key against all the servers that publish it.

NAME
    keyreport - ask every authoritative server, then the resolver; say what they agree on

GIVEN
    a Job: selector, domain and the public half of the key; a World to ask.

GIVES
    a Report.  report.ok: every server, and the resolver, has the right key.

DOES NOT
    ask the resolver before the authoritative servers agree: it would remember a "no" for
    as long as the zone's negative time to live.

SEE ALSO
    keylook, zoneservers; RFC 2308 section 5 (negative caching).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from postseal_keys.dnsask import Address, Asker, Network, Outcome
from postseal_keys.findings import Finding, Harm, by_harm, plain, text
from postseal_keys.keycheck import Wanted
from postseal_keys.keylook import Look, look
from postseal_keys.zoneservers import Server, Zone, find_below


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One key to look for.  label: what the user calls it; notes: findings made on the way."""

    label: str
    selector: str
    domain: str
    want: Wanted | None = None
    notes: tuple[Finding, ...] = ()

    @property
    def name(self) -> str:
        """Where the record stands."""
        return f"{self.selector}._domainkey.{self.domain}"


@dataclass(slots=True, kw_only=True)
class World:
    """Who is asked.  servers: instead of those that the zone's NS records name."""

    resolver: Asker
    unchecked: Asker  # the same resolver, told not to validate DNSSEC: finds broken zones too
    direct: Callable[[Server], Asker]
    servers: tuple[Server, ...] = ()
    port: int = 53
    authoritative: bool = True
    use_resolver: bool = True
    zones: dict[str, Zone] = field(default_factory=dict)

    def zone(self, job: Job) -> Zone:
        """The zone of the key; each domain is looked for once."""
        if not self.authoritative:
            return Zone()
        if self.servers:
            return Zone(servers=self.servers)
        if job.domain not in self.zones:
            zone = find_below(job.domain, job.name, self.unchecked, self.direct, port=self.port)
            if not zone.servers:
                return zone  # perhaps only for now: not remembered
            self.zones[job.domain] = zone
        return self.zones[job.domain]


def network(
    resolvers: Sequence[Address],
    *,
    servers: Sequence[Address] = (),
    port: int = 53,
    timeout: float = 3.0,
    authoritative: bool = True,
    use_resolver: bool = True,
) -> World:
    """A World over the real network."""
    return World(
        resolver=Network(resolvers, timeout=timeout),
        unchecked=Network(resolvers, timeout=timeout, checking=False),
        direct=lambda server: Network([server.address], recursive=False, timeout=timeout),
        servers=tuple(Server("", address) for address in servers),
        port=port,
        authoritative=authoritative,
        use_resolver=use_resolver,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What was found out about one key.

    looks: (server, what it says), the resolver last.  dnssec: "secure", "insecure", "bogus",
    or "" when the resolver was not asked.
    """

    job: Job
    zone: Zone
    looks: tuple[tuple[str, Look], ...] = ()
    notes: tuple[Finding, ...] = ()
    dnssec: str = ""
    complete: bool = True  # every server that should have been asked was

    @property
    def agreed(self) -> int:
        """How many servers have the right key."""
        return sum(one.ok for _, one in self.looks)

    @property
    def ok(self) -> bool:
        """Whether mail signed with the key now would verify everywhere."""
        fine = all(one.ok for _, one in self.looks) and bool(self.looks)
        return fine and self.complete and all(note.harm < Harm.UNKNOWN for note in self.notes)

    @property
    def findings(self) -> list[Finding]:
        """All findings, worst first; what all servers say is said once."""
        return by_harm([*self.notes, *_merged(self.looks)])


def report(job: Job, world: World) -> Report:
    """Ask everybody.  Never raises."""
    zone = world.zone(job)
    notes = list(job.notes)
    if world.authoritative and not zone.servers:
        what = f"its own name servers are not known: {zone.why}"
        hint = "is the domain spelled right? if it is, name its servers with --server"
        notes.append(
            Finding(harm=Harm.UNKNOWN, code="dns-zone", where=job.domain, what=what, hint=hint)
        )
    elif zone.why:
        what = f"not all of its name servers can be asked: {zone.why}"
        hint = "every NS record needs a name that has an address"
        notes.append(
            Finding(harm=Harm.WARNING, code="dns-zone", where=zone.apex, what=what, hint=hint)
        )
    looks: list[tuple[str, Look]] = []
    for server in zone.servers:
        looks.append((str(server), _look(job, world, world.direct(server), zone)))
    complete, dnssec = True, ""
    if world.use_resolver:
        complete = all(one.ok for _, one in looks)
        if complete or not any(_missing(one) for _, one in looks):
            seen = _look(job, world, world.resolver, zone)
            dnssec = _dnssec(job, world, seen)
            looks.append(("the resolver", seen))
            if dnssec == "bogus":
                notes.append(_bogus(job))
    notes += _disagreement(job, looks)
    return Report(
        job=job,
        zone=zone,
        looks=tuple(looks),
        notes=tuple(notes),
        dnssec=dnssec,
        complete=complete,
    )


def _look(job: Job, world: World, asker: Asker, zone: Zone) -> Look:
    return look(
        job.selector,
        job.domain,
        asker,
        resolver=world.resolver,
        want=job.want,
        apex=zone.apex,
    )


def _missing(one: Look) -> bool:
    """A "no" that the resolver should not be made to remember."""
    return one.reply.outcome in (Outcome.NXDOMAIN, Outcome.NODATA)


def _dnssec(job: Job, world: World, seen: Look) -> str:
    if seen.reply.known:
        return "secure" if seen.reply.secure else "insecure"
    if seen.reply.outcome is Outcome.SERVFAIL and world.unchecked.ask(job.name, "TXT").known:
        return "bogus"
    return ""


def _bogus(job: Job) -> Finding:
    return Finding(
        harm=Harm.ERROR,
        code="dnssec-bogus",
        where=job.name,
        what="its DNSSEC signatures are not valid: receivers that check them get no key",
        hint="sign the zone again, and compare the DS record at the parent with the zone's keys",
    )


def _disagreement(job: Job, looks: Sequence[tuple[str, Look]]) -> Iterator[Finding]:
    answers = {tuple(sorted(one.reply.texts)) for _, one in looks if one.reply.known}
    if len(answers) > 1:
        yield Finding(
            harm=Harm.ERROR,
            code="servers-disagree",
            where=job.name,
            what=f"the name servers give {len(answers)} different answers",
            hint="wait until all have the new zone; if that does not help, compare its serials",
        )


def _merged(looks: Sequence[tuple[str, Look]]) -> Iterator[Finding]:
    """Each finding once, with the servers that gave cause for it unless all did."""
    groups: dict[Finding, list[str]] = {}
    for server, one in looks:
        for finding in one.findings:
            groups.setdefault(finding, []).append(server)
    for finding, servers in groups.items():
        if len(servers) == len(looks):
            yield finding
        else:
            yield Finding(
                harm=finding.harm,
                code=finding.code,
                where=f"{finding.where} at {', '.join(servers)}",
                what=finding.what,
                hint=finding.hint,
                record=finding.record,
                column=finding.column,
                length=finding.length,
                publish=finding.publish,
            )


def lines(one: Report, *, verbose: bool) -> Iterator[str]:
    """The report for people."""
    state = "ok" if one.ok else "FAIL"
    label = "" if one.job.label in ("", one.job.name) else f" ({one.job.label})"
    ttl = next((look_.reply.ttl for _, look_ in one.looks if look_.reply.texts), None)
    parts = [f"{one.agreed} of {len(one.looks)} {_servers(one)} it"]
    if ttl is not None:
        parts.append(f"TTL {ttl}")
    if one.dnssec:
        parts.append(f"DNSSEC {one.dnssec}")
    yield f"{state}: {one.job.name}{label}: {', '.join(parts)}"
    said: set[str] = set()
    for finding in one.findings:
        once = tuple(line for line in finding.publish if line not in said)
        said.update(once)
        finding = replace(finding, publish=once)
        if finding.harm > Harm.GOOD or (verbose and not finding.code.startswith("key-ok")):
            yield from (f"  {line}" for line in text(finding))
    if verbose:
        for server, seen in one.looks:
            yield f"  {'ok' if seen.ok else 'FAIL'}: {server}: {seen.reply.outcome}"


def _servers(one: Report) -> str:
    return "server has" if len(one.looks) == 1 else "servers have"


def as_plain(one: Report) -> dict[str, object]:
    """The report for json.dumps."""
    return {
        "name": one.job.name,
        "label": one.job.label,
        "ok": one.ok,
        "zone": one.zone.apex,
        "dnssec": one.dnssec,
        "servers": [
            {
                "server": server,
                "ok": seen.ok,
                "outcome": str(seen.reply.outcome),
                "ttl": seen.reply.ttl,
                "findings": [plain(finding) for finding in seen.findings],
            }
            for server, seen in one.looks
        ],
        "findings": [plain(finding) for finding in one.notes],
    }
