"""Formats of HTTP APIs: JSON bodies.

NAME
    api - PowerDNS, Route 53, Cloudflare
"""

from __future__ import annotations

import json
from collections.abc import Sequence

from postseal_keys.formats.txt import TxtRecord, quoted


def powerdns(records: Sequence[TxtRecord]) -> str:
    """Body of PATCH on a zone; names with their final dot, content in quotes."""
    return _json(
        {
            "rrsets": [
                {
                    "name": f"{record.name}.",
                    "type": "TXT",
                    "ttl": record.seconds,
                    "changetype": "REPLACE",
                    "records": [{"content": quoted(record.text), "disabled": False}],
                }
                for record in records
            ]
        }
    )


def route53(records: Sequence[TxtRecord]) -> str:
    """Change batch of change-resource-record-sets; the quotes are part of the value."""
    return _json(
        {
            "Changes": [
                {
                    "Action": "UPSERT",
                    "ResourceRecordSet": {
                        "Name": f"{record.name}.",
                        "Type": "TXT",
                        "TTL": record.seconds,
                        "ResourceRecords": [{"Value": quoted(record.text)}],
                    },
                }
                for record in records
            ]
        }
    )


def cloudflare(records: Sequence[TxtRecord]) -> str:
    """One record as the body of POST dns_records, several as that of dns_records/batch."""
    bodies = [
        {
            "type": "TXT",
            "name": record.name,
            "content": quoted(record.text),
            "ttl": record.seconds,
        }
        for record in records
    ]
    return _json(bodies[0] if len(bodies) == 1 else {"posts": bodies})


def _json(value: object) -> str:
    return json.dumps(value, indent=2) + "\n"
