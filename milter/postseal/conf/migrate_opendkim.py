"""opendkim.conf into postseal.toml.

NAME
    migrate_opendkim - migrate(): the new text, and what became of every option

GIVEN
    the path of an opendkim.conf (OpenDKIM 2.11, all its options).

GIVES
    Migration: result() is the text, report the fates.  Tables and keys stay where they
    are.  The choice of domain, selector and i= stays what it was.

SEE ALSO
    opendkim.conf(5); conf/migrate_words.py has the options that are left out.
"""

from __future__ import annotations

from pathlib import Path

from postseal.conf import migrate_ldap, migrate_source, migrate_words
from postseal.conf.headers import oversigned, signed
from postseal.conf.migrate_base import Migration
from postseal.conf.migrate_patterns import domains
from postseal.conf.migrate_report import Fate
from postseal.conf.migrate_source import Given, dataset
from postseal.conf.signing import EXPIRE_FLOOR

ALL_HEADERS = "*"
DEFAULT = "simple/simple"  # how OpenDKIM signs unless it is told


def migrate(file: Path) -> Migration:
    """Read the file and carry over what can be.  Raises ConfigError when it cannot be read."""
    given, replaced = migrate_source.settings(file)
    work = Migration(given, replaced, "OpenDKIM", file)
    if "socket" not in work.given:
        text = (
            "was on the command line then, as SOCKET in /etc/default/opendkim puts it there:"
            " socket has its default, so look at smtpd_milters in main.cf"
        )
        work.unsaid("Socket", text)
    work.socket()
    work.user()
    work.log()
    _names(work)
    _keys(work)
    _how(work)
    _roles(work)
    migrate_ldap.migrate(work)
    _limits(work)
    _safety(work)
    work.rest(
        (
            (Fate.NO_EFFECT, migrate_words.NO_EFFECT),
            (Fate.CHANGED, migrate_words.CHANGED),
            (Fate.DANGEROUS, migrate_words.DANGEROUS),
        ),
        "OpenDKIM knows no such option and would not have started with it",
    )
    return work


def _names(work: Migration) -> None:
    work.authserv_id()
    given = work.take("RemoveARFrom")
    if given is not None:
        entries = dataset(given.value, work.base) or ()
        names = [name for name in entries if name.upper() != "HOSTNAME" and name[:1] not in ".*"]
        work.put("extra_authserv_ids", names)
        rest = len(entries) - len(names)
        fate = Fate.CHANGED if rest else Fate.KEPT
        more = "; .domain and HOSTNAME are left out, our own name is always removed" if rest else ""
        work.say(fate, given, "is extra_authserv_ids" + more)
    given = work.take("RemoveARAll")
    if given is not None:
        work.say(Fate.NO_EFFECT, given, "every field that claims our name is removed")
    given = work.take("PidFile")
    if given is not None:
        work.say(
            Fate.CHANGED,
            given,
            "is left out, so that the two daemons do not meet there; set pid_file where"
            " postseal reload is to be used without systemd",
        )


def _keys(work: Migration) -> None:
    """Domain, Selector and KeyFile; or the two tables."""
    if "signingtable" in work.given:
        work.table("KeyTable", "sign.key_table")
        work.table("SigningTable", "sign.signing_table")
    elif alone := work.take("KeyTable"):
        work.say(Fate.DEAD, alone, "without SigningTable nothing here refers to its keys")
    has_table = "signing_table" in work.tree.get("sign", {})
    domain, selector = work.take("Domain"), work.take("Selector")
    file, below = work.take("KeyFile"), work.take("SubDomains")
    if has_table:
        for one in (selector, file):
            if one:
                work.say(Fate.NO_EFFECT, one, "the tables say which key signs")
        if domain:
            work.say(Fate.CHANGED, domain, "the signing table alone says who signs")
        if below:
            work.say(Fate.NO_EFFECT, below, "the signing table says which sub-domains sign")
    elif domain and selector and file:
        _single(work, domain, selector, file, below)
    else:
        for one in (domain, selector, file, below):
            if one:
                work.say(Fate.DEAD, one, "Domain, Selector and KeyFile work together only")


