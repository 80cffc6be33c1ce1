"""DNS as a value for the key tools: an Asker over a table.

    DNS = FakeAsker(
        {
            ("example.com", "TXT"): ["v=spf1 mx -all"],
            ("mx.example.com", "A"): ["192.0.2.1"],
            ("www.example.com", "CNAME"): ["example.com"],
        },
        broken={"slow.example": Outcome.TIMEOUT},
    )

A name of which nothing is known, and below which nothing is, is NXDOMAIN.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from postseal_keys.dnsask import Outcome, Reply, absolute

_WORLD = Mapping[tuple[str, str], Sequence[str | tuple[bytes, ...]]]


class FakeAsker:
    """postseal_keys.dnsask.Asker over a table; asked: the questions, in order."""

    def __init__(
        self, records: _WORLD, *, broken: Mapping[str, Outcome] | None = None, ttl: int = 3600
    ) -> None:
        self.records = records
        self.broken = broken or {}
        self.ttl = ttl
        self.asked: list[tuple[str, str]] = []

    def ask(self, name: str, kind: str, /) -> Reply:
        """One answer from the table."""
        self.asked.append((name, kind))
        name = name.lower()
        if absolute(name) is None:
            return Reply(name=name, kind=kind, outcome=Outcome.BAD_NAME)
        chain: list[str] = []
        at = name
        while (at, "CNAME") in self.records and len(chain) < 12:
            at = str(self.records[at, "CNAME"][0])
            chain.append(at)
        if at in self.broken:
            return Reply(name=name, kind=kind, outcome=self.broken[at])
        found = self.records.get((at, kind))
        outcome = Outcome.ANSWER if found else Outcome.NXDOMAIN
        if not found and any(known == at or known.endswith("." + at) for known, _ in self.records):
            outcome = Outcome.NODATA
        return Reply(
            name=name,
            kind=kind,
            outcome=outcome,
            records=tuple(_record(kind, one) for one in found or ()),
            ttl=self.ttl if found else 0,
            chain=tuple(chain),
            authoritative=True,
        )


def _record(kind: str, value: str | tuple[bytes, ...]) -> str | tuple[bytes, ...]:
    if kind != "TXT" or not isinstance(value, str):
        return value
    data = value.encode("latin-1")
    return tuple(data[at : at + 255] for at in range(0, len(data), 255)) or (b"",)
