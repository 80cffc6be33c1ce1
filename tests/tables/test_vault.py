"""Octets outside of every process: there for all, gone with the last one."""

from __future__ import annotations

import gc
import os

import pytest

from postseal.tables.vault import Vault


def forbidden(_name: str) -> int:
    raise PermissionError(1, "Operation not permitted")


@pytest.fixture(params=["memfd", "absent", "forbidden"])
def vault(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Vault:
    if request.param == "absent":
        monkeypatch.delattr(os, "memfd_create", raising=False)
    if request.param == "forbidden":
        monkeypatch.setattr(os, "memfd_create", forbidden)
    return Vault()


def test_what_was_put_there(vault: Vault) -> None:
    texts = [b"one", b"", b"", b"two" * 5000, b"\0"]
    places = [vault.put(text) for text in texts]
    assert len(set(places)) == len(texts)
    assert [vault.get(place) for place in places] == texts


def test_a_child_reads_it(vault: Vault) -> None:
    place = vault.put(b"secret")
    pid = os.fork()
    if pid == 0:
        os._exit(0 if vault.get(place) == b"secret" else 1)
    assert os.waitpid(pid, 0)[1] == 0


def test_nothing_is_left_open() -> None:
    vault = Vault()
    number = vault._file
    assert os.readlink(f"/proc/self/fd/{number}").startswith("/memfd:postseal-keys")
    del vault
    gc.collect()
    with pytest.raises(OSError, match="descriptor"):
        os.fstat(number)


def test_programs_that_are_started_do_not_get_it() -> None:
    vault = Vault()
    assert not os.get_inheritable(vault._file)
