"""Zone files read by the programs that read zone files, and answers that NSD serves."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

from postseal_keys.formats import FORMATS, TxtRecord
from postseal_keys.formats.txt import key_strings
from postseal_keys.records import split
from support.nsd import nsd
from support.txtsamples import APEX, AWKWARD, SAMPLES, TTL, ZONE, ask

pytestmark = pytest.mark.e2e

ALL = [*SAMPLES.values(), AWKWARD, APEX]
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"

HEAD = f"""\
$TTL 3600
$ORIGIN {ZONE}.
@ IN SOA ns.{ZONE}. hostmaster.{ZONE}. 1 3600 900 604800 300
@ IN NS ns.{ZONE}.
ns IN A 127.0.0.1
"""

# Debian package, and the words before the file.
CHECKERS = {
    "named-checkzone": ("bind9-utils", ["-k", "fail", "-m", "ignore", ZONE]),
    "nsd-checkzone": ("nsd", [ZONE]),
    "kzonecheck": ("knot-dnssecutils", ["-o", ZONE]),
}


def _file(directory: Path, name: str, given: Sequence[TxtRecord]) -> Path:
    path = directory / "zone"
    path.write_text(HEAD + FORMATS[name].render(given), "ascii")
    return path


@pytest.mark.parametrize("program", CHECKERS)
@pytest.mark.parametrize("name", ["zone", "line"])
def test_a_checker_accepts_it(tmp_path: Path, name: str, program: str) -> None:
    package, words = CHECKERS[program]
    found = shutil.which(program, path=PATH)
    if found is None:
        pytest.skip(f"needs {program} (package {package})")
    path = _file(tmp_path, name, ALL)
    done = subprocess.run(
        [found, *words, str(path)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "warning" not in (done.stdout + done.stderr).lower()


@pytest.mark.parametrize("program", CHECKERS)
def test_a_checker_would_have_noticed(tmp_path: Path, program: str) -> None:
    """What careless cutting and quoting would give; each takes one of the two for right."""
    long, half = f'x IN TXT "{"x" * 256}"\n', 'x IN TXT "half\ny IN TXT "half\n'
    package, words = CHECKERS[program]
    found = shutil.which(program, path=PATH)
    if found is None:
        pytest.skip(f"needs {program} (package {package})")
    path = tmp_path / "zone"
    path.write_text(HEAD + (half if program == "kzonecheck" else long))
    done = subprocess.run([found, *words, str(path)], capture_output=True, check=False)
    assert done.returncode != 0


@pytest.mark.parametrize("name", ["zone", "line"])
@pytest.mark.skipif(shutil.which("nsd", path=PATH) is None, reason="needs nsd (package nsd)")
def test_nsd_serves_what_went_in(tmp_path: Path, name: str) -> None:
    root = ". 3600 IN SOA ns.invalid. h.invalid. 1 3600 900 604800 300\n. 3600 IN NS ns.invalid.\n"
    text = root + f"$ORIGIN {ZONE}.\n" + FORMATS[name].render(ALL)
    cut = {"zone": key_strings, "line": split}[name]
    with nsd(tmp_path, text) as server:
        for record in ALL:
            assert ask(record.name, server.port) == (list(cut(record.text)), TTL), record.host
