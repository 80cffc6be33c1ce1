"""What an SPF record costs those who evaluate it: a real walk through its includes.

NAME
    spfwalk - follow include and redirect; count lookups and void lookups

GIVEN
    a domain, an Asker, and the record's text when it is not published yet.

GIVES
    a Walk: every step with its cost, the totals, and findings.  Counted is the worst case,
    a client that nothing matches, for IPv4 and for IPv6.

DOES NOT
    loop or wait for ever: a chain of includes is cut where it comes back to itself, and
    after TERMS terms or QUESTIONS questions.

SEE ALSO
    RFC 7208 sections 4.6.4 (limits), 5.2 (include), 6.1 (redirect), 7 (macros).
"""

from __future__ import annotations

import re
from collections import deque
from dataclasses import dataclass, field, replace

from postseal_keys.dnsask import Asker, Outcome, Reply, text_of
from postseal_keys.findings import Finding, Harm
from postseal_keys.spfcost import Step, Walk, verdicts
from postseal_keys.spfmacro import expand
from postseal_keys.spfrecord import examine, is_spf
from postseal_keys.spfterms import LOOKUPS, Kind, Record, Term

MX_MAX = 10  # address records for one mx term, RFC 7208 section 4.6.4
TERMS = 60  # terms walked: enough to show how far over the limit a record is
QUESTIONS = 250  # DNS questions asked for one walk


@dataclass(slots=True)
class _Frame:
    domain: str
    todo: deque[Term]
    path: tuple[str, ...]
    step: int  # the step that led here; -1 for the first record


@dataclass(slots=True)
class _State:
    domain: str
    asker: Asker
    frames: list[_Frame] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    void4: list[str] = field(default_factory=list)
    void6: list[str] = field(default_factory=list)
    asked: dict[tuple[str, str], Reply] = field(default_factory=dict)
    dead: list[str] = field(default_factory=list)
    terms: int = 0
    complete: bool = True

    def ask(self, name: str, kind: str) -> Reply:
        """Each question once; none after QUESTIONS."""
        key = (name.lower(), kind)
        if key not in self.asked:
            if len(self.asked) >= QUESTIONS:
                self.complete = False
                return Reply(name=name, kind=kind, outcome=Outcome.TIMEOUT)
            self.asked[key] = self.asker.ask(name, kind)
        return self.asked[key]

    def find(self, harm: Harm, code: str, where: str, what: str, hint: str) -> None:
        self.findings.append(Finding(harm=harm, code=code, where=where, what=what, hint=hint))

    def take_out(
        self, harm: Harm, code: str, frame: _Frame, term: Term, what: str, first: str = ""
    ) -> None:
        """A finding on a term that lets nobody send, in whoever's record it stands."""
        self.find(harm, code, frame.domain, what, f"{first}take {term} out")
        if len(frame.path) == 1:
            self.dead.append(str(term))


def walk(domain: str, asker: Asker, text: str) -> Walk:
    """Walk the record text of domain.  Never raises."""
    state = _State(domain=domain, asker=asker)
    record, _ = examine(text)
    state.frames.append(_Frame(domain, _in_order(record), (domain,), -1))
    while state.frames:
        frame = state.frames[-1]
        if not frame.todo:
            state.frames.pop()
            continue
        if state.terms >= TERMS:
            state.complete = False
            break
        term = frame.todo.popleft()
        if term.kind in LOOKUPS:
            state.terms += 1
            _step(state, frame, term)
    result = Walk(
        domain=domain,
        record=text,
        steps=_totals(state),
        void4=tuple(state.void4),
        void6=tuple(state.void6),
        dead=tuple(dict.fromkeys(state.dead)),
        complete=state.complete,
    )
    return replace(result, findings=(*verdicts(result), *state.findings))


def _in_order(record: Record) -> deque[Term]:
    """Terms in the order a receiver meets them: mechanisms to the "all", then redirect."""
    return deque([*record.live, *([record.redirect] if record.redirect else [])])


