"""effects: telling the daemon, and key files.  Whole steps: test_rotation.py."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace
from pathlib import Path

import pytest

from postseal_keys import keypair
from postseal_keys.console import Problem
from postseal_keys.keycheck import Wanted
from postseal_keys.rotate.effects import Effects, Seen
from postseal_keys.rotate.machine import Make, Publish
from postseal_keys.rotate.model import Key, Line, Stage
from postseal_keys.rotate.publish import Print
from postseal_keys.rotate.settings import Entry, Settings


def effects(place: Path, kind: str = "rsa") -> Effects:
    entry = Entry(domain="d.example", kind=kind)
    settings = Settings(domains=(entry,), key_dir=str(place), bits=1024)

    def looker(selector: str, domain: str, want: Wanted) -> Seen:
        return Seen(ok=True)

    return Effects(
        settings=settings, publisher=Print(lambda _: None, 60), looker=looker, say=lambda _: None
    )


@pytest.mark.parametrize("kind", ["rsa", "ed25519"])
def test_a_key_is_made_once(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "k.private"
    key = Key(selector="s", file=str(path), stage=Stage.PLANNED, since=0)
    line = Line(domain="d.example", kind=kind, keys=(key,))
    effects(tmp_path, kind).do(line, Make(key))
    first = path.read_bytes()
    assert str(keypair.kind(keypair.load_file(path))) == kind
    assert path.stat().st_mode & 0o777 == 0o600
    effects(tmp_path, kind).do(line, Make(key))
    assert path.read_bytes() == first


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
@pytest.mark.parametrize(
    ("mode", "chosen", "wanted"),
    [
        pytest.param(0o600, "", (65534, 65533, 0o600), id="owner"),
        pytest.param(0o640, "", (65534, 65533, 0o640), id="group"),
        pytest.param(0o644, "", (65534, 65533, 0o640), id="others-never"),
        pytest.param(0o600, "0", (65534, 0, 0o640), id="setting"),
    ],
)
def test_whoever_reads_the_old_key_reads_the_new_one(
    mode: int, chosen: str, wanted: tuple[int, int, int], tmp_path: Path
) -> None:
    """A daemon that could not read it would sign with the old key until that is revoked."""
    old, new = tmp_path / "old", tmp_path / "new"
    old.write_bytes(b"x")
    os.chown(old, 65534, 65533)
    old.chmod(mode)
    signs = Key(selector="o", file=str(old), stage=Stage.SIGNING, since=0)
    key = Key(selector="n", file=str(new), stage=Stage.PLANNED, since=0)
    acting = effects(tmp_path)
    acting = replace(acting, settings=replace(acting.settings, group=chosen))
    acting.do(Line(domain="d.example", kind="rsa", keys=(signs, key)), Make(key))
    found = new.stat()
    assert (found.st_uid, found.st_gid, found.st_mode & 0o777) == wanted


@pytest.mark.parametrize(
    ("seen", "said"),
    [
        pytest.param(Seen(ok=False), True, id="free"),
        pytest.param(Seen(ok=False, answered=False), False, id="nobody-says-so"),
        pytest.param(Seen(ok=False, texts=(b"v=DKIM1; p=AAAA",)), False, id="taken"),
    ],
)
def test_a_name_that_may_be_taken_is_left_alone(seen: Seen, said: bool, tmp_path: Path) -> None:
    said_: list[str] = []
    key = Key(selector="s", file=str(tmp_path / "k"), stage=Stage.PLANNED, since=0)
    line = Line(domain="d.example", kind="ed25519", keys=(key,))
    acting = replace(
        effects(tmp_path, "ed25519"), looker=lambda *_: seen, publisher=Print(said_.append, 60)
    )
    acting.do(line, Make(key))
    with contextlib.nullcontext() if said else pytest.raises(Problem):
        acting.do(line, Publish(key))
    assert bool(said_) is said


@pytest.mark.parametrize("content", [b"", b"not a key"])
def test_a_strange_file_in_its_place_is_not_touched(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "k.private"
    path.write_bytes(content)
    key = Key(selector="s", file=str(path), stage=Stage.PLANNED, since=0)
    with pytest.raises(Problem):
        effects(tmp_path).do(Line(domain="d.example", kind="rsa", keys=(key,)), Make(key))
    assert path.read_bytes() == content
