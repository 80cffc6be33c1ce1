"""`postseal migrate`: result, report, exit status."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path

import pytest

from postseal.cli import migrate
from postseal.cli.main import main
from postseal.conf import load
from postseal_keys.console import Problem
from support.sites import private

PEERS = (
    "/etc/opendkim.conf",
    "/etc/dkimpy-milter/dkimpy-milter.conf",
    "/etc/opendmarc.conf",
    "/etc/pyspf-milter/pyspf-milter.conf",
    "/usr/share/doc/opendkim/examples/opendkim.conf.sample",
    "/usr/share/doc/opendkim/examples/opendkim.conf.simple",
    "/usr/share/doc/opendkim/examples/opendkim.conf.simple-verify",
)


@pytest.fixture
def old(tmp_path: Path) -> Path:
    key = private(tmp_path / "k")
    file = tmp_path / "opendkim.conf"
    file.write_text(f"Domain a.example\nSelector s\nKeyFile {key}\nKeepAuthResults yes\n")
    return file


def test_result_and_report(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", str(old)]) == 0
    said = capsys.readouterr()
    assert load.parse(said.out.encode(), old).settings.sign.domain == "a.example"
    assert said.err.startswith("dangerous (1):\n")
    assert f"{old}:4: KeepAuthResults yes:" in said.err


def test_output_is_never_overwritten(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = old.parent / "postseal.toml"
    assert main(["migrate", "--output", str(new), str(old)]) == 0
    assert capsys.readouterr().out == ""
    text = new.read_text()
    assert load.read(new).settings.sign.key[0].selector == "s"
    assert main(["migrate", "--output", str(new), str(old)]) == 73
    assert "nothing is overwritten" in capsys.readouterr().err
    assert new.read_text() == text


def test_half_a_file_does_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The disk was full: the next try must not find it in its way."""

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    place = tmp_path / "postseal.toml"
    with pytest.raises(Problem, match="No space left") as caught:
        migrate.write_new(place, "", 0o600)
    assert (caught.value.code, place.exists()) == (os.EX_CANTCREAT, False)
    assert "space on the disk" in caught.value.hint


@pytest.mark.parametrize(("mode", "made"), [(0o644, 0o644), (0o640, 0o640), (0o400, 0o600)])
def test_output_is_no_more_open_than_what_was_read(old: Path, mode: int, made: int) -> None:
    """There may be the password of a database in it."""
    old.chmod(mode)
    new = old.parent / "postseal.toml"
    assert main(["migrate", "--output", str(new), str(old)]) == 0
    assert new.stat().st_mode & 0o777 == made


def test_what_has_to_be_mended_is_said(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (old.parent / "k").unlink()
    assert main(["migrate", str(old)]) == 78
    assert "to be mended" in capsys.readouterr().err


def test_dead_rows_of_tables_are_in_the_report(
    old: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = old.parent
    (folder / "kt").write_text(f"k a.example:s:{folder}/k\n")
    (folder / "st").write_text("a.example k\n*@a.example k\n")
    old.write_text(
        f"KeyTable {folder}/kt\nSigningTable {folder}/st\nInternalHosts 10.1.1.1/8,::1\n"
    )
    assert main(["migrate", "--json", str(old)]) == 0
    made = json.loads(capsys.readouterr().out)
    dead = [one for one in made["report"] if one["fate"] == "dead"]
    assert [(one["line"], one["option"]) for one in dead] == [(2, "*@a.example")]
    assert any("read as 10.0.0.0/8" in one["text"] for one in made["report"])
    assert made["mistakes"] == []


def test_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["migrate", str(tmp_path / "none")]) == 66
    said = capsys.readouterr().err
    assert f"error: {tmp_path / 'none'}: No such file" in said and "hint:" in said


@pytest.mark.parametrize("name", PEERS)
def test_files_of_the_packages(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = Path(name)
    if not file.exists():
        pytest.skip(f"{name} is not installed")
    status = main(["migrate", "--json", name])
    made = json.loads(capsys.readouterr().out)
    written = [line.split("#")[0].split() for line in file.read_text().splitlines()]
    options = {words[0] for words in written if words}
    assert {one["option"] for one in made["report"]} >= options
    assert not [one for one in made["report"] if "no such option" in one["text"]]
    # The examples name keys that are not there.
    assert status == (78 if made["mistakes"] else 0)
    assert all("no such file" in one or "no user" in one for one in made["mistakes"])


def test_the_name_of_the_file_tells_the_daemon(tmp_path: Path) -> None:
    file = tmp_path / "dkimpy-milter.conf"
    file.write_text("SelectorEd25519 e\n")
    assert main(["migrate", str(file)]) == 0
    assert main(["migrate", "--from", "opendkim", str(file)]) == 0
    assert main(["migrate", "--from", "sendmail", str(file)]) == 64


def test_a_name_that_tells_nothing_is_asked_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another daemon's file would give nonsense."""
    file = tmp_path / "milter.conf"
    file.write_text("Mode v\n")
    assert main(["migrate", str(file)]) == 64
    assert "hint: say so with --from: opendkim," in capsys.readouterr().err
    assert main(["migrate", "--from", "openarc", str(file)]) == 0


def test_several_daemons_become_one(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = old.parent
    dmarc, spf = folder / "opendmarc.conf", folder / "policyd-spf.conf"
    dmarc.write_text("Socket inet:9@localhost\nRejectFailures yes\nDNSTimeout 9\n")
    spf.write_text("HELO_reject = Fail\nMail_From_reject = False\n")
    old.write_text(old.read_text() + "Socket inet:8@localhost\nDNSTimeout 5\n")
    # The one with the keys comes first, wherever it stands.
    assert main(["migrate", "--json", str(dmarc), str(spf), str(old)]) == 0
    made = json.loads(capsys.readouterr().out)
    found = load.parse(made["toml"].encode(), old).settings
    assert (found.socket, found.sign.domain) == ("inet:8@localhost", "a.example")
    assert found.dmarc.reject and found.spf.helo and found.dns.timeout == 5
    told = {(Path(one["file"]).name, one["option"]): one for one in made["report"]}
    assert told["opendmarc.conf", "Socket"]["fate"] == "without effect"
    assert "the first file counts" in told["opendmarc.conf", "dns.timeout"]["text"]
    assert told["policyd-spf.conf", "HELO_reject"]["fate"] == "changed"
