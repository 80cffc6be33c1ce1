"""Options that are right alone and wrong together.

NAME
    check - what no single option can tell

GIVEN
    Settings.

GIVES
    findings: the option to change, what is wrong, a hint, and which options were
    looked at (a finding about an option that could not be read is noise).

DOES NOT
    look at files.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass

from postseal.conf import headers as lists
from postseal.conf.lines import Path
from postseal.conf.model import EXPIRE_FLOOR, Settings
from postseal.conf.policy import Override
from postseal.core.names import BadDomain, ascii_domain

WORKERS_PER_CPU = 8  # more than this only cost memory
QUEUE_DAYS = EXPIRE_FLOOR // 86400


@dataclass(frozen=True, slots=True)
class Finding:
    """One mistake.  path is the option to change; also, what else it follows from."""

    path: Path
    what: str
    hint: str = ""
    also: tuple[Path, ...] = ()

    @property
    def uses(self) -> tuple[Path, ...]:
        return (self.path, *self.also)


def check(settings: Settings) -> Iterator[Finding]:
    """Every finding, in no order."""
    yield from _keys(settings)
    yield from _published(settings)
    yield from _headers(settings)
    yield from _expire(settings)
    yield from _identity(settings)
    yield from _macros(settings)
    yield from _ids(settings)
    yield from _process(settings)
    yield from _dns(settings)
    yield from _upstream(settings)
    yield from _in_front(settings)
    yield from _discovery(settings)
    yield from _arc(settings)
    yield from _overrides(settings)
    yield from _tables(settings)


def _tables(settings: Settings) -> Iterator[Finding]:
    """A name is of one [[table]]."""
    seen: dict[str, int] = {}
    for number, one in enumerate(settings.table):
        first = seen.setdefault(one.name, number)
        if first != number:
            yield Finding(
                ("table", number, "name"),
                f"{one.name!r} is the name of an earlier [[table]] too",
                "give each a name of its own",
                (("table", first, "name"),),
            )


def _keys(settings: Settings) -> Iterator[Finding]:
    sign = settings.sign
    domain, key = ("sign", "domain"), ("sign", "key")
    keys, senders = ("sign", "key_table"), ("sign", "signing_table")
    if sign.domain and not sign.key and not sign.key_table:
        yield Finding(
            domain,
            "is given without a key",
            "add [[sign.key]] with selector and file; postseal-genkey makes one",
            (key, keys),
        )
    if sign.key and not sign.domain:
        yield Finding(
            key, "is given without sign.domain", 'add domain = "..." to [sign]', (domain,)
        )
    if sign.key_table and not sign.signing_table:
        yield Finding(
            keys,
            "is given without signing_table",
            "the signing table says which senders use which row of the key table",
            (senders,),
        )
    if sign.signing_table and not sign.key_table:
        yield Finding(
            senders, "is given without key_table", "the key table says where the keys are", (keys,)
        )
    if sign.signing_table and (sign.domain or sign.key):
        yield Finding(
            domain if sign.domain else key,
            "cannot be combined with signing_table",
            "use the tables for all domains, or domain and key for one",
            (senders, domain, key),
        )
    if sign.sub_domains and not sign.domain:
        yield Finding(
            ("sign", "sub_domains"),
            "has no effect without sign.domain",
            "in a signing table write .example.com for all sub-domains",
            (domain,),
        )
    seen: dict[str, int] = {}
    for number, one in enumerate(sign.key):
        if one.selector in seen:
            yield Finding(
                ("sign", "key", number, "selector"),
                f"selector {one.selector} is also that of key {seen[one.selector] + 1}",
                "every key needs its own selector",
                (key,),
            )
        seen.setdefault(one.selector, number)


def _published(settings: Settings) -> Iterator[Finding]:
    sign = settings.sign
    if sign.check_published != "off" and not (sign.domain or sign.signing_table):
        yield Finding(
            ("sign", "check_published"),
            "has no effect without keys",
            "add sign.domain with [[sign.key]], or key_table and signing_table",
            (("sign", "domain"), ("sign", "signing_table")),
        )


def _headers(settings: Settings) -> Iterator[Finding]:
    """A field can only be oversigned when it is signed."""
    headers, over = ("sign", "headers"), ("sign", "oversign")
    signed, faults = lists.signed(settings.sign.headers)
    for word, why in faults:
        yield Finding(headers, f'"{word}": {why}')
    names, faults = lists.oversigned(settings.sign.oversign)
    for word, why in faults:
        yield Finding(over, f'"{word}": {why}')
    named = {word.lstrip("+").lower() for word in settings.sign.oversign}
    for name in sorted(names & named - signed):
        yield Finding(
            over,
            f"{name} is not among the signed header fields, and so cannot be oversigned",
            f"add +{name} to headers, or take {name} out of oversign",
            (headers,),
        )


def _expire(settings: Settings) -> Iterator[Finding]:
    if 0 < settings.sign.expire < EXPIRE_FLOOR:
        yield Finding(
            ("sign", "expire"),
            f"{settings.sign.expire} seconds is shorter than mail may wait in a queue"
            f" ({QUEUE_DAYS} days)",
            f"at least {QUEUE_DAYS}d; 14d is usual; 0 for signatures that do not expire",
        )


def _identity(settings: Settings) -> Iterator[Finding]:
    """The template must give local@domain, or @domain."""
    path, template = ("sign", "identity"), settings.sign.identity
    if not template:
        return
    try:
        made = template.format(local="l", domain="d.example", address="l@d.example")
    except (KeyError, ValueError, IndexError, AttributeError):
        yield Finding(
            path, "has a brace that is not {local}, {domain} or {address}", 'try "@{domain}"'
        )
        return
    _, at, domain = made.rpartition("@")
    try:
        ascii_domain(domain)
        usable = bool(at) and made.isascii() and made.isprintable() and not set(made) & set(" ;")
    except BadDomain:
        usable = False
    if not usable:
        yield Finding(path, f"gives {made!r}, which is not an identity", 'try "@{domain}"')


def _macros(settings: Settings) -> Iterator[Finding]:
    for name in ("macros", "never_sign"):
        for rule in getattr(settings.roles, name):
            macro = rule.partition("=")[0]
            if not macro.replace("_", "").isalnum() or rule.endswith(("=", "|")):
                yield Finding(
                    ("roles", name),
                    f"{rule!r} is not NAME=VALUE, NAME=VALUE|VALUE or NAME",
                    "write macro names without braces, as daemon_name=REINJECT",
                )


def _ids(settings: Settings) -> Iterator[Finding]:
    for name in settings.extra_authserv_ids:
        if (
            not name.isascii()
            or not name.replace("-", "").replace(".", "").replace("_", "").isalnum()
        ):
            yield Finding(("extra_authserv_ids",), f"{name!r} is not a host name")


def _process(settings: Settings) -> Iterator[Finding]:
    cpus = os.cpu_count() or 1
    if settings.workers > cpus * WORKERS_PER_CPU:
        yield Finding(
            ("workers",),
            f"{settings.workers} workers are too many for {cpus} processors",
            f"0 means one per processor; at most {cpus * WORKERS_PER_CPU} make sense here",
        )
    if settings.group and not settings.user:
        yield Finding(("group",), "has no effect without user", 'add user = "..."', (("user",),))
    if settings.user == "root":
        yield Finding(("user",), "the daemon does not run as root", "use a user of its own")
    if settings.socket_group and not settings.socket.startswith("unix:"):
        yield Finding(
            ("socket_group",),
            f"has no effect on {settings.socket}",
            'only a unix socket has a group: socket = "unix:/run/postseal/postseal.sock"',
            (("socket",),),
        )


def _dns(settings: Settings) -> Iterator[Finding]:
    dns = settings.dns
    if dns.timeout > dns.seconds:
        yield Finding(
            ("dns", "timeout"),
            f"one question may wait {dns.timeout:g} seconds, but all of them together only"
            f" {dns.seconds:g}",
            "make dns.seconds larger or dns.timeout smaller",
            (("dns", "seconds"),),
        )


def _upstream(settings: Settings) -> Iterator[Finding]:
    """Names and hosts go together."""
    names, hosts = ("upstream", "authserv_ids"), ("upstream", "hosts")
    if settings.upstream.authserv_ids and not settings.upstream.hosts:
        yield Finding(
            names,
            "is given without hosts",
            "anybody can write such a field: name the host",
            (hosts,),
        )
    if settings.upstream.hosts and not settings.upstream.authserv_ids:
        yield Finding(
            hosts,
            "is given without authserv_ids",
            "name what that host writes its results under",
            (names,),
        )


def _in_front(settings: Settings) -> Iterator[Finding]:
    """Hosts whose mail is to be judged must not be those whose mail is not."""
    roles = settings.roles
    for path, hosts in (
        (("roles", "trusted_relays"), roles.trusted_relays),
        (("upstream", "hosts"), settings.upstream.hosts),
    ):
        for name in ("internal_hosts", "peers"):
            for entry in sorted(set(hosts) & set(getattr(roles, name))):
                yield Finding(
                    path,
                    f"{entry} is also among roles.{name}, whose mail is not judged",
                    "name each host in one of them",
                    (("roles", name),),
                )


def _discovery(settings: Settings) -> Iterator[Finding]:
    if settings.dmarc.suffix_list and settings.dmarc.discovery == "treewalk":
        yield Finding(
            ("dmarc", "suffix_list"),
            "has no effect on the tree walk",
            'discovery = "both" tells when the list would have led elsewhere',
            (("dmarc", "discovery"),),
        )


def _arc(settings: Settings) -> Iterator[Finding]:
    """A seal needs all of its parts."""
    arc = settings.arc
    parts = {"domain": arc.domain, "selector": arc.selector, "key": arc.key}
    if arc.seal:
        for name, value in parts.items():
            if not value:
                hint = f"add {name} to [arc], or take seal out"
                yield Finding(("arc", "seal"), f"is given without {name}", hint, (("arc", name),))
    if arc.trusted_sealers and not arc.verify:
        yield Finding(
            ("arc", "trusted_sealers"), "has no effect when ARC is not verified", "verify = true",
            (("arc", "verify"),),
        )  # fmt: skip


CONDITIONS = ("from_", "dkim", "client", "list_id", "arc", "recipient")


def _overrides(settings: Settings) -> Iterator[Finding]:
    """All rows of the configuration."""
    for number, row in enumerate(settings.override):
        yield from override(row, ("override", number), settings)


def override(row: Override, place: Path, settings: Settings) -> Iterator[Finding]:
    """A row must be about somebody, and be able to take effect."""
    if not any(getattr(row, name) for name in CONDITIONS):
        yield Finding(
            place, "has no condition", "give from, dkim, client, list_id, arc or recipient"
        )
    if row.arc and not settings.arc.verify:
        path, also = (*place, "arc"), (("arc", "verify"),)
        yield Finding(path, "cannot hold while ARC is not verified", "[arc] verify = true", also)
    if row.action != "accept" and not settings.dmarc.enabled:
        path, also = (*place, "action"), (("dmarc", "enabled"),)
        what = f"{row.action} needs a DMARC result"
        yield Finding(path, what, "[dmarc] enabled = true", also)
