"""policyd-spf.conf and pyspf-milter.conf into postseal.toml.

NAME
    migrate_spf - migrate(): the new text, and what became of every option

GIVEN
    the path of a configuration of spf-engine 3 (NAME = VALUE on a line).

GIVES
    Migration: result() is the text, report the fates.

SEE ALSO
    policyd-spf.conf(5); migrate_merge.py puts it together with opendkim.conf.
"""

from __future__ import annotations

from pathlib import Path

from postseal.conf import migrate_source
from postseal.conf.migrate_base import Migration
from postseal.conf.migrate_report import Fate
from postseal.conf.migrate_source import dataset

_NOTHING = "SPF alone refuses nothing, so that nothing needs an exception; see [[override]]"
_CLASS = "restriction classes of Postfix are not chosen by SPF"

NO_EFFECT = {
    "debuglevel": "see [log] level",
    "hide_receiver": "the receiver's name is that of the host",
    "lookup_time": "see seconds in [dns], for all questions together",
    "mock": "was for tests",
    "queueid": "is always so",
    "spf_enhanced_status_codes": "SPF alone refuses nothing",
    "umask": "is for a unix socket",
    "whitelist_lookup_time": "see seconds in [dns]",
}
CHANGED = {
    "domain_whitelist": _NOTHING,
    "domain_whitelist_ptr": _NOTHING,
    "helo_whitelist": _NOTHING,
    "helo_pass_restriction": _CLASS,
    "mail_from_pass_restriction": _CLASS,
    "no_mail": 'SPF alone refuses nothing, not even for "v=spf1 -all"',
    "per_user": "a message has one verdict for all recipients; see recipient in [[override]]",
    "prospective": "was for outgoing mail; try postseal verify",
    "reason_message": "SPF alone refuses nothing; see reject_text in [dmarc]",
    "reject_not_pass_domains": (
        'an [[override]] with from and action = "reject" refuses what fails DMARC for an author'
    ),
}
_REFUSED = (
    "mail is not refused for SPF alone, which forwarded mail fails; where the author's domain asks"
    " for it, reject = true in [dmarc] refuses mail that neither SPF nor DKIM stands up for"
)
_SKIPPED = (
    "SPF is checked for all clients but our own, and refuses nothing; hosts of ours that bring"
    " other people's mail (secondary MXs, gateways) belong into roles.trusted_relays, forwarders"
    " into an [[override]] with client"
)


def migrate(file: Path) -> Migration:
    """Read the file and carry over what can be.  Raises ConfigError when it cannot be read."""
    given, replaced = migrate_source.settings(file, equals=True)
    work = Migration(given, replaced, "spf-engine", file)
    work.socket()
    work.user()
    work.pid_file()
    work.authserv_id("Authserv_Id")
    _refusals(work)
    _header(work)
    _hosts(work)
    work.number("Void_Limit", "spf.voids", 0, 100)
    work.rest(
        ((Fate.NO_EFFECT, NO_EFFECT), (Fate.CHANGED, CHANGED)),
        "spf-engine knows no such option",
    )
    return work


def _refusals(work: Migration) -> None:
    test = work.take("TestOnly")
    dry = test is not None and test.number == 0
    if test is not None:
        work.say(Fate.NO_EFFECT, test, "SPF alone refuses nothing")
    for name in ("HELO_reject", "Mail_From_reject"):
        given = work.take(name)
        word = given.value.lower() if given else "fail"
        if name == "HELO_reject" and word != "no_check":
            work.put("spf.helo", True)
        if given is None and not dry:
            work.unsaid(name, _REFUSED)
        elif given is None:
            continue
        elif word == "no_check" and name != "HELO_reject":
            work.say(
                Fate.CHANGED, given, "is checked nevertheless, for DMARC; see enabled in [spf]"
            )
        elif dry or word in ("false", "no_check"):
            work.say(Fate.KEPT, given, "the result is written, as helo in [spf] has it")
        else:
            work.say(Fate.CHANGED, given, _REFUSED)
    given = work.take("PermError_reject")
    if given is not None:
        text = 'is [spf] permerror = "accept"; tempfail defers such mail where DMARC does not pass'
        work.say(Fate.CHANGED if given.on else Fate.KEPT, given, text)
    given = work.take("TempError_Defer")
    if given is not None:
        if given.on:
            work.put("spf.temperror", "tempfail")
        text = "is [spf] temperror" + (", for mail that DMARC does not pass" if given.on else "")
        work.say(Fate.CHANGED if given.on else Fate.KEPT, given, text)


def _header(work: Migration) -> None:
    given = work.take("Header_Type")
    milter = "milter" in Path(work.file).name  # which always wrote Authentication-Results
    word = given.value.lower() if given else "spf"
    if word == "spf" and not milter:
        work.put("spf.received_spf", True)
    if given is None:
        if not milter:
            text = "Received-SPF is written as before: received_spf = true in [spf]"
            work.unsaid("Header_Type", text)
    elif word == "none":
        work.say(Fate.CHANGED, given, "Authentication-Results is always written")
    elif word == "spf" and not milter:
        text = "is [spf] received_spf; Authentication-Results is written as well"
        work.say(Fate.KEPT, given, text)
    else:
        work.say(Fate.KEPT, given, "Authentication-Results is always written")


def _hosts(work: Migration) -> None:
    for name in ("skip_addresses", "Whitelist"):
        given = work.take(name)
        if given is not None:
            loopback = ("127.", "::1", "::ffff:127.")
            more = [word for word in given.words if not word.startswith(loopback)]
            text = _SKIPPED if more else "mail of internal hosts is not judged"
            work.say(Fate.CHANGED if more else Fate.NO_EFFECT, given, text)
    given = work.take("InternalHosts")
    if given is not None:
        more = [word for word in given.words if not word.startswith(("127.", "::1", "localhost"))]
        text = "add them to roles.internal_hosts, where their mail is also signed"
        if more:
            work.say(Fate.CHANGED, given, text)
        else:
            work.say(Fate.NO_EFFECT, given, "mail of this host is not judged")
    for name in ("MacroList", "MacroListVerify"):
        given = work.take(name)
        if given is None:
            continue
        if dataset(given.value, work.base):
            text = "see roles.macros and roles.never_sign, which also decide what is signed"
            work.say(Fate.CHANGED, given, text)
        else:
            work.say(Fate.NO_EFFECT, given, "names nothing")
