"""postseal-rotate: the command.

NAME
    main - run, status, start

GIVEN
    the command line and rotate.toml.

GIVES
    what was done, or the state, on standard output; problems on standard error.  Exit status
    0 when all that was due is done, 75 when something is to be tried again.

SEE ALSO
    postseal-rotate(1), machine, runner
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from postseal_keys import __version__, durations, keypair, names
from postseal_keys.console import CONFIG, OK, TEMPFAIL, Problem, complain, os_problem, run
from postseal_keys.dnsask import Address, address, configured
from postseal_keys.keycheck import Wanted, wanted
from postseal_keys.keyreport import Job, World, network, report
from postseal_keys.options import Values, help_text, parse
from postseal_keys.rotate import machine, runner
from postseal_keys.rotate.adopt import Trouble, lines_of, stray
from postseal_keys.rotate.effects import Effects, Seen
from postseal_keys.rotate.model import Key, Line, Stage
from postseal_keys.rotate.options import ABOUT, EXAMPLES, MANUAL, OPTIONS
from postseal_keys.rotate.publish import Hook, NsUpdate, Print, Publisher, by_hand, tsig
from postseal_keys.rotate.settings import Settings, read
from postseal_keys.rotate.statefile import Store

PROG = "postseal-rotate"
COMMANDS = ("run", "status", "start")
__all__ = ["MANUAL", "PROG", "main"]

Clock = Callable[[], float]


def main(argv: Sequence[str] | None = None, *, clock: Clock = time.time) -> int:
    """Run the command; argv is without the program's name."""
    return run(PROG, lambda: _run(sys.argv[1:] if argv is None else argv, clock))


def _run(argv: Sequence[str], clock: Clock) -> int:
    values = parse(argv, OPTIONS)
    if values.flag("help"):
        print(help_text(f"{PROG} [options] COMMAND", ABOUT, OPTIONS, EXAMPLES), end="")
        return OK
    if values.flag("version"):
        print(f"{PROG} v{__version__}")
        return OK
    command = values.arguments[0] if values.arguments else ""
    wanted = 1 if command == "start" else 0
    if command not in COMMANDS or len(values.arguments) != 1 + wanted:
        raise Problem("expected run, status, or start DOMAIN", hint="--help explains them")
    settings = read(values.text("config"))
    store = Store(settings.state)
    now = int(clock())
    if command == "status":
        lines, troubles = _lines(settings, store.load(), now)
        troubles += _strays(settings, lines)
        return _status(values, settings, lines, now) or _complain(troubles)
    with store.locked():
        lines, troubles = _lines(settings, store.load(), now)
        if command == "start":
            return _start(values, settings, store, lines, troubles, now)
        return _do(values, settings, store, lines, troubles, now)


def _do(
    values: Values,
    settings: Settings,
    store: Store,
    lines: list[Line],
    troubles: Sequence[Trouble],
    now: int,
) -> int:
    effects = _effects(values, settings)
    if values.flag("dry-run"):
        for text in runner.rehearse(lines, effects, now):
            print(text)
        return _complain([*troubles, *_strays(settings, lines)])
    table = _text(settings.key_table)
    lines, more = runner.run(lines, effects, store.save, now, key_table=table)
    return _complain([*troubles, *more])


def _complain(troubles: Sequence[Trouble]) -> int:
    """Say what kept lines from going on; the exit status."""
    for trouble in troubles:
        complain(f"{PROG}: {trouble.line.domain}", trouble.problem)
    if any(trouble.problem.code == CONFIG for trouble in troubles):
        return CONFIG
    return TEMPFAIL if troubles else OK


def _start(
    values: Values,
    settings: Settings,
    store: Store,
    lines: list[Line],
    troubles: Sequence[Trouble],
    now: int,
) -> int:
    domain = names.domain(values.arguments[1])
    own = [trouble for trouble in troubles if trouble.line.domain == domain]
    chosen = [
        index
        for index, line in enumerate(lines)
        if line.domain == domain and settings.entry(line) is not None
    ]
    if not chosen and not own:
        raise Problem(f"{domain} is not in the configuration", hint="add a [[domain]]", code=CONFIG)
    for index in chosen:
        if lines[index].coming is not None:
            selector = lines[index].coming.selector  # type: ignore[union-attr]
            print(f"{lines[index].label}: {selector} is on its way already")
            continue
        lines[index] = runner.plan(lines, index, settings, now, _text(settings.key_table))
        coming = lines[index].coming
        print(f"{lines[index].label}: {coming.selector if coming else ''} is planned")
    if not values.flag("dry-run"):
        store.save(lines)
    return _complain(own)


def _lines(settings: Settings, known: list[Line], now: int) -> tuple[list[Line], list[Trouble]]:
    """Every domain of the configuration has a line; a key that signs already is taken over."""
    signing = _text(settings.signing_table) if settings.signing_table else ""
    return lines_of(settings, known, _text(settings.key_table), signing, now)


def _strays(settings: Settings, lines: Sequence[Line]) -> list[Trouble]:
    """The lines of the configuration whose key is no longer in the KeyTable."""
    table = _text(settings.key_table)
    found = [(line, stray(line, table, settings.state)) for line in lines if settings.entry(line)]
    return [Trouble(line, problem) for line, problem in found if problem is not None]


