"""The few settings of opendkim.conf that tell where keys are.

NAME
    opendkimconf - Domain, Selector, KeyFile, KeyTable and Nameservers

GIVEN
    the path of an opendkim.conf, or of a postseal.toml (its [sign] key_table).

GIVES
    a KeySettings.  Raises Problem when the file cannot be read.

SEE ALSO
    opendkim.conf(5), opendkim-testkey(8).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from postseal_keys import keytable
from postseal_keys.console import CONFIG, os_problem


@dataclass(frozen=True, slots=True, kw_only=True)
class KeySettings:
    """Settings as written; "" or () when not there."""

    domain: str = ""
    selector: str = ""
    key_file: str = ""
    key_table: str = ""
    nameservers: tuple[str, ...] = ()
    toml: str = ""  # the file is postseal.toml: keytable.configured_rows() reads its keys


def read(path: str) -> KeySettings:
    """The settings in the file; of a setting given twice the last counts, as in OpenDKIM."""
    if path.endswith(".toml"):
        return KeySettings(toml=path, nameservers=keytable.configured_nameservers(path))
    try:
        text = Path(path).read_text("utf-8", "surrogateescape")
    except OSError as error:
        raise os_problem(error, hint="give the configuration with -x", code=CONFIG) from None
    found: dict[str, str] = {}
    for line in text.split("\n"):
        words = line.partition("#")[0].split(None, 1)
        if len(words) == 2:
            found[words[0].lower()] = words[1].strip()
    servers = found.get("nameservers", "").replace(",", " ").split()
    return KeySettings(
        domain=found.get("domain", ""),
        selector=found.get("selector", ""),
        key_file=found.get("keyfile", ""),
        key_table=found.get("keytable", ""),
        nameservers=tuple(servers),
    )
