"""The options of postseal-testkey, described once.

NAME
    testkey_options - the table from which parser, --help and manual are made

SEE ALSO
    options, manual
"""

from __future__ import annotations

from postseal_keys.manual import option_list
from postseal_keys.options import Option, Takes

CONFIGS = ("/etc/postseal/postseal.toml", "/etc/opendkim.conf")  # read if -x names none

ABOUT = (
    "Compare private keys with what DNS publishes, on every name server of the zone and"
    " through the resolver, and say what is wrong and how to mend it."
)

OPTIONS = (
    Option(
        short="d",
        long="domain",
        takes=Takes.TEXT,
        value="NAME",
        doc="The domain that signs.",
    ),
    Option(
        short="s",
        long="selector",
        takes=Takes.TEXT,
        value="NAME",
        doc="The selector of the key.",
    ),
    Option(
        short="k",
        long="key",
        takes=Takes.TEXT,
        value="FILE",
        doc="The private key. Without it the record is only checked for being a usable key.",
    ),
    Option(
        short="t",
        long="keytable",
        takes=Takes.TEXT,
        value="DATASET",
        doc="Test every key of a KeyTable: a path, file:PATH or csl:LIST. With -d, only the"
        " keys of that domain.",
    ),
    Option(
        short="x",
        long="config",
        takes=Takes.TEXT,
        value="FILE",
        doc="opendkim.conf with Domain, Selector, KeyFile, KeyTable and Nameservers, or"
        " postseal.toml. Its keys are tested when none of -d, -s, -k and -t is given. Default:"
        f" of {CONFIGS[0]} and {CONFIGS[1]} the first that exists.",
    ),
    Option(
        long="nameserver",
        takes=Takes.TEXTS,
        value="ADDRESS[:PORT]",
        doc="The resolver to ask, instead of the one in /etc/resolv.conf. May be repeated.",
    ),
    Option(
        long="server",
        takes=Takes.TEXTS,
        value="ADDRESS[:PORT]",
        doc="An authoritative server to ask, instead of those that the zone's NS records name:"
        " a hidden primary, for instance. May be repeated.",
    ),
    Option(
        long="authoritative-port",
        takes=Takes.NUMBER,
        value="PORT",
        default="53",
        doc="The port at which the servers of the NS records are asked.",
    ),
    Option(
        long="authoritative",
        takes=Takes.SWITCH,
        default="on",
        shown_default=False,
        doc="Ask the zone's own servers. It is done unless --no-authoritative is given.",
    ),
    Option(
        long="resolver",
        takes=Takes.SWITCH,
        default="on",
        shown_default=False,
        doc="Ask the resolver, after the zone's own servers. It is done unless --no-resolver is"
        " given.",
    ),
    Option(
        long="timeout",
        takes=Takes.TEXT,
        value="TIME",
        default="3s",
        doc="How long to wait for one answer. Each question is asked twice at most.",
    ),
    Option(
        short="w",
        long="wait",
        takes=Takes.TEXT,
        value="TIME",
        doc="Ask again until every server has the right key, for as long as this: 90, 10m, 1h30m."
        " On a terminal the state is shown meanwhile.",
    ),
    Option(
        long="interval",
        takes=Takes.TEXT,
        value="TIME",
        default="10s",
        doc="With --wait: the pause between two rounds.",
    ),
    Option(long="json", doc="Write the result as JSON."),
    Option(short="q", long="quiet", doc="Say nothing about keys that are as they should be."),
    Option(
        short="v",
        long="verbose",
        takes=Takes.COUNT,
        doc="Say what each server answered.",
    ),
    Option(long="help", doc="Print this summary and do nothing."),
    Option(long="version", doc="Print the version and do nothing."),
)

EXAMPLES = {
    "postseal-testkey -d example.com -s mail2026 -k /etc/dkim/mail2026.private": "one key",
    "postseal-testkey -x /etc/opendkim.conf": "all keys of the KeyTable that the file names",
    "postseal-testkey -t /etc/postseal/KeyTable --wait 30m && systemctl reload postseal": (
        "wait until new keys are seen everywhere, then use them"
    ),
}

MANUAL = {"options": lambda: option_list(OPTIONS)}
