"""DMARC Policy Records: what a domain asks of those who receive its mail.

NAME
    record - one TXT string to a Record, and back

GIVEN
    the text of one TXT record found at `_dmarc.<domain>`.

GIVES
    Record, or RecordError when the text is no DMARC record at all.  A record
    with mistakes is a record: unknown tags, broken values and repeated tags are
    left out, named in faults, and the defaults hold (RFC 9989 section 4.8).

DOES NOT
    choose a record among several, nor the policy that applies; see walk and
    evaluate.  pct, rf and ri are historic and unknown here (section 9.3).

SEE ALSO
    RFC 9989 sections 4.6 to 4.8 and 4.10.1.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import TypeVar

MAX_URIS = 100  # of one rua or ruf
MAX_FAULTS = 20  # named; what is beyond has no effect either


class Disposition(StrEnum):
    """A Domain Owner Assessment Policy, mildest first (RFC 9989 section 4.7, tag p)."""

    NONE = "none"  # no preference
    QUARANTINE = "quarantine"  # suspicious
    REJECT = "reject"  # not a valid use of the domain

    @property
    def strictness(self) -> int:
        return ("none", "quarantine", "reject").index(self.value)

    @property
    def one_level_lower(self) -> Disposition:
        """What `t=y` makes of it."""
        if self is Disposition.REJECT:
            return Disposition.QUARANTINE
        return Disposition.NONE


class Alignment(StrEnum):
    """How near an authenticated domain must be to the Author Domain."""

    RELAXED = "r"  # the same Organizational Domain
    STRICT = "s"  # the same domain


class Psd(StrEnum):
    """Whether the record's domain is a Public Suffix Domain."""

    YES = "y"
    NO = "n"  # and it is an Organizational Domain
    UNSAID = "u"


class RecordError(ValueError):
    """Not a DMARC record: no `v=DMARC1` at its very start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A DMARC Policy Record.  p, sp and np are None when absent or invalid.

    invalid names those of p, sp and np whose value was no policy: then the
    record counts as `p=none` when rua names a destination, else it is unusable
    (RFC 9989 section 4.10.1).  An absent p is `none` by itself (section 4.7).
    faults says in words what was left out; it plays no part in comparison.
    """

    p: Disposition | None = None
    sp: Disposition | None = None
    np: Disposition | None = None
    adkim: Alignment = Alignment.RELAXED
    aspf: Alignment = Alignment.RELAXED
    psd: Psd = Psd.UNSAID
    t: bool = False
    rua: tuple[str, ...] = ()
    ruf: tuple[str, ...] = ()
    fo: tuple[str, ...] = ("0",)
    invalid: tuple[str, ...] = ()
    faults: tuple[str, ...] = field(default=(), compare=False)

    @property
    def usable(self) -> bool:
        return not self.invalid or bool(self.rua)

    def policy(self, *, below: bool, exists: bool = True) -> Disposition:
        """What is published for the record's own domain, or for a name below it.

        exists: whether that name does (np is for those that do not).
        """
        if self.invalid:
            return Disposition.NONE
        own = self.p or Disposition.NONE
        if not below:
            return own
        if exists:
            return self.sp or own
        return self.np or self.sp or own

    def __str__(self) -> str:
        """The record as it would be published; parse() reads the same out of it."""
        tags = [("v", "DMARC1")]
        tags += [(name, value) for name in _POLICIES if (value := getattr(self, name))]
        if self.adkim is not Alignment.RELAXED:
            tags.append(("adkim", self.adkim))
        if self.aspf is not Alignment.RELAXED:
            tags.append(("aspf", self.aspf))
        if self.psd is not Psd.UNSAID:
            tags.append(("psd", self.psd))
        if self.t:
            tags.append(("t", "y"))
        for name, uris in (("rua", self.rua), ("ruf", self.ruf)):
            if uris:
                tags.append((name, ",".join(uris)))
        if self.fo != ("0",):
            tags.append(("fo", ":".join(self.fo)))
        return "; ".join(f"{name}={value}" for name, value in tags)


