"""The command as a whole: exit statuses, complaints, and what is not imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from postseal.cli.main import COMMANDS, main, parser

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        pytest.param([], "COMMAND", id="nothing"),
        pytest.param(["chek"], "chek", id="unknown-command"),
        pytest.param(["check-config", "--jsn"], "--jsn", id="unknown-option"),
        pytest.param(["--config", "x"], "COMMAND", id="option-before-command"),
        pytest.param(["verify"], "FILE", id="argument-missing"),
        pytest.param(["reload", "--config"], "--config", id="value-missing"),
    ],
)
def test_wrong_use_is_64_with_a_hint(
    words: list[str], part: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(words) == 64
    said = capsys.readouterr()
    assert not said.out
    assert said.err.startswith("postseal: error: ")
    assert "postseal: hint: " in said.err
    assert part in said.err


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_help_has_examples(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(words)
    assert caught.value.code == 0
    text = capsys.readouterr().out
    assert "postseal" in text
    assert "examples:" in text or words[0] == "version"


def test_every_command_has_a_help_line_that_its_own_parser_agrees_with() -> None:
    for name, (_, text) in COMMANDS.items():
        [group] = [one for one in parser(name)._actions if one.dest == "command"]
        choices = getattr(group, "_choices_actions")  # noqa: B009 - argparse keeps it there
        [own] = [one.help for one in choices if one.dest == name]
        assert own
        assert text


def test_version_waits_for_nothing() -> None:
    """Neither OpenSSL nor pydantic nor libmilter is loaded to print a help page."""
    heavy = {"cryptography", "pydantic", "Milter", "dkim", "spf", "dns", "authres"}
    code = (
        "import sys\nfrom postseal.cli.main import parser\nparser('version')\n"
        f"print(sorted({heavy!r} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": f"{ROOT}/milter:{ROOT}/keys"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[]"


def test_a_command_may_give_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("postseal.cli.version.main", lambda args: None)
    assert main(["version"]) == 0


def test_an_unknown_option_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--nonsense"]) == 64
    assert "error: unknown option --nonsense\n" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["--help"], *([name, "--help"] for name in COMMANDS)])
def test_descriptions_are_no_wider_than_a_terminal(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(words)
    said = capsys.readouterr().out.partition("\nexamples:")[0]
    assert max(map(len, said.splitlines())) <= 80