def _totals(state: _State) -> tuple[Step, ...]:
    """Each step with the cost of what hangs below it."""
    costs = [step.lookups for step in state.steps]
    for index in range(len(state.steps) - 1, -1, -1):
        depth = state.steps[index].depth
        below = index + 1
        while below < len(state.steps) and state.steps[below].depth > depth:
            if state.steps[below].depth == depth + 1:
                costs[index] += costs[below]
            below += 1
    return tuple(replace(step, lookups=cost) for step, cost in zip(state.steps, costs, strict=True))


def _step(state: _State, frame: _Frame, term: Term) -> None:
    """Account for one term; for include and redirect also open the record it names."""
    note = ""
    addresses: tuple[str, ...] = ()
    name = expand(term.domain, frame.domain, state.domain) if term.domain else frame.domain
    own = 1 + ("%{p" in term.domain.lower() and term.kind is not Kind.PTR)
    place = len(state.steps)
    state.steps.append(Step(depth=len(frame.path) - 1, where=frame.domain, term=str(term)))
    if name is None:
        note = "depends on the message: not looked up"
    elif term.kind in (Kind.INCLUDE, Kind.REDIRECT):
        note = _open(state, frame, term, name, place)
    elif term.kind is Kind.A:
        note, addresses = _hosts(state, frame, term, (name,))
    elif term.kind is Kind.MX:
        note, addresses = _mx(state, frame, term, name)
    elif term.kind is Kind.EXISTS:
        note = _exists(state, frame, term, name)
    state.steps[place] = replace(state.steps[place], lookups=own, note=note, addresses=addresses)


def _open(state: _State, frame: _Frame, term: Term, name: str, place: int) -> str:
    """Enter the record that include or redirect names; what to say about it."""
    path = [*frame.path, name]
    if name.lower() in (one.lower() for one in frame.path):
        chain = " -> ".join(path)
        what = f"SPF goes round in a circle: {chain}"
        state.take_out(Harm.ERROR, "spf-loop", frame, term, what)
        return "a circle: not followed"
    reply = state.ask(name, "TXT")
    if not reply.known:
        if reply.outcome is Outcome.BAD_NAME:
            what = f"{term} names something DNS cannot hold"
            state.take_out(Harm.ERROR, "spf-target-name", frame, term, what)
            return "not a name"
        state.find(
            Harm.UNKNOWN,
            "dns",
            name,
            f"no answer for TXT ({reply.outcome}); receivers that see the same answer temperror",
            "try again, or ask the operators of that name server",
        )
        return f"no answer ({reply.outcome})"
    texts = [text_of(text) for text in reply.texts]
    found = [text for text in texts if is_spf(text)]
    if len(found) != 1:
        return _not_one(state, frame, term, name, reply, len(found))
    record, mistakes = examine(found[0])
    for mistake in mistakes:
        state.findings.append(
            Finding(
                harm=Harm.ERROR,
                code="spf-target-syntax",
                where=name,
                what=f"the record that {frame.domain} uses with {term} is broken: {mistake.what}",
                hint=f"tell its operator, or take {term} out",
                record=found[0],
                column=mistake.column,
                length=mistake.length,
            )
        )
    end = record.ends
    if end is not None and end.qualifier in ("", "+") and term.kind is Kind.INCLUDE:
        what = f"{term} lets the whole internet send: the record there ends in {end}"
        state.find(Harm.ERROR, "spf-pass-all", frame.domain, what, f"take {term} out")
    state.frames.append(_Frame(name, _in_order(record), tuple(path), place))
    return ""


