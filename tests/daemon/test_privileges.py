"""From root to an ordinary user, and no way back."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys

import pytest

from postseal.daemon.privileges import Identity, PrivilegeError, find, verify
from support.milterdaemon import ROOT

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")

BECOME = """
import json, os, sys
from postseal.daemon.privileges import become, find
identity = find(sys.argv[1], sys.argv[2])
become(identity)
back = []
for name, call in [("setuid", os.setuid), ("setgid", os.setgid), ("seteuid", os.seteuid)]:
    try:
        call(0)
        back.append(name)
    except PermissionError:
        pass
status = dict(line.split(":\\t", 1) for line in open("/proc/self/status") if ":\\t" in line)
print(json.dumps({
    "uid": os.getresuid(), "gid": os.getresgid(), "groups": os.getgroups(), "back": back,
    "new": status["NoNewPrivs"].strip(), "caps": int(status["CapEff"], 16),
    "home": os.environ["HOME"],
}))
"""


def test_without_root_nothing_changes() -> None:
    assert find("nobody", root=False) is None


def test_nobody_is_asked_for_when_there_is_no_postseal(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> pwd.struct_passwd:
        raise KeyError(name)

    monkeypatch.setattr(pwd, "getpwnam", absent)
    assert find("", root=True) is None
    with pytest.raises(PrivilegeError, match="no user 'postseal'"):
        find("postseal", root=True)


def test_names_that_do_not_exist() -> None:
    with pytest.raises(PrivilegeError, match="no user"):
        find("no-such-user", root=True)
    with pytest.raises(PrivilegeError, match="no group"):
        find("nobody", "no-such-group", root=True)


def test_users_own_groups() -> None:
    entry = pwd.getpwnam("nobody")
    identity = find("nobody", root=True)
    assert identity is not None
    assert (identity.uid, identity.gid) == (entry.pw_uid, entry.pw_gid)
    assert entry.pw_gid in identity.groups
    assert 0 not in identity.groups


def test_verify_does_not_believe() -> None:
    with pytest.raises(PrivilegeError, match="could not become"):
        verify(Identity("x", os.getuid() + 1, os.getgid(), ()))


def test_groups_that_are_left_over_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "getgroups", lambda: [os.getgid(), 4])
    with pytest.raises(PrivilegeError, match="could not leave the groups"):
        verify(Identity("x", os.getuid(), os.getgid(), ()))


@as_root
@pytest.mark.parametrize(("group", "gid"), [("", None), ("mail", 8)])
def test_become(group: str, gid: int | None) -> None:
    entry = pwd.getpwnam("nobody")
    done = subprocess.run(
        [sys.executable, "-c", BECOME, "nobody", group],
        env={"PYTHONPATH": str(ROOT / "milter"), "PATH": os.environ["PATH"], "HOME": "/root"},
        capture_output=True,
        text=True,
        check=True,
        timeout=30,
    )
    seen = json.loads(done.stdout)
    wanted = entry.pw_gid if gid is None else gid
    assert seen["uid"] == [entry.pw_uid] * 3
    assert seen["gid"] == [wanted] * 3
    assert seen["groups"] == [wanted]
    assert seen["back"] == []
    assert seen["new"] == "1"
    assert seen["caps"] == 0
    assert seen["home"] == entry.pw_dir
