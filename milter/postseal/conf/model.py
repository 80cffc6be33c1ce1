"""Every option of postseal.toml: its name, kind, default and manual text.

NAME
    model - Settings, the whole configuration as one frozen value

GIVEN
    nothing: every option has a default, and the daemon runs without a file.

GIVES
    Settings.  The descriptions here are the text of postseal.toml(5), word for word.

DOES NOT
    look at files or at other options; that is conf/check.py.

SEE ALSO
    conf/load.py (text in, Settings out), conf/manual.py (the manual page).
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from postseal.conf.host import host_name
from postseal.conf.kinds import (
    Domain,
    MaybePlace,
    Mode,
    Nameservers,
    Place,
    Seconds,
    Socket,
    Words,
    rows,
    seconds,
)

DAY = 86400
EXPIRE_DEFAULT = 14 * DAY  # what `expire = true` means
EXPIRE_FLOOR = 5 * DAY  # Postfix's maximal_queue_lifetime: a queued message must not outlive it

OnError = Literal["tempfail", "accept"]
Header = Literal["simple", "relaxed"]
Canonicalization = Literal[
    "simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed", "simple", "relaxed"
]
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


def _expire(value: object) -> object:
    """true is the default life, false none; the rest is a duration."""
    return EXPIRE_DEFAULT * value if isinstance(value, bool) else seconds(value)


class Section(BaseModel):
    """A table of the file: unknown names are mistakes, values are not converted silently."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", strict=True, validate_default=True, populate_by_name=True
    )


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
        " is of level info.",
    )


