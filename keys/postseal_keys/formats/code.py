"""Formats of tools that keep DNS in version control.

NAME
    code - Terraform (two providers), OctoDNS, DNSControl
"""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator, Sequence

from postseal_keys.formats.txt import TxtRecord, quote, quoted
from postseal_keys.records import split

_SEMICOLON = "\\;"  # how OctoDNS wants it


def terraform_route53(records: Sequence[TxtRecord]) -> str:
    """aws_route53_record: the provider adds the outer quotes, cuts are written ``\\"\\"``."""
    return _blocks(
        f'resource "aws_route53_record" "{label}" {{\n'
        f"  zone_id = var.zone_id\n"
        f"  name    = {_hcl(record.name)}\n"
        f'  type    = "TXT"\n'
        f"  ttl     = {record.seconds}\n"
        f"  records = [{_hcl(_cuts(record.text))}]\n"
        f"}}\n"
        for label, record in _labelled(records)
    )


def _cuts(text: str) -> str:
    return '""'.join(quote(string)[1:-1] for string in split(text))


def terraform_cloudflare(records: Sequence[TxtRecord]) -> str:
    """cloudflare_dns_record, of the provider's version 5: content is quoted strings."""
    return _blocks(
        f'resource "cloudflare_dns_record" "{label}" {{\n'
        f"  zone_id = var.zone_id\n"
        f"  name    = {_hcl(record.name)}\n"
        f'  type    = "TXT"\n'
        f"  ttl     = {record.seconds}\n"
        f"  content = {_hcl(quoted(record.text))}\n"
        f"}}\n"
        for label, record in _labelled(records)
    )


def octodns(records: Sequence[TxtRecord]) -> str:
    """Entries in natural order, without which OctoDNS refuses the file (s2 before s10).

    It splits the text itself, and wants ``;`` as ``\\;``.
    """
    return "---\n" + "".join(
        f"{_yaml(record.host)}:\n"
        f"  ttl: {record.seconds}\n"
        f"  type: TXT\n"
        f"  value: {_yaml(record.text.replace(';', _SEMICOLON))}\n"
        for record in sorted(records, key=lambda record: _natural(record.host))
    )


def _natural(host: str) -> list[str | int]:
    """The host with its numbers as numbers: text and number take turns, text first."""
    parts = re.split(r"([0-9]+)", host)
    return [int(part) if place % 2 else part for place, part in enumerate(parts)]


def dnscontrol(records: Sequence[TxtRecord]) -> str:
    """One D_EXTEND for each zone; DNSControl splits itself.

    No comma stands after the last argument: the language of its files, ECMAScript 5, has none.
    """
    out = []
    for zone, group in itertools.groupby(records, key=lambda record: record.zone):
        lines = [
            f"  TXT({json.dumps(r.host or '@')}, {json.dumps(r.text)}, TTL({r.seconds}))"
            for r in group
        ]
        out.append(",\n".join([f"D_EXTEND({json.dumps(zone)}", *lines]) + "\n);\n")
    return "".join(out)


def _labelled(records: Sequence[TxtRecord]) -> Iterator[tuple[str, TxtRecord]]:
    """Each record with an identifier that is made from its name and used once."""
    used: set[str] = set()
    for record in records:
        base = label = "txt_" + re.sub(r"[^A-Za-z0-9]+", "_", record.name).strip("_")
        for number in itertools.count(2):
            if label not in used:
                break
            label = f"{base}_{number}"
        used.add(label)
        yield label, record


def _blocks(blocks: Iterator[str]) -> str:
    return "\n".join(blocks)


def _hcl(text: str) -> str:
    """An HCL string: quotes, backslashes, and the two openings of a template escaped."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + escaped.replace("${", "$${").replace("%{", "%%{") + '"'


def _yaml(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
