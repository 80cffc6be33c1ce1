"""postseal-genzone: the DNS records of all keys of a KeyTable.

NAME
    genzone - takes opendkim-genzone's options

GIVEN
    the command line: a KeyTable, or a configuration file that names one.

GIVES
    a zone file fragment, a script for nsupdate, or any other format, on
    standard output or in a file.

DOES NOT
    make keys, or ask DNS.  Write two records for one name: that is an error.

SEE ALSO
    postseal-genzone(1), keytable, formats.
"""

from __future__ import annotations

import getpass
import re
import socket
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from postseal_keys import __version__, formats, genzone_options, keypair, keytable, names, store
from postseal_keys.console import DATAERR, OK, USAGE, Problem, run, tell, warn
from postseal_keys.formats import TxtRecord
from postseal_keys.genzone_options import EXAMPLES, OPTIONS
from postseal_keys.keytable import KeyRow
from postseal_keys.options import Values, help_text, parse
from postseal_keys.records import KeyRecord

PROG = "postseal-genzone"
MANUAL = genzone_options.MANUAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A key of the table, ready to be published."""

    domain: str
    selector: str
    text: str


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; argv is without the program's name."""
    return run(PROG, lambda: _run(sys.argv[1:] if argv is None else argv))


def _run(argv: Sequence[str]) -> int:
    values = parse(argv, OPTIONS)
    if values.flag("help"):
        usage = f"{PROG} [options] [dataset]"
        print(help_text(usage, genzone_options.ABOUT, OPTIONS, EXAMPLES), end="")
        return OK
    if values.flag("version"):
        print(f"{PROG} v{__version__}")
        return OK
    if values.text("format") == "list":
        print(formats.listing(), end="")
        return OK
    form = _form(values)
    found = _published(values)
    if not found and values.given("domain"):  # perhaps a slip: keys would vanish from the zone
        raise Problem(
            f"the table has no key for {values.text('domain')[:80]}",
            hint="compare the domain with the table's; -s takes its subdomains too",
            code=DATAERR,
        )
    _say(values, f"{len(found)} records")
    _write(values, _render(values, form, found))
    return OK


def _form(values: Values) -> formats.Format:
    name = values.optional("format")
    if values.flag("nsupdate"):
        if name not in (None, "nsupdate"):
            raise Problem("-u contradicts --format", hint="give one of them")
        name = "nsupdate"
    form = formats.find(name or "zone")
    if form.name != "zone" and values.flag("soa"):
        raise Problem("-S is for zone files", hint="leave it out, or --format")
    if values.flag("subdomains") and not values.given("domain"):
        raise Problem("-s needs a domain", hint="give it with -d; without both all keys are taken")
    for key in ("ttl", "refresh", "retry", "expire", "default-ttl"):
        if not 0 <= values.count(key) < 2**31:
            raise Problem(f"--{key}: {values.count(key)} is not possible", hint="seconds")
    return form


def _published(values: Values) -> tuple[Published, ...]:
    """The keys that are wanted, in the table's order; the same key twice counts once."""
    wanted = names.domain(values.text("domain")) if values.given("domain") else ""
    found: dict[str, Published] = {}
    for row in _rows(values):
        domain = _domain(row, wanted)
        if not domain or not _is_wanted(values, domain, wanted):
            _say(values, f"'{row.name}' skipped")
            continue
        selector = names.selector(row.selector)
        key = row.load(domain)
        record = KeyRecord(
            public=keypair.public_text(key),
            kind=keypair.kind(key).value,
            services=("email",) if values.flag("email-only") else (),
        )
        entry = Published(domain=domain, selector=selector, text=str(record))
        name = names.key_name(selector, domain)
        if found.setdefault(name, entry) != entry:
            raise Problem(
                f"{row.where}: {name} would get two records, of two keys",
                hint="give one of the keys another selector",
                code=DATAERR,
            )
    return tuple(found.values())


def _rows(values: Values) -> tuple[KeyRow, ...]:
    if len(values.arguments) > 1:
        raise Problem("more than one KeyTable", hint="give one: file:PATH")
    if values.arguments:
        return keytable.read_argument(values.arguments[0])
    if values.given("config"):
        return keytable.configured_rows(values.text("config"))
    for path in genzone_options.CONFIGS:
        if Path(path).exists():
            return keytable.configured_rows(path)
    raise Problem("no KeyTable", hint="give one: file:PATH", code=USAGE)


