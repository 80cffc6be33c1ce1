"""The options of postseal-genzone, described once.

NAME
    genzone_options - the table from which parser, --help and manual are made

SEE ALSO
    options, manual
"""

from __future__ import annotations

from postseal_keys.manual import option_list
from postseal_keys.options import Option, Takes

CONFIGS = ("/etc/postseal/postseal.toml", "/etc/opendkim.conf")  # the first that exists

ABOUT = (
    "Write the DNS records of all keys of a KeyTable, as a zone file fragment or in"
    " another form. Takes opendkim-genzone's options."
)


def _number(short: str, long: str, value: str, default: str | None, doc: str) -> Option:
    return Option(short=short, long=long, takes=Takes.NUMBER, value=value, default=default, doc=doc)


def _text(short: str, long: str, value: str, doc: str, default: str | None = None) -> Option:
    return Option(short=short, long=long, takes=Takes.TEXT, value=value, default=default, doc=doc)


OPTIONS = (
    _text("d", "domain", "NAME", "Only the keys of this domain."),
    Option(short="s", long="subdomains", doc="With -d: the keys of its subdomains too."),
    Option(
        short="D",
        long="suffix",
        doc="Write SELECTOR._domainkey, for the domain's zone. Without it, SELECTOR alone,"
        " for a zone _domainkey.DOMAIN.",
    ),
    Option(
        short="F",
        long="full-names",
        doc="Write full names, with a final dot. So it is also done when the table has"
        " several domains and -d names none.",
    ),
    Option(short="M", long="email-only", doc="The keys are for email alone: s=email."),
    _number("t", "ttl", "SECONDS", None, "Time to live of every record."),
    Option(
        short="u",
        long="nsupdate",
        doc="Write a script for nsupdate, with full names: the same as --format nsupdate,"
        " with the first name server of -N as the server.",
    ),
    _text("", "format", "FORMAT", "Write the records in another form; list shows all forms."),
    _text("o", "output", "FILE", "Write to the file, whole or not at all, not to standard output."),
    Option(short="S", long="soa", doc="Begin with a SOA record."),
    _text("N", "nameservers", "NS,...", "Write NS records; the first is the SOA's primary."),
    _text(
        "C",
        "contact",
        "ADDRESS",
        "Contact for the SOA record. Default: the user at the name of this host.",
    ),
    _number("r", "refresh", "SECONDS", "10800", "Refresh time in the SOA record."),
    _number("R", "retry", "SECONDS", "1800", "Retry time in the SOA record."),
    _number("E", "expire", "SECONDS", "604800", "Expiration time in the SOA record."),
    _number(
        "T",
        "default-ttl",
        "SECONDS",
        "86400",
        "Last number of the SOA record, and time to live where a form needs one.",
    ),
    _text(
        "x",
        "config",
        "FILE",
        "opendkim.conf or postseal.toml that names the keys. Default: of"
        f" {CONFIGS[0]} and {CONFIGS[1]} the first that exists.",
    ),
    Option(
        short="v",
        long="verbose",
        takes=Takes.COUNT,
        doc="Say on standard error what is being done.",
    ),
    Option(long="help", doc="Print this summary and do nothing."),
    Option(long="version", doc="Print the version and do nothing."),
)

EXAMPLES = {
    "postseal-genzone -F file:/etc/opendkim/KeyTable": "all keys, with full names",
    "postseal-genzone -D -d example.com /etc/opendkim/KeyTable": (
        "the keys of one domain, to include in its zone"
    ),
    "postseal-genzone -u -N ns1.example.com -x postseal.toml | nsupdate -k tsig.key": (
        "publish all keys"
    ),
}

MANUAL = {"options": lambda: option_list(OPTIONS)}
