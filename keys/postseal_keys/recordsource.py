"""Records that are not published yet: a text, or a file of them.

NAME
    recordsource - text to check, from the command line or a file

GIVES
    Unpublished values: the domain a record is for, "" if that is not known, and its text.

DOES NOT
    judge.  Raise anything but Problem.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.rdatatype
import dns.zonefile

from postseal_keys.console import DATAERR, NOINPUT, Problem, os_problem

FILE_MAX = 4_000_000  # octets
UNKNOWN = "origin.invalid"  # stands for the zone when nobody has named it


@dataclass(frozen=True, slots=True, kw_only=True)
class Unpublished:
    """One record to be.  name: full, in lower case, without final dot; "" if not known."""

    name: str
    text: str
    where: str

    @property
    def domain(self) -> str:
        """The domain that the record is about."""
        return self.name.removeprefix("_dmarc.")


def from_file(path: str, origin: str) -> list[Unpublished]:
    """The TXT records in a file: raw texts, one on a line, or a zone file."""
    try:
        if path == "-":
            text = sys.stdin.read(FILE_MAX)
        else:
            text = Path(path).read_text("utf-8", "surrogateescape")[:FILE_MAX]
    except OSError as error:
        raise os_problem(error, hint="give the path of a file to read", code=NOINPUT) from None
    rows = list(_lines(text, path, origin) if _is_raw(text) else _zone(text, path, origin))
    if not rows:
        raise Problem(f"{path}: no TXT records", hint="one on a line, or a zone file", code=DATAERR)
    return rows


def _is_raw(text: str) -> bool:
    """Whether the file holds the texts themselves."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return all(line.lower().startswith(("v=", '"v=', "v =", "#")) for line in lines)


def _lines(text: str, path: str, domain: str) -> Iterator[Unpublished]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip() and not line.startswith("#"):
            yield Unpublished(name=domain, text=line.rstrip("\r\n"), where=f"{path}:{number}")


def _zone(text: str, path: str, origin: str) -> Iterator[Unpublished]:
    for place, part in _parts(text, f"{origin or UNKNOWN}."):
        try:
            rrsets = dns.zonefile.read_rrsets(part, origin=place, default_ttl=3600, rdclass=None)
        except (dns.exception.DNSException, ValueError, KeyError) as error:
            hint = "a zone file needs quotation marks around text, and the domain as an argument"
            what = re.sub(r"^<\w+>:(\d+): ", r"near line \1: ", str(error))
            raise Problem(f"{path}: {what}", hint=hint, code=DATAERR) from None
        for rrset in rrsets:
            name = rrset.name.to_text(omit_final_dot=True).lower()
            known = "" if name.endswith(UNKNOWN) else name
            for rdata in rrset if rrset.rdtype == dns.rdatatype.TXT else ():
                data = b"".join(rdata.strings).decode("latin-1")
                yield Unpublished(name=known, text=data, where=f"{path}: {name}")


def _parts(text: str, origin: str) -> Iterator[tuple[str, str]]:
    """The file cut at $ORIGIN: each part with its origin; $TTL does not matter here."""
    part: list[str] = []
    for number, line in enumerate(text.splitlines(keepends=True), 1):
        words = line.split()
        match words[0].upper() if words else "":
            case "$ORIGIN" if len(words) > 1:
                yield origin, "".join(part)
                part = ["\n"] * number  # so that line numbers stay those of the file
                relative = not words[1].endswith(".")
                origin = f"{words[1]}.{origin}" if relative else words[1]
            case "$TTL":
                part.append("\n")
            case _:
                part.append(line)
    yield origin, "".join(part)
