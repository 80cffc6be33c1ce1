"""check-config: what a configuration does, or everything that is wrong with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from postseal.cli.main import main
from support.sites import ed25519_pem, private, write

GOOD = """\
authserv_id = "mx.example.org"
socket = "inet:127.0.0.1:8891"
[sign]
domain = "example.org"
sub_domains = true
[[sign.key]]
selector = "rsa"
file = "rsa.private"
[[sign.key]]
selector = "ed"
file = "ed.private"
[dmarc]
quarantine = "hold"
"""


@pytest.fixture
def good(tmp_path: Path) -> Path:
    private(tmp_path / "rsa.private")
    private(tmp_path / "ed.private", ed25519_pem())
    return write(tmp_path / "postseal.toml", GOOD)


def test_good(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-config", str(good)]) == 0
    said = capsys.readouterr()
    assert not said.err
    for part in (
        f"{good}: ok",
        "results are written as mx.example.org",
        "listens on inet:8891@127.0.0.1",
        "smtpd_milters = inet:127.0.0.1:8891",
        "signs for example.org, .example.org",
        "ours is mail of clients that have authenticated",
        "ours is mail from hosts 127.0.0.0/8, ::1",
        "ours is mail through listeners ORIGINATING",
        "rsa._domainkey.example.org (rsa-sha256, 1024 bits)",
        "ed._domainkey.example.org (ed25519-sha256, 256 bits)",
        "quarantine is held, reject is delivered",
    ):
        assert part in said.out


def test_good_as_json(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-config", "--json", str(good)]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["ok"] is True
    assert made["mistakes"] == []
    assert made["listens"] == {"libmilter": "inet:8891@127.0.0.1", "postfix": "inet:127.0.0.1:8891"}
    assert [key["name"] for key in made["keys"]] == [
        "rsa._domainkey.example.org",
        "ed._domainkey.example.org",
    ]


def test_bad_is_78_with_every_mistake(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (good.parent / "ed.private").unlink()
    write(good, GOOD + '[log]\nlevel = "loud"\n')
    assert main(["check-config", str(good)]) == 78
    assert f"{good}:15: log.level" in capsys.readouterr().out
    write(good, GOOD)
    assert main(["check-config", str(good)]) == 78
    said = capsys.readouterr().out
    assert f"error: {good}:11: sign.key[2].file: " in said
    assert said.endswith("not ok\n")


def test_bad_as_json(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(good, "workers = 'many'\n")
    assert main(["check-config", "--json", str(good)]) == 78
    made = json.loads(capsys.readouterr().out)
    assert made["ok"] is False
    [found] = made["mistakes"]
    assert (found["line"], found["key"], found["severity"]) == (1, "workers", "error")


def test_a_dead_row_fails_the_check_and_a_note_does_not(
    good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = good.parent
    write(folder / "kt", "k example.org:rsa:./rsa.private\n")
    tables = '[sign]\nkey_table = "file:kt"\nsigning_table = "file:st"\n'
    write(good, tables)
    write(folder / "st", "example.org k\n@example.org k\n")
    assert main(["check-config", str(good)]) == 78
    said = capsys.readouterr().out
    assert f"dead: {folder}/st:2: @example.org: matches nobody" in said
    assert "the daemon starts" in said
    write(folder / "st", "example.org k\n")
    write(good, f'{tables}[roles]\ninternal_hosts = "10.1.2.3/8"\n')
    assert main(["check-config", str(good)]) == 0
    said = capsys.readouterr().out
    assert "note: " in said
    assert "read as 10.0.0.0/8" in said


def test_no_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check-config", str(tmp_path / "none.toml")]) == 78
    assert "cannot be read" in capsys.readouterr().out


def test_many_domains_are_counted(good: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(good.parent / "kt", "k %:rsa:./rsa.private\n")
    write(good.parent / "st", "".join(f"d{n}.example k\n" for n in range(25)))
    write(good, '[sign]\nkey_table = "file:kt"\nsigning_table = "file:st"\n')
    assert main(["check-config", str(good)]) == 0
    said = capsys.readouterr().out
    assert "and 15 more" in said
    assert "keys that depend on" in said


def test_what_is_done_with_mail_from_outside(
    good: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = GOOD.replace('"hold"', '"header"\nreject = true')
    text += '[arc]\nseal = true\ndomain = "example.org"\nselector = "arc"\nkey = "rsa.private"\n'
    text += '[[override]]\ndkim = "a.b"\naction = "accept"\nwhy = "x"\n'
    good.write_text(text)
    assert main(["check-config", str(good)]) == 0
    said = capsys.readouterr().out
    assert "quarantine is marked, reject is refused" in said
    assert "overrides: 1" in said
    assert "seals as arc._domainkey.example.org" in said
