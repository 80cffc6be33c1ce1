"""Domain names in the one form that is looked up, compared and printed.

NAME
    names - lower case, A-labels, no final dot; or BadDomain

GIVEN
    a name as somebody wrote it: any case, U-labels, one final dot, str or octets
    (read as UTF-8).

GIVES
    the normal form as str, printable ASCII without blanks or quotes, or one
    exception with a closed reason.

DOES NOT
    know address literals (`[192.0.2.1]`), look anything up, or tell whether
    a name is a host's: underscores are kept, because `_dmarc.example` is a name too.

SEE ALSO
    RFC 1035 section 2.3.4 (sizes), RFC 5890 (A-labels), UTS 46 (mapping before IDNA 2008).
"""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

import idna

MAX_NAME = 253  # octets, without the final dot (RFC 1035 section 2.3.4, RFC 1123 section 2.1)

_NORMAL = re.compile(r"[a-z0-9_-]{1,63}(?:\.[a-z0-9_-]{1,63})*")
_LABEL = re.compile(r"[a-z0-9_-]+")


class DomainFault(StrEnum):
    """Closed list: why a text is not a domain name."""

    EMPTY = "empty"
    TOO_LONG = "too-long"
    EMPTY_LABEL = "empty-label"
    LONG_LABEL = "long-label"
    BAD_CHARACTER = "bad-character"
    NOT_UTF8 = "not-utf-8"
    NOT_IDNA = "not-idna"  # characters that no registry may put into a name


class BadDomain(ValueError):
    """Not a domain name.  why is a DomainFault; the text is not repeated."""

    def __init__(self, why: DomainFault) -> None:
        self.why = why
        super().__init__(why.value)


def ascii_domain(raw: str | bytes) -> str:
    """The normal form: lower case, A-labels, no final dot.  Raises BadDomain, nothing else.

    RFC 9989 section 5.3.1 and RFC 6376 section 2.3 want U-labels converted
    before anything is compared or looked up.
    """
    # A message names its few domains a dozen times.  Long texts are not worth their room.
    return _remembered(raw) if len(raw) <= MAX_NAME + 1 else _ascii_domain(raw)


def _ascii_domain(raw: str | bytes) -> str:
    if isinstance(raw, bytes):
        try:
            raw = raw.decode("utf-8")
        except UnicodeDecodeError:
            raise BadDomain(DomainFault.NOT_UTF8) from None
    if len(raw) > MAX_NAME + 1:  # before any work that grows with length
        raise BadDomain(DomainFault.TOO_LONG)
    name = raw.lower() if raw.isascii() else _to_ascii(raw)
    name = name.removesuffix(".")
    if len(name) > MAX_NAME:
        raise BadDomain(DomainFault.TOO_LONG)
    if _NORMAL.fullmatch(name):
        return name
    raise BadDomain(_fault(name))


_remembered = lru_cache(maxsize=2048)(_ascii_domain)


def _to_ascii(raw: str) -> str:
    """U-labels made A-labels, label by label, so that `_dmarc` may stand among them."""
    try:
        mapped = idna.uts46_remap(raw, std3_rules=False, transitional=False)
        return ".".join(
            label if label.isascii() else idna.alabel(label).decode("ascii")
            for label in mapped.split(".")
        )
    except UnicodeError:  # idna.IDNAError is one; punycode itself raises the plain kind
        raise BadDomain(DomainFault.NOT_IDNA) from None


def _fault(name: str) -> DomainFault:
    """Why this lower-case ASCII text is not in normal form."""
    if not name:
        return DomainFault.EMPTY
    for label in name.split("."):
        if not label:
            return DomainFault.EMPTY_LABEL
        if not _LABEL.fullmatch(label):
            return DomainFault.BAD_CHARACTER
    return DomainFault.LONG_LABEL


def is_at_or_below(name: str, parent: str) -> bool:
    """Whether name is parent or ends in it at a label's border.  Both in normal form."""
    return name == parent or name.endswith("." + parent)


def labels(name: str) -> tuple[str, ...]:
    """The labels of a normal form, left to right."""
    return tuple(name.split("."))


def mailbox_domain(address: str) -> str | None:
    """The domain of an envelope address `local@domain`, in normal form; None without a usable one.

    The last `@` separates them whatever the local part is: it may be quoted and
    hold another one, a domain never does.  Angle brackets are the caller's to take off.
    """
    _, at, domain = address.rpartition("@")
    if not at:
        return None
    try:
        return ascii_domain(domain)
    except BadDomain:
        return None
