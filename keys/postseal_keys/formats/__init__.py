"""TXT records as DNS servers, hosters and tools want to be given them.

NAME
    formats - one TXT record, thirteen spellings

GIVEN
    TxtRecord values: a host, its zone, the text, perhaps a time to live.

GIVES
    FORMATS, by name; ``format.render(records)`` is text with a final newline.

DOES NOT
    judge the text, or talk to anything.  The formats that replace (nsupdate,
    powerdns, route53) replace every TXT record of the name: right for keys and
    DMARC, where there must be one, to be minded at a zone's apex.

SEE ALSO
    RFC 1035 section 3.3.14 (TXT), section 5.1 (quoting in zone files).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from postseal_keys.console import USAGE, Problem
from postseal_keys.formats import api, code, zone
from postseal_keys.formats.txt import TxtRecord


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A way to write records down.  absolute: it cannot do without the zone's name.

    one_zone: what is written goes into one zone, so that records of two cannot share it.
    """

    name: str
    about: str
    render: Callable[[Sequence[TxtRecord]], str]
    absolute: bool = True
    one_zone: bool = False


def _table(*formats: Format) -> dict[str, Format]:
    return {format_.name: format_ for format_ in formats}


FORMATS = _table(
    Format(
        name="zone",
        about="zone file of BIND, NSD or Knot, as opendkim-genkey writes it",
        render=zone.stanza,
        absolute=False,
    ),
    Format(name="line", about="zone file, one line with the full name", render=zone.line),
    Format(
        name="plain",
        about="host (relative and full) and value without quotes, to paste into a web panel",
        render=zone.plain,
    ),
    Format(
        name="nsupdate",
        about="script for nsupdate: the old TXT deleted, this one added",
        render=zone.nsupdate,
    ),
    Format(
        name="powerdns",
        about="JSON for PowerDNS: PATCH /api/v1/servers/localhost/zones/ZONE.",
        render=api.powerdns,
        one_zone=True,
    ),
    Format(
        name="route53",
        about="change batch: aws route53 change-resource-record-sets --change-batch",
        render=api.route53,
        one_zone=True,
    ),
    Format(
        name="cloudflare",
        about="JSON for Cloudflare: POST /zones/ID/dns_records (several: .../batch)",
        render=api.cloudflare,
        one_zone=True,
    ),
    Format(
        name="terraform-route53",
        about="Terraform or OpenTofu, aws_route53_record; expects var.zone_id",
        render=code.terraform_route53,
        one_zone=True,
    ),
    Format(
        name="terraform-cloudflare",
        about="Terraform or OpenTofu, cloudflare_dns_record; expects var.zone_id",
        render=code.terraform_cloudflare,
        one_zone=True,
    ),
    Format(
        name="octodns",
        about="OctoDNS, entries of the zone's YAML file",
        render=code.octodns,
        one_zone=True,
    ),
    Format(
        name="dnscontrol",
        about="DNSControl, D_EXTEND with TXT",
        render=code.dnscontrol,
    ),
    Format(name="tinydns", about="line of tinydns's data file", render=zone.tinydns),
    Format(name="dnsmasq", about="txt-record= line of dnsmasq.conf", render=zone.dnsmasq),
)


def find(name: str) -> Format:
    """The format of that name.  Raises Problem."""
    if found := FORMATS.get(name):
        return found
    raise Problem(
        f"there is no format '{name[:40]}'",
        hint="--format list shows them all",
        code=USAGE,
    )


def listing() -> str:
    """All formats, one on a line: what ``--format list`` prints."""
    width = max(map(len, FORMATS))
    return "".join(f"{f.name:<{width}}  {f.about}\n" for f in FORMATS.values())


__all__ = ["FORMATS", "Format", "TxtRecord", "find", "listing"]
