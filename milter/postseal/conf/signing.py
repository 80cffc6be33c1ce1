"""[sign] of postseal.toml: which keys sign for whom, and how.

NAME
    signing - Sign and SignKey

SEE ALSO
    conf/model.py, which puts the tables together; tables/chooser.py, which obeys.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from postseal.conf.kinds import Domain, Place, Words, rows, seconds
from postseal.conf.sections import DAY, Section
from postseal.core.dkim import headerlist

EXPIRE_DEFAULT = 14 * DAY  # what `expire = true` means
EXPIRE_FLOOR = 5 * DAY  # Postfix's maximal_queue_lifetime: a queued message must not outlive it

Canonicalization = Literal[
    "simple/simple", "simple/relaxed", "relaxed/simple", "relaxed/relaxed", "simple", "relaxed"
]


def _expire(value: object) -> object:
    """true is the default life, false none; the rest is a duration."""
    return EXPIRE_DEFAULT * value if isinstance(value, bool) else seconds(value)


def _names(listed: Iterable[bytes]) -> str:
    """Header fields for people to read."""
    names = (b"-".join(map(bytes.capitalize, name.split(b"-"))).decode() for name in listed)
    return ", ".join(_SPELLED.get(name, name) for name in names)


_SPELLED = {
    "Message-Id": "Message-ID",
    "Resent-Message-Id": "Resent-Message-ID",
    "Content-Id": "Content-ID",
    "Mime-Version": "MIME-Version",
    "List-Id": "List-ID",
}


class SignKey(Section):
    """[[sign.key]]"""

    selector: Domain = Field(
        min_length=1,
        description="The selector under which the public key is published, at"
        " SELECTOR._domainkey.DOMAIN.",
    )
    file: Place = Field(
        description="The private key in PEM form, RSA or Ed25519. Nobody but root and the daemon's"
        " user may be able to read or replace it. credential:NAME is a credential of systemd"
        " (LoadCredential)."
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
        " file:/PATH, csl:TEXT or just /PATH, or as under Tables elsewhere.",
    )
    signing_table: str = Field(
        default="",
        description="A SigningTable as OpenDKIM reads it: SENDER NAME on a line. Written"
        " file:/PATH for exact look-ups, refile:/PATH for patterns with *, csl:TEXT, or just"
        " /PATH for file:/PATH, or as under Tables elsewhere.",
    )
    choose_by: Literal["from", "envelope", "login"] = Field(
        default="from",
        description="Whose address is looked up in domain or signing_table: the author's (from),"
        " the envelope sender's, or the login's. A bounce has no envelope sender, and a login may"
        " not be an address: then the author's is taken. DMARC passes only by a signature of the"
        " author's domain, so that anything but from is for mail that needs no DMARC. Mail with"
        " several From fields, or authors in several domains, is never signed.",
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
        description="The header fields to sign. * stands for the built-in list: "
        + _names(headerlist.SIGNED)
        + ". +NAME adds to it and -NAME takes from it. From is always signed. Received,"
        " Return-Path, Authentication-Results and the ARC fields are never signed.",
    )
    oversign: Words = Field(
        default=("*",),
        description="Header fields that are named once more than they occur, so that none can be"
        " added without breaking the signature, written as in headers. * stands for the built-in"
        " list: "
        + _names(headerlist.OVERSIGNED)
        + ". Date and Message-ID are left out where a message has none, because Postfix may"
        " add them. Those that are named here must also be in headers. From is always among them.",
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
    sender_login: str = Field(
        default="",
        description="A table that binds authors to logins, so that one customer cannot have mail"
        " signed as another: AUTHOR LOGIN, LOGIN on a line, with authors written as the senders of"
        " signing_table. A login of % is the author's own address, * is every login. Mail of an"
        " authenticated client whose author has no row, or not with its login, is not signed; where"
        " choose_by is envelope, that holds for the envelope sender, too."
        " csl:*=% lets everybody write under their own address only. ann+lists@example.com is not"
        " the address ann@example.com; in a refile: table, ann+*@example.com covers such authors."
        " Mail that did not authenticate is not concerned. Empty binds nothing.",
    )
    on_signing_error: Literal["tempfail", "accept"] = Field(
        default="tempfail",
        description="What happens to mail that should be signed but cannot be, because a key or a"
        " table cannot be used: tempfail defers it, accept lets it out unsigned.",
    )
    self_check: Literal["all", "sample", "off"] = Field(
        default="sample",
        description="Which signatures are verified with the public half of their key before the"
        " message goes on: all, none, or those of one message in sixteen (sample). A signature"
        " that does not verify means a fault of this host or of Postseal, and leads to"
        " on_signing_error. all makes signing a tenth dearer with an RSA key, and doubles the cost"
        " of an Ed25519 signature.",
    )
    warn_risks: bool = Field(
        default=True,
        description="Whether the log tells what will break a signature after it was made: lines of"
        " more than 998 octets, which Postfix cuts in two; a body that is not ASCII, which it"
        " converts for a server without 8BITMIME; CR and LF that are not together, as far as"
        " samples of a long body show them. postseal sign --explain looks at all of it.",
    )
    check_published: Literal["off", "warn", "fallback"] = Field(
        default="off",
        description="Whether the daemon compares its keys with what DNS publishes, at start and"
        " then daily: warn logs every key that is not published, or is revoked, or differs;"
        " fallback also leaves such a key out as long as its domain has another key here that is"
        " published, and signs with that one instead. Start-up does not wait for it, and DNS that"
        " gives no answer changes nothing. Of a row of key_table whose domain is %, the domains are"
        " checked that signing_table names in full, and those that have a key file where the path"
        " has a % too. A key_table in a database is not checked. check-config tells what is left"
        " out.",
    )
