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

from postseal_keys import keytable


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
    found = dict(keytable.conf_settings(path))
    servers = found.get("nameservers", "").replace(",", " ").split()
    return KeySettings(
        domain=found.get("domain", ""),
        selector=found.get("selector", ""),
        key_file=found.get("keyfile", ""),
        key_table=found.get("keytable", ""),
        nameservers=tuple(servers),
    )
