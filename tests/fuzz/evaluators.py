"""The four mechanisms against a zone that the fuzzer writes as well.

NAME
    evaluators - dkim, spf, dmarc and arc as fuzz targets; zone() and split()

The octets are `what is judged`, a line of two hyphens, and a zone of one record on a line:

    example.com TXT v=spf1 -all
    mx.example.com A 192.0.2.1
    slow.example.com FAULT TIMEOUT
"""

from __future__ import annotations

from ipaddress import ip_address

from postseal.core import address, message
from postseal.core import spf as sender_policy
from postseal.core.arc import verify as arc_verify
from postseal.core.canon import BodyHashes
from postseal.core.dkim import verify
from postseal.core.dmarc import evaluate
from postseal.core.field import Field
from postseal.core.resolver import BadName, DnsFault, Kind, Record, question_name
from support.fakedns import FakeDns

MARK = b"\n--\n"
QUESTIONS = 400  # more than any limit of ours lets through for one mechanism
NOW = 1_700_000_000


def split(data: bytes) -> tuple[bytes, FakeDns]:
    """What is judged, and DNS."""
    head, _, rest = data.partition(MARK)
    return head, zone(rest)


def zone(text: bytes, made: type[FakeDns] = FakeDns) -> FakeDns:
    """The zone; lines that are no record are left out."""
    records: dict[tuple[str, str], tuple[Record, ...]] = {}
    faults: dict[str, DnsFault] = {}
    for line in text.split(b"\n"):
        name, _, rest = line.partition(b" ")
        kind, _, value = rest.partition(b" ")
        try:
            owner = question_name(name.decode("ascii"))
            if kind == b"FAULT":
                faults[owner] = DnsFault[value.decode("ascii")]
                continue
            record = _record(kind.decode("ascii"), value)
        except (UnicodeDecodeError, BadName, KeyError, ValueError):
            continue
        key = (owner, kind.decode())
        records[key] = (*records.get(key, ()), record)
    return made(records, broken=faults, limit=QUESTIONS)


def _record(kind: str, value: bytes) -> Record:
    match kind:
        case "TXT":
            return value
        case Kind.MX:
            preference, _, host = value.decode("ascii").partition(" ")
            return int(preference[:5]), question_name(host)
        case Kind.A | Kind.AAAA:
            return str(ip_address(value.decode("ascii")))
        case _:
            return question_name(value.decode("ascii"))


def dkim(data: bytes) -> None:
    text, dns = split(data)
    header, body = message.split(text)
    prepared = verify.prepare(header, verify.Limits(), NOW)
    hashes = BodyHashes(prepared.body_keys)
    hashes.update(body)
    for one in prepared.finish(hashes.digests(), dns):
        assert (one.status is verify.Status.PASS) == (one.why is verify.Why.VERIFIED)
    assert dns.questions <= 2 * verify.Limits().signatures


def arc(data: bytes) -> None:
    text, dns = split(data)
    header, body = message.split(text)
    prepared = arc_verify.prepare(header, NOW)
    hashes = BodyHashes(prepared.body_keys)
    hashes.update(body)
    prepared.finish(hashes.digests(), dns)
    assert dns.questions <= 2 * 50 + 1


def spf(data: bytes) -> None:
    """The first line is the client, HELO and the sender."""
    text, dns = split(data)
    client, _, rest = text.decode("utf-8", "replace").partition(" ")
    helo, _, sender = rest.partition(" ")
    try:
        where = ip_address(client)
    except ValueError:
        return
    found = sender_policy.evaluate(client=where, helo=helo, sender=sender, resolver=dns)
    assert isinstance(found.status, sender_policy.Status)
    assert dns.questions <= 250


def dmarc(data: bytes) -> None:
    """The first line is the domain that SPF passed, the rest From fields."""
    text, dns = split(data)
    passed, _, fields = text.partition(b"\n")
    authors = address.author_domains([Field(b"From", part) for part in fields.split(b"\x1e")])
    domain = passed.decode("ascii", "replace")
    found = evaluate.evaluate(
        authors, resolver=dns, spf_pass_domain=domain or None, dkim_pass_domains=[domain, "a"]
    )
    if authors.why is not address.Why.ONE:
        assert found.status is not evaluate.Status.PASS or authors.domains
    assert dns.questions <= 200
