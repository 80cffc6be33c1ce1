"""Tables in databases and directories, as the configuration names them: made and tried.

NAME
    elsewhere - Elsewhere.table() and hosts(): an option's Remote, and what is wrong with it

GIVES
    a Remote.  A table that is set up wrongly (no such column, no such library) is an
    error, as a bad file is.  One that does not answer is not, because the daemon must
    start before the database does: it is said, and mail waits.

SEE ALSO
    tables/loading.py, tables/stores.py, tables/probe.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

from postseal.conf.lines import Path as OptionPath
from postseal.conf.load import Configuration
from postseal.conf.mistake import Mistake, Severity
from postseal.tables import stores
from postseal.tables.cached import Tell
from postseal.tables.probe import probe
from postseal.tables.remote import Remote
from postseal.tables.source import SourceError
from postseal.tables.stores import Use, Wanted

_MEANWHILE = "the daemon starts, and until it answers, mail that needs it meets on_signing_error"
STARTING = 1.0  # seconds on top of a table's timeout, for a process to begin


@dataclass(frozen=True, slots=True, kw_only=True)
class Elsewhere:
    """What all tables elsewhere have in common."""

    uid: int
    tell: Tell
    made: list[Remote] = field(default_factory=list)

    def table(self, configuration: Configuration, use: Use, found: list[Mistake]) -> Remote | None:
        """The table of an option of [sign]; None when it cannot be had."""
        text = getattr(configuration.settings.sign, use.value)
        return self._table(configuration, use, text, ("sign", use.value), found)

    def hosts(
        self, configuration: Configuration, text: str, path: OptionPath, found: list[Mistake]
    ) -> Remote | None:
        """The table that an entry of a list of hosts names; None when it cannot be had."""
        return self._table(configuration, Use.HOSTS, text, path, found)

    def _table(
        self,
        configuration: Configuration,
        use: Use,
        text: str,
        path: OptionPath,
        found: list[Mistake],
    ) -> Remote | None:
        settings = configuration.settings
        wanted = Wanted(
            text=text,
            use=use,
            tables=settings.table,
            base=Path(configuration.file).absolute().parent,
            uid=self.uid,
            tell=self.tell,
        )
        try:
            remote, store = stores.of(wanted)
        except SourceError as error:
            found.append(configuration.mistake(path, str(error), error.hint))
            return None
        if stores.has_password(wanted.text, settings.table):
            note = configuration.mistake(
                path,
                "there is a password in the configuration",
                "put it into a file of its own: password_file in [[table]]",
            )
            found.append(replace(note, severity=Severity.NOTE))
        fault = probe(store, self.uid, wanted.told().timeout + STARTING)
        if fault is not None:
            severity = Severity.ERROR if fault.lasting else Severity.DEAD
            what = fault.what if fault.lasting else f"does not answer: {fault.what}"
            hint = fault.hint if fault.lasting or fault.hint else _MEANWHILE
            mistake = configuration.mistake(path, what, hint)
            found.append(replace(mistake, severity=severity))
        self.made.append(remote)
        return remote
