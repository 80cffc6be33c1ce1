"""pyspf as it is, but for where its answers come from."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

from postseal.core.resolver import BadName, Kind, Record
from support.fakedns import FakeDns
from support.spfworld import CLIENT

with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    import spf as pyspf

__all__ = ["Bare", "bare", "bare_query", "pyspf"]

_NOTHING: Mapping[tuple[str, str], Iterable[Record]] = MappingProxyType({})


class Bare(pyspf.query):
    """table: a resolver.  Void lookups are counted where the library's own would count them."""

    table: Any

    def dns(self, name: str, qtype: str, cnames: object = None, ignore_void: bool = False) -> Any:
        try:
            answer = self.table.ask(name, Kind(qtype))
        except BadName:
            return []
        if not answer.records and not ignore_void:
            self.void_lookups += 1
            if self.void_lookups > 2:
                raise pyspf.PermError("void")
        return [[record] if isinstance(record, bytes) else record for record in answer.records]


def bare_query(
    records: Mapping[tuple[str, str], Iterable[Record]] = _NOTHING,
    *,
    client: str = CLIENT,
    sender: str = "user@example.com",
    **dns: Any,
) -> Any:
    """A query that has not been asked yet."""
    query = Bare(i=client, s=sender, h="mail.example.com")
    query.table = FakeDns(records, **dns)
    return query


def bare(records: Mapping[tuple[str, str], Iterable[Record]], **more: Any) -> str:
    """What the library alone says."""
    word: str = bare_query(records, **more).check()[0]
    return word
