"""A whole rotation: BIND takes the updates, NSD follows, mail is signed all the while.

The process is killed at every write it makes, one after the other, and started again; after
each death every message that was ever signed, and not longer ago than mail may wait in
queues, must verify at both name servers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from postseal_keys import keypair, store
from postseal_keys.console import Problem
from postseal_keys.dnsask import Address, Network, Outcome
from postseal_keys.rotate.main import main
from postseal_keys.rotate.publish import NsUpdate, tsig
from support import bind, rotation
from support.rotation import DAY, DOMAIN, HOUR, NOW, TIMES, Signer, World, at, killed, stages

pytestmark = pytest.mark.skipif(bool(bind.missing()), reason=f"{bind.missing()} is not installed")


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    with rotation.domain(tmp_path) as made:
        yield made


def test_through_all_stages(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    seen = []
    for now in TIMES:
        world.check(now)
        assert at(world, now, "run") == 0
        world.settle()
        world.check(now)
        seen.append(stages(world))
    assert seen[0]["202611"] in ("published", "seen")  # NSD follows within milliseconds
    assert seen[1:] == [
        {"old": "signing", "202611": "seen"},
        {"old": "signing", "202611": "seen"},
        {"old": "retiring", "202611": "signing"},
        {"old": "retiring", "202611": "signing"},
        {"old": "revoked", "202611": "signing"},
        {"old": "removed", "202611": "signing"},
    ]
    assert world.switches == ["old", "202611"]
    assert not (world.place / "keys" / "old.private").exists()
    assert world.ask(bind.SECONDARY, f"old._domainkey.{DOMAIN}") == ()
    assert (world.place / "KeyTable").read_text() == (
        f"# keys\n202611._domainkey.{DOMAIN} {DOMAIN}:202611:"
        f"{world.place}/keys/202611._domainkey.{DOMAIN}.private\n"
        f"other o.example:x:{world.place}/keys/other.private\n"
    )
    assert (world.place / "SigningTable").read_text() == (
        f"# who\n*@{DOMAIN} 202611._domainkey.{DOMAIN}\n*@o.example other\n"
    )
    assert "PRIVATE" not in capsys.readouterr().out


@pytest.mark.slow
def test_killed_at_every_write(world: World) -> None:
    """Before the first write and after it, before the second and after it, and so on until
    the state is written; then again from the first write on."""
    deaths, path = 0, world.place / "state"
    for now in TIMES:
        number, before = 0, b""
        for _ in range(100):
            state = path.read_bytes() if path.exists() else b""
            number = number + 1 if state == before else 1
            before = state
            status = killed(world, now, number)
            world.settle()
            world.check(now)
            if status == 0:
                break
            deaths += 1
        assert status == 0
    assert deaths > 30
    assert stages(world) == {"old": "removed", "202611": "signing"}
    assert world.switches == ["old", "202611"]
    left = sorted(path.name for path in (world.place / "keys").iterdir())
    assert [name for name in left if not name.startswith(".")] == [
        f"202611._domainkey.{DOMAIN}.private",
        "other.private",
    ]


@pytest.mark.slow  # two servers that do not answer are waited for
def test_a_key_that_one_server_lacks_does_not_sign(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert at(world, NOW, "run") == 0
    world.settle()
    assert at(world, NOW + 60, "run") == 0
    world.servers.secondary.kill()
    assert at(world, NOW + 2 * HOUR, "run") == 0
    assert stages(world)["202611"] == "published"
    assert at(world, NOW + 2 * HOUR, "status") == 0
    assert "by hand" not in capsys.readouterr().out
    assert Signer(world.place).load().selector == "old"


def test_a_refused_update_is_tried_again(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    good = world.servers.tsig_file.read_text()
    world.servers.tsig_file.write_text(good.replace('secret "', 'secret "AAAA'))
    assert at(world, NOW, "run") == 75
    shown = capsys.readouterr().err
    assert "did not take the update" in shown and "hint" in shown
    assert good.split('secret "')[1][:20] not in shown
    assert stages(world) == {"old": "signing", "202611": "made"}
    world.servers.tsig_file.write_text(good)
    assert at(world, NOW, "run") == 0
    assert stages(world)["202611"] in ("published", "seen")


def test_a_daemon_that_cannot_be_told_keeps_the_state(world: World) -> None:
    for now in TIMES[:3]:
        assert at(world, now, "run") == 0
        world.settle()
    config = Path(world.config)
    good = config.read_text()
    config.write_text(good.replace('["touch", ', '["false", '))
    assert at(world, TIMES[3], "run") == 75
    assert stages(world) == {"old": "signing", "202611": "seen"}
    world.check(TIMES[3])
    config.write_text(good)
    assert at(world, TIMES[3], "run") == 0
    world.check(TIMES[3])
    assert stages(world) == {"old": "retiring", "202611": "signing"}


def test_a_key_that_the_tables_use_again_is_not_revoked(world: World) -> None:
    before = (world.place / "KeyTable").read_text()
    for now in TIMES[:5]:
        assert at(world, now, "run") == 0
        world.settle()
    (world.place / "KeyTable").write_text((world.place / "KeyTable").read_text() + before)
    assert at(world, TIMES[5], "run") == 75
    assert stages(world)["old"] == "retiring"
    assert world.ask(bind.PRIMARY, f"old._domainkey.{DOMAIN}") != ()


def test_nor_one_that_a_row_for_any_domain_signs_with(world: World) -> None:
    for now in TIMES[:5]:
        assert at(world, now, "run") == 0
        world.settle()
    table = world.place / "KeyTable"
    rows = table.read_text()
    table.write_text(f"{rows}any %:old:{world.place}/keys/old.private\n")
    with (world.place / "SigningTable").open("a") as signing:
        signing.write(f"b@{DOMAIN} any\n")
    assert at(world, TIMES[5], "run") == 75
    assert stages(world)["old"] == "retiring"
    table.write_text(f"{rows}any %:else:{world.place}/keys/old.private\n")
    assert at(world, TIMES[5], "run") == 0
    assert stages(world)["old"] == "revoked"


def test_tables_from_an_old_backup_are_noticed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """They sign with a key that is revoked: every message would fail, and nobody be told."""
    before = (world.place / "KeyTable").read_text()
    for now in TIMES[:6]:
        assert at(world, now, "run") == 0
        world.settle()
    assert stages(world)["old"] == "revoked"
    (world.place / "KeyTable").write_text(before)
    for command in (("run",), ("--dry-run", "run"), ("status",)):
        capsys.readouterr()
        assert at(world, TIMES[5] + 60, *command) == 75
        err = capsys.readouterr().err
        assert "no row with 202611" in err and "it has old, which is revoked" in err
        assert f"lead the row to {DOMAIN}:202611:{world.place}/keys/" in err


def test_a_state_file_from_an_old_backup_is_noticed(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """What it says signs was removed long ago: nothing is done before that is mended."""
    assert at(world, NOW, "run") == 0
    text = (world.place / "state").read_text()
    for now in TIMES[1:6]:
        world.settle()
        assert at(world, now, "run") == 0
    (world.place / "state").write_text(text[: text.rindex("[[key]]")])
    capsys.readouterr()
    assert at(world, TIMES[5] + 60, "run") == 75
    out, err = capsys.readouterr()
    assert out == "" and "give the [[key]] old in" in err
    assert stages(world) == {"old": "signing"}


def test_a_stage_set_by_hand_does_not_let_a_key_sign(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert at(world, NOW, "run") == 0
    state = world.place / "state"
    state.write_text(state.read_text().replace(stages(world)["202611"], "signing"))
    assert at(world, NOW + 60, "run") == 75
    assert "back to published" in capsys.readouterr().err
    assert "202611" not in (world.place / "KeyTable").read_text()


def test_a_table_that_cannot_be_written(
    world: World, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for now in TIMES[:3]:
        assert at(world, now, "run") == 0
        world.settle()
    before = (world.place / "KeyTable").read_text()
    real = store.write

    def write(directory: str, files: Sequence[store.NewFile], *, force: bool = False) -> None:
        if files[0].name == "KeyTable":
            raise Problem(f"{directory}/KeyTable: Read-only file system", hint="x")
        real(directory, files, force=force)

    monkeypatch.setattr(store, "write", write)
    assert at(world, TIMES[3], "run") == 75
    assert "ReadWritePaths" in capsys.readouterr().err
    assert (world.place / "KeyTable").read_text() == before
    assert stages(world) == {"old": "signing", "202611": "seen"}
    monkeypatch.undo()
    assert at(world, TIMES[3] + 60, "run") == 0
    world.check(TIMES[3] + 60)


def test_a_private_key_that_is_gone(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    for now in TIMES[:2]:
        assert at(world, now, "run") == 0
        world.settle()
    key = world.known()[-1]
    Path(key.file).unlink()
    assert at(world, TIMES[3], "run") == 75
    err = capsys.readouterr().err
    assert f"take the [[key]] {key.selector} out of {world.place}/state" in err
    assert stages(world) == {"old": "signing", "202611": "seen"}


def test_what_is_no_longer_configured_is_not_called_due(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert at(world, NOW, "run") == 0
    config = Path(world.config)
    config.write_text(config.read_text().replace(f'"{DOMAIN}"', '"other.example"'))
    capsys.readouterr()
    for command in (("status",), ("--dry-run", "run")):
        assert at(world, NOW + DAY, *command) == 0
        first = capsys.readouterr().out.splitlines()[0]
        assert first == f"{DOMAIN} (rsa): no longer in the configuration, and left alone"
    assert at(world, NOW + DAY, "status", "--json") == 0
    assert json.loads(capsys.readouterr().out)[0]["due"] is None


def test_a_time_to_come_is_not_shown_as_an_age(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert at(world, NOW, "run") == 0
    capsys.readouterr()
    assert at(world, NOW - 400 * DAY, "status") == 0
    out = capsys.readouterr().out
    assert "for -" not in out and "was the clock changed?" in out


def test_a_strange_record_is_not_overwritten(world: World) -> None:
    config = Path(world.config)
    config.write_text('selector = "taken"\n' + config.read_text())
    key = tsig(str(world.servers.tsig_file), "test")
    update = NsUpdate(Address(bind.PRIMARY, world.servers.port), key, 60, lambda _: DOMAIN)
    update.put(f"taken._domainkey.{DOMAIN}", "v=DKIM1; p=AAAA")
    assert at(world, NOW, "run") == 75
    assert world.ask(bind.PRIMARY, f"taken._domainkey.{DOMAIN}") == (b"v=DKIM1; p=AAAA",)


def test_dry_run_and_status_change_nothing(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {path: path.read_bytes() for path in world.place.glob("*") if path.is_file()}
    assert at(world, NOW, "--dry-run", "run") == 0
    assert capsys.readouterr().out == f"{DOMAIN} (rsa): choose a selector for a new key\n"
    assert at(world, NOW, "status") == 0
    assert "old                  signing    for 14w 2d" in capsys.readouterr().out
    assert at(world, NOW, "--json", "status") == 0
    (line,) = json.loads(capsys.readouterr().out)
    assert line["keys"][0]["stage"] == "signing"
    after = {path: path.read_bytes() for path in before}
    assert after == before
    assert not (world.place / "state").exists()


def test_start_begins_at_once_and_only_once(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    config = Path(world.config)
    config.write_text(config.read_text().replace('every = "90d"', 'every = "0"'))
    assert at(world, NOW, "run") == 0
    assert stages(world) == {}
    assert at(world, NOW, "start", DOMAIN) == 0
    assert at(world, NOW, "start", DOMAIN) == 0
    assert "on its way already" in capsys.readouterr().out
    assert stages(world) == {"old": "signing", "202611": "planned"}
    assert at(world, NOW, "start", "other.example") == 78


def test_an_old_key_may_be_published(world: World) -> None:
    config = Path(world.config)
    public = world.place / "public"
    public.mkdir()
    pem = (world.place / "keys" / "old.private").read_bytes()
    config.write_text(f'old_keys = "publish"\npublish_dir = "{public}"\n' + config.read_text())
    for now in TIMES:
        assert at(world, now, "run") == 0
        world.settle()
    assert (public / f"old._domainkey.{DOMAIN}.pem").read_bytes() == pem
    assert not (world.place / "keys" / "old.private").exists()


@pytest.mark.parametrize("fate", ["erase", "publish"])
def test_a_key_that_another_domain_signs_with_stays(world: World, fate: str) -> None:
    """One file for several domains is usual; each gets a key of its own in its turn."""
    table = world.place / "KeyTable"
    table.write_text(table.read_text().replace("other.private", "old.private"))
    config = Path(world.config)
    settings = f'old_keys = "{fate}"\npublish_dir = "{world.place}"\n'
    config.write_text(settings + config.read_text())
    for now in TIMES:
        assert at(world, now, "run") == 0
        world.settle()
    assert stages(world)["old"] == "removed"
    assert (world.place / "keys" / "old.private").exists()
    assert not list(world.place.glob("*.pem"))


def test_streams_of_one_domain(world: World) -> None:
    """Three RSA keys, one of them new: each has its own succession and SigningTable row."""
    news = keypair.make(keypair.Kind.RSA, 1024)
    (world.place / "keys" / "news.private").write_bytes(keypair.pem(news))
    row = f"news {DOMAIN}:news1:{world.place}/keys/news.private\n"
    table, signing = world.place / "KeyTable", world.place / "SigningTable"
    table.write_text(table.read_text() + row)
    signing.write_text(f"news@{DOMAIN} news\n" + signing.read_text())
    config = Path(world.config)
    config.write_text(
        config.read_text() + f'[[domain]]\nname = "{DOMAIN}"\nstream = "news"\nadopt = "news1"\n'
        'selector = "n{year}{month}"\n'
        f'[[domain]]\nname = "{DOMAIN}"\nstream = "shop"\npattern = "shop@{{domain}}"\n'
        'selector = "shop"\n'
    )
    assert at(world, NOW, "start", DOMAIN) == 0
    for now in TIMES[:4]:
        assert at(world, now, "run") == 0
        world.settle()
        world.check(now)
    assert stages(world) == {
        "old": "retiring",
        "202611": "signing",
        "news1": "retiring",
        "n202611": "signing",
        "shop": "signing",
    }
    place = f"{world.place}/keys/n202611._domainkey.{DOMAIN}.private"
    assert f"news {DOMAIN}:n202611:{place}" in rotation.read(table)
    assert rotation.read(signing)[:2] == [
        f"shop@{DOMAIN} shop._domainkey.{DOMAIN}",
        f"news@{DOMAIN} news",
    ]


def test_by_hand_status_repeats_what_is_to_be_published(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """A timer's output is soon lost; and what was published was perhaps mistyped."""
    config = Path(world.config)
    config.write_text(config.read_text().replace('publish = "nsupdate"', 'publish = "print"'))
    assert at(world, NOW, "run") == 0
    line = next(one for one in capsys.readouterr().out.splitlines() if "by hand" in one)
    assert f"202611._domainkey.{DOMAIN}. 3600 IN TXT" in line
    assert at(world, NOW + 60, "status") == 0
    assert line in capsys.readouterr().out
    assert at(world, NOW + 60, "status", "--json") == 0
    (shown,) = json.loads(capsys.readouterr().out)
    assert shown["keys"][-1]["by_hand"] == line


