"""What is known about the keys of one domain.

NAME
    model - Stage, Key, Line and Policy

DOES NOT
    decide (machine does) or touch files (statefile does).

SEE ALSO
    M3AAWG DKIM Key Rotation Best Common Practices (2019).
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Stage(StrEnum):
    """Where a key stands, in the order of its life."""

    PLANNED = "planned"  # the selector is chosen; there may or may not be a key file yet
    MADE = "made"  # the key file is there; DNS does not know of it
    PUBLISHED = "published"  # the record was handed to the publisher; not seen everywhere yet
    SEEN = "seen"  # every authoritative server has it, since Key.seen_since
    SIGNING = "signing"  # the tables name it and the daemon was told
    RETIRING = "retiring"  # no longer signing; the record stays for mail on its way
    REVOKED = "revoked"  # the record says p= (empty)
    REMOVED = "removed"  # no record, and the private key is dealt with; kept as history


COMING = (Stage.PLANNED, Stage.MADE, Stage.PUBLISHED, Stage.SEEN)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """One key.  Times are whole seconds since 1970, UTC.

    since: when it came to its stage.  seen_since: since when every look has found it on every
    server.  looked_at, looked_ok: the last look, and whether it did.
    """

    selector: str
    file: str
    stage: Stage
    since: int
    seen_since: int | None = None
    looked_at: int | None = None
    looked_ok: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """The succession of keys of one kind for one stream of a domain's mail, oldest first."""

    domain: str
    kind: str  # "rsa" or "ed25519"
    keys: tuple[Key, ...] = ()
    stream: str = ""  # tells several successions of one kind apart

    @property
    def label(self) -> str:
        """What people call it."""
        return f"{self.domain} ({', '.join(word for word in (self.kind, self.stream) if word)})"

    def at(self, *stages: Stage) -> tuple[Key, ...]:
        """The keys at one of these stages."""
        return tuple(key for key in self.keys if key.stage in stages)

    @property
    def signing(self) -> Key | None:
        """The key in use."""
        found = self.at(Stage.SIGNING)
        return found[-1] if found else None

    @property
    def coming(self) -> Key | None:
        """The key that is to follow it."""
        found = self.at(*COMING)
        return found[-1] if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How long things take; seconds."""

    every: int = 180 * 86_400  # a new key so long after the last; 0: only when told to
    seen_for: int = 3600  # seen on every server for so long before it signs
    retire_for: int = 14 * 86_400  # the record of an old key stays so long
    revoke: bool = True  # publish p= before the record goes
    revoked_for: int = 30 * 86_400
