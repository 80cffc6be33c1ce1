"""Do what is due, one step after the other, and write the state down after each.

NAME
    runner - the loop around machine and effects

GIVEN
    the lines, Policy, Effects and a way to save.

GIVES
    run(): the lines as they are afterwards, and the problems met; a problem of one line does
    not keep the others from going on.

SEE ALSO
    machine (decides), effects (acts), statefile (remembers).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from postseal_keys.console import Problem
from postseal_keys.rotate import adopt, machine, selectors, tables
from postseal_keys.rotate.adopt import Trouble
from postseal_keys.rotate.effects import Effects, names_in
from postseal_keys.rotate.machine import Look, Plan, Step, Wait
from postseal_keys.rotate.model import Line
from postseal_keys.rotate.settings import Settings

STEPS = 40  # steps for one line in one run: more means that something goes round in a circle

LEFT_ALONE = "no longer in the configuration, and left alone"

Save = Callable[[Sequence[Line]], None]


def run(
    lines: Sequence[Line], effects: Effects, save: Save, now: int, *, key_table: str
) -> tuple[list[Line], list[Trouble]]:
    """Everything that is due now.  now stays the same for the whole run."""
    current = list(lines)
    troubles: list[Trouble] = []
    for index in range(len(current)):
        if effects.settings.entry(current[index]) is None:
            continue  # no longer in the configuration: remembered, and left alone
        gone = adopt.stray(current[index], key_table, effects.settings.state)
        if gone is not None:
            troubles.append(Trouble(current[index], gone))
            continue
        for _ in range(STEPS):
            line = current[index]
            step = machine.due(line, effects.settings.policy, now)
            if isinstance(step, Wait):
                break
            try:
                current[index] = advance(current, index, step, effects, now, key_table)
            except Problem as problem:
                troubles.append(Trouble(line, problem))
                break
            save(current)
    return current, troubles


def advance(
    lines: Sequence[Line], index: int, step: Step, effects: Effects, now: int, key_table: str
) -> Line:
    """Carry one step out; the line as it is then.  Raises Problem."""
    line = lines[index]
    match step:
        case Wait():
            return line
        case Plan():
            return plan(lines, index, effects.settings, now, key_table)
        case Look(key):
            seen = effects.look(line, key)
            if not seen.ok:
                effects.say(f"{key.selector}._domainkey.{line.domain}: {seen.why}")
            return machine.looked(line, key, seen.ok, now)
        case _:
            effects.say(f"{line.label}: {told(step)}")
            effects.do(line, step)
            return machine.done(line, step, now)


def plan(lines: Sequence[Line], index: int, settings: Settings, now: int, key_table: str) -> Line:
    """The line with a new key: its selector was never used for the domain."""
    line = lines[index]
    taken = {key.selector for one in lines if one.domain == line.domain for key in one.keys}
    taken |= {selector for selector, _ in tables.selectors(key_table, line.domain)}
    entry = settings.entry(line)
    pattern = entry.selector if entry else settings.selector
    selector = selectors.choose(pattern, line.kind, now, taken)
    name = names_in(settings.key_file, selector, line.domain)
    return machine.planned(line, selector, f"{settings.key_dir}/{name}", now)


def rehearse(lines: Sequence[Line], effects: Effects, now: int) -> Iterator[str]:
    """What run() would do first for each line; looks are really taken, nothing is written."""
    for line in lines:
        if effects.settings.entry(line) is None:
            yield f"{line.label}: {LEFT_ALONE}"
            continue
        ahead = line
        for _ in range(STEPS):
            step = machine.due(ahead, effects.settings.policy, now)
            if not isinstance(step, Look):
                break
            ahead = machine.looked(ahead, step.key, effects.look(ahead, step.key).ok, now)
        yield f"{line.label}: {told(step)}"


def told(step: Step) -> str:
    """The step in words."""
    match step:
        case machine.Plan():
            return "choose a selector for a new key"
        case machine.Make(key):
            return f"make the key {key.file}"
        case machine.Publish(key):
            return f"publish {key.selector}"
        case machine.Look(key):
            return f"look for {key.selector} on every name server"
        case machine.Switch(new, old):
            return f"sign with {new.selector}" + (f" instead of {old.selector}" if old else "")
        case machine.Revoke(key):
            return f"revoke {key.selector}"
        case machine.Remove(key):
            return f"remove {key.selector}"
        case machine.Wait(_, why):
            return why
