"""Organizational Domains by a public suffix list, as before RFC 9989.

NAME
    suffix - discovery by list, alone or beside the tree walk

GIVEN
    Suffixes: whatever knows the public suffixes, as a value.

GIVES
    SuffixDiscovery, to be used in place of walk.Discovery; judge(), which evaluates
    by one method, or by both, where the tree walk decides and a different outcome
    of the other is told.

DOES NOT
    follow a standard any more: RFC 9989 replaced the list (appendix C.3).  It is a
    local policy for sites that compare the two, and reports must say `psl`.

SEE ALSO
    RFC 7489 section 3.2, RFC 9990 section 3.1.1.5; tables/suffixes.py reads a list.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import Protocol

from ..address import Authors
from ..resolver import Resolver
from .evaluate import evaluate
from .result import Result
from .walk import Discovery, Method, Walk


class Choice(StrEnum):
    """The operator's choice of discovery."""

    TREEWALK = "treewalk"
    PSL = "psl"
    BOTH = "both"  # the tree walk decides


class Suffixes(Protocol):
    """A public suffix list."""

    def organizational_domain(self, name: str, /) -> str:
        """One label below the longest public suffix of name; name itself if it is one.

        name and answer are in normal form (names.ascii_domain).  Never raises.
        """
        ...


class SuffixDiscovery(Discovery):
    """Asks for the record of the domain and of its Organizational Domain, no other."""

    __slots__ = ("_suffixes",)

    method = Method.PSL

    def __init__(
        self, resolver: Resolver, suffixes: Suffixes, share: Discovery | None = None
    ) -> None:
        super().__init__(resolver, share)
        self._suffixes = suffixes

    def organization(self, domain: str) -> str:
        return self._suffixes.organizational_domain(domain)

    def aligned(self, author: str, identifier: str) -> bool:
        """Relaxed alignment; no question is needed."""
        return self.organization(author) == self.organization(identifier)

    def _walk(self, domain: str) -> Walk:
        organizational = self.organization(domain)
        spots = [self.spot(name) for name in dict.fromkeys((domain, organizational))]
        return Walk(
            domain,
            tuple(spot for spot in spots if spot.record),
            organizational,
            tuple(spot.note for spot in spots if spot.note),
        )


def judge(
    authors: Authors,
    *,
    choice: Choice,
    suffixes: Suffixes | None,
    resolver: Resolver,
    spf_pass_domain: str | None = None,
    dkim_pass_domains: Iterable[str] = (),
    spf_temperror_domain: str | None = None,
    dkim_temperror_domains: Iterable[str] = (),
) -> Result:
    """evaluate() by the chosen method.  Without suffixes it is the tree walk.  Never raises."""
    dkim_pass_domains = tuple(dkim_pass_domains)
    dkim_temperror_domains = tuple(dkim_temperror_domains)

    def by(discovery: Discovery) -> Result:
        return evaluate(
            authors,
            resolver=resolver,
            spf_pass_domain=spf_pass_domain,
            dkim_pass_domains=dkim_pass_domains,
            spf_temperror_domain=spf_temperror_domain,
            dkim_temperror_domains=dkim_temperror_domains,
            discovery=discovery,
        )

    walked = Discovery(resolver)
    if suffixes is None or choice is Choice.TREEWALK:
        return by(walked)
    listed = SuffixDiscovery(resolver, suffixes, share=walked)
    if choice is Choice.PSL:
        return by(listed)
    first, second = by(walked), by(listed)
    return first._replace(difference=_difference(first, second))


def _difference(first: Result, second: Result) -> str:
    """What the second says, if that would change the outcome."""
    mine = (first.status, first.applied, first.policy_domain)
    if mine == (second.status, second.applied, second.policy_domain):
        return ""
    policy = f" (policy {second.applied})" if second.applied else ""
    where = f", record at {second.policy_domain}" if second.policy_domain else ""
    return f"{second.method}: {second.status}{policy}{where}"
