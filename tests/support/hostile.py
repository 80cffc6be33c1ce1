"""Hostile mail, as large as Postfix lets it through, with the DNS it needs.

    CASES["body-blanks"].make(FULL)     # a Hostile: octets, and what MAIL FROM says

NAME
    hostile - CASES by name; each makes its message at any share of its full size

THE SIZES
    Postfix 3.7 by default: header_size_limit 102,400 octets a field (its cleanup hands at most
    60,000 of a field to a milter in one piece), message_size_limit 10,240,000.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from support.arcmail import RSA_KEY, sealed
from support.dkimmail import FIELDS, KEYS, RSA_RECORD, Mail, mail, signed

FIELD = 60_000
BODY = 10_000_000
FIELDS_ROOM = 4_000_000  # of all header fields together: the daemon refuses more
FROM = (b"From", b" Ann <ann@example.com>")
SENDER = "<ann@example.com>"
CLIENT = "203.0.113.7"
RELAY = "198.51.100.1"  # whose Received fields are believed


@dataclass(frozen=True)
class Hostile:
    """One message and its envelope."""

    mail: Mail
    sender: str = SENDER
    client: str = CLIENT

    @property
    def octets(self) -> bytes:
        return self.mail.octets


@dataclass(frozen=True)
class Case:
    """make(share): the message at that share (0 < share <= 1) of its full size."""

    make: Callable[[float], Hostile]
    records: Mapping[tuple[str, str], tuple[Any, ...]] = field(default_factory=dict)


def _repeat(unit: bytes, octets: float) -> bytes:
    return (unit * (int(octets) // len(unit) + 1))[: int(octets)]


# -- bodies: two signatures, so that both canonical forms have to be made --------------------------

# Of a body that is not that of the messages; no verifier may know that before it has hashed.
_TAGS = {"bh": base64.b64encode(b"x" * 32).decode()}


@functools.cache
def _signatures() -> tuple[tuple[bytes, bytes], ...]:
    relaxed = signed(tags=_TAGS | {"c": "relaxed/relaxed"}).fields[0]
    simple = signed(tags=_TAGS | {"c": "simple/simple"}).fields[0]
    return relaxed, simple


def _body(unit: bytes) -> Case:
    def make(share: float) -> Hostile:
        fields = (*_signatures(), *mail(FIELDS).fields)
        return Hostile(Mail(fields, _repeat(unit, share * BODY) + b"\r\n"))

    return Case(make)


def _many_limits(share: float) -> Hostile:
    """Ten signatures, each over another part of the body."""
    made = []
    for n in range(10):
        form = ("relaxed/relaxed", "simple/simple")[n % 2]
        made.append(signed(tags=_TAGS | {"c": form, "l": str(int(share * BODY) - n)}).fields[0])
    body = _repeat(b"an ordinary line of text\r\n", share * BODY)
    return Hostile(Mail((*made, *mail(FIELDS).fields), body))


# -- one field ------------------------------------------------------------------------------------


def _one(name: bytes, value: Callable[[int], bytes], *more: tuple[bytes, bytes]) -> Case:
    def make(share: float) -> Hostile:
        fields = ((name, value(int(share * FIELD))), *(more or (FROM,)))
        return Hostile(Mail(fields, b"x\r\n"), client=RELAY if name == b"Received" else CLIENT)

    return Case(make)


def _from(value: Callable[[int], bytes]) -> Case:
    def make(share: float) -> Hostile:
        return Hostile(Mail(((b"From", value(int(share * FIELD))),), b"x\r\n"))

    return Case(make)


def _signature(**tags: Callable[[int], bytes]) -> Case:
    """A signature with one tag as long as the field."""

    def make(share: float) -> Hostile:
        told = {name: value(int(share * FIELD)) for name, value in tags.items()}
        return Hostile(signed(tags=dict(told)))

    return Case(make)


def _many_names(share: float) -> Hostile:
    """As many distinct names in h= as fit, and a field for each."""
    count = int(share * FIELD) // 6
    names = [f"x{n:04x}" for n in range(count)]
    fields = [("From", " a@example.com"), *[(name, " v") for name in names]]
    like = signed().fields[0][1]  # its hash is another's, which only shows at the end
    value = like.replace(b"h=from:to:subject", b"h=" + ":".join(["from", *names]).encode())
    return Hostile(Mail(((b"DKIM-Signature", value), *mail(fields).fields), b"x\r\n"))


def _many_fields(name: bytes, value: bytes, most: int = 1 << 20) -> Case:
    def make(share: float) -> Hostile:
        each = len(name) + len(value) + 256
        count = min(most, int(share * FIELDS_ROOM) // each)
        fields = (*[(name, value)] * count, FROM)
        return Hostile(Mail(fields, b"x\r\n"), client=RELAY if name == b"Received" else CLIENT)

    return Case(make)


def _many_signatures(share: float) -> Hostile:
    """A thousand good ones of one domain."""
    base = signed()
    return Hostile(Mail((*[base.fields[0]] * int(share * 1000), *base.fields[1:]), base.body))


def _arc(sets: int) -> Case:
    def make(share: float) -> Hostile:
        return Hostile(_chain(max(1, int(share * sets))))

    return Case(make)


@functools.cache
def _chain(sets: int) -> Mail:
    """Fifty are a sound chain; above, the last set is repeated with numbers of its own."""
    if sets > 50:
        base = _chain(50)
        made = []
        for n in range(sets, 50, -1):
            for name, value in base.fields[:3]:
                made.append((name, value.replace(b"i=50;", b"i=%d;" % n)))
        return Mail((*made, *base.fields), base.body)
    what = mail(FIELDS)
    for _ in range(sets):
        what = sealed(what, RSA_KEY)
    return what


# -- DNS ------------------------------------------------------------------------------------------


def _dns(records: Mapping[tuple[str, str], tuple[Any, ...]], sender: str = SENDER) -> Case:
    """The records are what is large: they are the same at any share."""
    return Case(lambda _share: Hostile(mail(FIELDS), sender), records)


def _key(*texts: bytes) -> Case:
    """These records for the key of a good signature."""
    return Case(lambda _share: Hostile(signed()), {("s1._domainkey.example.com", "TXT"): texts})


def _wide_key(bits: int) -> bytes:
    """A key whose modulus and exponent are as long as each other."""
    octets = bits // 8
    number = b"\x02\x82" + (octets + 1).to_bytes(2) + b"\0" + b"\xff" * octets
    inner = b"\x30\x82" + (2 * len(number)).to_bytes(2) + number * 2
    return b"v=DKIM1; p=" + base64.b64encode(inner)


def _spf_tree() -> dict[tuple[str, str], tuple[Any, ...]]:
    """Ten includes; each mx has ten hosts."""
    records: dict[tuple[str, str], tuple[Any, ...]] = {}
    text = "v=spf1 " + " ".join(f"mx:m{n}.spf.example" for n in range(10)) + " -all"
    records["spf.example", "TXT"] = (text.encode(),)
    for n in range(10):
        hosts = tuple((m, f"h{m}.m{n}.spf.example") for m in range(10))
        records[f"m{n}.spf.example", "MX"] = hosts
        for _, host in hosts:
            records[host, "A"] = ("192.0.2.9",)
    return records


def _authors(share: float) -> Hostile:
    """As many author domains as fit, each to be looked up."""
    count = int(share * FIELD) // 28
    text = b",".join(b" a%04d@d%04d.many.example" % (n, n) for n in range(count))
    return Hostile(Mail(((b"From", text),), b"x\r\n"))


ID = b" mx.example.org;"
SPF = b" spf=pass smtp.mailfrom=example.com;"

CASES: dict[str, Case] = {
    "body-spaces": _body(b" "),
    "body-tabs": _body(b"\t"),
    "body-blank-tab-letter": _body(b" \ta"),
    "body-two-blanks": _body(b"  a"),
    "body-runs-of-31": _body(b" " * 30 + b"a"),
    "body-blanks-in-lines": _body(b" " * 996 + b"\r\n"),
    "body-blank-lines": _body(b"\r\n"),
    "body-blank-before-crlf": _body(b" \r\n"),
    "body-cr": _body(b"\r"),
    "body-cr-lf-lf": _body(b"\r\n\n"),
    "body-nul": _body(b"\0  "),
    "body-text": _body(b"an ordinary line of text, of usual length, and no more than that\r\n"),
    "body-one-line": _body(b"x"),
    "body-ten-limits": Case(_many_limits),
    "dkim-b-blanks": _signature(b=lambda n: b"A" + b" " * n + b"!"),
    "dkim-b-folds": _signature(b=lambda n: b"A\r\n " * (n // 4)),
    "dkim-h-blanks": _signature(h=lambda n: b"from" + b" " * n + b"x"),
    "dkim-h-colons": _signature(h=lambda n: b"from" + b":" * n),
    "dkim-h-names": Case(_many_names),
    "dkim-h-from-often": _signature(h=lambda n: b":".join([b"from"] * (n // 5))),
    "dkim-i-quoted": _signature(i=lambda n: b"=41" * (n // 3) + b"@example.com"),
    "dkim-d-labels": _signature(d=lambda n: b"a." * (n // 2) + b"example.com"),
    "dkim-digits": _signature(t=lambda n: b"9" * n),
    "dkim-z": _signature(z=lambda n: b"a:b|" * (n // 4)),
    "dkim-tags": _one(b"DKIM-Signature", lambda n: b" v=1;" + b"a=b;" * (n // 4)),
    "dkim-semicolons": _one(b"DKIM-Signature", lambda n: b";" * n),
    "dkim-1000-signatures": Case(_many_signatures),
    "folds": _one(b"Subject", lambda n: b"\r\n x" * (n // 4)),
    "folds-signed": Case(
        lambda share: Hostile(
            signed([("From", " a@example.com"), ("Subject", b"\r\n x" * int(share * FIELD / 4))])
        )
    ),
    "fields": _many_fields(b"X", b""),
    "fields-from": _many_fields(b"From", b" a@b.example"),
    "fields-to": _many_fields(b"To", b" a@b.example"),
    "fields-received": _many_fields(b"Received", b" from x (y [192.0.2.1]) by z; w"),
    "fields-results": _many_fields(b"Authentication-Results", ID + SPF),
    "fields-results-foreign": _many_fields(b"Authentication-Results", b" x.example;" + SPF),
    "fields-list-id": _many_fields(b"List-Id", b" <l.example>"),
    "fields-arc": _many_fields(b"ARC-Seal", b" i=1; cv=none"),
    "arc-50-sets": _arc(50),
    "arc-400-sets": _arc(400),
    "results-many": _one(b"Authentication-Results", lambda n: ID + SPF * (n // len(SPF))),
    "results-comments": _one(b"Authentication-Results", lambda n: b"(x)" * (n // 3) + ID),
    "results-nested": _one(b"Authentication-Results", lambda n: b"(" * (n // 2) + b")" * (n // 2)),
    "results-pairs": _one(b"Authentication-Results", lambda n: b"(" + b"\\)" * (n // 2) + b")"),
    "results-blanks": _one(b"Authentication-Results", lambda n: b" " * n + ID),
    "from-nested": _from(lambda n: b"(" * (n // 2) + b")" * (n // 2) + b"a@b.example"),
    "from-comments": _from(lambda n: b"(x)" * (n // 3) + b"a@b.example"),
    "from-open": _from(lambda n: b"(" * n),
    "from-quotes": _from(lambda n: b'"' * n),
    "from-pairs": _from(lambda n: b'"' + b"\\a" * (n // 2) + b'"@b.example'),
    "from-groups": _from(lambda n: b"g:" * (n // 2)),
    "from-commas": _from(lambda n: b"," * n),
    "from-route": _from(lambda n: b"<" + b"@a," * (n // 3) + b":b@c.example>"),
    "from-encoded": _from(lambda n: b" =?utf-8?q?x?=" * (n // 14) + b" <a@b.example>"),
    "from-addresses": _from(lambda n: b"a@b.example," * (n // 12) + b"a@b.example"),
    "from-domains": Case(_authors),
    "from-literal": _from(lambda n: b"a@[" + b"\\" * n + b"]"),
    "from-8-bit": _from(lambda n: b"a@" + "\u00fc.".encode() * (n // 3) + b"example"),
    "from-dots": _from(lambda n: b"a" + b"." * n + b"@b.example"),
    "from-ats": _from(lambda n: b"@" * n),
    "from-angles": _from(lambda n: b"<" * n),
    "list-id-nested": _one(b"List-Id", lambda n: b"(" * (n // 2) + b")" * (n // 2) + b"<a.b>"),
    "received-nested": _one(b"Received", lambda n: b"from x (" + b"[" * n),
    "received-blanks": _one(b"Received", lambda n: b"from x " + b" " * n + b"(y [192.0.2.1])"),
    "spf-macros-60k": _dns({
        ("m.example", "TXT"): (b"v=spf1 a:%{d}" + b".a" * 30_000 + b".com -all",),
    }, "<a@m.example>"),
    "spf-macros-4k": _dns({
        ("m.example", "TXT"): (b"v=spf1 a:%{d}" + b".a" * 1900 + b".com -all",),
    }, "<a@m.example>"),
    "spf-terms": _dns({
        ("m.example", "TXT"): (b"v=spf1 " + b"ip4:192.0.2.1 " * 280 + b"-all",),
    }, "<a@m.example>"),
    "spf-100-hosts": _dns(_spf_tree(), "<a@spf.example>"),
    "spf-records": _dns({
        ("m.example", "TXT"): tuple(b"x%d " % n + b"y" * 200 for n in range(250)),
    }, "<a@m.example>"),
    "key-32768-bits": _key(_wide_key(32768)),
    "key-16384-bits": _key(_wide_key(16384)),
    "key-60k": _key(RSA_RECORD + b";" * 59_000),
    "key-180-records": _key(*[RSA_RECORD + b"; n=%d" % n for n in range(180)]),
    "dmarc-60k": _dns({
        ("_dmarc.example.com", "TXT"): (b"v=DMARC1; p=none; rua=" + b"mailto:a@b.c," * 4500,),
    }),
    "dmarc-tags-60k": _dns({
        ("_dmarc.example.com", "TXT"): (b"v=DMARC1; p=none;" + b"a=b;" * 15_000,),
    }),
}  # fmt: skip


def records(case: Case) -> dict[tuple[str, str], tuple[Any, ...]]:
    """The zone of a case: the keys of all, then its own."""
    return {**KEYS, **case.records}
