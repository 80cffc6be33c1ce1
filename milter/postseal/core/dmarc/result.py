"""What DMARC finds, as frozen values.

NAME
    result - Status, Why and Result

SEE ALSO
    RFC 9989 sections 5.3.3, 5.3.5 and 9.1; evaluate, which makes them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from .record import Disposition, Record
from .walk import Method


class Status(StrEnum):
    """Result word for Authentication-Results (RFC 9989 section 9.1)."""

    NONE = "none"  # no record applies
    PASS = "pass"  # noqa: S105  an aligned identifier was authenticated
    FAIL = "fail"  # a record applies, and no aligned identifier was authenticated
    TEMPERROR = "temperror"  # DNS did not answer; asking later may help
    PERMERROR = "permerror"  # no Author Domain, or a record that cannot be used


class Why(StrEnum):
    """Closed list: programs match on it (log, --json), people read detail."""

    ALIGNED = "aligned"
    NO_IDENTIFIER = "no-identifier"  # neither SPF nor DKIM passed
    NOT_ALIGNED = "not-aligned"  # something passed, for another domain
    NO_RECORD = "no-record"
    BAD_POLICY = "bad-policy"  # p, sp or np invalid, and no rua
    DNS_POLICY = "dns-policy"  # temporary fault while looking for the record
    DNS_ALIGNMENT = "dns-alignment"  # while comparing Organizational Domains
    DNS_EXISTENCE = "dns-existence"  # while asking whether np applies
    DNS_IDENTIFIER = "dns-identifier"  # in SPF or DKIM, of an identifier that is aligned
    NO_AUTHOR = "no-author"  # no From field, or none with a domain
    UNSURE_AUTHOR = "unsure-author"  # From is repeated, unreadable or holds a bad domain
    TOO_MANY_AUTHORS = "too-many-authors"


class Result(NamedTuple):
    """What DMARC found about one Author Domain, or about several together.

    policy_domain: where the record is.  published: the policy in that record for
    this Author Domain (p, sp or np).  applied: the same after t=y, when the
    message failed; `none` when it did not; None when no record applies.  With
    several Author Domains the fields are those of the one that decided, and each
    holds them all.  np is only looked into for mail that fails, so that
    published may be sp for a passing message whose domain does not exist.
    """

    status: Status
    why: Why
    author_domain: str = ""
    policy_domain: str = ""
    organizational_domain: str = ""  # of the Author Domain; "" when it was not needed
    published: Disposition | None = None
    applied: Disposition | None = None
    record: Record | None = None
    aligned_by: tuple[str, ...] = ()  # "spf example.com", "dkim example.com": one of each at most
    domains: tuple[str, ...] = ()  # Author Domains evaluated
    each: tuple[Result, ...] = ()
    method: Method = Method.TREEWALK
    difference: str = ""  # what the other method would have said, when both were asked
    notes: tuple[str, ...] = ()  # remarks about DNS and the record, for people
    detail: str = ""

    @property
    def testing(self) -> bool:
        """Whether the record says t=y."""
        return self.record is not None and self.record.t