def _domain(row: KeyRow, wanted: str) -> str:
    """The row's domain; for "%", the one that was asked for; empty when nobody knows."""
    if row.domain != "%":
        return names.domain(row.domain)
    if not wanted:
        warn(PROG, f"{row.where}: '{row.name}' is for any domain", "name one with -d")
    return wanted


def _is_wanted(values: Values, domain: str, wanted: str) -> bool:
    if not wanted or domain == wanted:
        return True
    return values.flag("subdomains") and domain.endswith("." + wanted)


def _render(values: Values, form: formats.Format, found: Sequence[Published]) -> str:
    full = values.flag("full-names")
    several = len({entry.domain for entry in found}) > 1
    if form.name == "zone" and several and not full and not values.given("domain"):
        warn(PROG, "the table has several domains: names are written in full")
        full = True
    wanted = names.domain(values.text("domain")) if values.given("domain") else ""
    ttl = values.count("ttl") if values.given("ttl") else None
    if form.name != "zone" and ttl is None:
        ttl = values.count("default-ttl")
    suffix = values.flag("suffix") or form.name != "zone"
    records = [_record(entry, wanted, full, suffix) for entry in found]
    zones = sorted({record.zone for record in records})
    if form.one_zone and len(zones) > 1:
        raise Problem(
            f"the format {form.name} is for one zone, and the table has keys of {len(zones)}:"
            f" {', '.join(zones)[:200]}",
            hint="write them one by one: -d DOMAIN",
        )
    text = form.render([replace(record, ttl=ttl) for record in records])
    return "".join(_before(values, form)) + text


def _record(entry: Published, wanted: str, full: bool, suffix: bool) -> TxtRecord:
    """The entry relative to the zone that is written: of -d, else its own."""
    zone = wanted or entry.domain
    below = entry.domain.removesuffix(zone).removesuffix(".")  # "" or the subdomain
    if suffix or full or below:
        host = ".".join(part for part in (entry.selector, "_domainkey", below) if part)
        # a subdomain has no relative name in the zone _domainkey.DOMAIN
        return TxtRecord(
            host=host, zone=zone, text=entry.text, absolute=full or bool(below and not suffix)
        )
    return TxtRecord(host=entry.selector, zone=f"_domainkey.{zone}", text=entry.text)


def _before(values: Values, form: formats.Format) -> Iterator[str]:
    """What stands above the records."""
    servers = [names.domain(server) for server in values.text("nameservers").split(",") if server]
    if form.name == "nsupdate" and servers:
        yield f"server {servers[0]}\n"
    if form.name != "zone":
        return
    yield "; DKIM public key zone data\n"
    if values.given("domain"):
        yield f"; for {names.domain(values.text('domain'))}\n"
    yield f"; auto-generated by {PROG}\n\n"
    if values.flag("soa"):
        yield _soa(values, servers)
    yield "".join(f"\tIN\tNS\t{server}.\n" for server in servers) + "\n" * bool(servers)


def _soa(values: Values, servers: Sequence[str]) -> str:
    host = socket.getfqdn()
    contact = values.text("contact") or f"{_user()}@{host}"
    local, _, domain = contact.rpartition("@")
    if not re.fullmatch(r"[A-Za-z0-9_.+=-]*", local):
        raise Problem(f"'{contact[:60]}' cannot stand in a SOA record", hint="-C user@host")
    mailbox = local.replace(".", "\\.") + "." + names.domain(domain)
    serial = time.strftime("%Y%m%d%H", time.gmtime())
    return (
        f"@\tIN\tSOA\t{servers[0] if servers else names.domain(host)}.\t{mailbox.lstrip('.')}. (\n"
        f"\t{serial:<10} ; Serial (yyyymmddhh)\n"
        f"\t{values.count('refresh'):<10} ; Refresh\n"
        f"\t{values.count('retry'):<10} ; Retry\n"
        f"\t{values.count('expire'):<10} ; Expire\n"
        f"\t{values.count('default-ttl')} ) ; Default\n\n"
    )


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "hostmaster"


def _write(values: Values, text: str) -> None:
    path = values.optional("output")
    if path is None:
        print(text, end="")
        return
    target = Path(path).resolve()  # a link stays, what it leads to is replaced
    if target.exists() and not target.is_file():
        target.write_text(text, "ascii")  # a pipe or a terminal
        return
    file = store.NewFile(name=target.name, data=text.encode("ascii"), mode=0o644)
    store.write(str(target.parent), [file], force=True)


def _say(values: Values, text: str) -> None:
    if values.count("verbose"):
        tell(PROG, text)


if __name__ == "__main__":
    sys.exit(main())
