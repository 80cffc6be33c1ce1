"""What the mechanisms may ask of DNS, and how an answer differs from no answer.

NAME
    resolver - the Resolver protocol, its answers and its two kinds of fault

GIVES
    Answer for everything the DNS said, "there is no such name" included;
    TemporaryDnsError when it said nothing usable; BadName when the name could
    not be asked at all.

DOES NOT
    do any I/O.  The network is daemon/resolver.py; tests pass a value.

SEE ALSO
    RFC 2308 (NXDOMAIN and NODATA), RFC 8020 (nothing below NXDOMAIN).
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple, Protocol

Record = bytes | str | tuple[int, str]


class Kind(StrEnum):
    """Record types that mail authentication asks for, and the form of their records."""

    TXT = "TXT"  # bytes: the character-strings of one record, joined without separator
    A = "A"  # str: dotted quad
    AAAA = "AAAA"  # str
    MX = "MX"  # (preference, host): host in lower case, without the final dot
    PTR = "PTR"  # str: host in lower case, without the final dot


class DnsFault(StrEnum):
    """Why there was no usable answer.  Asking later may help with all of them."""

    TIMEOUT = "timeout"
    SERVFAIL = "servfail"
    REFUSED = "refused"
    MALFORMED = "malformed"  # the packet could not be read, or did not fit the question
    BUDGET = "budget"  # this message has used up its questions or its time
    NETWORK = "network"  # the packet could not be sent


class TemporaryDnsError(Exception):
    """No usable answer came: not the same as "no"."""

    def __init__(self, fault: DnsFault, name: str, kind: Kind) -> None:
        self.fault = fault
        self.name = name
        self.kind = kind
        super().__init__(f"{kind} {name}: {fault}")


class BadName(ValueError):
    """Not a name that DNS can hold: empty or over-long label, over-long name, not an A-label."""


class Answer(NamedTuple):
    """What DNS said.  name is as asked: lower case, A-labels, no final dot."""

    name: str
    kind: Kind
    records: tuple[Record, ...] = ()
    exists: bool = True  # False: NXDOMAIN.  True with no records: no data of this kind
    ttl: int = 0  # seconds; of a negative answer, how long that may be believed
    secure: bool = False  # the resolver set AD: it validated DNSSEC

    @property
    def texts(self) -> tuple[bytes, ...]:
        """The TXT records, one bytes value each."""
        return tuple([record for record in self.records if isinstance(record, bytes)])


class Resolver(Protocol):
    """Whatever answers questions: the network within a budget, a cache, a test's table."""

    def ask(self, name: str, kind: Kind, /) -> Answer:
        """Answer, waiting if need be.  Raises TemporaryDnsError or BadName, nothing else."""
        ...

    def prefetch(self, name: str, kind: Kind, /) -> None:
        """Start asking without waiting, because ask() will probably follow.  Never raises."""
        ...

    def insist(self, domains: Sequence[str], /) -> None:
        """Ask for what is at, below or above these whatever becomes of names beside it.

        A sender with silent zones under the same suffix could otherwise keep a policy from
        being asked for.  Never raises.
        """
        ...

    def ration(self, share: float, /) -> None:
        """Until the next call, use at most this share (0 to 1) of what is left of the budget.

        Whoever has slow name servers of his own could otherwise spend all of it, and keep
        what comes later from being judged.  Never raises.
        """
        ...


_LABEL_MAX = 63  # RFC 1035 section 2.3.4
_NAME_MAX = 253  # 255 octets on the wire: one for the first length, one for the root


@lru_cache(maxsize=2048)  # of names that are good, and hence short
def question_name(name: str) -> str:
    """The name as it is asked: lower case, absolute without the final dot.

    Any printable ASCII may stand in a label, since SPF macros put local parts there.
    Raises BadName.
    """
    asked = name.removesuffix(".").lower()
    if len(asked) > _NAME_MAX:
        raise BadName("name longer than 253 octets")
    if not (asked.isascii() and asked.isprintable()):
        raise BadName("not printable ASCII")
    labels = asked.split(".")
    if "" in labels or (len(asked) > _LABEL_MAX and max(map(len, labels)) > _LABEL_MAX):
        raise BadName("empty label, or one longer than 63 octets")
    return asked
