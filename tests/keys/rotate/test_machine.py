"""machine: every transition, and two promises held over random histories."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from postseal_keys.rotate import machine
from postseal_keys.rotate.machine import Look, Make, Plan, Publish, Remove, Revoke, Switch, Wait
from postseal_keys.rotate.model import Key, Line, Policy, Stage

DAY = 86_400
NOW = 1_800_000_000
POLICY = Policy(every=100 * DAY, seen_for=3600, retire_for=14 * DAY, revoked_for=30 * DAY)


def key(stage: Stage, selector: str = "s", since: int = NOW, **more: object) -> Key:
    return Key(selector=selector, file=f"/k/{selector}", stage=stage, since=since, **more)  # type: ignore[arg-type]


def line(*keys: Key) -> Line:
    return Line(domain="d.example", kind="rsa", keys=keys)


OLD = key(Stage.SIGNING, "old", NOW - DAY, looked_at=NOW, looked_ok=True)


@pytest.mark.parametrize(
    ("keys", "step", "until"),
    [
        pytest.param((), Plan, None, id="no-key-yet"),
        pytest.param((key(Stage.PLANNED),), Make, None, id="planned"),
        pytest.param((key(Stage.MADE),), Publish, None, id="made"),
        pytest.param((key(Stage.PUBLISHED),), Look, None, id="published-not-looked"),
        pytest.param(
            (key(Stage.PUBLISHED, looked_at=NOW),), Wait, NOW, id="published-looked-in-vain"
        ),
        pytest.param(
            (key(Stage.SEEN, looked_at=NOW - 1, seen_since=NOW - 9999),),
            Look,
            None,
            id="look-again",
        ),
        pytest.param(
            (key(Stage.SEEN, looked_at=NOW, seen_since=NOW - 3599),), Wait, NOW + 1, id="seen-short"
        ),
        pytest.param(
            (key(Stage.SEEN, looked_at=NOW, seen_since=NOW - 3600),), Switch, None, id="seen-enough"
        ),
        pytest.param((OLD,), Wait, NOW + 99 * DAY, id="signing-young"),
        pytest.param((key(Stage.SIGNING, since=NOW - 100 * DAY),), Plan, None, id="signing-old"),
        pytest.param(
            (key(Stage.RETIRING, "r", NOW - 14 * DAY + 1), OLD), Wait, NOW + 1, id="retiring-young"
        ),
        pytest.param(
            (key(Stage.RETIRING, "r", NOW - 14 * DAY), OLD), Revoke, None, id="retiring-old"
        ),
        pytest.param(
            (key(Stage.RETIRING, "r", NOW - 14 * DAY), key(Stage.SIGNING)),
            Look,
            None,
            id="look-for-the-successor-first",
        ),
        pytest.param(
            (key(Stage.RETIRING, "r", NOW - 99 * DAY), replace(OLD, looked_ok=False)),
            Wait,
            NOW,
            id="successor-not-seen",
        ),
        pytest.param((key(Stage.RETIRING, "r", 0),), Wait, None, id="no-successor"),
        pytest.param(
            (key(Stage.REVOKED, "r", NOW - 30 * DAY), OLD), Remove, None, id="revoked-old"
        ),
        pytest.param(
            (key(Stage.REVOKED, "r", NOW - 29 * DAY), OLD), Wait, NOW + DAY, id="revoked-young"
        ),
        pytest.param(
            (key(Stage.REMOVED, "r", 0), OLD), Wait, NOW + 99 * DAY, id="removed-is-history"
        ),
        pytest.param(
            (key(Stage.REVOKED, "r", 0), OLD, key(Stage.PUBLISHED, looked_at=NOW)),
            Remove,
            None,
            id="an-old-key-goes-on-while-a-new-one-waits",
        ),
    ],
)
def test_due(keys: tuple[Key, ...], step: type, until: int | None) -> None:
    found = machine.due(line(*keys), POLICY, NOW)
    assert type(found) is step
    if isinstance(found, Wait):
        assert found.until == until
    assert machine.due(line(*keys), POLICY, NOW) == found


def test_without_revoking_a_key_is_removed_at_once() -> None:
    policy = replace(POLICY, revoke=False)
    assert machine.due(line(key(Stage.RETIRING, "r", 0), OLD), policy, NOW) == Remove(
        key(Stage.RETIRING, "r", 0)
    )


def test_a_miss_starts_the_time_again() -> None:
    seen = line(key(Stage.SEEN, seen_since=NOW - 3500))
    missed = machine.looked(seen, seen.keys[0], False, NOW)
    assert missed.keys[0].stage is Stage.PUBLISHED
    assert missed.keys[0].seen_since is None
    again = machine.looked(missed, missed.keys[0], True, NOW + 60)
    assert again.keys[0].seen_since == NOW + 60


def test_a_clock_that_went_back_does_not_make_a_key_ripe() -> None:
    future = line(key(Stage.SEEN, seen_since=NOW + 9999))
    assert machine.looked(future, future.keys[0], True, NOW).keys[0].seen_since == NOW


def test_steps_asked_for_twice() -> None:
    one = machine.planned(line(OLD), "new", "/k/new", NOW)
    assert machine.planned(one, "other", "/k/other", NOW) == one
    assert machine.adopted(one, "old", "/k/old", 0) == one


def test_a_switch_retires_what_signed() -> None:
    new = key(Stage.SEEN, "new")
    after = machine.done(line(OLD, new), Switch(new, OLD), NOW)
    assert [(k.selector, k.stage) for k in after.keys] == [
        ("old", Stage.RETIRING),
        ("new", Stage.SIGNING),
    ]


@pytest.mark.parametrize("seed", range(30))
def test_promises_over_a_random_history(seed: int) -> None:
    """DNS comes and goes, the clock leaps, steps fail: a key signs only after an unbroken
    seen_for, and there is never a time without a signing key once there was one."""
    rng = random.Random(seed)
    now, current, visible = NOW, line(), True
    unbroken: dict[str, int] = {}
    switches = 0
    for _ in range(400):
        now += rng.choice([0, 60, 600, 3600, DAY, 9 * DAY])
        visible = rng.random() < 0.8
        for _ in range(20):
            step = machine.due(current, POLICY, now)
            if isinstance(step, Wait):
                break
            if isinstance(step, Plan):
                current = machine.planned(current, f"k{len(current.keys)}", "/k", now)
                continue
            if isinstance(step, Look):
                if visible:
                    unbroken.setdefault(step.key.selector, now)
                else:
                    unbroken.pop(step.key.selector, None)
                current = machine.looked(current, step.key, visible, now)
                continue
            if rng.random() < 0.2:
                break  # the step failed, or the machine crashed: tried again later
            if isinstance(step, Switch):
                switches += 1
                assert now - unbroken[step.new.selector] >= POLICY.seen_for
            if isinstance(step, Revoke):
                assert current.signing is not None and visible
                assert now - step.key.since >= POLICY.retire_for
            had = current.signing is not None
            current = machine.done(current, step, now)
            assert not had or current.signing is not None
            assert len(current.at(Stage.SIGNING)) <= 1
    assert switches > 3
