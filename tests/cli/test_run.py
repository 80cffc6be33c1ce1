"""`postseal run`: a start that fails says why, where and what to do, with its exit status.

That it serves is in tests/daemon/test_supervisor.py.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from postseal.cli.run import run
from postseal.conf.model import Settings
from postseal.daemon.app import Application, Unusable
from postseal.daemon.privileges import PrivilegeError
from postseal.daemon.sockets import SocketError
from support.milterdaemon import ScriptedEngine, Silence


def application(**settings: object) -> Application:
    return Application(
        settings=Settings.model_validate(settings),
        engine=ScriptedEngine(),
        resolvers=lambda: Silence,
    )


def test_an_unusable_configuration(capsys: pytest.CaptureFixture[str]) -> None:
    def load() -> Application:
        raise Unusable(("postseal.toml:3: one", "postseal.toml:7: two (hint: this)"))

    assert run(load) == 78
    assert capsys.readouterr().err.splitlines() == [
        "postseal: error: postseal.toml:3: one",
        "postseal: error: postseal.toml:7: two (hint: this)",
    ]


@pytest.mark.parametrize(
    ("error", "status"),
    [
        pytest.param(PrivilegeError("no user", "make one"), 78, id="user"),
        pytest.param(SocketError("in use", "stop it"), 69, id="socket"),
    ],
)
def test_what_the_host_lacks(
    error: Exception,
    status: int,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(_self: object) -> int:
        raise error

    monkeypatch.setattr("postseal.daemon.supervisor.Supervisor.run", fail)
    assert run(lambda: application()) == status
    first, second = capsys.readouterr().err.splitlines()
    assert first == f"postseal: error: {error}"
    assert second.startswith("postseal: hint: ")


def test_a_first_application_is_not_loaded_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postseal.daemon.supervisor.Supervisor.run", lambda _self: 0)

    def load() -> Application:
        raise AssertionError("loaded twice")

    assert run(load, application()) == 0


def test_closed_standard_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No socket gets the number 2, which log lines are written to."""

    def look(_self: object) -> int:
        found = [os.readlink(f"/proc/self/fd/{number}") for number in range(3)]
        (tmp_path / "found").write_text(" ".join(found))
        return 0

    monkeypatch.setattr("postseal.daemon.supervisor.Supervisor.run", look)
    pid = os.fork()
    if pid == 0:
        try:
            os.closerange(0, 3)
            run(lambda: application())
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    assert (tmp_path / "found").read_text() == "/dev/null /dev/null /dev/null"