@pytest.mark.slow
def test_nothing_is_published_where_no_server_answers(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whether another key stands there cannot be told."""
    config = Path(world.config)
    text = config.read_text().replace('publish = "nsupdate"', 'publish = "hook"')
    text = text.replace(world.servers.address, "127.0.0.1:9")
    config.write_text(f'hook = ["touch", "{world.place}/ran"]\n' + text)
    assert at(world, NOW, "run") == 75
    assert "no name server says" in capsys.readouterr().err
    assert stages(world)["202611"] == "made" and not (world.place / "ran").exists()


@pytest.mark.parametrize("argv", [[], ["dance"], ["start"], ["run", "x"], ["status", "x"]])
def test_refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-c", "/nonexistent", *argv]) == 64
    assert "hint" in capsys.readouterr().err


def test_servers_agree_that_nothing_is_there_at_first(world: World) -> None:
    asker = Network([Address(bind.SECONDARY, world.servers.port)], recursive=False)
    assert asker.ask(f"202611._domainkey.{DOMAIN}", "TXT").outcome is Outcome.NXDOMAIN


def test_a_first_key_of_another_kind(world: World) -> None:
    """The domain signs with RSA already; Ed25519 is added beside it, in rows of its own."""
    config = Path(world.config)
    config.write_text(config.read_text() + 'kinds = ["rsa", "ed25519"]\n')
    for now in TIMES[:4]:
        assert at(world, now, "run") == 0
        world.settle()
        world.check(now)
    assert stages(world) == {"old": "retiring", "202611": "signing", "202611e": "signing"}
    rows = rotation.read(world.place / "KeyTable")
    assert [row.split()[0] for row in rows] == [
        f"202611._domainkey.{DOMAIN}",
        "other",
        f"202611e._domainkey.{DOMAIN}",
    ]
    assert rotation.read(world.place / "SigningTable")[-1] == (
        f"*@{DOMAIN} 202611e._domainkey.{DOMAIN}"
    )


def test_keys_in_a_zone_of_their_own(tmp_path: Path) -> None:
    """_domainkey is cut off as a zone: the update goes there, and looks ask its servers."""
    with rotation.domain(tmp_path, child="_domainkey") as world:
        for now in TIMES[:4]:
            assert at(world, now, "run") == 0
        assert stages(world) == {"old": "retiring", "202611": "signing"}
        asker = Network([Address(bind.PRIMARY, world.servers.port)], recursive=False)
        assert asker.ask(f"202611._domainkey.{DOMAIN}", "TXT").texts
        assert asker.ask(f"x._domainkey.{DOMAIN}", "TXT").owner == f"_domainkey.{DOMAIN}"
