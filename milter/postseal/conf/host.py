"""What this host is called, without asking DNS.

NAME
    host - the fully qualified host name, as far as files tell it

GIVES
    host_name(): the name of uname(2) when it has a dot; else the first dotted name
    beside it in /etc/hosts, which is what `hostname -f` usually finds; else the short name.

DOES NOT
    wait: a start must not hang on a name server that is down.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

HOSTS = Path("/etc/hosts")
_NAME = re.compile(r"[a-z0-9_-]+(?:\.[a-z0-9_-]+)*")


def host_name() -> str:
    """The host's name in lower case; "localhost" when it has none that can be used."""
    name = os.uname().nodename.lower().rstrip(".")
    if "." not in name:
        name = qualified(name, _hosts()) or name
    return name if _NAME.fullmatch(name) else "localhost"


def qualified(name: str, hosts: str) -> str:
    """The first dotted name on a line of hosts that also has name; "" when there is none."""
    for line in hosts.splitlines():
        names = line.partition("#")[0].lower().split()[1:]
        if name in names:
            dotted = [other for other in names if other.startswith(f"{name}.")]
            if dotted:
                return dotted[0].rstrip(".")
    return ""


def _hosts() -> str:
    try:
        return HOSTS.read_bytes()[:65536].decode("utf-8", "replace")
    except OSError:
        return ""
