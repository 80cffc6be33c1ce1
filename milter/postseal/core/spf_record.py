"""SPF: which TXT record is the one, how much is evaluated, and what is wrong for good.

NAME
    spf_record - select_record(), Limits and Fault

GIVEN
    the TXT records of a domain.

GIVES
    the text of its one SPF record, or None; Fault when there is no using what is there.

SEE ALSO
    spf_query, RFC 7208 sections 4.5 and 4.6.4.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from postseal.core.resolver import Record
from postseal.core.spf_plain import pyspf

_VERSION = re.compile(rb"v=spf1(?: |$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Bounds of one evaluation.  lookups and voids as in RFC 7208 section 4.6.4."""

    lookups: int = 10
    voids: int = 2
    record_octets: int = 4096
    mx_hosts: int = 10
    ptr_names: int = 10
    ahead: int = 4  # questions of later terms that are sent along with the first one


class Fault(pyspf.PermError):
    """A permanent error with one of the words of spf.Why."""

    def __init__(self, why: str, detail: str = "") -> None:
        super().__init__(detail or why)
        self.why = why


def select_record(texts: Iterable[Record], limits: Limits) -> str | None:
    """The SPF record among TXT records (RFC 7208 section 4.5); None without one.

    Raises Fault: many-records, record-too-long, record-not-ascii.
    """
    records = [text for text in texts if isinstance(text, bytes) and _VERSION.match(text)]
    if not records:
        return None
    if len(records) > 1:
        raise Fault("many-records")
    if len(records[0]) > limits.record_octets:
        raise Fault("record-too-long", f"{len(records[0])} octets")
    try:
        return records[0].decode("ascii")
    except UnicodeDecodeError:
        raise Fault("record-not-ascii") from None
