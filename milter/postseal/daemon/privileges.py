"""From root to an ordinary user, for good and verified.

NAME
    privileges - Identity, find() and become()

GIVES
    find() looks user and group up once; become() changes this process to them,
    supplementary groups included, and proves that there is no way back.

DOES NOT
    happen in the supervisor: it must be able to read keys again at SIGHUP.  The workers,
    which are the ones that read strangers' mail, drop everything right after fork().
"""

from __future__ import annotations

import ctypes
import grp
import os
import pwd
from dataclasses import dataclass

DEFAULT_USER = "postseal"
PR_SET_NO_NEW_PRIVS = 38


class PrivilegeError(Exception):
    """The user or group cannot be had.  what says why, hint what to do."""

    def __init__(self, what: str, hint: str = "") -> None:
        self.what = what
        self.hint = hint
        super().__init__(what)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who to be: name for messages, numbers for the kernel."""

    name: str
    uid: int
    gid: int
    groups: tuple[int, ...]
    home: str = "/"


def find(user: str, group: str = "", *, root: bool | None = None) -> Identity | None:
    """Who the workers are to be; None to stay as started.  Raises PrivilegeError.

    Only root can change.  Without a user named, postseal is taken if there is one.
    root: whether the process is root; None asks the kernel.
    """
    if not (os.geteuid() == 0 if root is None else root):
        return None
    try:
        entry = pwd.getpwnam(user or DEFAULT_USER)
    except KeyError:
        if not user:
            return None
        raise PrivilegeError(
            f"there is no user {user!r}", "make one with: adduser --system --group " + user
        ) from None
    if not group:
        groups = os.getgrouplist(entry.pw_name, entry.pw_gid)
        return Identity(entry.pw_name, entry.pw_uid, entry.pw_gid, tuple(groups), entry.pw_dir)
    try:
        gid = grp.getgrnam(group).gr_gid
    except KeyError:
        raise PrivilegeError(
            f"there is no group {group!r}", "set group to one that exists"
        ) from None
    return Identity(entry.pw_name, entry.pw_uid, gid, (gid,), entry.pw_dir)


def become(identity: Identity) -> None:
    """Change to the identity, irrevocably.  Raises PrivilegeError or OSError when that failed."""
    os.setgroups(identity.groups)
    os.setresgid(identity.gid, identity.gid, identity.gid)
    os.setresuid(identity.uid, identity.uid, identity.uid)
    os.environ["HOME"] = identity.home  # libraries look there, and fail where they may not
    no_new_privileges()
    verify(identity)


def no_new_privileges() -> None:
    """No set-user-id program gives this process or its children more than they have."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)


def verify(identity: Identity) -> None:
    """Look that the change is complete.  Raises PrivilegeError."""
    uid, gid = identity.uid, identity.gid
    if os.getresuid() != (uid, uid, uid) or os.getresgid() != (gid, gid, gid):
        raise PrivilegeError(f"could not become {identity.name}")
    if not set(os.getgroups()) <= {gid, *identity.groups}:
        raise PrivilegeError(f"could not leave the groups of root for {identity.name}")
    if uid != 0:
        try:
            os.setuid(0)
        except PermissionError:
            return
        raise PrivilegeError(f"became {identity.name}, but could become root again")
