"""What the importers of all daemons' files share: the tree that is made, and its report.

NAME
    migrate_base - Migration: options taken one by one, each with its fate

SEE ALSO
    conf/migrate_opendkim.py, conf/migrate_dkimpy.py
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from postseal.conf import headers, kinds
from postseal.conf.migrate_patterns import Listed, hosts
from postseal.conf.migrate_report import Entry, Fate, Report
from postseal.conf.migrate_source import Given, dataset
from postseal.conf.migrate_toml import render
from postseal.conf.remote import shown

_ELSEWHERE = ("roles.internal_hosts", "roles.peers")
_KINDS = ("dsn:", "ldap:", "ldaps:", "ldapi:")  # data sets that are read where they are


class Migration:
    """One file on its way to a postseal.toml."""

    def __init__(
        self, given: dict[str, Given], replaced: Iterable[Given], daemon: str, file: Path
    ) -> None:
        self.given = dict(given)
        self.file = str(file)
        self.daemon = daemon
        self.tree: dict[str, Any] = {}
        self.report = Report()
        base = self.text("basedirectory", keep=True)
        self.base = Path(base) if base else Path.cwd()
        for one in replaced:
            self.say(Fate.NO_EFFECT, one, "is given again further down, and that counts")

    def say(self, fate: Fate, given: Given, text: str) -> None:
        """One line for the report."""
        value = shown(given.value)
        self.report.entries.append(
            Entry(
                fate=fate,
                file=given.file,
                line=given.line,
                option=given.name,
                value=value if len(value) <= 60 else f"{value[:57]}...",
                text=text,
            )
        )

    @property
    def signs(self) -> bool:
        """Whether there is anything to sign with."""
        return not {"domain", "signing_table"}.isdisjoint(self.tree.get("sign", {}))

    def unsaid(self, option: str, text: str) -> None:
        """A line for an option that is not in the file, and whose default is another one here."""
        self.report.entries.append(
            Entry(
                fate=Fate.CHANGED,
                file=self.file,
                line=0,
                option=option,
                value="",
                text=f"is not given, and {text}",
            )
        )

    def default_canonicalization(self, theirs: str) -> None:
        """Where there are keys and nothing says how they sign."""
        if self.signs:
            self.unsaid(
                "Canonicalization",
                f"signatures are relaxed/relaxed now, where {self.daemon} made {theirs}: they"
                " survive more of what happens on the way;"
                f' canonicalization = "{theirs}" in [sign] keeps them as they were',
            )

    def take(self, name: str) -> Given | None:
        """An option, once."""
        return self.given.pop(name.lower(), None)

    def text(self, name: str, *, keep: bool = False) -> str:
        """The value of an option; "" without one."""
        found = self.given.get(name.lower()) if keep else self.take(name)
        return found.value if found else ""

    def put(self, path: str, value: Any) -> None:
        """Write an option into the tree: sign.domain."""
        *tables, name = path.split(".")
        node = self.tree
        for table in tables:
            node = node.setdefault(table, {})
        node[name] = value

    def keep(self, name: str, path: str, value: Any = None) -> None:
        """An option that means the same under another name."""
        given = self.take(name)
        if given is not None:
            self.put(path, given.value if value is None else value)
            self.say(Fate.KEPT, given, f"is {path}")

    def number(self, name: str, path: str, low: int, high: int) -> None:
        """A number, brought into the range that is allowed now."""
        given = self.take(name)
        if given is None:
            return
        number = given.number
        if number is None or number == 0 < low:
            self.say(Fate.CHANGED, given, f"{path} has its default")
            return
        used = min(max(number, low), high)
        self.put(path, used)
        fate = Fate.KEPT if used == number else Fate.CHANGED
        self.say(fate, given, f"is {path}" + ("" if used == number else f", and {used} now"))

    def listed(self, name: str, path: str) -> None:
        """A small data set that becomes a list."""
        given = self.take(name)
        if given is None:
            return
        entries = dataset(given.value, self.base)
        if entries is None and path in _ELSEWHERE and given.value.lower().startswith(_KINDS):
            self.put(path, [given.value])
            self.say(Fate.KEPT, given, f"is {path}; the table stays where it is")
            return
        if entries is None:
            found = self.patterns(given, hosts, path) if path in _ELSEWHERE else None
            if found is None:
                text = f"this kind of data set is not read; fill {path} by hand"
                self.say(Fate.CHANGED, given, text)
                return
            entries = tuple(found)
        self.put(path, list(entries))
        self.say(Fate.KEPT, given, f"is {path}")

    def patterns(
        self, given: Given, read: Callable[[tuple[str, ...]], Listed], path: str
    ) -> list[str] | None:
        """The entries of a refile: data set without its patterns; None when it is none."""
        prefix, _, rest = given.value.partition(":")
        if prefix.lower() != "refile":
            return None
        found = read(dataset(f"file:{rest}", self.base) or ())
        for pattern in found.dead:
            text = (
                f"{pattern} is left out: it never matched, because OpenDKIM took it for an"
                f" exception too; {pattern.lstrip('*') or '0.0.0.0/0'} in {path} would list them"
            )
            self.say(Fate.DEAD, given, text)
        for pattern in found.odd:
            text = f"the pattern {pattern} is left out; add what it stands for to {path} by hand"
            self.say(Fate.DANGEROUS, given, text)
        return found.good

    def table(self, name: str, path: str) -> None:
        """A key table or signing table, which stays where it is."""
        given = self.take(name)
        if given is None:
            return
        prefix, colon, rest = given.value.partition(":")
        value = given.value
        if colon and prefix.lower() in ("file", "refile") and not rest.startswith("/"):
            value = f"{prefix.lower()}:{self.base / rest}"
        self.put(path, value)
        self.say(Fate.KEPT, given, f"is {path}; the table stays where it is")

    def socket(self) -> None:
        """Socket and UMask."""
        given, mask = self.take("Socket"), self.take("UMask")
        if given is None:
            if mask:
                self.say(Fate.NO_EFFECT, mask, "is for a unix socket, and there is none")
            return
        try:
            value = kinds.socket(given.value)
        except ValueError as error:
            self.say(Fate.CHANGED, given, f"{error}; socket has its default")
            value = ""
        else:
            self.put("socket", value)
            open_to_all = value.startswith("inet") and "@" not in value
            fate = Fate.DANGEROUS if open_to_all else Fate.KEPT
            hint = "; it listens on every address: name one, as inet:8891@127.0.0.1"
            self.say(fate, given, "is socket" + (hint if open_to_all else ""))
        if mask and value.startswith("unix:") and mask.number is not None:
            self.put("socket_mode", f"{0o666 & ~mask.number:04o}")
            self.say(Fate.KEPT, mask, "is socket_mode")
        elif mask:
            self.say(Fate.NO_EFFECT, mask, "is for a unix socket")

    def user(self) -> None:
        """UserID: user and group."""
        given = self.take("UserID")
        if given is None:
            return
        user, _, group = given.value.partition(":")
        self.put("user", user)
        if group:
            self.put("group", group)
        self.say(Fate.KEPT, given, "is user" + (" and group" if group else ""))

    def pid_file(self) -> None:
        """PidFile."""
        given = self.take("PidFile")
        if given is not None:
            text = "is left out, so that the two daemons do not meet there"
            self.say(Fate.CHANGED, given, text)

    def authserv_id(self, name: str = "AuthservID") -> None:
        """The name in Authentication-Results."""
        given = self.take(name)
        if given is None:
            return
        if given.value.upper() == "HOSTNAME":
            self.say(Fate.KEPT, given, "the host name is the default of authserv_id")
        else:
            self.put("authserv_id", given.value)
            self.say(Fate.KEPT, given, "is authserv_id")

    def log(self) -> None:
        """Syslog and its facility."""
        given, facility = self.take("Syslog"), self.take("SyslogFacility")
        if given is not None:
            self.put("log.target", "syslog" if given.on else "stderr")
            self.say(Fate.KEPT, given, "is [log] target")
        if facility is not None:
            self.put("log.facility", facility.value.lower())
            self.say(Fate.KEPT, facility, "is [log] facility")

    def header_words(self, given: Given, words: Iterable[str], path: str) -> list[str]:
        """Those of the words that can be used; the others go into the report."""
        check = headers.signed if path == "sign.headers" else headers.oversigned
        good = []
        for word in words:
            _, faults = check([word])
            if faults:
                self.say(Fate.DANGEROUS, given, f"{word} is left out: {faults[0][1]}")
            else:
                good.append(word)
        return good

    def rest(self, known: Iterable[tuple[Fate, dict[str, str]]], unknown: str) -> None:
        """Whatever is still there."""
        for given in sorted(self.given.values(), key=lambda one: (one.file, one.line)):
            name = given.name.lower()
            for fate, words in known:
                if name in words:
                    off = given.value[:1] in tuple("fFnN0") and fate is not Fate.NO_EFFECT
                    self.say(Fate.NO_EFFECT if off else fate, given, words[name])
                    break
            else:
                self.say(Fate.DEAD, given, unknown)
        self.given.clear()

    def result(self) -> str:
        """The text of the new file."""
        top = f"Made by postseal migrate from a configuration of {self.daemon}."
        order = dict.fromkeys(
            ("sign", "roles", "verify", "spf", "dmarc", "arc", "dns", "from", "override", "log")
        )
        plain = {key: value for key, value in self.tree.items() if key not in order}
        tables = {key: self.tree[key] for key in order if key in self.tree}
        return render(plain | tables, top)
