"""Every option of postseal.toml: its name, kind, default and manual text.

NAME
    model - Settings, the whole configuration as one frozen value

GIVEN
    nothing: every option has a default, and the daemon runs without a file.

GIVES
    Settings.  The descriptions here are the text of postseal.toml(5), word for word.

DOES NOT
    look at files, or at other options: tables/site.py and conf/check.py do.

SEE ALSO
    conf/load.py (text in, Settings out), conf/manual.py (the manual page).
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from postseal.conf.host import host_name
from postseal.conf.kinds import MaybePlace, MaybeTableFile, Mode, Seconds, Socket, Words, rows
from postseal.conf.policy import Arc, Override
from postseal.conf.remote import RemoteTable
from postseal.conf.sections import Dmarc, Dns, From, Log, Roles, Section, Spf, Upstream, Verify
from postseal.conf.signing import EXPIRE_DEFAULT, EXPIRE_FLOOR, Sign, SignKey

__all__ = [
    "EXPIRE_DEFAULT",
    "EXPIRE_FLOOR",
    "MAX_OVERRIDES",
    "Arc",
    "Dmarc",
    "Dns",
    "From",
    "Log",
    "Override",
    "RemoteTable",
    "Roles",
    "Section",
    "Settings",
    "Sign",
    "SignKey",
    "Spf",
    "Upstream",
    "Verify",
]

MAX_OVERRIDES = 1000  # rows in one file: a message may be compared with each of them


class Settings(Section):
    """The whole file."""

    authserv_id: str = Field(
        default_factory=host_name,
        min_length=1,
        max_length=255,
        pattern=r"^[A-Za-z0-9._-]+$",
        description="The name under which results are written into Authentication-Results. Fields"
        " from outside that claim this name are removed.",
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
        description="Whether every worker is bound to one processor, where its threads do not"
        " interrupt each other. A message then takes less CPU time, but some milliseconds longer"
        " while other programs keep that processor busy.",
    )
    on_error: Literal["tempfail", "accept"] = Field(
        default="tempfail",
        description="What happens to a message when the daemon itself fails on it: tempfail defers"
        " it, accept lets it through without results, and with those that strangers may have"
        " forged.",
    )
    pid_file: MaybePlace = Field(
        default=None,
        description="A file that holds the supervisor's process number while it runs."
        " postseal reload needs it.",
    )
    watch: Seconds = Field(
        default=10,
        ge=0,
        le=86400,
        description="How often the configuration, its tables, lists and keys are looked at for"
        " changes, in seconds. What has changed, and changes no more, is read again as by SIGHUP:"
        " checked whole, and never used when there is a mistake in it. 0 never looks.",
    )
    overrides: MaybeTableFile = Field(
        default=None,
        description="A file with more [[override]] rows and nothing else, as file:PATH. They follow"
        " the rows of this file, and are numbered on. It is looked at for changes like the other"
        " tables; while a row in it is wrong, the rows that were read before stay in force.",
    )
    log: Log = Field(default_factory=Log, description="What is logged, and where.")
    roles: Roles = Field(
        default_factory=Roles, description="Whose mail is signed, and whose is verified."
    )
    sign: Sign = Field(default_factory=Sign, description="With which keys, and how.")
    table: Annotated[tuple[RemoteTable, ...], BeforeValidator(rows)] = Field(
        default=(),
        description="A table that is kept in a database or a directory, with limits other than the"
        " usual ones.",
    )
    verify: Verify = Field(default_factory=Verify, description="How DKIM signatures are judged.")
    spf: Spf = Field(default_factory=Spf, description="Limits of the SPF check.")
    upstream: Upstream = Field(
        default_factory=Upstream,
        description="A host of ours in front of this one, whose results may count for DMARC, as"
        " when it changes messages and their signatures no longer verify here.",
    )
    dmarc: Dmarc = Field(
        default_factory=Dmarc,
        description="What follows from a DMARC failure. By default nothing but a header field.",
    )
    arc: Arc = Field(
        default_factory=Arc,
        description="Authenticated Received Chain: what hosts on the way have found (RFC 8617).",
    )
    from_: From = Field(
        default_factory=From,
        alias="from",
        description="What happens to mail from outside whose author cannot be told.",
    )
    override: Annotated[tuple[Override, ...], BeforeValidator(rows)] = Field(
        default=(),
        max_length=MAX_OVERRIDES,
        description="Exceptions for mail from outside, in order: the first row all of whose"
        " conditions hold decides, whatever the rest of this file says. Mail of our own users and"
        " hosts is not concerned. What was done and why is told in the header, as the reason of"
        " dmarc=, in the log and by postseal verify --explain; how often each row has decided is"
        " logged at every reload and at the end.",
    )
    dns: Dns = Field(default_factory=Dns, description="Name servers, timeouts and limits.")
