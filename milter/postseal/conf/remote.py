"""[[table]] of postseal.toml: a table that is kept in a database or a directory.

NAME
    remote - RemoteTable; shown()

SEE ALSO
    conf/model.py, which puts the tables together; tables/stores.py, which asks them.
"""

from __future__ import annotations

import re

from pydantic import Field

from postseal.conf.kinds import MaybePlace, Seconds, Wait
from postseal.conf.sections import DAY, Section

# A password that should have been quoted may have / and @ in it.
_SECRET = re.compile(r"^([a-z0-9:]+//[^/@:]*:)[^?]*@", re.IGNORECASE)


def shown(text: str) -> str:
    """An address as it may be shown: without the password of USER:PASSWORD@."""
    return _SECRET.sub(r"\1***@", text)


class RemoteTable(Section):
    """[[table]]"""

    name: str = Field(
        min_length=1,
        max_length=64,
        pattern=r"^[A-Za-z0-9_.-]+$",
        description="What key_table, signing_table, sender_login, internal_hosts and peers call it:"
        " table:NAME.",
    )
    url: str = Field(
        min_length=1,
        description="Where it is, as under Tables elsewhere below. A password does not belong here"
        " but into password_file.",
    )
    query: str = Field(
        default="",
        description="For SQL, the question to ask instead of table, key and value in url. With"
        " :keys, as in SELECT sender, keyname FROM senders WHERE sender IN :keys, all texts that"
        " could match are asked for at once, and the first column tells which one a row is for."
        " With :key, they are asked for one after the other, and every column is part of the value."
        " :address, :local and :domain are the author's. Columns of a value are joined by colons.",
    )
    password_file: MaybePlace = Field(
        default=None,
        description="A file with the password of the user in url, or credential:NAME. It is read"
        " before root is given up, and nobody else may be able to read it.",
    )
    timeout: Wait = Field(
        default=3.0,
        gt=0,
        le=60,
        description="How long a message waits for an answer, connecting included, in seconds.",
    )
    connections: int = Field(
        default=4, ge=1, le=100, description="How many connections a worker has at most."
    )
    cache_entries: int = Field(
        default=20_000,
        ge=1,
        le=1_000_000,
        description="How many answers a worker remembers.",
    )
    cache: Seconds = Field(
        default=300,
        ge=0,
        le=DAY,
        description="How long an answer is used without asking again, in seconds. A key that is"
        " replaced is used for as long.",
    )
    cache_negative: Seconds = Field(
        default=60,
        ge=0,
        le=DAY,
        description="The same for the answer that there is no such row: how long a new domain may"
        " have to wait.",
    )
    stale: Seconds = Field(
        default=3600,
        ge=0,
        le=30 * DAY,
        description="How long beyond that an answer is used while the table does not answer. After"
        " that, and for authors nobody asked for before, on_signing_error decides.",
    )
    retry: Seconds = Field(
        default=5,
        ge=1,
        le=3600,
        description="How often a table that does not answer is tried again, in seconds. Other mail"
        " does not wait meanwhile.",
    )
