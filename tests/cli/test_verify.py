"""verify: the verdict on a message from disk, over a real name server on loopback."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from postseal.cli.main import main
from support.arcmail import ONE
from support.dkimmail import FIELDS, RSA_RECORD, mail, signed
from support.dnsserver import DnsServer

GOOD = ["--ip", "203.0.113.7", "--helo", "mx.example.com", "--mail-from", "<ann@example.com>"]


@pytest.fixture
def config(tmp_path: Path) -> Iterator[str]:
    """A configuration whose name server knows example.com."""
    zone = {
        ("s1._domainkey.example.com", "TXT"): (RSA_RECORD,),
        ("example.com", "TXT"): (b"v=spf1 ip4:203.0.113.7 -all",),
        ("_dmarc.example.com", "TXT"): (b"v=DMARC1; p=reject",),
    }
    with DnsServer(zone) as server:
        file = tmp_path / "postseal.toml"
        file.write_text(
            'authserv_id = "mx.example.org"\n[dmarc]\nreject = true\n'
            f'[dns]\nnameservers = ["{server.address}"]\n'
        )
        yield str(file)


@pytest.fixture
def message(tmp_path: Path) -> str:
    file = tmp_path / "message.eml"
    file.write_bytes(signed().octets)
    return str(file)


def test_text(config: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--config", config, message, *GOOD]) == 0
    said = capsys.readouterr().out
    assert "DKIM   pass" in said and "SPF    pass" in said and "DMARC  pass" in said
    assert "Authentication-Results: mx.example.org;" in said
    assert said.startswith("Client 203.0.113.7, outside\n")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--ip", "127.0.0.1"], "Client 127.0.0.1, internal-host: SPF and DMARC are for mail from"),
        ([], "Client unknown, outside: SPF needs its address (--ip)\n"),
    ],
)
def test_why_a_method_is_not_asked(
    options: list[str], says: str, config: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--config", config, message, *options]) == 0
    assert capsys.readouterr().out.startswith(says)


def test_json(config: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--config", config, "--json", message, *GOOD]) == 0
    verdict = json.loads(capsys.readouterr().out)
    assert [one["result"] for one in verdict["dkim"]] == ["pass"]
    assert verdict["spf"]["result"] == verdict["dmarc"]["result"] == "pass"
    assert verdict["action"] == "accept"


def test_explain(config: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--config", config, "--explain", message, *GOOD]) == 0
    assert "DKIM for example.com speaks for the author" in capsys.readouterr().out


def test_a_refusal_is_data_not_a_failure(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "bare.eml"
    file.write_bytes(mail(FIELDS).octets)
    assert (
        main(["verify", "--config", config, str(file), "--mail-from", "e@elsewhere.example"]) == 0
    )
    assert "Action reject  550 5.7.1" in capsys.readouterr().out


def test_standard_input_with_lf(
    config: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    data = signed().octets.replace(b"\r\n", b"\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    assert main(["verify", "--config", config, "-", *GOOD]) == 0
    assert "DKIM   pass" in capsys.readouterr().out


def test_no_such_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "nowhere/message.eml"]) == 66
    said = capsys.readouterr().err
    assert "nowhere/message.eml: No such file or directory (hint: check the path" in said


def test_a_wrong_configuration(
    message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "wrong.toml"
    file.write_text("wrokers = 2\n")
    assert main(["verify", "--config", str(file), message]) == 78
    assert "wrong.toml:1: wrokers" in capsys.readouterr().err


def test_a_wrong_address(message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", message, "--ip", "elsewhere"]) == 64
    said = capsys.readouterr().err
    assert "--ip: 'elsewhere' is not an address such as 192.0.2.1" in said


BEYOND = """
[verify]
iprev = true
[spf]
helo = true
[[override]]
recipient = "list@example.net"
client = "out.example.net"
action = "accept"
why = "agreed on"
"""


def test_what_is_optional_is_told_in_every_form(
    config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path(config).write_text(Path(config).read_text() + BEYOND)
    file = tmp_path / "plain.eml"
    file.write_bytes(mail(FIELDS).octets)
    words = ["--config", config, str(file), "--ip", "192.0.2.9", "--mail-from", "e@x.example",
             "--helo", "h.example", "--client-name", "out.example.net",
             "--rcpt-to", "<List@example.net>"]  # fmt: skip
    assert main(["verify", "--json", *words]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["local_policy"] == {"kind": "override", "text": "agreed on", "row": 1}
    assert told["spf_helo"]["identity"] == "helo"
    assert told["iprev"]["result"] == "permerror"
    assert (told["arc"], told["limits"], told["client"]) == (None, [], "192.0.2.9")
    assert told["action"] == "accept"
    assert main(["verify", *words]) == 0
    text = capsys.readouterr().out
    assert "local     agreed on" in text
    assert "iprev  permerror no-name" in text
    assert "h.example (HELO)" in text
    assert main(["verify", "--explain", *words]) == 0
    assert "override 1: agreed on" in capsys.readouterr().out
    assert main(["verify", "--json", *words, "--rcpt-to", "other@example.net"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["local_policy"], told["action"]) == (None, "reject")


def test_a_chain_is_told(config: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "chain.eml"
    file.write_bytes(ONE.octets)
    assert main(["verify", "--config", config, str(file), *GOOD]) == 0
    assert "ARC    pass      example.com" in capsys.readouterr().out
    assert main(["verify", "--config", config, "--json", str(file), *GOOD]) == 0
    told = json.loads(capsys.readouterr().out)["arc"]
    assert (told["result"], told["instances"], told["sealers"]) == ("pass", 1, ["example.com"])
