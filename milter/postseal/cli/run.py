"""`postseal run`: the daemon, in the foreground until it is told to end.

NAME
    run - start the supervisor; give a sysexits code

SEE ALSO
    postseal(8), daemon/supervisor.py
"""

from __future__ import annotations

import os

from postseal.daemon.app import Application, Loader, Unusable
from postseal.daemon.privileges import PrivilegeError
from postseal.daemon.sockets import SocketError
from postseal.daemon.supervisor import Supervisor
from postseal_keys.console import CONFIG, UNAVAILABLE, Problem, complain

PROG = "postseal"


def run(load: Loader, first: Application | None = None) -> int:
    """Serve until told to end, and give the exit status.

    load makes the Application now, unless first is given, and again at every SIGHUP.
    """
    _fill_standard_files()
    try:
        return Supervisor(first if first is not None else load(), load).run()
    except Unusable as refusal:
        for line in refusal.lines:
            complain(PROG, Problem(line))
        return CONFIG
    except PrivilegeError as error:
        complain(PROG, Problem(error.what, hint=error.hint))
        return CONFIG
    except SocketError as error:
        complain(PROG, Problem(error.what, hint=error.hint))
        return UNAVAILABLE


def _fill_standard_files() -> None:
    """Open what whoever started us has closed of standard input, output and error.

    A socket would get the number otherwise, and what is meant for a log would go into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)
