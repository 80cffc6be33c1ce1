"""The options of postseal-record, one table for each of its commands.

NAME
    record_options - the tables from which parser, --help and manual are made

SEE ALSO
    options, manual
"""

from __future__ import annotations

from postseal_keys.manual import option_list
from postseal_keys.options import Option, Takes

ABOUT = (
    "Write and check the DNS records of mail authentication: SPF, DMARC, and the agreement"
    " to receive reports about another domain."
)


def _text(short: str, long: str, value: str, doc: str, default: str | None = None) -> Option:
    return Option(short=short, long=long, takes=Takes.TEXT, value=value, doc=doc, default=default)


def _texts(long: str, value: str, doc: str) -> Option:
    return Option(long=long, takes=Takes.TEXTS, value=value, doc=f"{doc} May be repeated.")


COMMON = (
    _text("", "format", "FORMAT", "How to write the record; list shows all forms.", "zone"),
    Option(
        long="ttl", takes=Takes.NUMBER, value="SECONDS", doc="Time to live, where the form has one."
    ),
    _text(
        "",
        "zone",
        "NAME",
        "The zone that the name is in, when it is not the domain itself: hosts are written"
        " relative to it.",
    ),
    Option(long="help", doc="Print this summary and do nothing."),
)

SPF = (
    Option(long="mx", doc="The hosts that take the domain's mail send it too."),
    Option(long="a", doc="The host that the domain itself points to sends."),
    _texts("host", "NAME", "This host sends (a:NAME)."),
    _texts("ip", "ADDRESS[/LENGTH]", "This address or network sends (ip4: or ip6:)."),
    _texts("include", "NAME", "Whoever may send by the record of that domain may send here."),
    _text("", "redirect", "NAME", "Use the record of that domain instead of one's own."),
    _text(
        "",
        "all",
        "WORD",
        "What is said about all others: fail (-all), softfail (~all) or neutral (?all).",
        "softfail",
    ),
    Option(long="none", doc="The domain sends no mail at all: v=spf1 -all."),
    *COMMON,
)

DMARC = (
    _text(
        "p", "policy", "WORD", "none, quarantine or reject: for mail that does not pass.", "none"
    ),
    _text("", "sp", "WORD", "The policy for names below the domain, when it differs."),
    _text("", "np", "WORD", "The policy for names below that do not exist, when it differs."),
    _texts("rua", "ADDRESS", "Where daily summaries go: a mail address or a URI."),
    _texts("ruf", "ADDRESS", "Where reports about single messages go."),
    _text("", "fo", "LIST", "When to send those: 0, 1, d, s, with colons between."),
    _text("", "adkim", "WORD", "relaxed or strict alignment of DKIM.", "relaxed"),
    _text("", "aspf", "WORD", "relaxed or strict alignment of SPF.", "relaxed"),
    Option(short="t", long="test", doc="Ask for one level less than the policy, while testing."),
    _text("", "psd", "WORD", "y for a public suffix, n for an Organizational Domain."),
    *COMMON,
)

REPORT = (
    _texts("about", "DOMAIN", "The domain whose reports are welcome."),
    Option(long="any", doc="Reports about every domain are welcome."),
    _text("", "rua", "ADDRESS", "Send them to this address at the same host instead."),
    *COMMON,
)

CHECK = (
    Option(
        short="s",
        long="selector",
        takes=Takes.TEXTS,
        value="NAME",
        doc="A DKIM selector to look at. May be repeated.",
    ),
    _text(
        "t",
        "keytable",
        "DATASET",
        "Look at every selector that a KeyTable has for the domain, and compare its key.",
    ),
    _text(
        "x", "config", "FILE", "The same with the keys that postseal.toml or opendkim.conf names."
    ),
    _text("", "record", "TEXT", "Check this text instead of what is published."),
    _text(
        "",
        "file",
        "FILE",
        "Check the records in this file, one on a line or in zone file form; - is standard input.",
    ),
    Option(
        long="nameserver",
        takes=Takes.TEXTS,
        value="ADDRESS[:PORT]",
        doc="The resolver to ask, instead of the one in /etc/resolv.conf. May be repeated.",
    ),
    _text("", "timeout", "TIME", "How long to wait for one answer.", "3s"),
    Option(long="strict", doc="Warnings count as errors in the exit status."),
    Option(long="json", doc="Write the result as JSON."),
    Option(short="q", long="quiet", doc="Print findings from warnings upward only."),
    Option(
        short="v",
        long="verbose",
        takes=Takes.COUNT,
        doc="Print also what is as it should be, and what each SPF term costs.",
    ),
    Option(long="help", doc="Print this summary and do nothing."),
)

TABLES = {"spf": SPF, "dmarc": DMARC, "report-auth": REPORT, "check": CHECK}

USAGES = {
    "spf": "spf [options] DOMAIN",
    "dmarc": "dmarc [options] DOMAIN",
    "report-auth": "report-auth [options] HOST",
    "check": "check [options] [DOMAIN...]",
}

ABOUTS = {
    "spf": "Write the SPF record of a domain.",
    "dmarc": "Write the DMARC record of a domain.",
    "report-auth": "Write the record by which HOST agrees to receive DMARC reports about other"
    " domains.",
    "check": "Look at everything that domains publish, or at records not published yet.",
}

EXAMPLES = {
    "spf": {
        "postseal-record spf --mx --ip 192.0.2.0/28 --all fail example.com": (
            "the mail exchangers and one network send, nobody else"
        ),
        "postseal-record spf --none example.org": "a domain that sends no mail",
    },
    "dmarc": {
        "postseal-record dmarc --rua dmarc@example.com example.com": "begin by watching",
        "postseal-record dmarc -p quarantine --test --rua dmarc@example.com example.com": (
            "try the policy out"
        ),
    },
    "report-auth": {
        "postseal-record report-auth --about example.com reports.example.net": (
            "what the operator of reports.example.net publishes"
        ),
    },
    "check": {
        "postseal-record check -s mail2026 example.com": "a domain with one of its keys",
        "postseal-record check --record 'v=spf1 ip:192.0.2.1 -all'": "a text not published yet",
        "postseal-record check --json --keytable /etc/postseal/KeyTable example.com": (
            "for a program"
        ),
    },
}

MANUAL = {
    f"options-{name}": lambda table=table: option_list(table) for name, table in TABLES.items()
}
