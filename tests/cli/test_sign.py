"""sign: a message from disk, signed as the daemon would."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from postseal.cli import run_command
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


def test_the_usual_configuration_is_the_one_that_is_read(
    config: str, message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_command, "DEFAULT_FILE", Path(config))
    assert main(["sign", "--json", message]) == 0
    assert json.loads(capsys.readouterr().out)["from"] == "example.com"


def test_json(config: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign", "--config", config, "--json", message]) == 0
    made = json.loads(capsys.readouterr().out)
    assert made["from"] == "example.com" and made["risks"] == made["where"] == ""
    assert [one.startswith("DKIM-Signature: v=1;") for one in made["signatures"]] == [True]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        pytest.param(
            b"From: a@elsewhere.example\n\nx\n",
            "no key signs for the author (elsewhere.example)",
            id="no-key",
        ),
        pytest.param(
            b"From: a@example.com\nFrom: b@example.com\n\nx\n",
            "there is more than one From field (example.com)",
            id="two-fields",
        ),
        pytest.param(
            b"From: a@example.com, b@b.example\n\nx\n",
            "the authors are in several domains (example.com,b.example)",
            id="two-domains",
        ),
        pytest.param(b"To: a@example.com\n\nx\n", "error: there is no From field\n", id="no-from"),
        pytest.param(b"From: ann\n\nx\n", "From field has no address", id="no-domain"),
        pytest.param(b"From: a@b@c\n\nx\n", "From field is not a list", id="unparsable"),
        pytest.param(b"From: a@[192.0.2.1]\n\nx\n", "is not a DNS name", id="a-literal"),
    ],
)
def test_a_message_that_is_not_signed(
    content: bytes, why: str, config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "other.eml"
    file.write_bytes(content)
    assert main(["sign", "--config", config, str(file)]) == 65
    said = capsys.readouterr().err
    assert why in said and "hint:" in said


def test_who_sends_it_decides(
    config: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """sender_login and choose_by are obeyed, as by the daemon."""
    file = Path(config)
    file.write_text(file.read_text().replace("[sign]", '[sign]\nsender_login = "csl:*=ann"', 1))
    for login, status in (("", 65), ("bob", 65), ("ann", 0)):
        assert main(["sign", "--config", config, "--login", login, message]) == status
    assert "--login USER" in capsys.readouterr().err
    text = file.read_text().replace('"csl:*=ann"', '""\nchoose_by = "envelope"', 1)
    file.write_text(text)
    for sender, status in (("x@elsewhere.example", 65), ("x@example.com", 0)):
        assert main(["sign", "--config", config, "--mail-from", sender, message]) == status


def test_explain(config: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign", "--config", config, "--explain", message]) == 0
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "signed by s1._domainkey.example.com (rsa-sha256); it verifies"
    assert said[1] == "  header fields: from, to, subject"
    assert said[2].startswith("  none may be added: from, to, cc, subject, reply-to,")
    assert "date" not in said[2] and "message-id" not in said[2]
    assert said[3:] == ["nothing in the message will break it on its way"]


def test_explain_names_what_will_break_it(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "hard.eml"
    long = b"x" * 1000
    file.write_bytes(
        b"From: a@example.com\r\nReferences: <x@y.z>\r\nCc: "
        + long
        + b"\r\nX-Long: "
        + long
        + b"\r\n\r\n"
        b"caf\xc3\xa9\r\n" + long + b"\r\n"
    )
    assert main(["sign", "--config", config, "--explain", str(file)]) == 0
    said = capsys.readouterr().out.splitlines()
    assert "references" in said[1] and "references" not in said[2]
    warnings = [line for line in said if line.startswith("warning: ")]
    assert "a line of the field Cc has 1004 octets" in warnings[0]
    assert "line 2 of the body" in warnings[1]
    assert "8BITMIME" in warnings[2]
    assert len(warnings) == 3


def test_nothing_is_overlooked_in_a_long_body(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "long.eml"
    file.write_bytes(b"From: a@example.com\r\n\r\n" + b"0123456789\r\n" * 200_000 + b"a\rb\r\n")
    assert main(["sign", "--config", config, "--explain", str(file)]) == 0
    assert "a CR without LF" in capsys.readouterr().out
    assert main(["sign", "--config", config, "--json", str(file)]) == 0
    assert json.loads(capsys.readouterr().out)["risks"] == "bare-cr"


def test_a_key_that_others_can_read(
    config: str, message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "s1.private").chmod(0o644)
    assert main(["sign", "--config", config, message]) == 78
    assert "chmod" in capsys.readouterr().err


def test_no_such_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["sign", "nowhere/message.eml"]) == 66
    assert "nowhere/message.eml" in capsys.readouterr().err
