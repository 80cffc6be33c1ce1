"""OpenDKIM's options that have no counterpart, and why.

NAME
    migrate_words - the fate of every option of OpenDKIM 2.11 that is not carried over

GIVES
    NO_EFFECT, CHANGED, DANGEROUS: lower-case name to the sentence for the report.

SEE ALSO
    opendkim.conf(5); conf/migrate_opendkim.py has the options that are carried over.
"""

from __future__ import annotations

_ALWAYS = "is always so"
_LIBRARY = "was for OpenDKIM's own libraries"
_SYSTEMD = "is left to systemd"
_STATS = "statistics are kept in another way"
_REPUTATION = "was an experiment that no Debian package had"
_DNSSEC = "the resolver validates DNSSEC"
_NO_REJECT = "nothing is refused or rewritten for a DKIM result alone (RFC 6376 section 6.3)"

NO_EFFECT = {
    "allowsha1only": "SHA-256 is always there",
    "alwaysaddarheader": _ALWAYS,
    "authservidwithjobid": "the identifier is written alone, as RFC 8601 wants it",
    "autorestart": "the supervisor replaces a worker that dies",
    "autorestartcount": "the supervisor replaces a worker that dies",
    "autorestartrate": "the supervisor waits longer each time a worker dies young",
    "background": f"the daemon stays in the foreground; the rest {_SYSTEMD}",
    "basedirectory": "was used to find relative paths, and is no longer needed",
    "boguskey": _DNSSEC,
    "changerootdirectory": _SYSTEMD,
    "conditionalsignatures": _REPUTATION,
    "disablecryptoinit": _LIBRARY,
    "dnsconnect": "TCP is used where an answer needs it",
    "domainkeyscompat": "DomainKeys is history",
    "enablecoredumps": _SYSTEMD,
    "externalignorelist": "only kept a line out of the log",
    "fixcrlf": _LIBRARY,
    "keeptemporaryfiles": "there are no temporary files",
    "logresults": "every message has one line with all results",
    "logwhy": "every message has one line with all reasons",
    "maximumheaders": "the header's size is limited",
    "milterdebug": _LIBRARY,
    "mtacommand": "was for reports that the daemon no longer sends itself",
    "noheaderb": "header.b is always written (RFC 6008)",
    "querycache": "answers of DNS are always remembered",
    "resolverconfiguration": _DNSSEC,
    "resolvertracing": "see [log] level",
    "softstart": "the configuration is checked before anything starts",
    "softwareheader": "was an advertisement in every message",
    "statistics": _STATS,
    "statisticsname": _STATS,
    "statisticspolicyscript": _STATS,
    "statisticsprefix": _STATS,
    "strictheaders": "broken headers never pass as good",
    "stricttestmode": "was for opendkim -t",
    "syslogname": "is always postseal",
    "syslogsuccess": _ALWAYS,
    "temporarydirectory": "there are no temporary files",
    "testdnsdata": "was for tests",
    "testpublickeys": "was for tests",
    "trustanchorfile": _DNSSEC,
    "unprotectedkey": _DNSSEC,
    "x-header": "was never used",
    **dict.fromkeys(
        ("flowdata", "flowdatafactor", "flowdatattl", "ratelimits", "identityheader",
         "identityheaderremove", "luaonlysigning", "on-reputationerror", "reputationcache",
         "reputationcachettl", "reputationduplicates", "reputationlimits", "reputationlowtime",
         "reputationminimum", "reputationlimitmodifiers", "reputationratios",
         "reputationrrdhashdepth", "reputationrrdroot", "reputationtest", "reputationverbose",
         "reputationspamcheck", "reputationtimefactor", "reputationtimeout", "smtpuri",
         "defaultsender", "popdbfile", "resignall", "resignmailto"),
        _REPUTATION,
    ),
}  # fmt: skip

CHANGED = {
    "atpsdomains": "ATPS (RFC 6541, experimental) is not checked",
    "atpshashalgorithm": "ATPS (RFC 6541, experimental) is not checked",
    "captureunknownerrors": "a fault of the daemon defers the message (on_error)",
    "diagnostics": "z= is not written: it repeats the whole header in the signature",
    "diagnosticdirectory": "use postseal verify on a saved message",
    "dontsignmailto": "mail is signed whoever it is for",
    "exemptdomains": (
        "no author's domain is exempt from checks; an [[override]] with from and"
        ' action = "accept" exempts it from what follows, and peers exempts clients'
    ),
    "finalpolicyscript": "there are no Lua scripts",
    "screenpolicyscript": "there are no Lua scripts",
    "setuppolicyscript": "there are no Lua scripts; see the signing table",
    "ignoremalformedmail": "see [from] missing and broken",
    "minimum": "a signature that does not cover the whole body (l=) never counts",
    "mustbesigned": "From must be signed, the rest is up to the signer",
    "on-badsignature": _NO_REJECT,
    "on-default": _NO_REJECT,
    "on-keynotfound": _NO_REJECT,
    "on-nosignature": _NO_REJECT,
    "on-security": "a fault of the daemon defers the message (on_error)",
    "on-signatureerror": _NO_REJECT,
    "quarantine": _NO_REJECT,
    "redirectfailuresto": _NO_REJECT,
    "removeoldsignatures": "signatures that are there stay there",
    "replaceheaders": "what Postfix changes later must be changed before the milter",
    "replacerules": "what Postfix changes later must be changed before the milter",
    "reportaddress": "failure reports of RFC 6651 are not sent",
    "reportbccaddress": "failure reports of RFC 6651 are not sent",
    "requestreports": "failure reports of RFC 6651 are not asked for",
    "sendreports": "failure reports of RFC 6651 are not sent",
    "selectcanonicalizationheader": "a message cannot choose how it is signed",
    "senderheaders": "the author is whom From names, for signing and for DMARC",
    "sendermacro": "the author is whom From names, for signing and for DMARC",
    "trustsignaturesfrom": "every signature is reported; DMARC tells which ones count",
    "weaksyntaxchecks": "a broken signature is reported as permerror",
    **dict.fromkeys(
        ("vbr-certifiers", "vbr-purgefields", "vbr-trustedcertifiers",
         "vbr-trustedcertifiersonly", "vbr-type"),
        "VBR (RFC 5518) is not used by anybody any more",
    ),
}  # fmt: skip

DANGEROUS = {
    "bodylengthdb": "signatures with l= let anybody add text to a signed message",
    "maximumsignedbytes": "signatures with l= let anybody add text to a signed message",
    "keepauthresults": "results that strangers forged under our name would stay in the message",
}
