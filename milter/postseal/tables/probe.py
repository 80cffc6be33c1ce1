"""Would this table answer the daemon?  Tried in a process of its own.

NAME
    probe - probe(): one question to a store, as the daemon's user

GIVEN
    a store that has not connected yet.

GIVES
    None when it answered, otherwise the fault.  Never longer than the limit.

WHY A PROCESS
    The supervisor forks, and must have neither connections nor threads that would be
    there twice; it may not wait for ever; and whether a file or a socket opens is to
    be known for the user that the workers become, not for root.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import select
import signal
import time
import warnings

from postseal.tables.store import Author, Store, TableUnavailable

ASKED = "postseal-check.invalid"  # nobody's domain (RFC 6761 section 6.4)
MOST = 65536


def probe(store: Store, uid: int, seconds: float) -> TableUnavailable | None:
    """Ask for a row that is not there."""
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        # Python 3.12 warns of threads; the child only talks to the store and ends
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        _child(store, uid, writing)  # does not return
    os.close(writing)
    try:
        said = _read(reading, time.monotonic() + seconds)
    finally:
        os.close(reading)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(pid, 0)
    if said is None:
        return TableUnavailable(f"no answer within {seconds:g} seconds")
    try:
        told = json.loads(said)
        return (
            TableUnavailable(told["what"], told["hint"], lasting=told["lasting"]) if told else None
        )
    except (ValueError, KeyError, TypeError):
        return TableUnavailable("the process that asked it died")


def _child(store: Store, uid: int, writing: int) -> None:
    """The child's whole life."""
    told: dict[str, object] = {}
    try:
        for signum in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(signum, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)
        _become(uid)
        store.find([ASKED], Author(address=f"postmaster@{ASKED}", domain=ASKED))
    except TableUnavailable as error:
        told = {"what": error.what, "hint": error.hint, "lasting": error.lasting}
    except BaseException as error:
        told = {"what": f"{type(error).__name__}: {error}"[:300], "hint": "", "lasting": False}
    finally:
        with contextlib.suppress(BaseException):
            os.write(writing, json.dumps(told).encode())
        os._exit(0)


def _become(uid: int) -> None:
    """Give up root for uid, with all its groups."""
    if os.geteuid() != 0 or uid == 0:
        return
    user = pwd.getpwuid(uid)
    os.setgroups(os.getgrouplist(user.pw_name, user.pw_gid))
    os.setgid(user.pw_gid)
    os.setuid(uid)
    os.environ["HOME"] = user.pw_dir  # as in daemon/privileges.py


def _read(reading: int, until: float) -> bytes | None:
    """What the child wrote; None when it is late."""
    ready, _, _ = select.select([reading], [], [], max(0.0, until - time.monotonic()))
    return os.read(reading, MOST) if ready else None
