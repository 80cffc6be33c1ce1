"""postseal-record check: findings on domains, or on records not published yet.

NAME
    recordcheck - the command line around domaincheck and the linters

SEE ALSO
    domaincheck, recordsource, findings
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from postseal_keys import durations, keytable, names, recordtext
from postseal_keys.console import CONFIG, DATAERR, OK, TEMPFAIL, Problem, warn
from postseal_keys.dnsask import Address, Asker, Network, address, configured
from postseal_keys.domaincheck import Checked
from postseal_keys.domaincheck import check as check_domain
from postseal_keys.findings import Harm, plain, text, worst
from postseal_keys.keycheck import Wanted, wanted
from postseal_keys.keytable import KeyRow
from postseal_keys.options import Values
from postseal_keys.recordsource import Unpublished, from_file
from postseal_keys.spfcost import LOOKUP_MAX, Walk

PROG = "postseal-record"


def check(values: Values) -> int:
    """The command.  Returns the exit status; raises Problem."""
    if values.given("record") or values.given("file"):
        results = _unpublished(values)
    else:
        if not values.arguments:
            raise Problem("which domain?", hint="give a domain, --record TEXT or --file FILE")
        asker = _asker(values)
        results = [
            check_domain(domain, asker, _keys(values, domain))
            for domain in map(names.domain, values.arguments)
        ]
    if values.flag("json"):
        print(json.dumps([_plain(one) for one in results], indent=2))
    else:
        _print(values, results)
    return _status(results, strict=values.flag("strict"))


def _asker(values: Values) -> Asker:
    try:
        servers: Sequence[Address] = [address(one) for one in values.texts("nameserver")]
    except ValueError as error:
        hint = "give an IP address, with :PORT if it is not 53"
        raise Problem(f"--nameserver: {error}", hint=hint) from None
    servers = servers or configured()
    if not servers:
        raise Problem("no resolver is known", hint="give one with --nameserver", code=CONFIG)
    timeout = durations.seconds(values.text("timeout"), what="--timeout")
    return Network(servers, timeout=max(1, timeout))


def _keys(values: Values, domain: str) -> dict[str, Wanted | None]:
    """Selectors to look at, with the key that signs where it is known."""
    found: dict[str, Wanted | None] = {}
    for row in _rows(values):
        if row.domain == "%" or names.domain(row.domain) == domain:
            found[names.selector(row.selector)] = _wanted(row, domain)
    for selector in values.texts("selector"):
        found.setdefault(names.selector(selector), None)
    return found


def _rows(values: Values) -> Iterator[KeyRow]:
    """The keys that sign, as far as they are named."""
    if values.given("keytable"):
        yield from keytable.read_argument(values.text("keytable"))
    if values.given("config"):
        yield from keytable.configured_rows(values.text("config"))


def _wanted(row: KeyRow, domain: str) -> Wanted | None:
    """The public half of a row's key; None when this user may not read it."""
    try:
        return wanted(row.load(domain))
    except Problem as problem:
        warn(
            PROG,
            f"{problem.message}; the record of {row.selector} is looked at, and not compared",
            problem.hint,
        )
        return None


def _unpublished(values: Values) -> list[Checked]:
    """Records from the command line or a file; DNS is asked only when a domain is given."""
    if len(values.arguments) > 1:
        raise Problem("--record and --file take one domain", hint="check them one by one")
    domain = names.domain(values.arguments[0]) if values.arguments else ""
    rows = []
    if values.given("record"):
        rows.append(Unpublished(name=domain, text=values.text("record"), where="--record"))
    if values.given("file"):
        rows += from_file(values.text("file"), domain)
    asker = _asker(values) if domain else None
    return recordtext.check(rows, asker)


def _print(values: Values, results: Iterable[Checked]) -> None:
    verbose = values.count("verbose") > 0
    least = Harm.GOOD if verbose else Harm.WARNING if values.flag("quiet") else Harm.ADVICE
    for one in results:
        shown = [finding for finding in one.findings if finding.harm >= least]
        if shown or not values.flag("quiet"):
            print(f"{one.domain}: {_summary(one)}")
        if one.walk is not None and verbose:
            for line in tree(one.walk):
                print(f"  {line}")
        said: set[str] = set()
        for finding in shown:
            once = tuple(line for line in finding.publish if line not in said)
            said.update(once)
            for line in text(replace(finding, publish=once)):
                print(f"  {line}")


def _summary(one: Checked) -> str:
    counts = []
    for harm, word in (
        (Harm.ERROR, "error"),
        (Harm.UNKNOWN, "unknown"),
        (Harm.WARNING, "warning"),
        (Harm.ADVICE, "advice"),
    ):
        number = sum(finding.harm is harm for finding in one.findings)
        if number:
            plural = "s" if number > 1 and harm in (Harm.ERROR, Harm.WARNING) else ""
            counts.append(f"{number} {word}{plural}")
    cost = f"; SPF needs {_cost(one.walk)} lookups" if one.walk else ""
    return (", ".join(counts) or "nothing to mend") + cost


def _cost(walk: Walk) -> str:
    more = "" if walk.complete else "more than "
    return f"{more}{walk.lookups} of {LOOKUP_MAX}"


def tree(walk: Walk) -> Iterator[str]:
    """What each term costs, indented by includes."""
    yield f"SPF of {walk.domain}: {_cost(walk)} lookups"
    for step in walk.steps:
        note = f"  ({step.note})" if step.note else ""
        yield f"{step.lookups:>4} {'  ' * step.depth}{step.term}{note}"


def _plain(one: Checked) -> dict[str, object]:
    row: dict[str, object] = {
        "domain": one.domain,
        "worst": one.worst.name.lower(),
        "selectors": list(one.selectors),
        "findings": [plain(finding) for finding in one.findings],
    }
    if one.walk is not None:
        row["spf"] = {
            "record": one.walk.record,
            "lookups": one.walk.lookups,
            "complete": one.walk.complete,
            "voids": max(len(one.walk.void4), len(one.walk.void6)),
            "terms": [
                {"depth": s.depth, "domain": s.where, "term": s.term, "lookups": s.lookups}
                for s in one.walk.steps
            ],
        }
    if one.dmarc is not None:
        row["dmarc"] = {
            "policy_domain": one.dmarc.policy_domain,
            "organizational_domain": one.dmarc.organization,
        }
    return row


def _status(results: Iterable[Checked], *, strict: bool) -> int:
    found = [finding for one in results for finding in one.findings]
    harm = worst(found)
    if harm is Harm.ERROR:
        return DATAERR
    if harm is Harm.UNKNOWN:
        return TEMPFAIL
    return DATAERR if strict and harm is Harm.WARNING else OK
