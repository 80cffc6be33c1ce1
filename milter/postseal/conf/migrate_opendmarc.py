"""opendmarc.conf into postseal.toml.

NAME
    migrate_opendmarc - migrate(): the new text, and what became of every option

GIVEN
    the path of an opendmarc.conf (OpenDMARC 1.4, all its options).

GIVES
    Migration: result() is the text, report the fates.

SEE ALSO
    opendmarc.conf(5); migrate_merge.py puts it together with opendkim.conf.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from postseal.conf import migrate_source
from postseal.conf.migrate_base import Migration
from postseal.conf.migrate_report import Fate
from postseal.conf.migrate_source import dataset

_REPORTS = "DMARC reports (RFC 9990, RFC 9991) are not made"
_SYSTEMD = "is left to systemd"

NO_EFFECT = {
    "authservidwithjobid": "the identifier is written alone, as RFC 8601 wants it",
    "autorestart": "the supervisor replaces a worker that dies",
    "autorestartcount": "the supervisor replaces a worker that dies",
    "autorestartrate": "the supervisor waits longer each time a worker dies young",
    "background": f"the daemon stays in the foreground; the rest {_SYSTEMD}",
    "basedirectory": "was used to find relative paths, and is no longer needed",
    "changerootdirectory": _SYSTEMD,
    "domainwhitelistsize": "a list has no fixed size",
    "enablecoredumps": _SYSTEMD,
    "ignoreauthenticatedclients": "mail of authenticated clients is never judged",
    "milterdebug": "see [log] level",
    "softwareheader": "was an advertisement in every message",
    "spfignoreresults": "SPF is checked here, and no header field is believed",
    "spfselfvalidate": "SPF is checked here",
    "testdnsdata": "was for tests",
}
CHANGED = {
    "copyfailuresto": "no copies are sent",
    **dict.fromkeys(
        ("failurereports", "failurereportsbcc", "failurereportsonnone", "failurereportssentby",
         "historyfile", "ignoremailto", "noreportslist", "recordallmessages", "reportcommand"),
        _REPORTS,
    ),
}  # fmt: skip


def migrate(file: Path) -> Migration:
    """Read the file and carry over what can be.  Raises ConfigError when it cannot be read."""
    given, replaced = migrate_source.settings(file)
    work = Migration(given, replaced, "OpenDMARC", file)
    work.socket()
    work.user()
    work.log()
    work.authserv_id()
    work.pid_file()
    _policy(work)
    _exceptions(work)
    _trust(work)
    work.number("DNSTimeout", "dns.timeout", 1, 20)
    work.rest(
        ((Fate.NO_EFFECT, NO_EFFECT), (Fate.CHANGED, CHANGED)),
        "OpenDMARC knows no such option",
    )
    return work


def _policy(work: Migration) -> None:
    """What a failure leads to."""
    reject = work.take("RejectFailures")
    acts = reject is not None and reject.on
    if reject is not None and acts:
        work.put("dmarc.reject", True)
        work.put("dmarc.temperror", "tempfail")
        text = "is [dmarc] reject, with temperror: see REFUSING MAIL in postseal(8)"
        work.say(Fate.KEPT, reject, text)
    elif reject is not None:
        work.say(Fate.KEPT, reject, "nothing is refused by default")
    hold = work.take("HoldQuarantinedMessages")
    if hold is not None and hold.on and acts:
        work.put("dmarc.quarantine", "hold")
        work.say(Fate.KEPT, hold, "is [dmarc] quarantine")
    elif hold is not None and hold.on:
        text = (
            'did nothing in OpenDMARC without RejectFailures; quarantine = "hold" in [dmarc]'
            " holds such mail, and mail of p=reject too while reject is false"
        )
        work.say(Fate.CHANGED, hold, text)
    elif hold is not None:
        work.say(Fate.KEPT, hold, "nothing is held by default")
    words = work.take("RejectString")
    if words is not None:
        plain = words.value.strip("\"'").replace("%s", "{domain}", 1).replace("%%", "%")
        work.put("dmarc.reject_text", plain)
        work.say(Fate.KEPT, words, "is [dmarc] reject_text")
    _broken(work)


def _broken(work: Migration) -> None:
    """Mail without exactly one author."""
    multiple, required = work.take("RejectMultiValueFrom"), work.take("RequiredHeaders")
    one = work.take("RequiredFrom")
    acts = work.tree.get("dmarc", {}).get("reject", False)
    text = (
        "mail with several authors, which OpenDMARC then let pass, is judged by the strictest"
        " of their policies"
    )
    if multiple is None:
        if acts:
            work.unsaid("RejectMultiValueFrom", text)
    elif multiple.on:
        work.put("from.multiple", "reject")
        work.say(Fate.KEPT, multiple, "is [from] multiple")
    else:
        work.say(
            Fate.CHANGED if acts else Fate.KEPT, multiple, text if acts else "is [from] multiple"
        )
    for given in filter(None, (required, one)):
        if given.on:
            work.put("from.missing", "reject")
            work.put("from.broken", "reject")
        fate = Fate.CHANGED if given.on and given is required else Fate.KEPT
        text = "a missing or broken From is refused, other fields are not"
        work.say(fate, given, text if given.on else "nothing is refused for its header")


def _exceptions(work: Migration) -> None:
    """Clients and authors that were left alone, and sealers that were believed."""
    rows: list[dict[str, Any]] = []
    for name, who in (("IgnoreHosts", "client"), ("IgnoreMailFrom", "from")):
        given = work.take(name)
        if given is None:
            continue
        entries = dataset(given.value, work.base)
        if entries:
            why = f"{name} of {Path(given.file).name}"
            rows.append({who: list(entries), "action": "accept", "why": why})
            text = "is an [[override]]: what DMARC finds is written, and has no consequences"
            work.say(Fate.CHANGED, given, text)
        else:
            work.say(Fate.NO_EFFECT, given, "names nothing")
    if rows:
        work.tree["override"] = rows
    sealers: list[str] = []
    for name in ("DomainWhitelist", "DomainWhitelistFile"):
        given = work.take(name)
        if given is not None:
            prefix = "file:" if name.endswith("File") else "csl:"
            sealers += dataset(prefix + given.value, work.base) or ()
            work.say(Fate.KEPT, given, "is [arc] trusted_sealers")
    if sealers:
        work.put("arc.trusted_sealers", list(dict.fromkeys(sealers)))


def _trust(work: Migration) -> None:
    """Whose results were read, and how organisations were found."""
    given = work.take("TrustedAuthservIDs")
    if given is not None:
        own = (work.tree.get("authserv_id", "").lower(), "hostname")
        others = [word for word in given.words if word.lower() not in own]
        text = (
            "results of DKIM and SPF are not read from header fields but passed in memory; for"
            f" those of another host in front ({', '.join(others)}?) fill [upstream] authserv_ids"
            " and hosts"
            if others
            else "results are passed in memory"
        )
        work.say(Fate.CHANGED if others else Fate.NO_EFFECT, given, text)
    given = work.take("PublicSuffixList")
    if given is None and work.tree.get("dmarc", {}).get("reject"):
        text = "sub-domains, which OpenDMARC then left alone, fall under their domain's policy now"
        work.unsaid("PublicSuffixList", text)
    if given is not None:
        text = (
            "organisations are found by the tree walk of RFC 9989; discovery = "
            f'"psl" and suffix_list = "{given.value}" in [dmarc] go on with the list'
        )
        work.say(Fate.CHANGED, given, text)
