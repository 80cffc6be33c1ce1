"""`postseal run`: the daemon, in the foreground until it is told to end.

NAME
    run - start the supervisor; give a sysexits code

SEE ALSO
    postseal(8), daemon/supervisor.py
"""

from __future__ import annotations

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


def _complain(what: str, hint: str) -> None:
    print(f"postseal: error: {what}", file=sys.stderr)
    if hint:
        print(f"postseal: hint: {hint}", file=sys.stderr)
