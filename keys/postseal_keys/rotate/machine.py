"""What is to be done next for one line of keys, and what is true once it is done.

NAME
    machine - due() and done(): the whole of key rotation, without I/O or clock

GIVEN
    a Line, the Policy, and the time.

GIVES
    due(): the next Step, or Wait with the time it is worth while to ask again.
    done(): the Line after a step was carried out.

DOES NOT
    let a key sign that a look in this very run has not found on every server, and all looks
    before it for Policy.seen_for; nor revoke a key while its successor is not to be seen.

SEE ALSO
    model, effects.  Every step may be carried out again after a crash: done() is written
    down only afterwards.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from postseal_keys.rotate.model import Key, Line, Policy, Stage


@dataclass(frozen=True, slots=True)
class Plan:
    """Choose a selector for a new key."""


@dataclass(frozen=True, slots=True)
class Make:
    """Make the key file, or take the one that is there."""

    key: Key


@dataclass(frozen=True, slots=True)
class Publish:
    """Publish the key's record."""

    key: Key


@dataclass(frozen=True, slots=True)
class Look:
    """See whether every authoritative server has the key."""

    key: Key


@dataclass(frozen=True, slots=True)
class Switch:
    """Let new sign instead of old, and tell the daemon."""

    new: Key
    old: Key | None


@dataclass(frozen=True, slots=True)
class Revoke:
    """Publish the key's record with p= empty."""

    key: Key


@dataclass(frozen=True, slots=True)
class Remove:
    """Delete the record and deal with the private key."""

    key: Key


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing to do until then (None: until somebody asks for a new key)."""

    until: int | None
    why: str


Step = Plan | Make | Publish | Look | Switch | Revoke | Remove | Wait


def due(line: Line, policy: Policy, now: int) -> Step:
    """The next step.  A pure function: asked twice, it answers the same."""
    waits: list[Wait] = []
    for step in _candidates(line, policy, now):
        if not isinstance(step, Wait):
            return step
        waits.append(step)
    timed = [wait for wait in waits if wait.until is not None]
    fallback = waits[0] if waits else Wait(None, "no key is asked for")
    return min(timed, key=lambda wait: wait.until or 0, default=fallback)


def _candidates(line: Line, policy: Policy, now: int) -> Iterator[Step]:
    if line.coming is not None:
        yield _forward(line.coming, line, policy, now)
    for key in line.at(Stage.RETIRING, Stage.REVOKED):
        yield _backward(key, line, policy, now)
    if line.coming is None:
        yield _renew(line, policy, now)


def _forward(key: Key, line: Line, policy: Policy, now: int) -> Step:
    """A key on its way to signing."""
    if key.stage is Stage.PLANNED:
        return Make(key)
    if key.stage is Stage.MADE:
        return Publish(key)
    if key.looked_at != now:
        return Look(key)
    if key.stage is Stage.PUBLISHED or key.seen_since is None:
        return Wait(now, "not seen on every name server yet")
    ripe = key.seen_since + policy.seen_for
    if now < ripe:
        return Wait(ripe, "seen everywhere; waiting until it has been for long enough")
    return Switch(key, line.signing)


def _backward(key: Key, line: Line, policy: Policy, now: int) -> Step:
    """A key on its way out."""
    if key.stage is Stage.REVOKED:
        end = key.since + policy.revoked_for
        return Remove(key) if now >= end else Wait(end, f"{key.selector} is revoked")
    end = key.since + policy.retire_for
    if now < end:
        return Wait(end, f"mail signed with {key.selector} may still be on its way")
    heir = line.signing
    if heir is None:
        return Wait(None, f"{key.selector} has no successor that signs")
    if heir.looked_at != now:
        return Look(heir)
    if not heir.looked_ok:
        return Wait(now, f"{heir.selector}, which signs, is not seen on every name server")
    return Revoke(key) if policy.revoke else Remove(key)


def _renew(line: Line, policy: Policy, now: int) -> Step:
    """Is it time for a new key?"""
    if line.signing is None:
        return Wait(None, "no key signs") if line.keys else Plan()
    if not policy.every:
        return Wait(None, "a new key only when one is asked for")
    end = line.signing.since + policy.every
    return Plan() if now >= end else Wait(end, f"{line.signing.selector} signs")


def planned(line: Line, selector: str, file: str, now: int) -> Line:
    """The line with a new key planned.  Asked for again, it changes nothing."""
    if line.coming is not None:
        return line
    key = Key(selector=selector, file=file, stage=Stage.PLANNED, since=now)
    return replace(line, keys=(*line.keys, key))


def adopted(line: Line, selector: str, file: str, since: int) -> Line:
    """The line with a key that signs already."""
    if any(key.selector == selector for key in line.keys):
        return line
    key = Key(selector=selector, file=file, stage=Stage.SIGNING, since=since)
    return replace(line, keys=(*line.keys, key))


def looked(line: Line, key: Key, ok: bool, now: int) -> Line:
    """The line after a look.  A miss starts the time again that a coming key must be seen."""
    seen_since = key.seen_since
    stage = key.stage
    if stage in (Stage.PUBLISHED, Stage.SEEN):
        stage = Stage.SEEN if ok else Stage.PUBLISHED
        clock_went_back = seen_since is not None and seen_since > now
        seen_since = (now if seen_since is None or clock_went_back else seen_since) if ok else None
    new = replace(
        key,
        stage=stage,
        since=key.since if stage is key.stage else now,
        seen_since=seen_since,
        looked_at=now,
        looked_ok=ok,
    )
    return _with(line, key, new)


def done(line: Line, step: Make | Publish | Switch | Revoke | Remove, now: int) -> Line:
    """The line after the step was carried out."""
    match step:
        case Make(key):
            return _moved(line, key, Stage.MADE, now)
        case Publish(key):
            return _moved(line, key, Stage.PUBLISHED, now)
        case Revoke(key):
            return _moved(line, key, Stage.REVOKED, now)
        case Remove(key):
            return _moved(line, key, Stage.REMOVED, now)
        case Switch(new, _):
            for key in line.at(Stage.SIGNING):
                line = _moved(line, key, Stage.RETIRING, now)
            return _moved(line, new, Stage.SIGNING, now)


def _moved(line: Line, key: Key, stage: Stage, now: int) -> Line:
    return _with(line, key, replace(key, stage=stage, since=now))


def _with(line: Line, old: Key, new: Key) -> Line:
    keys = tuple(new if key.selector == old.selector else key for key in line.keys)
    return replace(line, keys=keys)
