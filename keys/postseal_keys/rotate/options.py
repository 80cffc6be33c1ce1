"""The options and settings of postseal-rotate, described once.

NAME
    options - the tables from which parser, --help and manual are made

SEE ALSO
    postseal_keys.options, postseal_keys.manual
"""

from __future__ import annotations

from postseal_keys.manual import option_list, tag_list
from postseal_keys.options import Option, Takes

DEFAULT_CONFIG = "/etc/postseal/rotate.toml"

ABOUT = (
    "Turn DKIM keys over without losing a message: make, publish, see in DNS, sign, retire,"
    " revoke, remove. Commands: run does what is due, status shows where every key stands,"
    " start DOMAIN begins with a new key now."
)

OPTIONS = (
    Option(
        short="c",
        long="config",
        takes=Takes.TEXT,
        value="FILE",
        default=DEFAULT_CONFIG,
        doc="The configuration.",
    ),
    Option(
        short="n",
        long="dry-run",
        doc="Say what would be done first for each domain, and do nothing. DNS is asked.",
    ),
    Option(long="json", doc="With status: write it as JSON."),
    Option(short="q", long="quiet", doc="Print problems only."),
    Option(long="help", doc="Print this summary and do nothing."),
    Option(long="version", doc="Print the version and do nothing."),
)

EXAMPLES = {
    "postseal-rotate status": "where every key stands, and what is next",
    "postseal-rotate --dry-run run": "what would be done now",
    "postseal-rotate run": "do it; for a systemd timer or cron, every ten minutes",
    "postseal-rotate start example.com": "a new key for one domain, now",
}

SETTINGS = (
    ("[[domain]] name, kinds", "A domain, and its kinds of keys: rsa, ed25519. A second kind signs"
     " beside the first where the daemon has multiple_signatures. Default: rsa."),
    ("[[domain]] stream, adopt", "For a domain that signs with several keys of one kind: one"
     " [[domain]] for each, all but one with a stream, which is a word of your own. adopt is the"
     " selector that signs for it now; a stream without adopt begins with a new key, and"
     " needs pattern."),
    ("[[domain]] selector, pattern", "For these keys, instead of the general ones below."),
    ("state", "The file that remembers. Default: /var/lib/postseal/rotate.state."),
    ("key_dir, key_file", "Where private keys go, and their file names; {selector} and {domain}"
     " are filled in."),
    ("owner, group", "Who may read new private keys; with a group the mode is 0640. Default: who"
     " may read the key before; the mode of a domain's first key is 0600."),
    ("bits", "Size of RSA keys. Default: 2048."),
    ("selector", "Pattern of new selectors: {year} {month} {day} {hour} {kind}. A letter is added"
     " to a selector that was used before. Default: {year}{month}."),
    ("key_table, signing_table", "The tables that the daemon reads: files, the first of which"
     " must exist. The second may be left out;"
     " it is changed when rows of the first carry the selector in their names."),
    ("row, pattern", "Name of the row, and the SigningTable's pattern, for a domain that has none"
     " yet."),
    ("every", "Age at which a key gets a successor; 0: only by start. Default: 180d."),
    ("seen_for", "So long must a key have been seen on every authoritative server, at every look,"
     " before it signs. Default: 1h."),
    ("retire_for", "So long the record of an old key stays. Not below queue_lifetime and"
     " signature_lifetime. Default: 14d."),
    ("queue_lifetime, signature_lifetime", "How long mail may wait in queues, and the lifetime"
     " (x=) of signatures if they have one. Default: 5d and 0."),
    ("revoke, revoked_for", "Whether the record then says p= (empty), and for how long before it"
     " is removed. Default: true and 30d."),
    ("publish", "print: somebody does it by hand, and status repeats what; nsupdate: dynamic"
     " update; hook: a program. Default: print."),
    ("ttl", "Time to live of the records. Default: 3600."),
    ("server, tsig", "For nsupdate: address of the primary name server, and the file of the TSIG"
     " key as tsig-keygen writes it."),
    ("hook", "The program and its first arguments, as a list; add NAME TTL TEXT or delete NAME TTL"
     " is put behind. It must bear being run again. After five minutes it is ended, with all that"
     " it has started, and run again next time."),
    ("pid_file, reload", "How the daemon is told: SIGHUP to the process in the file, or a program"
     " with its arguments as a list. Without either it must notice by itself, as Postseal does"
     " where watch is on."),
    ("old_keys, publish_dir", "What becomes of the private key once its record is gone: erase,"
     " keep, or publish into that directory, so that old signatures prove nothing any more."
     " A file that another row of the KeyTable names stays. Default: erase."),
    ("nameservers, authoritative_port", "Resolvers that find the zone's own servers, and the port"
     " at which those are asked. Default: those of resolv.conf, and 53."),
)  # fmt: skip

MANUAL = {
    "options": lambda: option_list(OPTIONS),
    "settings": lambda: tag_list((f"Li {name}", text) for name, text in SETTINGS),
}
