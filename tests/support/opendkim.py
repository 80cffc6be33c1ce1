"""Debian's opendkim as an oracle: which signatures it makes for an author.

Its test mode (-t) runs saved messages through the milter's callbacks as mail from
127.0.0.1, without a socket, and prints what it would add.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

OPENDKIM = shutil.which("opendkim") or (
    "/usr/sbin/opendkim" if Path("/usr/sbin/opendkim").exists() else None
)


@dataclass(frozen=True, slots=True, order=True)
class Made:
    """One signature's choice."""

    domain: str
    selector: str
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What happened to one message."""

    made: tuple[Made, ...] = ()
    fault: str = ""  # "tempfail", or why no signature was added


class WillNotStart(Exception):
    """opendkim refused its configuration."""


def outcomes(folder: Path, options: Iterable[str], froms: Sequence[str]) -> list[Outcome]:
    """What opendkim does for messages with these From values, one after the other.

    Raises WillNotStart.
    """
    assert OPENDKIM
    conf = folder / "opendkim.conf"
    fixed = ("Mode s", "RequireSafeKeys no", "Socket inet:1@127.0.0.1", "Canonicalization relaxed")
    conf.write_text("\n".join([*fixed, *options]) + "\n")
    names = []
    for number, value in enumerate(froms):
        name = folder / f"m{number}"
        name.write_bytes(f"From: {value}\r\nSubject: x\r\n\r\nhello\r\n".encode())
        names.append(str(name))
    found: list[Outcome] = []
    while len(found) < len(names):
        found += _run(conf, names[len(found) :])
    return found


def _run(conf: Path, names: list[str]) -> list[Outcome]:
    """The outcomes up to the first message that is deferred, where opendkim stops."""
    assert OPENDKIM
    done = subprocess.run(
        ["stdbuf", "-o0", OPENDKIM, "-f", "-x", str(conf), "-v", "-t", ",".join(names)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=60,
        check=False,
    )
    text = done.stdout.decode("utf-8", "replace")
    if names[0] not in text:
        raise WillNotStart(text.strip())
    found: list[Outcome] = []
    pieces = re.split(rf"^\S*opendkim: ({'|'.join(map(re.escape, names))}): ?", text, flags=re.M)
    said: dict[str, str] = {}
    for name, piece in zip(pieces[1::2], pieces[2::2], strict=True):
        said[name] = said.get(name, "") + piece
    for name in names:
        if name not in said:
            break
        found.append(_outcome(said[name]))
    return found


def _outcome(text: str) -> Outcome:
    if "TEMPFAIL" in text:
        return Outcome(fault="tempfail")
    if "no signature added" in text:
        return Outcome(fault=text.partition("no signature added")[2].strip(": \n"))
    fields = re.findall(r"DKIM-Signature: ((?:[^\n]|\n[ \t])*)", text)
    return Outcome(made=tuple(map(made, fields)))


def made(field: str) -> Made:
    """The choice that a DKIM-Signature shows."""
    tags = dict(re.findall(r"(?:^|;)\s*([a-z]+)=([^;]*)", field))
    return Made(tags["d"], tags["s"], tags.get("i", "").strip())
