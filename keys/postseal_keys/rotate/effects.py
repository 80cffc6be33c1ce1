"""The steps of the machine, carried out.

NAME
    effects - key files, DNS, tables, and the daemon

GIVEN
    Settings, a Publisher, and what looks for keys in DNS.

GIVES
    Effects.do(line, step).  Raises Problem when a step could not be carried out.

DOES NOT
    write the state.  Every step can be carried out again: it finds what it did before and
    leaves it.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from postseal_keys import keypair, names, store
from postseal_keys.console import CONFIG, DATAERR, UNAVAILABLE, Problem, os_problem
from postseal_keys.hangup import hang_up
from postseal_keys.keycheck import Wanted, wanted
from postseal_keys.rotate import adopt, tables
from postseal_keys.rotate.machine import Make, Publish, Remove, Revoke, Switch
from postseal_keys.rotate.model import COMING, Key, Line
from postseal_keys.rotate.publish import Publisher, run_program
from postseal_keys.rotate.settings import Settings
from postseal_keys.rotate.tables import Change

Doable = Make | Publish | Switch | Revoke | Remove


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What a look found.  texts: at any server.  answered: by at least one of them."""

    ok: bool
    why: str = ""
    texts: tuple[bytes, ...] = ()
    answered: bool = True


Looker = Callable[[str, str, Wanted], Seen]  # selector, domain, key


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """Everything a step needs."""

    settings: Settings
    publisher: Publisher
    looker: Looker
    say: Callable[[str], object]

    def do(self, line: Line, step: Doable) -> None:
        """Carry the step out, or find that it was carried out."""
        match step:
            case Make(key):
                self._make(line, key)
            case Publish(key):
                self._publish(line, key)
            case Switch(new, old):
                self._switch(line, new, old)
            case Revoke(key):
                self._not_in_use(line, key)
                self.publisher.put(_name(line, key), f"v=DKIM1; k={line.kind}; p=")
            case Remove(key):
                self._not_in_use(line, key)
                self.publisher.put(_name(line, key), None)
                self._dispose(line, key)

    def look(self, line: Line, key: Key) -> Seen:
        """Is the key on every authoritative server?"""
        return self.looker(key.selector, line.domain, self._public(line, key))

    def _public(self, line: Line, key: Key) -> Wanted:
        try:
            public = wanted(keypair.load_file(key.file, trial=True))
        except Problem as problem:
            hint = "put it back"
            if key in line.at(*COMING):
                hint += f", or take the [[key]] {key.selector} out of {self.settings.state}: it"
                hint += " never signed, and a new one is planned"
            raise Problem(problem.message, hint=hint, code=problem.code) from None
        if public.kind != line.kind:
            raise Problem(
                f"{key.file}: is {public.kind}, not {line.kind}",
                hint="put the right key there, or correct kind in the state file",
                code=DATAERR,
            )
        return public

    def _make(self, line: Line, key: Key) -> None:
        """A file that is there already is ours, from before a crash, if it can be read."""
        path = Path(key.file)
        if os.path.lexists(path):
            self._public(line, key)
            return
        made = keypair.make(keypair.Kind(line.kind), self.settings.bits)
        owner, mode = self._access(line)
        file = store.NewFile(name=path.name, data=keypair.pem(made), owner=owner, mode=mode)
        store.write(str(path.parent), [file])

    def _access(self, line: Line) -> tuple[store.Owner, int]:
        """Who may read a new key: as the settings say, else whoever may read the one before.

        A daemon that cannot read the new key would go on with the old one, until that is
        revoked.
        """
        chosen = store.find_owner(self.settings.owner or None, self.settings.group or None)
        mode = 0o640 if self.settings.group else 0o600
        before = line.signing
        if before is None or not Path(before.file).exists():
            return chosen, mode
        old = Path(before.file).stat()
        if not self.settings.group and old.st_mode & 0o040:
            mode = 0o640
        uid = chosen.uid if self.settings.owner else old.st_uid
        gid = chosen.gid if self.settings.group else old.st_gid
        return store.Owner(uid, gid), mode

    def _publish(self, line: Line, key: Key) -> None:
        """Never over a record that is not ours."""
        public = self._public(line, key)
        seen = self.looker(key.selector, line.domain, public)
        if not seen.answered:
            raise Problem(
                f"{_name(line, key)}: no name server says whether it is free: {seen.why}",
                hint="it is tried again next time",
                code=UNAVAILABLE,
            )
        strange = [text for text in seen.texts if public.public.encode() not in _packed(text)]
        if strange:
            raise Problem(
                f"{_name(line, key)} has a record already, of another key",
                hint="remove that record; or set another pattern for selectors and take the [[key]]"
                f" {key.selector} out of {self.settings.state}, and a new one is planned",
                code=DATAERR,
            )
        self.publisher.put(_name(line, key), public.record)

    def _switch(self, line: Line, new: Key, old: Key | None) -> None:
        """New row, then its use, then the daemon, then the old row goes: whoever reads the
        tables in between finds a key that is published."""
        settings = self.settings
        change = Change(
            domain=line.domain,
            old_selector=old.selector if old else "",
            new_selector=new.selector,
            new_file=new.file,
            row=names_in(settings.row, new.selector, line.domain),
        )
        table = _read(settings.key_table)
        rows = tables.uses(table, line.domain, change.old_selector) if old else []
        both = tables.with_new(table, change)
        _replace(settings.key_table, table, both)
        if settings.signing_table:
            before = _read(settings.signing_table)
            after = tables.signing(before, change, rows)
            if old is None:
                entry = settings.entry(line)
                pattern = entry.pattern if entry else settings.pattern
                pattern = names_in(pattern, new.selector, line.domain)
                first = bool(line.stream)  # a part of the domain's mail: before the whole
                after = tables.with_pattern(after, pattern, change.row, first=first)
            _replace(settings.signing_table, before, after)
        self._tell_daemon()
        _replace(settings.key_table, both, tables.without_old(both, change))

    def _tell_daemon(self) -> None:
        settings = self.settings
        if settings.reload:
            run_program(settings.reload, what="reload")
        elif settings.pid_file:
            hang_up(Path(settings.pid_file))
        else:
            self.say(
                "neither pid_file nor reload is set: a daemon that does not watch its files is to"
                " be told by hand, before the old key is revoked"
            )

    def _not_in_use(self, line: Line, key: Key) -> None:
        """Whatever the state says: a key that the tables name is not revoked."""
        table, signing = _read(self.settings.key_table), ""
        if self.settings.signing_table:
            signing = _read(self.settings.signing_table)
        rows = tables.uses(table, line.domain, key.selector)
        rows += [
            row.name
            for row in tables.rows(table)
            if (row.domain, row.selector) == ("%", key.selector)
            and adopt.leads_here(row, line.domain, signing)
        ]
        if rows:
            raise Problem(
                f"{self.settings.key_table}: row {rows[0]} still signs with {key.selector}",
                hint="lead it to the new key; the old record stays until then",
                code=DATAERR,
            )

    def _dispose(self, line: Line, key: Key) -> None:
        """The old private key: erased, published so that old signatures can be denied, or kept.

        Never while another row, of another domain perhaps, signs with the same file.
        """
        path = Path(key.file)
        others = tables.with_file(_read(self.settings.key_table), key.file, line.domain)
        if others and self.settings.old_keys != "keep":
            self.say(f"{key.file}: stays, because {others[0]} of the KeyTable signs with it")
            return
        try:
            if self.settings.old_keys == "publish" and path.exists():
                data = path.read_bytes()
                name = f"{_name(line, key)}.pem"
                file = store.NewFile(name=name, data=data, mode=0o644)
                store.write(self.settings.publish_dir, [file], force=True)
            if self.settings.old_keys != "keep":
                path.unlink(missing_ok=True)
        except OSError as error:
            raise os_problem(error, hint="it is tried again next time") from None


