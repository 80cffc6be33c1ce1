"""One TXT record to be published, and how its text is quoted.

NAME
    txt - TxtRecord, character-strings, RFC 1035 quoting

DOES NOT
    know any format but the master file's quoting, which several share.
"""

from __future__ import annotations

from dataclasses import dataclass

from postseal_keys.records import split

TTL = 3600  # seconds, where a format must name a time to live


@dataclass(frozen=True, slots=True, kw_only=True)
class TxtRecord:
    """host is relative to zone ("" is the zone itself); zone has no final dot."""

    host: str
    zone: str
    text: str
    ttl: int | None = None
    comment: str = ""  # one line
    absolute: bool = False  # full names where a format leaves the choice

    @property
    def name(self) -> str:
        """The full name, without final dot."""
        return ".".join(part for part in (self.host, self.zone) if part)

    @property
    def seconds(self) -> int:
        """The time to live, or the usual one."""
        return TTL if self.ttl is None else self.ttl


def quote(string: str) -> str:
    """One character-string in double quotes (RFC 1035 section 5.1)."""
    body = "".join(
        f"\\{c}" if c in '"\\' else c if " " <= c <= "~" else f"\\{ord(c):03d}" for c in string
    )
    return f'"{body}"'


def quoted(text: str) -> str:
    """The text as quoted character-strings of at most 255 octets, with blanks between."""
    return " ".join(quote(string) for string in split(text))


def key_strings(text: str) -> tuple[str, ...]:
    """The cut of opendkim-genkey: what is before p=, then 250 characters of key at a time."""
    at = text.find("; p=") + 2
    if at < 2 or not text.startswith("v=DKIM1"):
        return split(text, 250)
    head, tail = text[:at], text[at:]
    return (*split(head), tail[:252], *(tail[n : n + 250] for n in range(252, len(tail), 250)))
