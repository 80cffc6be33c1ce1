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
from postseal_keys.console import CONFIG, OK, TEMPFAIL, Problem, complain, run
from postseal_keys.dnsask import Address, address, configured
from postseal_keys.keycheck import Wanted
from postseal_keys.keyreport import Job, World, network, report
from postseal_keys.options import Values, help_text, parse
from postseal_keys.rotate import machine, runner, tables
from postseal_keys.rotate.effects import Effects, Seen
from postseal_keys.rotate.model import Line
from postseal_keys.rotate.options import ABOUT, EXAMPLES, MANUAL, OPTIONS
from postseal_keys.rotate.publish import Hook, NsUpdate, Print, Publisher, tsig
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
        return _status(values, settings, _lines(settings, store.load(), now), now)
    with store.locked():
        lines = _lines(settings, store.load(), now)
        if command == "start":
            return _start(values, settings, store, lines, now)
        return _do(values, settings, store, lines, now)


def _do(values: Values, settings: Settings, store: Store, lines: list[Line], now: int) -> int:
    effects = _effects(values, settings)
    if values.flag("dry-run"):
        for text in runner.rehearse(lines, effects, now):
            print(text)
        return OK
    table = _table(settings)
    lines, troubles = runner.run(lines, effects, store.save, now, key_table=table)
    for trouble in troubles:
        complain(f"{PROG}: {trouble.line.domain}", trouble.problem)
    return TEMPFAIL if troubles else OK


def _start(values: Values, settings: Settings, store: Store, lines: list[Line], now: int) -> int:
    domain = names.domain(values.arguments[1])
    chosen = [index for index, line in enumerate(lines) if line.domain == domain]
    if not chosen:
        raise Problem(f"{domain} is not in the configuration", hint="add a [[domain]]", code=CONFIG)
    for index in chosen:
        if lines[index].coming is not None:
            selector = lines[index].coming.selector  # type: ignore[union-attr]
            print(f"{domain} ({lines[index].kind}): {selector} is on its way already")
            continue
        lines[index] = runner.plan(lines, index, settings, now, _table(settings))
        coming = lines[index].coming
        print(f"{domain} ({lines[index].kind}): {coming.selector if coming else ''} is planned")
    if not values.flag("dry-run"):
        store.save(lines)
    return OK


def _lines(settings: Settings, known: list[Line], now: int) -> list[Line]:
    """Every domain of the configuration has a line; a key that signs already is taken over."""
    found = {(line.domain, line.kind): line for line in known}
    table = _table(settings)
    for domain, kind in settings.domains:
        line = found.setdefault((domain, kind), Line(domain=domain, kind=kind))
        if not line.keys:
            line = _adopt(line, table, now)
        found[domain, kind] = line
    return list(found.values())


def _adopt(line: Line, table: str, now: int) -> Line:
    """The key that the KeyTable has for the line, if there is one, signs."""
    rows = [
        (selector, path)
        for selector, path in tables.selectors(table, line.domain)
        if path.startswith(("/", "./", "../")) and _kind(path) == line.kind
    ]
    if len(rows) > 1:
        raise Problem(
            f"the KeyTable has {len(rows)} {line.kind} keys for {line.domain}",
            hint="one can be turned over: leave one row, or the domain out of the configuration",
            code=CONFIG,
        )
    for selector, path in rows:
        since = min(now, int(Path(path).stat().st_mtime))
        line = machine.adopted(line, selector, path, since)
    return line


def _kind(path: str) -> str:
    """The kind of key in a file; "" when it cannot be read as one."""
    try:
        return str(keypair.kind(keypair.load_file(path, trial=True)))
    except Problem:
        return ""


def _table(settings: Settings) -> str:
    try:
        return Path(settings.key_table).read_text("utf-8", "surrogateescape")
    except OSError:
        return ""


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
    return Seen(ok=found.ok, why="" if found.ok else summary, texts=texts)


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
    yield f"{line.domain} ({line.kind}): {runner.told(step)}; {_when(step, now)}"
    for key in line.keys:
        yield f"  {key.selector:<20} {key.stage:<10} for {durations.shown(now - key.since)}"


def _when(step: machine.Step, now: int) -> str:
    if not isinstance(step, machine.Wait):
        return "due now"
    if step.until is None:
        return "nothing is due"
    return "at every run" if step.until <= now else f"next in {durations.shown(step.until - now)}"


def _plain(line: Line, settings: Settings, now: int) -> dict[str, object]:
    step = machine.due(line, settings.policy, now)
    waits = isinstance(step, machine.Wait)
    return {
        "domain": line.domain,
        "kind": line.kind,
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
            }
            for key in line.keys
        ],
    }


if __name__ == "__main__":
    sys.exit(main())
