"""Formats of name servers' own files, and of people.

NAME
    zone - zone file, one line, plain, nsupdate, tinydns, dnsmasq
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence

from postseal_keys.console import Problem
from postseal_keys.formats.txt import TxtRecord, key_strings, quote, quoted
from postseal_keys.records import split

DNSMASQ_LINE_MAX = 1024  # octets of a line that dnsmasq reads whole


def stanza(records: Sequence[TxtRecord]) -> str:
    """As opendkim-genkey writes it: relative host, or the full name where asked."""
    return "".join(_stanza(record) for record in records)


def _stanza(record: TxtRecord) -> str:
    name = f"{record.name}." if record.absolute else record.host or "@"
    ttl = "" if record.ttl is None else f"{record.ttl}\t"
    strings = "\n\t  ".join(quote(string) for string in key_strings(record.text))
    comment = f" ; {record.comment}" if record.comment else ""
    return f"{name}\t{ttl}IN\tTXT\t( {strings} ) {comment}\n"


def line(records: Sequence[TxtRecord]) -> str:
    """``name. 3600 IN TXT "..." "..."``."""
    return "".join(f"{r.name}. {r.seconds} IN TXT {quoted(r.text)}\n" for r in records)


def plain(records: Sequence[TxtRecord]) -> str:
    """What a web panel asks for, unquoted; panels split by themselves."""
    return "\n".join(
        f"Type:      TXT\n"
        f"Host:      {record.host or '@'}\n"
        f"Full name: {record.name}\n"
        f"TTL:       {record.seconds}\n"
        f"Value:     {record.text}\n"
        for record in records
    )


def nsupdate(records: Sequence[TxtRecord]) -> str:
    """One transaction per zone; nsupdate finds the zone by itself."""
    out = []
    for _, group in itertools.groupby(records, key=lambda record: record.zone):
        same_zone = list(group)
        out += [f"update delete {r.name}. TXT\n" for r in same_zone]
        out += [f"update add {r.name}. {r.seconds} TXT {quoted(r.text)}\n" for r in same_zone]
        out.append("send\n")
    return "".join(out)


def tinydns(records: Sequence[TxtRecord]) -> str:
    """``'name:text:ttl``; tinydns-data cuts strings itself, at 127 octets."""
    return "".join(f"'{r.name}:{_octal(r.text)}:{r.seconds}\n" for r in records)


def _octal(text: str) -> str:
    return "".join(
        c if " " <= c <= "~" and c not in ":\\" else f"\\{octet:03o}"
        for c in text
        for octet in c.encode("utf-8")
    )


def dnsmasq(records: Sequence[TxtRecord]) -> str:
    """``txt-record=name,"...","..."``.  Raises Problem for what dnsmasq cannot read."""
    return "".join(_dnsmasq(record) for record in records)


def _dnsmasq(record: TxtRecord) -> str:
    strings = ",".join(quote(string) for string in split(record.text))
    text = f"txt-record={record.name},{strings}\n"
    if len(text) > DNSMASQ_LINE_MAX:
        raise Problem(
            f"{record.name}: the record is too long for a line of dnsmasq.conf",
            hint="use a shorter note or a smaller key",
        )
    return text