def _single(
    work: Migration, domain: Given, selector: Given, file: Given, below: Given | None
) -> None:
    """One key: for one domain as it is, for several through lists in the option itself."""
    names = dataset(domain.value, work.base)
    if names is None:
        found = work.patterns(domain, domains, "sign.signing_table")
        if found is None:
            text = "this kind of data set is not read, and nothing is signed: fill [sign] by hand"
            work.say(Fate.DANGEROUS, domain, text)
            return
        names = tuple(found)
    key = str(work.base / file.value)
    with_below = below is not None and below.on
    if len(names) == 1 and names[0][:1] not in "*.":
        work.put("sign.domain", names[0])
        if with_below:
            work.put("sign.sub_domains", True)
        work.put("sign.key", [{"selector": selector.value, "file": key}])
    elif "," in key or "=" in key or any("=" in name for name in names):
        work.say(Fate.CHANGED, domain, "a comma or = in a name: write the two tables by hand")
        return
    else:
        keys = [f"{name}={_domain(name)}:{selector.value}:{key}" for name in names]
        senders = [f"{name}={name}" for name in names]
        senders += [f".{name}={name}" for name in names if with_below and name[:1] not in "*."]
        work.put("sign.key_table", "csl:" + ",".join(keys))
        work.put("sign.signing_table", "csl:" + ",".join(senders))
    open_ = "*" in names
    fate = Fate.DANGEROUS if open_ else Fate.KEPT
    hint = "; * signs as whomever From names, which one customer can use to sign as another"
    work.say(fate, domain, "is in [sign]" + (hint if open_ else ""))
    for one in (selector, file, *((below,) if below else ())):
        work.say(Fate.KEPT, one, "is in [sign]")


def _domain(name: str) -> str:
    """The domain of the signature: the author's for whatever * or .domain covers."""
    return "%" if name[:1] in "*." else name


def _how(work: Migration) -> None:
    """How signatures are made."""
    given = work.take("Canonicalization")
    if given is not None:
        work.put("sign.canonicalization", given.value.lower())
        work.say(Fate.KEPT, given, "is canonicalization")
    else:
        work.default_canonicalization(DEFAULT)
    given = work.take("MultipleSignatures")
    if given is not None:
        work.put("sign.multiple_signatures", given.on)
        fate = Fate.CHANGED if given.on else Fate.KEPT
        work.say(fate, given, "OpenDKIM lost all but the first and the last; now all are made"
                 if given.on else "is multiple_signatures")  # fmt: skip
    given = work.take("SignatureTTL")
    if given is not None:
        _expire(work, given)
    given = work.take("SignatureAlgorithm")
    if given is not None:
        old = "sha1" in given.value.lower()
        text = "the kind of key says which algorithm signs"
        work.say(Fate.DANGEROUS if old else Fate.NO_EFFECT, given, text)
    _headers(work)


def _expire(work: Migration, given: Given) -> None:
    number = given.number or 0
    if not number:
        work.say(Fate.NO_EFFECT, given, "signatures do not expire")
    elif number < EXPIRE_FLOOR:
        work.put("sign.expire", EXPIRE_FLOOR)
        work.say(
            Fate.DANGEROUS,
            given,
            f"is {EXPIRE_FLOOR} seconds now: mail may wait five days in a queue, and arrived"
            " with a signature that was over",
        )
    else:
        work.put("sign.expire", number)
        work.say(Fate.KEPT, given, "is expire")


def _headers(work: Migration) -> None:
    """SignHeaders, OmitHeaders and OversignHeaders."""
    words: list[str] = []
    sign, omit = work.take("SignHeaders"), work.take("OmitHeaders")
    if sign is not None:
        words = work.header_words(sign, sign.words, "sign.headers")
        star = any(word == ALL_HEADERS or word[0] in "+-" for word in words)
        text = "is headers" + ("; * is a longer list now" if star else "")
        work.say(Fate.CHANGED if star else Fate.KEPT, sign, text)
    elif work.signs:
        text = "more fields are signed by default: see sign.headers and sign.oversign"
        work.unsaid("SignHeaders", text)
    if omit is not None:
        names = [word.lstrip("+") for word in omit.words if word[0] not in "*-"]
        words += work.header_words(omit, [f"-{name}" for name in names], "sign.headers")
        if sign is None:
            words.insert(0, ALL_HEADERS)
        work.say(Fate.KEPT, omit, "is in headers")
    if words:
        work.put("sign.headers", words)
    over = work.take("OversignHeaders")
    if over is None:
        return
    names = work.header_words(over, over.words, "sign.oversign")
    known = signed(words or [ALL_HEADERS])[0]
    for name in names[:]:
        if name.lstrip("+").lower() not in known and name[0] not in "*-":
            names.remove(name)
            work.say(
                Fate.DANGEROUS,
                over,
                f"{name} is left out: it is not signed, and OpenDKIM's signatures were invalid"
                " where the field was present",
            )
    work.put("sign.oversign", names)
    fate = Fate.KEPT if oversigned(names)[0] else Fate.CHANGED
    work.say(fate, over, "is oversign")