_POLICIES = ("p", "sp", "np")
_WSP = " \t"
_VALUE = re.compile(r"[\x20-\x3a\x3c-\x7e]+")  # dmarc-value; a semicolon cannot be in one
_VERSION = re.compile(r"[vV][ \t]*=[ \t]*DMARC1[ \t]*")
_URI = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[A-Za-z0-9._~:/?#\[\]@$&'()*+;=%-]+")
_MAILTO = re.compile(r"mailto:[^@?]+@[A-Za-z0-9._-]+(?:\?.*)?", re.IGNORECASE)
_OBSOLETE_SIZE = re.compile(r"![0-9]+[kmgt]?\Z", re.IGNORECASE)

T = TypeVar("T")
_Values = dict[str, str]


def is_record(text: bytes | str) -> bool:
    """Whether parse() would read it: a DMARC record of this version; cheap."""
    return _VERSION.fullmatch(_as_str(text).partition(";")[0]) is not None


def parse(text: bytes | str) -> Record:
    """The record in one TXT string.  Raises RecordError, and nothing else."""
    return _remembered(text) if len(text) <= _REMEMBERED_MAX else _parse(text)


def _parse(text: bytes | str) -> Record:
    text = _as_str(text)
    if not is_record(text):
        raise RecordError("no v=DMARC1 at the start")
    values, faults = _tags(text)
    take = _Taker(values, faults)
    policies = {name: take.word(name, Disposition) for name in _POLICIES}
    ruf = take.uris("ruf")
    return Record(
        **policies,
        adkim=take.word("adkim", Alignment) or Alignment.RELAXED,
        aspf=take.word("aspf", Alignment) or Alignment.RELAXED,
        psd=take.word("psd", Psd) or Psd.UNSAID,
        t=take.word("t", _YesNo) is _YesNo.YES,
        rua=take.uris("rua"),
        ruf=ruf,
        fo=(take.value("fo", _failure_options) if ruf else None) or ("0",),
        invalid=tuple(name for name in _POLICIES if name in values and not policies[name]),
        faults=tuple(faults[:MAX_FAULTS]),
    )


# A pure function of the text: what a domain publishes is read once, not for each message.
_REMEMBERED_MAX = 1024
_remembered = lru_cache(maxsize=1024)(_parse)


class _YesNo(StrEnum):
    YES = "y"
    NO = "n"


def _as_str(text: bytes | str) -> str:
    """One character per octet; what is not ASCII is in no valid value."""
    return text.decode("latin-1") if isinstance(text, bytes) else text


_KNOWN = frozenset({"p", "sp", "np", "adkim", "aspf", "psd", "t", "rua", "ruf", "fo"})


def _tags(text: str) -> tuple[_Values, list[str]]:
    """Known tags by name, blanks off; and what is wrong.  The first of a repeated tag counts."""
    values: _Values = {}
    faults: list[str] = []
    for part in text.split(";")[1:]:
        name, equals, value = part.partition("=")
        name = name.strip(_WSP).lower()
        if not equals or name not in _KNOWN:
            continue  # section 4.7: unknown tags MUST be ignored
        if name in values:
            faults.append(f"{name}: repeated")
        else:  # a value with octets that are not allowed is there, and invalid
            value = value.strip(_WSP)
            values[name] = value if _VALUE.fullmatch(value) else ""
    return values, faults


class _Taker:
    """Reads values; an invalid one is a fault, and absent."""

    __slots__ = ("_faults", "_values")

    def __init__(self, values: _Values, faults: list[str]) -> None:
        self._values = values
        self._faults = faults

    def value(self, name: str, read: Callable[[str], T]) -> T | None:
        text = self._values.get(name)
        if text is None:
            return None
        try:
            return read(text)
        except ValueError:
            self._faults.append(f"{name}: invalid value")
            return None

    def word(self, name: str, kind: Callable[[str], T]) -> T | None:
        """One of the words of an enumeration, whatever its case."""
        return self.value(name, lambda text: kind(text.lower()))

    def uris(self, name: str) -> tuple[str, ...]:
        """The syntactically valid ones, without the obsolete size."""
        text = self._values.get(name)
        if text is None:
            return ()
        uris = []
        for part in text.split(",", MAX_URIS)[:MAX_URIS]:
            uri = _OBSOLETE_SIZE.sub("", part.strip(_WSP))
            if _is_uri(uri):
                uris.append(uri)
            else:
                self._faults.append(f"{name}: invalid URI")
        return tuple(uris)


def _is_uri(text: str) -> bool:
    if not _URI.fullmatch(text):
        return False
    return _MAILTO.fullmatch(text) is not None or not text.lower().startswith("mailto:")


def _failure_options(text: str) -> tuple[str, ...]:
    """dmarc-fo: each of 0, 1, d and s once at most, 0 and 1 not together."""
    options = tuple(option.strip(_WSP).lower() for option in text.split(":"))
    if len(set(options)) != len(options) or not {"0", "1", "d", "s"}.issuperset(options):
        raise ValueError
    if {"0", "1"}.issubset(options):
        raise ValueError
    return options
