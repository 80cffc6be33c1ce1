"""`postseal run`: the daemon, in the foreground until it is told to end.

NAME
    run - start the supervisor; give a sysexits code

SEE ALSO
    postseal(8), daemon/supervisor.py
"""

from __future__ import annotations

import os
import sys

from postseal.daemon.app import Application, Loader, Unusable
from postseal.daemon.privileges import PrivilegeError
from postseal.daemon.sockets import SocketError
from postseal.daemon.supervisor import Supervisor

EX_UNAVAILABLE = 69
EX_CONFIG = 78


def run(load: Loader, first: Application | None = None) -> int:
    """Serve until told to end, and give the exit status.

    load makes the Application now, unless first is given, and again at every SIGHUP.
    """
    _fill_standard_files()
    try:
        return Supervisor(first if first is not None else load(), load).run()
    except Unusable as refusal:
        for line in refusal.lines:
            print(f"postseal: error: {line}", file=sys.stderr)
        return EX_CONFIG
    except PrivilegeError as error:
        _complain(error.what, error.hint)
        return EX_CONFIG
    except SocketError as error:
        _complain(error.what, error.hint)
        return EX_UNAVAILABLE


def _fill_standard_files() -> None:
    """Open what whoever started us has closed of standard input, output and error.

    A socket would get the number otherwise, and what is meant for a log would go into it.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= 2:
        pass
    os.close(descriptor)


def _complain(what: str, hint: str) -> None:
    print(f"postseal: error: {what}", file=sys.stderr)
    if hint:
        print(f"postseal: hint: {hint}", file=sys.stderr)