class Roles(Section):
    """[roles]"""

    internal_hosts: Words = Field(
        default=("127.0.0.0/8", "::1"),
        description="Clients whose mail is signed without authentication: host names, .domain for"
        " all hosts below it, IPv4 and IPv6 addresses and networks. An entry that starts with !"
        " makes an exception; the most specific entry decides. An entry file:/PATH reads more"
        " entries from a file, one on a line. Mail from the local sendmail command counts as"
        " coming from 127.0.0.1. Setting this replaces the default.",
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


class SignKey(Section):
    """[[sign.key]]"""

    selector: Domain = Field(
        min_length=1,
        description="The selector under which the public key is published, at"
        " SELECTOR._domainkey.DOMAIN.",
    )
    file: Place = Field(
        description="The private key in PEM form, RSA or Ed25519. Nobody but root and the daemon's"
        " user may be able to read or replace it."
    )


class Sign(Section):
    """[sign]"""

    domain: Domain = Field(
        default="",
        description="The domain to sign for, when there is only one. Use key_table and"
        " signing_table for more.",
    )
    sub_domains: bool = Field(
        default=False,
        description="Whether mail from sub-domains of domain is signed too, with domain's keys.",
    )
    key: Annotated[tuple[SignKey, ...], BeforeValidator(rows)] = Field(
        default=(),
        description="The keys of domain. Every key gives one signature: an RSA and an Ed25519 key"
        " side by side are the usual pair.",
    )
    key_table: str = Field(
        default="",
        description="A KeyTable as OpenDKIM reads it: NAME DOMAIN:SELECTOR:KEY on a line. Written"
        " file:/PATH, csl:TEXT or just /PATH.",
    )
    signing_table: str = Field(
        default="",
        description="A SigningTable as OpenDKIM reads it: SENDER NAME on a line. Written"
        " file:/PATH for exact look-ups, refile:/PATH for patterns with *, csl:TEXT, or just"
        " /PATH for file:/PATH.",
    )
    multiple_signatures: bool = Field(
        default=False,
        description="Whether every row of signing_table that matches gives a signature, and not"
        " the first one alone.",
    )
    canonicalization: Canonicalization = Field(
        default="relaxed/relaxed",
        description="How header and body are made canonical before signing, as HEADER/BODY. A"
        " single word is for the header; the body is then simple.",
    )
    headers: Words = Field(
        default=("*",),
        description="The header fields to sign. * stands for the built-in list; +NAME adds to it"
        " and -NAME takes from it. From is always signed. Received, Return-Path,"
        " Authentication-Results and the ARC fields are never signed.",
    )
    oversign: Words = Field(
        default=("From",),
        description="Header fields that are named once more than they occur, so that none can be"
        " added without breaking the signature. Each must also be in headers.",
    )
    expire: Annotated[int, BeforeValidator(_expire)] = Field(
        default=0,
        ge=0,
        description="How long signatures are valid (x=), in seconds or as 14d. 0 or false means"
        " for ever, true means 14 days. Less than 5 days is refused, because mail may wait that"
        " long in a queue.",
    )
    identity: str = Field(
        default="",
        description="The signing identity (i=), with {local}, {domain} and {address} replaced by"
        " the author's: @{domain} names the author's domain. Empty leaves i= out. It is"
        " also left out where it would not be within the signing domain. A second value in"
        " signing_table goes before it.",
    )
    on_signing_error: OnError = Field(
        default="tempfail",
        description="What happens to mail that should be signed but cannot be, because a key or a"
        " table cannot be used: tempfail defers it, accept lets it out unsigned.",
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


class Dmarc(Section):
    """[dmarc]"""

    enabled: bool = Field(default=True, description="Whether DMARC is evaluated.")
    quarantine: Literal["none", "hold"] = Field(
        default="none",
        description="What happens to mail that fails DMARC where the domain asks for quarantine:"
        " none delivers it with the result in its header, hold puts it into the hold queue.",
    )
    reject: bool = Field(
        default=False,
        description="Whether mail that fails DMARC is refused where the domain asks for reject."
        " Mail that came through a mailing list often fails without being forged, so a domain"
        " with people in it seldom wants its mail refused on this alone (RFC 9989 section 8)."
        " When false, the mail is delivered with the result in its header.",
    )
    reject_text: str = Field(
        default="rejected by DMARC policy for {domain}",
        max_length=200,
        pattern=r"^[ -~]*$",
        description="The text of the refusal, after 550 5.7.1. {domain} is the author's domain.",
    )
    temperror: Literal["accept", "tempfail"] = Field(
        default="accept",
        description="What happens when DMARC could not be decided because DNS did not answer.",
    )


class From(Section):
    """[from]"""

    missing: Literal["accept", "reject"] = Field(
        default="accept",
        description="What happens to mail from outside without a From field.",
    )
    broken: Literal["accept", "reject"] = Field(
        default="accept",
        description="What happens to mail from outside with a From field that is not one list of"
        " addresses.",
    )
    multiple: Literal["accept", "reject"] = Field(
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
    timeout: float = Field(
        default=3.0, gt=0, le=60, description="How long one question waits, in seconds."
    )
    attempts: int = Field(
        default=2, ge=1, le=10, description="How many times a question is sent to each server."
    )
    seconds: float = Field(
        default=20.0,
        gt=0,
        le=240,
        description="How long all questions for one message may take together, in seconds. When it"
        " is over, what is still open is a temporary error. Keep it well below Postfix's"
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


class Settings(Section):
    """The whole file."""

    authserv_id: str = Field(
        default_factory=host_name,
        min_length=1,
        max_length=255,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="The name under which results are written into Authentication-Results. Fields"
        " from outside that claim this name are removed. The default is the host name.",
    )
    extra_authserv_ids: Words = Field(
        default=(),
        description="Further names whose Authentication-Results fields are removed from mail from"
        " outside, such as names this host had before.",
    )
    socket: Socket = Field(
        default="inet:8891@127.0.0.1",
        description="Where the daemon listens, in libmilter's form (inet:PORT@HOST,"
        " inet6:PORT@HOST, unix:/PATH, local:/PATH) or Postfix's (inet:HOST:PORT).",
    )
    socket_mode: Mode = Field(
        default=0o660,
        description='The permissions of a unix socket, in octal digits: "0660". Postfix\'s user'
        " must be able to write to it.",
    )
    socket_group: str = Field(
        default="",
        description="The group of a unix socket, usually postfix. Empty leaves it as it is made.",
    )
    user: str = Field(
        default="",
        description="The user the daemon becomes when it was started as root, after it has read"
        " the keys. Empty means postseal if there is such a user; root is never kept"
        " silently.",
    )
    group: str = Field(
        default="",
        description="The group the daemon gets with user. Empty means the user's own groups.",
    )
    workers: int = Field(
        default=0,
        ge=0,
        le=1024,
        description="How many worker processes there are. 0 means one per processor.",
    )
    pin_workers: bool = Field(
        default=True,
        description="Whether every worker is bound to one processor.",
    )
    on_error: OnError = Field(
        default="tempfail",
        description="What happens to a message when the daemon itself fails on it: tempfail defers"
        " it, accept lets it through without results.",
    )
    state_directory: Place = Field(
        default=Path("/var/lib/postseal"),
        description="Where the daemon keeps what must outlive it.",
    )
    pid_file: MaybePlace = Field(
        default=None,
        description="A file that holds the supervisor's process number while it runs."
        " postseal reload needs it.",
    )
    log: Log = Field(default_factory=Log, description="What is logged, and where.")
    roles: Roles = Field(
        default_factory=Roles, description="Whose mail is signed, and whose is verified."
    )
    sign: Sign = Field(default_factory=Sign, description="With which keys, and how.")
    verify: Verify = Field(default_factory=Verify, description="How DKIM signatures are judged.")
    spf: Spf = Field(default_factory=Spf, description="Limits of the SPF check.")
    dmarc: Dmarc = Field(
        default_factory=Dmarc,
        description="What follows from a DMARC failure. By default nothing but a header field.",
    )
    from_: From = Field(
        default_factory=From,
        alias="from",
        description="What happens to mail from outside whose author cannot be told.",
    )
    dns: Dns = Field(default_factory=Dns, description="Name servers, timeouts and limits.")
