"""Where a table is kept: the text of an option as OpenDKIM reads it.

NAME
    source - file:PATH, refile:PATH, csl:TEXT, their short forms, and tables elsewhere

GIVEN
    the value of key_table, signing_table or sender_login.

GIVES
    a Source, or SourceError: what is wrong and what can be written instead.

SEE ALSO
    opendkim(8), section DATA SETS; tables/rows.py reads the rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

REMOTE = (
    "table", "sqlite", "postgresql", "mysql", "mariadb", "postfixadmin", "dsn",
    "ldap", "ldapi", "ldaps", "redis", "rediss", "valkey",
)  # fmt: skip
REFUSED = ("db", "lua", "memcache", "mdb", "erlang", "repute", "socket")


class Form(StrEnum):
    """How the rows are written and looked up."""

    FILE = "file"  # one row on a line, exact look-up
    REFILE = "refile"  # one row on a line, the first word a pattern
    CSL = "csl"  # rows with commas between them, in the option itself
    REMOTE = "remote"  # asked for row by row: tables/stores.py


@dataclass(frozen=True, slots=True)
class Source:
    """A form, and the path (FILE, REFILE), the rows themselves (CSL) or an address (REMOTE)."""

    form: Form
    text: str

    @property
    def is_file(self) -> bool:
        """Whether the rows are in a file."""
        return self.form in (Form.FILE, Form.REFILE)

    def path(self, base: Path) -> Path:
        """The file; a relative name counts from base."""
        return base / self.text


class SourceError(ValueError):
    """Not a table we can read.  hint says what to write instead."""

    def __init__(self, what: str, hint: str = "") -> None:
        self.hint = hint
        super().__init__(what)


def parse(text: str) -> Source:
    """The source that text names.  Raises SourceError, nothing else.

    Without a prefix, or with a comma before the first colon, an absolute path is a
    file and everything else a list: OpenDKIM's rule.
    """
    prefix, colon, rest = text.partition(":")
    if "\0" in text:
        raise SourceError("there is a NUL in the name of the table")
    if not colon or "," in prefix:
        if text.endswith(".db") and not colon:
            raise SourceError(
                "Berkeley DB files are not read", "give the text file it was made from: file:PATH"
            )
        if text and not text.startswith("/") and "=" not in text and "," not in text:
            raise SourceError(
                f"{text!r} is neither a file nor a list",
                f"for a file write file:{text}, or refile:{text} where it holds patterns",
            )
        return Source(Form.FILE if text.startswith("/") else Form.CSL, text)
    name = prefix.lower()
    if name in REFUSED:
        raise SourceError(
            f"tables of kind {name}: are not read", "use file:PATH, refile:PATH or csl:TEXT"
        )
    if name in REMOTE:
        return Source(Form.REMOTE, text)
    if name not in (Form.FILE, Form.REFILE, Form.CSL):
        raise SourceError(
            f"unknown kind of table {prefix!r}",
            "use file:PATH, refile:PATH or csl:TEXT; a list that has a colon needs csl: in front",
        )
    if not rest:
        raise SourceError(f"nothing follows {prefix}:")
    return Source(Form(name), rest)
