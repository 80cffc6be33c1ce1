"""The shell scripts: lint, no dead function, and options that their help lists."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
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


def run_sh(
    words: str, folder: Path, *options: str, postfix: str = ""
) -> subprocess.CompletedProcess[str]:
    """run.sh with these words of shell as its main program, beside a Postfix of that name."""
    program = folder / "postconf"
    program.write_text(f"#!/bin/sh\n{f'echo {postfix}' if postfix else 'exit 1'}\n")
    program.chmod(0o755)
    text = (CONTRIB / "run.sh").read_text().replace('main "$@"', words)
    return subprocess.run(
        ["sh", "-c", text, str(CONTRIB / "run.sh"), *options],
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": f"{folder}:/usr/bin:/bin"},
    )


SOCKET = f'read_options "$@"; VENV={sys.prefix}; need_socket; echo "$postfix_socket"'


def test_another_start_keeps_what_it_is_not_told(tmp_path: Path) -> None:
    """DNS has the records of that domain, and Postfix the socket."""
    words = 'read_options "$@"; need_defaults; echo "$domain $socket"'
    told = ["--state", str(tmp_path)]
    first = run_sh(words, tmp_path, *told, "--domain", "a.example").stdout
    assert first == "a.example inet:8891@127.0.0.1\n"
    (tmp_path / "postseal.toml").write_text(
        'socket = "unix:/run/p.sock"\nauthserv_id = "mx.b.example"\n'
        '\n[sign]\ndomain = "b.example"\n'
    )
    again = run_sh(words, tmp_path, *told)
    assert again.stdout == "b.example unix:/run/p.sock\n"
    assert "signing for b.example as at the last start" in again.stderr
    other = run_sh(words, tmp_path, *told, "--domain", "c.example", "--socket", "inet:1@::1")
    assert other.stdout == "c.example inet:1@::1\n"


@pytest.mark.parametrize(
    ("given", "printed"),
    [
        ("inet:8891@127.0.0.1", "inet:127.0.0.1:8891"),
        ("inet:127.0.0.1:8891", "inet:127.0.0.1:8891"),
        ("inet6:8891@::1", "inet:[::1]:8891"),
        ("inet:8891", "inet:127.0.0.1:8891"),
        ("local:/run/p.sock", "unix:/run/p.sock"),
        ("unix:/var/spool/postfix/p/p.sock", "unix:p/p.sock"),
    ],
)
def test_the_socket_is_printed_as_postfix_has_it(given: str, printed: str, tmp_path: Path) -> None:
    done = run_sh(SOCKET, tmp_path, "--socket", given)
    assert (done.returncode, done.stdout) == (0, f"{printed}\n"), done.stderr


@pytest.mark.parametrize("given", ["8891", "unix:s", "", "inet:0@127.0.0.1", "tcp:1@h"])
def test_what_is_no_socket_is_refused_before_anything_is_made(given: str, tmp_path: Path) -> None:
    done = run_sh(SOCKET, tmp_path, "--socket", given)
    assert (done.returncode, done.stdout) == (64, "")
    assert "error: --socket: " in done.stderr and "hint: " in done.stderr


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (("--domian", "x"), "unknown option --domian"),
        (("--domain",), "--domain: unknown option, or its value is missing"),
        (("x.example",), "x.example: unknown option"),
        (("--config", "c", "--domain", "d"), "--config and --domain exclude each other"),
    ],
)
def test_wrong_options(options: tuple[str, ...], says: str, tmp_path: Path) -> None:
    done = run_sh('read_options "$@"', tmp_path, *options)
    assert done.returncode == 64
    assert f"error: {says}" in done.stderr and "hint: " in done.stderr


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("mx.example.org", 'authserv_id = "mx.example.org"\n'),
        ("mx", ""),
        ("mx.localdomain", ""),
        ("", ""),
    ],
)
def test_results_are_written_under_the_name_of_postfix(
    name: str, line: str, tmp_path: Path
) -> None:
    """Another name would leave what strangers forged under it."""
    done = run_sh("results_name", tmp_path, postfix=name)
    assert (done.returncode, done.stdout) == (0, line), done.stderr
