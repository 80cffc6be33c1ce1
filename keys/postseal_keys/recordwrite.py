"""Records from options: SPF, DMARC, and report authorisation.

NAME
    recordwrite - what postseal-record spf, dmarc and report-auth print

GIVEN
    the Values of a command line.

GIVES
    TxtRecord values, and findings on them that the author should know.

DOES NOT
    ask DNS.  Raise anything but Problem.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from postseal_keys import dmarcrecord, names, reportauth, spflint
from postseal_keys.console import DATAERR, Problem
from postseal_keys.dmarclint import lint
from postseal_keys.dmarcrecord import Record, uri
from postseal_keys.findings import Finding, Harm
from postseal_keys.formats import TxtRecord
from postseal_keys.options import Values
from postseal_keys.spfrecord import SpfError, parse

_ALL = {"fail": "-all", "softfail": "~all", "neutral": "?all"}
_ALIGN = {"relaxed": "r", "r": "r", "strict": "s", "s": "s"}


def spf(values: Values, domain: str) -> tuple[list[TxtRecord], list[Finding]]:
    """The SPF record of domain."""
    terms = list(_spf_terms(values))
    ending = _choice("all", values.text("all"), _ALL)
    if values.flag("none"):
        if terms or values.optional("redirect"):
            raise Problem("--none contradicts the senders given", hint="leave one of them out")
        text = "v=spf1 -all"
    elif redirect := values.optional("redirect"):
        if values.given("all"):
            raise Problem(
                "--all makes --redirect void (RFC 7208 section 6.1)", hint="leave one of them out"
            )
        text = " ".join(["v=spf1", *terms, f"redirect={names.domain(redirect)}"])
    else:
        if not terms:
            raise Problem(
                "nobody would be allowed to send",
                hint="say who sends: --mx, --ip ADDRESS, --include NAME; or --none",
            )
        text = " ".join(["v=spf1", *terms, ending])
    try:
        parse(text)
    except SpfError as error:
        hint = error.mistakes[0].hint
        raise Problem(f"{text}: {error}", hint=hint, code=DATAERR) from None
    return [_record(values, domain, domain, text)], spflint.lint(domain, text)


def _spf_terms(values: Values) -> Iterator[str]:
    for flag in ("mx", "a"):
        if values.flag(flag):
            yield flag
    for host in values.texts("host"):
        yield f"a:{names.domain(host)}"
    for text in values.texts("ip"):
        try:
            network = ipaddress.ip_network(text, strict=False)
        except ValueError:
            hint = "such as 192.0.2.1, 192.0.2.0/24 or 2001:db8::/32"
            raise Problem(f"--ip: '{text[:60]}' is no address or network", hint=hint) from None
        full = network.prefixlen == network.max_prefixlen
        yield f"ip{network.version}:{network.network_address if full else network}"
    for domain in values.texts("include"):
        yield f"include:{names.domain(domain)}"


def dmarc(values: Values, domain: str) -> tuple[list[TxtRecord], list[Finding]]:
    """The DMARC record of domain."""
    words = {name: word for name in ("sp", "np", "fo", "psd") if (word := values.optional(name))}
    words["p"] = values.text("policy")
    for name, word in words.items():
        if not dmarcrecord.valid(name, word):
            allowed = "0, 1, d, s" if name == "fo" else "y, n"
            if name in ("p", "sp", "np"):
                allowed = ", ".join(dmarcrecord.POLICIES)
            raise Problem(f"{name}: '{word[:40]}' is not possible", hint=f"one of {allowed}")
    if "fo" in words and not values.texts("ruf"):
        raise Problem("--fo needs --ruf", hint="it says when to report to that address")
    record = Record(
        p=words["p"].lower(),
        sp=words.get("sp", "").lower() or None,
        np=words.get("np", "").lower() or None,
        adkim=_choice("adkim", values.text("adkim"), _ALIGN),
        aspf=_choice("aspf", values.text("aspf"), _ALIGN),
        t=values.flag("test"),
        psd=words.get("psd", "u").lower(),
        rua=tuple(_address("rua", text) for text in values.texts("rua")),
        ruf=tuple(_address("ruf", text) for text in values.texts("ruf")),
        fo=tuple(words.get("fo", "0").lower().split(":")),
    )
    found = lint(domain, str(record)) + list(_elsewhere(domain, record))
    return [_record(values, f"_dmarc.{domain}", domain, str(record))], found


def _elsewhere(domain: str, record: Record) -> Iterator[Finding]:
    """Hosts that have to agree to get the reports, as far as names alone tell."""
    for host in dict.fromkeys(uri(one).host for one in (*record.rua, *record.ruf)):
        near = host == domain or host.endswith(f".{domain}") or domain.endswith(f".{host}")
        if host and not near:
            line = reportauth.name(domain, host)
            yield Finding(
                harm=Harm.WARNING,
                code="report-not-authorised",
                where=host,
                what=f"reports go to another organisation, unless {host} and {domain} have a"
                " DMARC record above both",
                hint=f'its operator must publish  {line}. IN TXT "{reportauth.RECORD}"',
            )


def report(values: Values, host: str) -> tuple[list[TxtRecord], list[Finding]]:
    """The records by which host agrees to get reports."""
    domains = [names.domain(text) for text in values.texts("about")]
    if values.flag("any"):
        domains.append("*")
    if not domains:
        raise Problem("reports about which domain?", hint="--about DOMAIN, or --any")
    text = reportauth.RECORD
    if rua := values.optional("rua"):
        address = _address("rua", rua)
        if uri(address).host != host:
            raise Problem(f"--rua: the address must be at {host}", hint="RFC 9990 section 4")
        text += f"; rua={address}"
    records = []
    for domain in domains:
        name = reportauth.name(domain, host)
        if len(name) > names.NAME_MAX:
            raise Problem(
                f"{name[:60]}…: the name is too long for DNS",
                hint="take reports at a shorter host",
                code=DATAERR,
            )
        records.append(_record(values, name, host, text))
    return records, []


def _address(option: str, text: str) -> str:
    local, at, host = text.rpartition("@")
    if at and not host.isascii():
        text = f"{local}@{names.domain(host)}"
    found = uri(text if ":" in text else f"mailto:{text}")
    if not found.valid:
        hint = "write name@example.com; a comma or ! in it as %2C or %21"
        raise Problem(f"--{option}: '{text[:60]}' is not an address", hint=hint)
    return found.text


def _choice(option: str, word: str, words: dict[str, str]) -> str:
    if word.lower() not in words:
        long = [one for one in words if len(one) > 1]
        raise Problem(
            f"--{option}: '{word[:40]}' is not possible", hint=f"one of {', '.join(long)}"
        )
    return words[word.lower()]


def _record(values: Values, name: str, domain: str, text: str) -> TxtRecord:
    zone = names.domain(values.text("zone")) if values.given("zone") else domain
    if name != zone and not name.endswith(f".{zone}"):
        raise Problem(f"{name} is not in the zone {zone}", hint="give the zone above it")
    ttl = values.count("ttl") if values.given("ttl") else None
    if ttl is not None and not 0 <= ttl < 2**31:
        raise Problem(f"--ttl: {ttl} is not possible", hint="seconds")
    host = name.removesuffix(zone).removesuffix(".")
    return TxtRecord(host=host, zone=zone, text=text, ttl=ttl)
