"""Addresses and networks in SPF records, read fast: records mostly consist of them.

NAME
    spf_network - NETWORK, ipv4() and ipv6()

GIVES
    the pattern of an ip4 term (RFC 7208 section 5.6), and addresses as numbers.

SEE ALSO
    spf_query
"""

from __future__ import annotations

import re
from ipaddress import IPv6Address

_OCTET = r"(?:\d|[1-9]\d|1\d\d|2[0-4]\d|25[0-5])"
_QUAD = re.compile(rf"{_OCTET}(?:\.{_OCTET}){{3}}", re.ASCII)

# Qualifier, address and length of the prefix, the latter None where it is left out.
NETWORK = re.compile(rf"([+?~-]?)ip4:({_QUAD.pattern})(?:/(\d|[12]\d|3[0-2]))?", re.ASCII)


def ipv4(text: str) -> int:
    """A dotted quad as a number.  Raises ValueError.  (A third of what ipaddress takes.)"""
    if not _QUAD.fullmatch(text):  # pyspf's own pattern lets a line break at the end pass
        raise ValueError(f"not an IPv4 address: {text!r}")
    one, two, three, four = text.split(".")
    return int(one) << 24 | int(two) << 16 | int(three) << 8 | int(four)


def ipv6(text: str) -> int:
    """An IPv6 address as a number.  Raises ValueError."""
    return int(IPv6Address(text))
