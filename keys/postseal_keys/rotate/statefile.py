"""The state of all lines in one file that people can read.

NAME
    statefile - TOML, one [[key]] for each key that ever was

GIVES
    parse(text) the lines, text(lines) the reverse: parse(text(x)) == x.
    Store reads and replaces the file; at any moment it is the old one or the new one.

SEE ALSO
    model; store writes files.
"""

from __future__ import annotations

import contextlib
import datetime
import fcntl
import os
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

from postseal_keys import names, store
from postseal_keys.console import CANTCREAT, CONFIG, TEMPFAIL, Problem
from postseal_keys.rotate.model import Key, Line, Stage

VERSION = 1
HEAD = """\
# Where every key stands.  Written by postseal-rotate, which takes it as the truth:
# edit it only while postseal-rotate does not run.
version = 1
"""
_TIMES = ("since", "seen_since", "looked_at")


def text(lines: Sequence[Line]) -> str:
    """The file's text."""
    out = [HEAD]
    for line in lines:
        for key in line.keys:
            out.append("\n[[key]]\n")
            out += [f'{name} = "{value}"\n' for name, value in _words(line, key)]
            for name in _TIMES:
                at = getattr(key, name)
                if at is not None:
                    out.append(f"{name} = {_time(at)}\n")
            if key.looked_at is not None:
                out.append(f"looked_ok = {str(key.looked_ok).lower()}\n")
    return "".join(out)


def _words(line: Line, key: Key) -> tuple[tuple[str, str], ...]:
    path = key.file.replace("\\", "\\\\").replace('"', '\\"')
    stream = (("stream", line.stream),) if line.stream else ()
    return (
        ("domain", line.domain),
        ("kind", line.kind),
        *stream,
        ("selector", key.selector),
        ("stage", str(key.stage)),
        ("file", path),
    )


def _time(at: int) -> str:
    moment = datetime.datetime.fromtimestamp(at, datetime.UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def parse(content: str, where: str = "state") -> list[Line]:
    """The lines in the text.  Raises Problem."""
    try:
        data = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise _broken(where, str(error)) from None
    if data.get("version") != VERSION:
        raise _broken(where, f"version is not {VERSION}")
    found: dict[tuple[str, str, str], list[Key]] = {}
    rows = data.get("key", [])
    if not isinstance(rows, list):
        raise _broken(where, "key is not a list of tables")
    for number, row in enumerate(rows, 1):
        try:
            stream = str(row.get("stream", ""))
            line = (names.domain(str(row["domain"])), str(row["kind"]), stream)
            if line[1] not in ("rsa", "ed25519"):
                raise ValueError(f"kind {line[1]!r}")
            key = _key(row)
            if any(key.selector == one.selector for one in found.get(line, ())):
                raise ValueError(f"selector {key.selector} is there twice")
            found.setdefault(line, []).append(key)
        except (KeyError, ValueError, TypeError, Problem) as error:
            raise _broken(where, f"[[key]] number {number}: {error}") from None
    return [
        Line(domain=domain, kind=kind, stream=stream, keys=tuple(keys))
        for (domain, kind, stream), keys in found.items()
    ]


def _key(row: dict[str, object]) -> Key:
    times = {name: _seconds(row[name]) for name in _TIMES if name in row}
    return Key(
        selector=names.selector(str(row["selector"])),
        file=str(row["file"]),
        stage=Stage(str(row["stage"])),
        since=times["since"],
        seen_since=times.get("seen_since"),
        looked_at=times.get("looked_at"),
        looked_ok=row.get("looked_ok") is True,
    )


def _seconds(value: object) -> int:
    if not isinstance(value, datetime.datetime) or value.tzinfo is None:
        raise ValueError(f"{value!r} is not a time with Z")
    return int(value.timestamp())


def _broken(where: str, why: str) -> Problem:
    hint = "mend it by hand; nothing is done before that"
    return Problem(f"{where}: {why}", hint=hint, code=CONFIG)


class Store:
    """The file of that path."""

    def __init__(self, path: str) -> None:
        self.path = Path(path)

    def load(self) -> list[Line]:
        """The lines; none when there is no file yet.  Raises Problem."""
        try:
            content = self.path.read_text("utf-8")
        except FileNotFoundError:
            return []
        except UnicodeDecodeError as error:
            raise _broken(str(self.path), str(error)) from None
        return parse(content, str(self.path))

    def save(self, lines: Sequence[Line]) -> None:
        """Replace the file.  Raises Problem."""
        file = store.NewFile(name=self.path.name, data=text(lines).encode("utf-8"), mode=0o644)
        store.write(str(self.path.parent), [file], force=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Only one postseal-rotate at a time.  Raises Problem when another runs."""
        lock = self.path.with_name(f"{self.path.name}.lock")
        try:
            fd = os.open(lock, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            hint = "make its directory first"
            raise Problem(f"{lock}: {error.strerror}", hint=hint, code=CANTCREAT) from None
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Problem(
                    "another postseal-rotate is at work", hint="try later", code=TEMPFAIL
                ) from None
            yield
        finally:
            os.close(fd)
