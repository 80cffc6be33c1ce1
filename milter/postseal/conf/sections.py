"""The tables of postseal.toml but [sign]: every option with its kind, default and manual text.

NAME
    sections - Log, Roles, Verify, Spf, Upstream, Dmarc, From and Dns

SEE ALSO
    conf/model.py, which puts them together.
"""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from postseal.conf.kinds import FieldName, MaybePlace, Nameservers, Seconds, Wait, Words

DAY = 86400

Facility = Literal[
    "mail",
    "daemon",
    "user",
    "local0",
    "local1",
    "local2",
    "local3",
    "local4",
    "local5",
    "local6",
    "local7",
]


class Section(BaseModel):
    """A table of the file: unknown names are mistakes, values are not converted silently."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, populate_by_name=True)


class Log(Section):
    """[log]"""

    target: Literal["stderr", "syslog"] = Field(
        default="stderr",
        description="Where log lines go. Under systemd, stderr is the journal.",
    )
    facility: Facility = Field(
        default="mail", description="The syslog facility, when target is syslog."
    )
    level: Literal["debug", "info", "warning", "error"] = Field(
        default="info",
        description="The least important kind of line that is written. The one line per message"
        " is of level info; so far debug shows nothing more.",
    )


class Roles(Section):
    """[roles]"""

    internal_hosts: Words = Field(
        default=("127.0.0.0/8", "::1"),
        description="Clients whose mail is signed without authentication: host names, .domain for"
        " all hosts below it, IPv4 and IPv6 addresses and networks. An entry that starts with !"
        " makes an exception. Names are looked up first, then addresses, the most specific entry"
        " first, and what is found first decides. An entry file:/PATH reads more entries from a"
        " file, one on a line. An entry table:NAME, or an address as under Tables elsewhere, is"
        " asked about every client that the other entries do not decide about; while it does not"
        " answer, on_signing_error decides, and accept means that the mail is checked like a"
        " stranger's. Mail from the local sendmail command counts as coming from 127.0.0.1. Setting"
        " this replaces the default.",
    )
    daemon_names: Words = Field(
        default=("ORIGINATING",),
        description="Values of Postfix's milter_macro_daemon_name whose mail is signed. Give the"
        " submission services one of these names in master.cf.",
    )
    macros: Words = Field(
        default=(),
        description="Mail is also signed when a milter macro has a listed value: NAME=VALUE or"
        " NAME=VALUE|VALUE, without braces; NAME alone asks only that the macro is defined."
        " Values are compared exactly.",
    )
    never_sign: Words = Field(
        default=(),
        description="Mail is never signed when one of these macro rules holds, written as in"
        " macros. Use it for listeners that re-inject other people's mail from this host, such as"
        " the return port of a content filter: daemon_name=REINJECT or daemon_port=10025.",
    )
    peers: Words = Field(
        default=(),
        description="Clients, written as in internal_hosts, whose mail is left alone: neither"
        " signed nor verified, and no header field is changed.",
    )
    authenticated: bool = Field(
        default=True,
        description="Whether mail of clients that authenticated with SASL is signed.",
    )
    trusted_relays: Words = Field(
        default=(),
        description="Hosts of ours in front of this one, such as secondary MXs and gateways,"
        " written as in internal_hosts. Mail they bring is judged by the client that brought it to"
        " them: that is read from their Received fields, one for each of these hosts, and no field"
        " below is believed. SPF, iprev and the overrides' client then mean that client. Where a"
        " Received field cannot be read, SPF is none.",
    )


class Verify(Section):
    """[verify]"""

    max_signatures: int = Field(
        default=10,
        ge=1,
        le=100,
        description="How many DKIM signatures of one message are checked, from the top. Those"
        " below are reported as policy.",
    )
    clock_skew: Seconds = Field(
        default=300,
        ge=0,
        le=DAY,
        description="By how much clocks may differ when signature times are judged, in seconds.",
    )
    minimum_key_bits: int = Field(
        default=1024,
        ge=512,
        le=16384,
        description="RSA signatures by keys with fewer bits than this are reported as policy and"
        " do not count for DMARC (RFC 8301 section 3.2).",
    )
    temperror: Literal["accept", "tempfail"] = Field(
        default="accept",
        description="What happens to mail from outside that DMARC does not pass and that has no"
        " signature that passes, when one could not be verified because DNS did not answer.",
    )
    permerror: Literal["accept", "tempfail"] = Field(
        default="accept",
        description="What happens to such mail when a signature or its key is not usable. tempfail"
        " gives the signer time to mend it; a failed signature is meant to be the same as none"
        " (RFC 6376 section 6.1).",
    )
    iprev: bool = Field(
        default=False,
        description="Whether the client's address is looked up in reverse and forward, and the"
        " outcome written as iprev= (RFC 8601 section 3). No decision is based on it.",
    )
    keep_removed: FieldName = Field(
        default="",
        description="The name of a header field, such as X-Removed-Authentication-Results, that"
        " keeps the text of each Authentication-Results field that was removed from mail from"
        " outside: the topmost five, their first 2000 octets, printable ASCII alone. Empty keeps"
        " nothing.",
    )


class Spf(Section):
    """[spf]"""

    enabled: bool = Field(
        default=True, description="Whether SPF is checked. DMARC then has DKIM alone to go by."
    )
    lookups: int = Field(
        default=10,
        ge=1,
        le=100,
        description="How many mechanisms of one check may ask DNS (RFC 7208 section 4.6.4).",
    )
    voids: int = Field(
        default=2,
        ge=0,
        le=100,
        description="How many of those questions may have no answer (RFC 7208 section 4.6.4).",
    )
    temperror: Literal["accept", "tempfail"] = Field(
        default="accept",
        description="What happens to mail from outside that DMARC does not pass when SPF could not"
        " be checked because DNS did not answer.",
    )
    permerror: Literal["accept", "tempfail"] = Field(
        default="accept",
        description="What happens to such mail when the SPF record is not usable.",
    )
    helo: bool = Field(
        default=False,
        description="Whether the HELO name is checked too, and written as a second spf= with"
        " smtp.helo (RFC 7208 section 2.3). It does not count for DMARC (RFC 9989 section 4.4.2)."
        " With the null sender HELO is the one identity that is checked, whatever this says.",
    )
    received_spf: bool = Field(
        default=False,
        description="Whether a Received-SPF field is added as well (RFC 7208 section 9.1), for"
        " programs that do not read Authentication-Results.",
    )


class Upstream(Section):
    """[upstream]"""

    authserv_ids: Words = Field(
        default=(),
        description="The names under which the host in front of this one writes its"
        " Authentication-Results. Its topmost field is read for DMARC, and of that only what SPF"
        " and DKIM passed for the sender and the signatures that this message has (RFC 8601"
        " section 5). That host must remove what others write in its name.",
    )
    hosts: Words = Field(
        default=(),
        description="The addresses of that host, written as in internal_hosts. Results in mail from"
        " all other clients are never used. They must not be internal hosts, whose mail is not"
        " judged.",
    )


class Dmarc(Section):
    """[dmarc]"""

    enabled: bool = Field(default=True, description="Whether DMARC is evaluated.")
    discovery: Literal["treewalk", "psl", "both"] = Field(
        default="treewalk",
        description="How the policy and the organisation of a domain are found: treewalk as RFC"
        " 9989 section 4.10 has it; psl by a public suffix list, as RFC 7489 had it; both decides"
        " by the tree walk and tells in log and explanation when the list would have led to another"
        " outcome.",
    )
    suffix_list: MaybePlace = Field(
        default=None,
        description="The public suffix list for discovery by psl or both, in the form of"
        " publicsuffix.org. Empty means the list that comes with the Python package"
        " publicsuffixlist, which is needed in any case.",
    )
    quarantine: Literal["none", "hold", "header"] = Field(
        default="none",
        description="What happens to mail that fails DMARC where the domain asks for quarantine, or"
        " for reject when reject is false: none delivers it with the result in its header, hold"
        " puts it into the hold queue, header delivers it with a field X-Postseal-Quarantine, for"
        " filters that sort mail into folders. With header, fields of that name are removed from"
        " mail from outside.",
    )
    reject: bool = Field(
        default=False,
        description="Whether mail that fails DMARC is refused where the domain asks for reject."
        " When false, the mail is delivered with the result in its header. A receiver must not"
        " refuse mail for p=reject alone; what else is known about it has to count too, and when"
        " that is nothing, the mail is to be treated as under quarantine (RFC 9989 section 8):"
        " mail from mailing lists often fails without being forged. See REFUSING MAIL in"
        " postseal(8) before switching it on.",
    )
    reject_text: str = Field(
        default="Email rejected per DMARC policy for {domain}",
        max_length=200,
        pattern=r"^[ -~]*$",
        description="The text of the refusal, after 550 5.7.1. {domain} is the author's domain.",
    )
    temperror: Literal["accept", "tempfail"] = Field(
        default="accept",
        description="What happens when DMARC could not be decided because DNS did not answer.",
    )
    soften_lists: Literal["off", "quarantine", "accept"] = Field(
        default="off",
        description="What mail of mailing lists that fails DMARC is treated as, where its author's"
        " domain asks for more: quarantine turns reject into quarantine, accept turns both into"
        " nothing. A mailing list is a message with a List-Id field and a DKIM signature or ARC"
        " chain that passes, whoever made it: anybody can have that. An override that names the"
        " list's domain under dkim is the safer way.",
    )


class From(Section):
    """[from]"""

    missing: Literal["accept", "hold", "reject"] = Field(
        default="accept",
        description="What happens to mail from outside without a From field.",
    )
    broken: Literal["accept", "hold", "reject"] = Field(
        default="accept",
        description="What happens to mail from outside with a From field that is not one list of"
        " addresses.",
    )
    multiple: Literal["accept", "hold", "reject"] = Field(
        default="accept",
        description="What happens to mail from outside with several From fields, or with authors"
        " in several domains.",
    )


class Dns(Section):
    """[dns]"""

    nameservers: Nameservers = Field(
        default=(),
        description="Name servers to ask: addresses, with a port where it is not 53, as"
        " 192.0.2.53:5353 or [2001:db8::53]:5353. Empty takes them from /etc/resolv.conf.",
    )
    timeout: Wait = Field(
        default=3.0, gt=0, le=60, description="How long one question waits, in seconds."
    )
    attempts: int = Field(
        default=2, ge=1, le=10, description="How many times a question is sent to each server."
    )
    seconds: Wait = Field(
        default=20.0,
        gt=0,
        le=240,
        description="How long all questions for one message may take together, in seconds. When it"
        " is over, what is still open is a temporary error. DKIM may use half of it, SPF three"
        " quarters of what is then left, and what remains is kept for DMARC: slow name servers of a"
        " forger must not keep a forgery from being found. Keep it well below Postfix's"
        " milter_content_timeout (300 seconds).",
    )
    queries: int = Field(
        default=150,
        ge=1,
        le=10000,
        description="How many questions may be asked for one message. The rest is a temporary"
        " error.",
    )
    cache_entries: int = Field(
        default=20000,
        ge=0,
        le=10_000_000,
        description="How many answers a worker remembers. 0 remembers none.",
    )
