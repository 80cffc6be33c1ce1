"""The shell scripts: lint, no dead function, and options that their help lists."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONTRIB = ROOT / "contrib"
SCRIPTS = sorted(CONTRIB.glob("*.sh"))
COMMANDS = ("run.sh", "test.sh")
DEFINED = re.compile(r"^([a-z_0-9]+)\(\) ", re.MULTILINE)


def code(script: Path) -> str:
    """The text without comments."""
    return re.sub(r"(?m)(^|\s)#.*$", "", script.read_text())


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_shellcheck_is_clean(script: Path) -> None:
    if shutil.which("shellcheck") is None:
        pytest.skip("shellcheck is not installed (Debian package shellcheck)")
    done = subprocess.run(["shellcheck", "-x", script], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda script: script.name)
def test_every_function_is_called(script: Path) -> None:
    """A part of the set-up that nothing calls looks as if it were done."""
    everything = "\n".join(map(code, SCRIPTS))
    for name in DEFINED.findall(code(script)):
        assert len(re.findall(rf"(?<![\w-]){name}(?![\w-]|\(\))", everything)) > 0, name


@pytest.mark.parametrize("name", COMMANDS)
def test_help_lists_every_option(name: str) -> None:
    shown = subprocess.run(
        ["sh", CONTRIB / name, "--help"], capture_output=True, text=True, check=True
    ).stdout
    read = code(CONTRIB / name).split("read_options() {")[1].split("\n}\n")[0]
    options = set(re.findall(r"^\t\t(?:\t)?(--[a-z-]+)\b", read, re.MULTILINE))
    assert options and options == set(re.findall(r"^  (--[a-z-]+)", shown, re.MULTILINE))
