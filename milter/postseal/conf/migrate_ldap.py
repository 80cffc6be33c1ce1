"""OpenDKIM's options for LDAP, which go into a [[table]] for every table that is kept there.

NAME
    migrate_ldap - migrate(): LDAPBindUser and its like, after the tables themselves

SEE ALSO
    conf/migrate_opendkim.py; tables/stores.py reads what is written here.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from postseal.conf.migrate_base import Migration
from postseal.conf.migrate_report import Fate

KEPT_AT = "/etc/postseal/ldap-password"
_TABLES = {"sign": {"key_table": "keys", "signing_table": "senders"}}
_LISTS = {"roles": {"internal_hosts": "hosts", "peers": "peers"}}
_LDAP = ("ldap:", "ldaps:", "ldapi:")
_LONGEST = 60  # seconds, of [[table]] timeout
_SASL = ("LDAPAuthMechanism", "LDAPAuthName", "LDAPAuthRealm", "LDAPAuthUser")
_KEEPALIVE = ("LDAPKeepaliveIdle", "LDAPKeepaliveInterval", "LDAPKeepaliveProbes")


def migrate(work: Migration) -> None:
    """Take all options of LDAP."""
    places = list(_places(work))
    made = _options(work, bool(places))
    if not made:
        return
    tables = []
    for node, key, name in places:
        tables.append({"name": name, "url": _address(node[key], made), **made["table"]})
        node[key] = f"table:{name}"
    if tables:
        work.tree["table"] = tables


def _places(work: Migration) -> Iterator[tuple[Any, Any, str]]:
    """Where the tree has an address of LDAP, and what its [[table]] is to be called."""
    for section, options in (_TABLES | _LISTS).items():
        node = work.tree.get(section, {})
        for option, name in options.items():
            value = node.get(option)
            if isinstance(value, str) and value.lower().startswith(_LDAP):
                yield node, option, name
            for number, entry in enumerate(value if isinstance(value, list) else ()):
                if entry.lower().startswith(_LDAP):
                    yield value, number, name


def _options(work: Migration, used: bool) -> dict[str, Any]:
    """Extensions of the address, and options of [[table]]; {} when there is nothing to say."""
    extensions: list[str] = []
    table: dict[str, Any] = {}
    user, password = work.take("LDAPBindUser"), work.take("LDAPBindPassword")
    tls, timeout = work.take("LDAPUseTLS"), work.take("LDAPTimeout")
    for given, fate, text in (
        (user, Fate.KEPT, "is bindname in the address of the [[table]]"),
        (password, Fate.CHANGED, f"write it into {KEPT_AT}, with mode 0600:"
         " password_file of the [[table]] names it"),
        (tls, Fate.KEPT, "is x-starttls in the address of the [[table]]"),
        (timeout, Fate.KEPT, "is timeout of the [[table]]"),
    ):  # fmt: skip
        if given is not None:
            off = given is tls and not given.on
            shown = given.hidden() if given is password else given
            fate = fate if used and not off else Fate.NO_EFFECT
            work.say(fate, shown, text if used else "no table is in LDAP")
    if user is not None:
        extensions.append(f"bindname={quote(user.value, safe='=')}")
    if tls is not None and tls.on:
        extensions.append("x-starttls")
    if password is not None:
        table["password_file"] = KEPT_AT
    if timeout is not None and timeout.number:
        table["timeout"] = min(timeout.number, _LONGEST)
    _others(work, used)
    return {"extensions": extensions, "table": table} if extensions or table else {}


def _others(work: Migration, used: bool) -> None:
    """What cannot be had, and what need not be."""
    cache = work.take("LDAPDisableCache")
    if cache is not None:
        fate = Fate.CHANGED if used and cache.on else Fate.NO_EFFECT
        work.say(fate, cache, "answers are remembered: see cache of [[table]]")
    for names, text in (
        (_SASL, "binds are simple: SASL is not used"),
        (_KEEPALIVE, "a connection that was lost is made anew"),
    ):
        for name in names:
            given = work.take(name)
            if given is not None:
                plain = names is _KEEPALIVE or given.value.lower() in ("", "none", "simple")
                work.say(Fate.CHANGED if used and not plain else Fate.NO_EFFECT, given, text)


def _address(url: str, made: dict[str, Any]) -> str:
    """The first address of the list with the extensions (RFC 4516 section 2)."""
    first, *others = url.split()
    parts = (first.split("?") + [""] * 4)[:5]
    plain = not first.lower().startswith("ldap:")
    new = [one for one in made["extensions"] if not (plain and one == "x-starttls")]
    parts[4] = ",".join([*filter(None, parts[4].split(",")), *new])
    return " ".join(["?".join(parts).rstrip("?"), *others])
