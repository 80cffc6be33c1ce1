"""The options of postseal-genkey, described once.

NAME
    genkey_options - the table from which parser, --help and manual are made

SEE ALSO
    options, manual
"""

from __future__ import annotations

from postseal_keys import formats
from postseal_keys.manual import option_list, tag_list
from postseal_keys.options import Option, Takes

ABOUT = (
    "Make a DKIM key pair: the private key in SELECTOR.private, the DNS record that"
    " publishes its public half in SELECTOR.txt. Takes opendkim-genkey's options."
)

OPTIONS = (
    Option(
        short="a",
        long="append-domain",
        takes=Takes.SWITCH,
        doc="Write the record's full name, with the domain and a final dot, into SELECTOR.txt.",
    ),
    Option(
        short="b",
        long="bits",
        takes=Takes.NUMBER,
        value="N",
        default="2048",
        doc="Size of an RSA key, 1024 to 4096; below 2048 with a warning.",
    ),
    Option(
        short="d",
        long="domain",
        takes=Takes.TEXT,
        value="NAME",
        default="localhost",
        doc="The domain the key signs for. Names in other scripts become A-labels.",
    ),
    Option(
        short="D",
        long="directory",
        takes=Takes.TEXT,
        value="PATH",
        default=".",
        shown_default=False,
        doc="Where the files go. Default: the current directory.",
    ),
    Option(
        short="h",
        long="hash-algorithms",
        takes=Takes.TEXT,
        value="LIST",
        default="sha256",
        doc="Hash algorithms for h=, separated by colons; empty for no h= at all.",
    ),
    Option(
        short="n",
        long="note",
        takes=Takes.TEXT,
        value="TEXT",
        doc="A note for people, for n=. It is encoded as RFC 6376 asks.",
    ),
    Option(
        short="r",
        long="restrict",
        takes=Takes.SWITCH,
        doc="The key is for email alone: s=email.",
    ),
    Option(
        short="s",
        long="selector",
        takes=Takes.TEXT,
        value="NAME",
        default="default",
        doc="The selector, which also names the files.",
    ),
    Option(short="S", doc="The same as --no-subdomains."),
    Option(
        long="subdomains",
        takes=Takes.SWITCH,
        default="on",
        shown_default=False,
        doc="Subdomains may use the key; --no-subdomains writes t=s. Default: they may.",
    ),
    Option(
        short="t",
        long="testmode",
        takes=Takes.SWITCH,
        doc="The domain is testing DKIM: t=y. Verifiers then treat its mail as unsigned.",
    ),
    Option(
        long="type",
        takes=Takes.TEXT,
        value="TYPE",
        default="rsa",
        doc="rsa, ed25519 or both. Of both, the Ed25519 key gets the selector"
        " SELECTOR-ed25519, and its files that name.",
    ),
    Option(long="ed25519", doc="The same as --type ed25519."),
    Option(
        long="ed25519-selector",
        takes=Takes.TEXT,
        value="NAME",
        doc="With --type both: another selector for the Ed25519 key.",
    ),
    Option(
        long="from-key",
        takes=Takes.TEXT,
        value="FILE",
        doc="Make no key: print the record of this private key (PKCS#8 or PKCS#1 PEM;"
        " - reads standard input).",
    ),
    Option(
        long="format",
        takes=Takes.TEXT,
        value="FORMAT",
        doc="Print the record in this form on standard output too; list shows all forms."
        " SELECTOR.txt stays a zone file.",
    ),
    Option(
        long="ttl",
        takes=Takes.NUMBER,
        value="SECONDS",
        doc="Time to live to write with the record. Without it zone files have none,"
        " other forms 3600.",
    ),
    Option(
        long="zone",
        takes=Takes.TEXT,
        value="NAME",
        doc="The zone that the record goes into, when it is not the domain itself: hosts are"
        " written relative to it.",
    ),
    Option(
        long="owner",
        takes=Takes.TEXT,
        value="USER",
        doc="Who is to own SELECTOR.private, by name or number.",
    ),
    Option(
        long="group",
        takes=Takes.TEXT,
        value="GROUP",
        doc="The group of SELECTOR.private. Its mode stays 0600.",
    ),
    Option(long="force", doc="Replace files that exist. A key in use is then lost."),
    Option(
        short="v",
        long="verbose",
        takes=Takes.COUNT,
        doc="Say on standard error what is being done.",
    ),
    Option(
        long="help", takes=Takes.SWITCH, quiet_no=True, doc="Print this summary and do nothing."
    ),
    Option(
        short="V",
        long="version",
        takes=Takes.SWITCH,
        quiet_no=True,
        doc="Print the version and do nothing.",
    ),
)

EXAMPLES = {
    "postseal-genkey -d example.com -s mail2026": (
        "a key of 2048 bits in mail2026.private, its record in mail2026.txt"
    ),
    "postseal-genkey -d example.com -s mail2026 --type both -D /etc/postseal/keys": (
        "an RSA and an Ed25519 key (mail2026-ed25519) in another directory"
    ),
    "postseal-genkey -d example.com -s mail2026 --from-key mail2026.private --format plain": (
        "the record of an existing key, to paste into a web panel"
    ),
    "postseal-genkey -d example.com -s mail2026 --format nsupdate | nsupdate -k tsig.key": (
        "make a key and publish it"
    ),
}

MANUAL = {
    "options": lambda: option_list(OPTIONS),
    "formats": lambda: tag_list((f"Cm {f.name}", f.about) for f in formats.FORMATS.values()),
}