def _roles(work: Migration) -> None:
    """Who is one of ours."""
    mode = work.take("Mode")
    if mode is not None:
        letters = mode.value.lower()
        if "s" not in letters:
            work.tree.pop("sign", None)
            work.say(Fate.KEPT, mode, "keys are left out: this host only verifies")
        elif "v" not in letters:
            work.say(Fate.CHANGED, mode, "mail from outside is verified too; nothing is refused")
        else:
            work.say(Fate.KEPT, mode, "is what the daemon does")
    verifies = mode is None or "v" in mode.value.lower()
    _dns_errors(work, work.take("On-DNSError"), verifies=verifies)
    work.listed("InternalHosts", "roles.internal_hosts")
    work.listed("PeerList", "roles.peers")
    work.listed("MacroList", "roles.macros")
    given = work.take("MTA")
    if given is not None:
        work.put("roles.daemon_names", list(dataset(given.value, work.base) or given.words))
        beside = bool(work.tree.get("roles", {}).get("macros"))
        text = "is daemon_names"
        if beside:
            text += "; beside MacroList OpenDKIM did not look at it, and here either is enough"
        work.say(Fate.CHANGED if beside else Fate.KEPT, given, text)
    given = work.take("RequiredHeaders")
    if given is not None and given.on:
        work.put("from.missing", "reject")
        work.put("from.broken", "reject")
        work.say(Fate.CHANGED, given, "a missing or broken From is refused, other fields are not")
    elif given is not None:
        work.say(Fate.KEPT, given, "nothing is refused for its header")


def _dns_errors(work: Migration, given: Given | None, *, verifies: bool) -> None:
    """On-DNSError, whose default was to defer."""
    letter = given.value[:1].lower() if given else ""
    if letter == "t" and given:
        work.put("verify.temperror", "tempfail")
        text = "is [verify] temperror, for mail that neither DKIM nor DMARC passes otherwise"
        work.say(Fate.CHANGED, given, text)
    elif given:
        text = "the result is temperror, and mail flows"
        work.say(Fate.KEPT if letter == "a" else Fate.CHANGED, given, text)
    elif verifies:
        text = (
            "mail whose key DNS does not tell now is accepted with temperror, where OpenDKIM"
            ' deferred it; temperror = "tempfail" in [verify] defers it where nothing else passes'
        )
        work.unsaid("On-DNSError", text)


def _limits(work: Migration) -> None:
    """Numbers, and DNS."""
    work.number("ClockDrift", "verify.clock_skew", 0, 86400)
    work.number("MinimumKeyBits", "verify.minimum_key_bits", 512, 16384)
    work.number("MaximumSignaturesToVerify", "verify.max_signatures", 1, 100)
    work.number("DNSTimeout", "dns.timeout", 1, 20)
    given = work.take("Nameservers")
    if given is not None:
        work.put("dns.nameservers", list(given.words))
        work.say(Fate.KEPT, given, "is [dns] nameservers")


def _safety(work: Migration) -> None:
    if work.signs and "user" not in work.tree:
        text = (
            "may be in the unit of systemd: keys that belong to opendkim need"
            ' user = "opendkim", or another owner'
        )
        work.unsaid("UserID", text)
    given = work.take("RequireSafeKeys")
    if given is not None and not given.on:
        work.say(
            Fate.DANGEROUS,
            given,
            "keys that others can read or replace are refused; what is wrong with a path, and the"
            " command that mends it, is said at the start",
        )
    elif given is not None:
        work.say(Fate.NO_EFFECT, given, "is always so")
    given = work.take("On-InternalError")
    if given is not None:
        accept = given.value[:1].lower() == "a"
        work.put("on_error", "accept" if accept else "tempfail")
        same = given.value[:1].lower() in "at"
        work.say(Fate.KEPT if same else Fate.CHANGED, given, "is on_error")