def _text(path: str) -> str:
    """A table.  One that is not there is an error: a slip in its path would else begin anew."""
    try:
        return Path(path).read_text("utf-8", "surrogateescape")
    except FileNotFoundError as error:
        hint = f"correct the path in the configuration, or begin with an empty file: touch {path}"
        raise os_problem(error, hint=hint, code=CONFIG) from None
    except OSError as error:
        hint = "it must be readable and writable for the user who runs this"
        raise os_problem(error, hint=hint, code=CONFIG) from None


def _effects(values: Values, settings: Settings) -> Effects:
    world = network(_resolvers(settings), port=settings.authoritative_port, use_resolver=False)
    say = (lambda _: None) if values.flag("quiet") else print
    return Effects(
        settings=settings,
        publisher=_publisher(settings, world),
        looker=partial(look, world),
        say=say,
    )


def look(world: World, selector: str, domain: str, want: Wanted) -> Seen:
    """Ask every authoritative server of the zone."""
    found = report(Job(label="", selector=selector, domain=domain, want=want), world)
    texts = tuple(text for _, one in found.looks for text in one.reply.texts)
    why = found.findings[0].what if found.findings and not found.ok else ""
    known = [one.ok for _, one in found.looks]
    summary = f"seen on {sum(known)} of {len(known)} name servers: {why}"
    answered = any(one.reply.known for _, one in found.looks)
    return Seen(ok=found.ok, why="" if found.ok else summary, texts=texts, answered=answered)


def _publisher(settings: Settings, world: World) -> Publisher:
    match settings.publish:
        case "nsupdate":
            key = tsig(settings.tsig, PROG) if settings.tsig else None
            return NsUpdate(_address(settings.server), key, settings.ttl, partial(zone_of, world))
        case "hook":
            return Hook(settings.hook, settings.ttl)
    return Print(print, settings.ttl)


def zone_of(world: World, name: str) -> str:
    """The zone that holds a key's name: the domain's own, or one cut off below it."""
    selector, _, domain = name.partition("._domainkey.")
    return world.zone(Job(label="", selector=selector, domain=domain)).apex


def _resolvers(settings: Settings) -> tuple[Address, ...]:
    found = tuple(_address(text) for text in settings.nameservers) or configured()
    if not found:
        raise Problem("no resolver is known", hint="set nameservers", code=CONFIG)
    return found


def _address(text: str) -> Address:
    try:
        return address(text)
    except ValueError as error:
        raise Problem(
            str(error), hint="an IP address, with :PORT if need be", code=CONFIG
        ) from None


def _status(values: Values, settings: Settings, lines: Sequence[Line], now: int) -> int:
    if values.flag("json"):
        print(json.dumps([_plain(line, settings, now) for line in lines], indent=2))
        return OK
    for line in lines:
        for text in _shown(line, settings, now):
            print(text)
    return OK


def _shown(line: Line, settings: Settings, now: int) -> Iterator[str]:
    step = machine.due(line, settings.policy, now)
    if settings.entry(line) is None:
        yield f"{line.label}: {runner.LEFT_ALONE}"
    else:
        yield f"{line.label}: {runner.told(step)}; {_when(step, now)}"
    for key in line.keys:
        age = f"for {durations.shown(now - key.since)}"
        if key.since > now:
            age = f"in {durations.shown(key.since - now)}: was the clock changed?"
        yield f"  {key.selector:<20} {key.stage:<10} {age}"
        if todo := _by_hand(line, key, settings):
            yield f"    {todo}"


def _by_hand(line: Line, key: Key, settings: Settings) -> str:
    """What somebody is to publish, as long as it is not seen; "" when nobody has to."""
    if settings.publish != "print" or key.stage not in (Stage.PUBLISHED, Stage.REVOKED):
        return ""
    text = f"v=DKIM1; k={line.kind}; p="
    if key.stage is Stage.PUBLISHED:
        try:
            text = wanted(keypair.load_file(key.file, trial=True)).record
        except Problem:
            return ""  # not for this user to read
    return by_hand(names.key_name(key.selector, line.domain), settings.ttl, text)


def _when(step: machine.Step, now: int) -> str:
    if not isinstance(step, machine.Wait):
        return "due now"
    if step.until is None:
        return "nothing is due"
    return "at every run" if step.until <= now else f"next in {durations.shown(step.until - now)}"


def _plain(line: Line, settings: Settings, now: int) -> dict[str, object]:
    step: machine.Step = machine.Wait(None, runner.LEFT_ALONE)
    if settings.entry(line) is not None:
        step = machine.due(line, settings.policy, now)
    waits = isinstance(step, machine.Wait)
    return {
        "domain": line.domain,
        "kind": line.kind,
        "stream": line.stream,
        "next": runner.told(step),
        "due": step.until if isinstance(step, machine.Wait) else now,
        "waiting": waits,
        "keys": [
            {
                "selector": key.selector,
                "stage": str(key.stage),
                "since": key.since,
                "seen_since": key.seen_since,
                "file": key.file,
                "by_hand": _by_hand(line, key, settings),
            }
            for key in line.keys
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