def _not_one(state: _State, frame: _Frame, term: Term, name: str, reply: Reply, number: int) -> str:
    """No record, or several, where include or redirect wants exactly one."""
    if reply.outcome is not Outcome.ANSWER:
        _void(state, frame, term, both=True)
    why = "no SPF record" if number == 0 else f"{number} SPF records"
    if reply.outcome is Outcome.NXDOMAIN:
        why = "no such domain"
    what = f"{term}: {why} at {name}; receivers answer permerror"
    if number == 0:
        if odd := re.search("[,;:/@]", name):  # somebody was to send: not to be left out
            hint = f"correct it: a term holds one domain name, and that has no {odd[0]!r}"
            state.find(Harm.ERROR, "spf-target-none", frame.domain, what, hint)
        else:
            hint = "correct the name, or "
            state.take_out(Harm.ERROR, "spf-target-none", frame, term, what, hint)
    else:
        hint = f"tell the operator of {name}"
        state.find(Harm.ERROR, "spf-target-many", frame.domain, what, hint)
    return why


def _void(
    state: _State, frame: _Frame, term: Term, *, both: bool = False, four: bool = False
) -> None:
    """Note a term without an answer, for clients over IPv4 (four), IPv6, or both."""
    label = f"{term} in {frame.domain}"
    if both or four:
        state.void4.append(label)
    if both or not four:
        state.void6.append(label)


def _hosts(
    state: _State, frame: _Frame, term: Term, names: tuple[str, ...]
) -> tuple[str, tuple[str, ...]]:
    """The addresses of an "a" term."""
    found: list[str] = []
    notes: list[str] = []
    for kind in ("A", "AAAA"):
        for name in names:
            reply = state.ask(name, kind)
            found.extend(reply.hosts)
            if not reply.known:
                what = f"no answer for {kind} ({reply.outcome})"
                state.find(Harm.UNKNOWN, "dns", name, what, "try again later")
                notes.append(what)
            elif not reply.hosts:
                _void(state, frame, term, four=kind == "A")
                notes.append(f"no {kind}")
    if not found and not any("no answer" in note for note in notes):
        what = f"SPF: {term} finds no address"
        state.take_out(Harm.WARNING, "spf-void", frame, term, what)
    return ", ".join(notes), tuple(found)


def _mx(state: _State, frame: _Frame, term: Term, name: str) -> tuple[str, tuple[str, ...]]:
    """The hosts of an "mx" term, at most MX_MAX of them, and their addresses."""
    reply = state.ask(name, "MX")
    if not reply.known:
        what = f"no answer for MX ({reply.outcome})"
        state.find(Harm.UNKNOWN, "dns", name, what, "try again later")
        return f"no answer ({reply.outcome})", ()
    hosts = [record.split(" ", 1)[-1] for record in reply.hosts]
    hosts = [host for host in hosts if host]  # RFC 7505: "0 ." says that there is none
    if not hosts:
        _void(state, frame, term, both=True)
        what = f"SPF: {term} finds no MX at {name}"
        state.take_out(Harm.WARNING, "spf-void", frame, term, what)
        return "no MX", ()
    if len(hosts) > MX_MAX:
        what = f"SPF: {term} finds {len(hosts)} hosts; more than {MX_MAX} give permerror"
        hint = "list the addresses that send with ip4: and ip6:"
        state.find(Harm.ERROR, "spf-mx-many", frame.domain, what, hint)
    found: list[str] = []
    for host in hosts[:MX_MAX]:
        addresses = [*state.ask(host, "A").hosts, *state.ask(host, "AAAA").hosts]
        found.extend(addresses)
        if not addresses:
            what = f"SPF: {term}: the MX host {host} has no address"
            hint = "give it one, or take it out of the MX records"
            state.find(Harm.WARNING, "spf-void", frame.domain, what, hint)
    return f"{len(hosts)} hosts", tuple(found)


def _exists(state: _State, frame: _Frame, term: Term, name: str) -> str:
    reply = state.ask(name, "A")
    if reply.known and not reply.hosts:
        _void(state, frame, term, both=True)
        return "no A"
    if reply.hosts and term.qualifier in ("", "+"):
        what = f"{term} lets the whole internet send: the name exists for everybody"
        state.find(Harm.ERROR, "spf-pass-all", frame.domain, what, f"take {term} out")
    return ""
