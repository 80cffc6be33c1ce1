"""A small world for SPF: records by name, one client, one call."""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any

from postseal.core import spf
from postseal.core.resolver import Record
from postseal.core.spf import Limits, Result
from support.fakedns import FakeDns

CLIENT = "192.0.2.1"
OTHER = "198.51.100.1"
SIX = "2001:db8::1"
Records = dict[tuple[str, str], tuple[Record, ...]]


def txt(**records: str) -> Records:
    """TXT records by the name in front of example.com; at is example.com itself."""
    return {
        ("example.com" if name == "at" else f"{name}.example.com", "TXT"): (text.encode(),)
        for name, text in records.items()
    }


def check(
    records: Records,
    *,
    client: str | None = CLIENT,
    sender: str = "user@example.com",
    helo: str = "mail.example.com",
    limits: Limits | None = None,
    **dns: Any,
) -> Result:
    return spf.evaluate(
        client=ip_address(client) if client else None,
        helo=helo,
        sender=sender,
        resolver=FakeDns(records, **dns),
        limits=limits,
    )