def names_in(pattern: str, selector: str, domain: str) -> str:
    """A pattern of the settings, filled in."""
    return pattern.replace("{selector}", selector).replace("{domain}", domain)


def _name(line: Line, key: Key) -> str:
    return names.key_name(key.selector, line.domain)


def _packed(text: bytes) -> bytes:
    return b"".join(text.split())


def _read(path: str) -> str:
    try:
        return Path(path).read_text("utf-8", "surrogateescape")
    except FileNotFoundError:
        return ""
    except OSError as error:
        hint = "it must be readable and writable for the user who runs this"
        raise os_problem(error, hint=hint, code=CONFIG) from None


def _replace(path: str, before: str, after: str) -> None:
    """Replace a table at once, owner and mode kept; nothing when it is as it should be."""
    if before == after:
        return
    target = Path(path).resolve()  # a link stays a link
    try:
        old = target.stat()
        owner, mode = store.Owner(old.st_uid, old.st_gid), stat.S_IMODE(old.st_mode)
    except FileNotFoundError:
        owner, mode = store.Owner(), 0o644
    data = after.encode("utf-8", "surrogateescape")
    file = store.NewFile(name=target.name, data=data, owner=owner, mode=mode)
    try:
        store.write(str(target.parent), [file], force=True)
    except Problem as problem:
        hint = (
            f"{target.parent} must be writable for the user who runs this, and among systemd's"
            " ReadWritePaths; it is tried again next time"
        )
        raise Problem(problem.message, hint=hint, code=problem.code) from None
