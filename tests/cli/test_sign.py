"""sign: a message from disk, signed as the daemon would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from postseal.cli.main import main
from postseal.core.message import split
from support.dkimmail import FIELDS, KEYS, RSA_PEM, Mail, check, mail
from support.fakedns import FakeDns
from support.sites import private


@pytest.fixture
def config(tmp_path: Path) -> str:
    private(tmp_path / "s1.private", RSA_PEM)
    file = tmp_path / "postseal.toml"
    file.write_text(
        '[sign]\ndomain = "example.com"\n[[sign.key]]\nselector = "s1"\nfile = "s1.private"\n'
    )
    return str(file)


@pytest.fixture
def message(tmp_path: Path) -> str:
    file = tmp_path / "message.eml"
    file.write_bytes(mail(FIELDS).octets.replace(b"\r\n", b"\n"))
    return str(file)


def test_the_signed_message_verifies(
    config: str, message: str, capfdbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert main(["sign", "--config", config, message]) == 0
    header, body = split(capfdbinary.readouterr().out)
    sent = Mail(tuple((field.name, field.value) for field in header), body)
    assert sent.fields[0][0] == b"DKIM-Signature"
    results = check(sent, FakeDns(KEYS), now=1 << 31)
    assert [result.status for result in results] == ["pass"]


def test_json(config: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign", "--config", config, "--json", message]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["from"] == "example.com"
    assert [one.startswith("DKIM-Signature: v=1;") for one in made["signatures"]] == [True]


def test_an_author_without_a_key(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.eml"
    file.write_bytes(b"From: a@elsewhere.example\n\nx\n")
    assert main(["sign", "--config", config, str(file)]) == 65
    said = capsys.readouterr().err
    assert "no key signs for the author (elsewhere.example)" in said and "hint:" in said


def test_a_key_that_others_can_read(
    config: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s1.private").chmod(0o644)
    assert main(["sign", "--config", config, message]) == 78
    assert "chmod" in capsys.readouterr().err


def test_no_such_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign", "nowhere/message.eml"]) == 66
    assert "nowhere/message.eml" in capsys.readouterr().err
