"""The user and the groups that a configuration names.

NAME
    accounts - whether they exist

GIVES
    mistakes(): one for each that does not, with the command that mends it.

SEE ALSO
    daemon/privileges.py becomes them; daemon/sockets.py gives the socket to socket_group.
"""

from __future__ import annotations

import grp
import os
from collections.abc import Iterator

from postseal.conf.load import Configuration
from postseal.conf.mistake import Mistake
from postseal.tables import safety


def mistakes(configuration: Configuration) -> Iterator[Mistake]:
    """What the daemon would refuse to start with.  Only root becomes somebody else."""
    settings = configuration.settings
    root = os.geteuid() == 0
    if root and settings.user and safety.user_id(settings.user) is None:
        yield configuration.mistake(
            ("user",),
            f"there is no user {settings.user!r}",
            f"adduser --system --group --no-create-home {settings.user}",
        )
    groups = {"group": settings.group if root else "", "socket_group": settings.socket_group}
    for option, name in groups.items():
        if name and not _is_group(name):
            yield configuration.mistake(
                (option,),
                f"there is no group {name!r}",
                f"name one that exists, or: addgroup --system {name}",
            )


def _is_group(name: str) -> bool:
    try:
        grp.getgrnam(name)
    except KeyError:
        return False
    return True
