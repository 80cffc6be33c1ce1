"""May reports about one domain be sent to another?

NAME
    reportauth - the _report._dmarc records that external rua= and ruf= need

GIVEN
    the domain whose DMARC record it is, the URIs, and an Asker.

GIVES
    check(): findings, each missing record as the line its owner has to publish.
    name(): where that record stands.

SEE ALSO
    RFC 9990 section 4, RFC 9991 section 5.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from postseal_keys import treewalk
from postseal_keys.dmarcrecord import NAME_MAX, is_dmarc, parse, uri
from postseal_keys.dnsask import Asker, Outcome, text_of
from postseal_keys.findings import Finding, Harm, zone_line

RECORD = "v=DMARC1"  # all that is needed; p= has no meaning here


def name(policy_domain: str, host: str) -> str:
    """Where host says that it wants reports about policy_domain."""
    return f"{policy_domain}._report._dmarc.{host}"


def check(policy_domain: str, uris: Iterable[str], asker: Asker) -> list[Finding]:
    """Findings on all mailto: URIs, each host once.  Never raises."""
    hosts = dict.fromkeys(one.host for one in map(uri, uris) if one.host)
    organization = treewalk.walk(policy_domain, asker).organization
    found: list[Finding] = []
    for host in hosts:
        if nobody := list(_reachable(policy_domain, host, asker)):
            found += nobody  # there is nobody who could agree either
            continue
        if host != policy_domain and treewalk.walk(host, asker).organization != organization:
            found += _external(policy_domain, host, asker)
    return found


def _reachable(policy_domain: str, host: str, asker: Asker) -> Iterator[Finding]:
    """Is there anything that could take a report?"""
    where = f"_dmarc.{policy_domain}"
    mx = asker.ask(host, "MX")
    if mx.outcome is Outcome.NXDOMAIN:
        what = f"DMARC: reports go to {host}, which does not exist"
        hint = "is it spelled right? else name another address"
        yield Finding(harm=Harm.ERROR, code="report-no-host", where=where, what=what, hint=hint)
        return
    null = mx.hosts and all(record.split(" ", 1)[-1].strip(".") in ("", "0") for record in mx.hosts)
    if null or (
        mx.outcome is Outcome.NODATA
        and not any(asker.ask(host, kind).outcome is not Outcome.NODATA for kind in ("A", "AAAA"))
    ):
        what = f"DMARC: reports go to {host}, which takes no mail"
        hint = "name an address that does, or give the host an MX record"
        yield Finding(harm=Harm.ERROR, code="report-no-host", where=where, what=what, hint=hint)


def _external(policy_domain: str, host: str, asker: Asker) -> Iterator[Finding]:
    """The record of RFC 9990 section 4, steps 2 to 9."""
    place = name(policy_domain, host)
    if len(place) > NAME_MAX:
        what = f"DMARC: {host} cannot agree to reports: {place[:40]}… is too long a name"
        hint = "send reports to an address in a shorter domain"
        yield Finding(harm=Harm.ERROR, code="report-name-long", where=host, what=what, hint=hint)
        return
    reply = asker.ask(place, "TXT")
    if not reply.known:
        what = f"no answer for TXT ({reply.outcome})"
        yield Finding(harm=Harm.UNKNOWN, code="dns", where=place, what=what, hint="try again")
        return
    records = [text for text in (text_of(raw) for raw in reply.texts) if is_dmarc(text)]
    if not records:
        wrong = f", only {reply.texts[0][:40].decode('latin-1')!r}" if reply.texts else ""
        yield Finding(
            harm=Harm.ERROR,
            code="report-not-authorised",
            where=place,
            what=f"DMARC: {host} has not agreed to get reports about {policy_domain}{wrong};"
            " none will be sent there",
            hint=f"the operator of {host} has to publish it",
            publish=(zone_line(place, RECORD),),
        )
        return
    for one in (one for text in records for one in parse(text).rua):
        other = uri(one).host
        if other != host:
            yield Finding(
                harm=Harm.ERROR,
                code="report-override-host",
                where=place,
                what=f"DMARC: {host} redirects reports to another host, {other}; none will be sent",
                hint="rua= there must keep the host",
                publish=(zone_line(place, RECORD),),
            )
