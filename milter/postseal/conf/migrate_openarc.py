"""openarc.conf into postseal.toml.

NAME
    migrate_openarc - migrate(): the new text, and what became of every option

GIVEN
    the path of an openarc.conf (OpenARC 1, all its options).

GIVES
    Migration: result() is the text, report the fates.

SEE ALSO
    openarc.conf(5); migrate_merge.py puts it together with opendkim.conf.
"""

from __future__ import annotations

from pathlib import Path

from postseal.conf import migrate_source
from postseal.conf.migrate_base import Migration
from postseal.conf.migrate_report import Fate

_SYSTEMD = "is left to systemd"
_FORM = "seals are relaxed/relaxed, over the fields that a DKIM signature covers"

NO_EFFECT = {
    "authresip": "the client's address is in the log",
    "autorestart": "the supervisor replaces a worker that dies",
    "autorestartcount": "the supervisor replaces a worker that dies",
    "autorestartrate": "the supervisor waits longer each time a worker dies young",
    "background": f"the daemon stays in the foreground; the rest {_SYSTEMD}",
    "basedirectory": "was used to find relative paths, and is no longer needed",
    "canonicalization": _FORM,
    "changerootdirectory": _SYSTEMD,
    "enablecoredumps": _SYSTEMD,
    "fixedtimestamp": "was for tests",
    "keeptemporaryfiles": "there are no temporary files",
    "maximumheaders": "the header's size is limited",
    "milterdebug": "see [log] level",
    "requiresafekeys": "is always so",
    "signaturealgorithm": "the kind of key says which algorithm signs",
    "softwareheader": "was an advertisement in every message",
    "temporarydirectory": "there are no temporary files",
    "testkeys": "was for tests",
}
CHANGED = {
    "authservidwithjobid": "the identifier is written alone, as RFC 8601 wants it",
    "finalreceiver": "arc= is always written, and arc.chain never",
    "internalhosts": "is opendkim.conf's here too: internal_hosts says whose mail is signed",
    "oversignheaders": _FORM,
    "peerlist": "is opendkim.conf's here too: peers says whose mail is left alone",
    "permitauthenticationoverrides": "results of other hosts are used by [upstream] alone",
    "responsedisabled": "nothing is refused for ARC",
    "responseunable": "nothing is refused for ARC",
    "responseunwilling": "nothing is refused for ARC",
    "sealheaderchecks": "all mail from outside is sealed, or none",
    "signaturettl": "seals do not expire",
    "signheaders": _FORM,
}


def migrate(file: Path) -> Migration:
    """Read the file and carry over what can be.  Raises ConfigError when it cannot be read."""
    given, replaced = migrate_source.settings(file)
    work = Migration(given, replaced, "OpenARC", file)
    work.socket()
    work.user()
    work.log()
    work.authserv_id()
    work.pid_file()
    _seal(work)
    work.number("MinimumKeySizeRSA", "verify.minimum_key_bits", 512, 16384)
    work.rest(
        ((Fate.NO_EFFECT, NO_EFFECT), (Fate.CHANGED, CHANGED)),
        "OpenARC knows no such option",
    )
    return work


def _seal(work: Migration) -> None:
    mode = work.take("Mode")
    domain, selector = work.take("Domain"), work.take("Selector")
    key = work.take("KeyFile")
    letters = mode.value.lower() if mode else "sv"
    if "s" in letters and domain and selector and key:
        work.put("arc.seal", True)
        work.put("arc.domain", domain.value)
        work.put("arc.selector", selector.value)
        work.put("arc.key", str(work.base / key.value))
        for one in (domain, selector, key):
            work.say(Fate.KEPT, one, "is in [arc]")
    else:
        why = "work together only" if "s" in letters else "are for sealing, which Mode leaves out"
        for one in filter(None, (domain, selector, key)):
            work.say(Fate.DEAD, one, f"Domain, Selector and KeyFile {why}")
    if mode is not None:
        if "v" not in letters:
            work.put("arc.verify", False)
        work.say(Fate.KEPT, mode, "is [arc] verify and seal")
