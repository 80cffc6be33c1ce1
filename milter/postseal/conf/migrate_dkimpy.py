"""dkimpy-milter.conf into postseal.toml.

NAME
    migrate_dkimpy - migrate(): the new text, and what became of every option

GIVEN
    the path of a dkimpy-milter.conf (dkimpy-milter 1.2, all its options).

GIVES
    Migration: result() is the text, report the fates.

SEE ALSO
    dkimpy-milter.conf(5); migrate_opendkim.py, whose options have mostly the same names.
"""

from __future__ import annotations

from pathlib import Path

from postseal.conf import migrate_source
from postseal.conf.migrate_base import Migration
from postseal.conf.migrate_report import Fate
from postseal.conf.migrate_source import Given, dataset, lines
from postseal.conf.mistake import ConfigError

NO_EFFECT = {
    "syslogsuccess": "is always so",
    "debuglevel": "see [log] level",
    "dnsoverride": "was for tests",
    "omitheaders": "was never implemented; see [sign] headers",
    "peerlist": "was never implemented; see [roles] peers",
    "umask": "is for a unix socket",
}
DEFAULT = "relaxed/simple"  # how it signs unless it is told
CHANGED = {"diagnosticdirectory": "use postseal verify on a saved message"}


def migrate(file: Path) -> Migration:
    """Read the file and carry over what can be.  Raises ConfigError when it cannot be read."""
    given, replaced = migrate_source.settings(file)
    work = Migration(given, replaced, "dkimpy-milter", file)
    work.socket()
    work.user()
    work.log()
    work.authserv_id()
    _keys(work)
    if "canonicalization" not in work.given:
        work.default_canonicalization(DEFAULT)
    work.keep("Canonicalization", "sign.canonicalization")
    _sign_headers(work)
    _roles(work)
    work.number("MinimumKeyBits", "verify.minimum_key_bits", 512, 16384)
    work.number("DNSTimeout", "dns.timeout", 1, 20)
    work.pid_file()
    work.rest(
        ((Fate.NO_EFFECT, NO_EFFECT), (Fate.CHANGED, CHANGED)),
        "dkimpy-milter knows no such option and only logged it",
    )
    return work


def _keys(work: Migration) -> None:
    """One domain with up to two keys, or tables."""
    work.table("KeyTable", "sign.key_table")
    second = work.take("KeyTableEd25519")
    if second is not None:
        if "sign" in work.tree:
            text = (
                "a second key table is not read: add its rows to the key table under names of their"
                " own, one more row for each to the signing table, and set multiple_signatures"
            )
            work.say(Fate.CHANGED, second, text)
        else:
            work.put("sign.key_table", second.value)
            work.say(Fate.KEPT, second, "is sign.key_table")
    _senders(work)
    domain, below = work.take("Domain"), work.take("SubDomains")
    keys = []
    for file_name, selector_name in (
        ("KeyFile", "Selector"),
        ("KeyFileEd25519", "SelectorEd25519"),
    ):
        file, selector = work.take(file_name), work.take(selector_name)
        if file and selector and domain and "sign" not in work.tree:
            keys.append({"selector": selector.value, "file": str(work.base / file.value)})
            work.say(Fate.KEPT, file, "is in [[sign.key]]")
            work.say(Fate.KEPT, selector, "is in [[sign.key]]")
        else:
            for one in filter(None, (file, selector)):
                work.say(Fate.DEAD, one, "Domain, key file and selector work together only")
    if domain is not None:
        _domain(work, domain, below, keys)


def _domain(
    work: Migration, domain: Given, below: Given | None, keys: list[dict[str, str]]
) -> None:
    names = dataset(domain.value, work.base) or ()
    if not keys:
        work.say(Fate.CHANGED, domain, "the signing table, or nothing, says who signs")
        return
    if len(names) == 1:
        work.put("sign.domain", names[0])
        work.put("sign.key", keys)
    else:
        rows = [(f"{name}/{n}", name, key) for name in names for n, key in enumerate(keys)]
        entries = [f"{row}={name}:{key['selector']}:{key['file']}" for row, name, key in rows]
        work.put("sign.key_table", "csl:" + ",".join(entries))
        if len(keys) > 1:
            text = "two keys for several domains need a refile: signing table; the first signs"
            work.say(Fate.CHANGED, domain, text)
        senders = [f"{name}={name}/0" for name in names]
        if below is not None and below.on:
            senders += [f".{name}={name}/0" for name in names]
        work.put("sign.signing_table", "csl:" + ",".join(senders))
    if below is not None and len(names) == 1:
        work.put("sign.sub_domains", below.on)
    for one in filter(None, (domain, below)):
        work.say(Fate.KEPT, one, "is in [sign]")


def _senders(work: Migration) -> None:
    """SigningTable: here the name of the key is the last part of the value, not the first."""
    given = work.given.get("signingtable")
    if given is None:
        return
    work.table("SigningTable", "sign.signing_table")
    prefix, _, rest = given.value.rpartition(":")
    if prefix.lower() not in ("", "file", "refile"):
        return
    path = work.base / rest
    try:
        text = lines(path)
    except ConfigError:  # said when the result is checked
        return
    for number, line in enumerate(text, 1):
        words = line.partition("#")[0].split(None, 1)
        if len(words) == 2 and ":" in words[1]:
            key, _, identity = words[1].strip().partition(":")
            row = Given(name=words[0], value=words[1].strip(), file=str(path), line=number)
            what = f"dkimpy-milter reads SIGNER:KEY here, so write {identity}:{key}"
            work.say(Fate.DANGEROUS, row, what)


def _sign_headers(work: Migration) -> None:
    given = work.take("SignHeaders")
    if given is not None:
        words = work.header_words(given, given.words, "sign.headers")
        work.put("sign.headers", words)
        work.say(Fate.KEPT, given, "is headers")


def _roles(work: Migration) -> None:
    mode = work.take("Mode")
    if mode is not None:
        if "s" not in mode.value.lower():
            work.tree.pop("sign", None)
        work.say(Fate.KEPT, mode, "is what the daemon does; mail from outside is never signed")
    work.listed("InternalHosts", "roles.internal_hosts")
    for name, path in (("MacroList", "macros"), ("MacroListVerify", "never_sign")):
        given = work.take(name)
        if given is not None:
            rules = dataset(given.value, work.base) or ()
            work.put(f"roles.{path}", [_macro_rule(rule) for rule in rules])
            work.say(Fate.KEPT, given, f"is {path}")


def _macro_rule(rule: str) -> str:
    """NAME|VALUE|VALUE, as dkimpy-milter's program reads it, with our equals sign."""
    text = rule.replace("{", "").replace("}", "")
    return text if "=" in text else text.replace("|", "=", 1)
