"""The acceptance lab beside the checkout, where there is one: a second opinion on all of this.

Its scenarios were written from the RFCs by others.  Every one of these groups has to pass;
the lab is not part of the repository, and without it these tests say so and are skipped.

With POSTSEAL_LAB_PEERS=1 the programs that others run for the same go through it too, two to
three minutes for each, and what they score is told beside ours.
"""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
LAB = ROOT.parent / "shared" / "lab" / "lab.py"
SECONDS = 400
GROUPS = ("out", "spf", "dkim", "dmarc", "ar", "arc", "atk", "env")
PEERS = {  # the lab's names for them, and what they consist of
    "peers": ("opendkim", "pyspf-milter", "opendmarc"),
    "dkimpy": ("dkimpy-milter", "pyspf-milter"),
}
KEYS = {
    "sign.example": "sel1",
    "second.example": "sel2",
    "origin.example": "sel3",
    "xn--bcher-kva.example": "sel4",
}
SETTINGS = """\
authserv_id = "{authserv_id}"
socket = "inet:8899@127.0.0.1"
user = "nobody"
workers = 2
[roles]
internal_hosts = ["127.0.0.0/8", "192.0.2.128/25"]
[sign]
key_table = "file:{dir}/keytable"
signing_table = "refile:{dir}/signingtable"
[dmarc]
reject = true
quarantine = "hold"
"""

pytestmark = [pytest.mark.e2e, pytest.mark.slow]


def candidate() -> dict[str, Any]:
    """Postseal as the lab wants it described."""
    milter = "inet:127.0.0.1:8899"
    command = [sys.executable, "-m", "postseal.cli.main", "run", "--config", "{dir}/postseal.toml"]
    return {
        "name": "postseal",
        "authserv_id": "mx.lab.example",
        "files": {
            "keytable": [f"{d} {d}:{s}:{{key:{d}}}" for d, s in KEYS.items()],
            "signingtable": [
                *(f"*@{domain} {domain}" for domain in KEYS),
                "*@*.sign.example sign.example",
            ],
            "postseal.toml": SETTINGS.splitlines(),
        },
        "processes": [
            {
                "argv": command,
                "wait": milter,
                "env": {"PYTHONPATH": f"{ROOT / 'milter'}:{ROOT / 'keys'}"},
            }
        ],
        "smtpd_milters": milter,
        "main_cf": {"milter_default_action": "tempfail"},
    }


def _lacking() -> str:
    """Why the lab cannot be run; "" when it can."""
    if not LAB.exists():
        return "there is no acceptance lab beside this checkout"
    if os.geteuid() != 0:
        return "the acceptance lab needs root"
    judge = subprocess.run(["/usr/bin/python3", "-c", "import dkim"], capture_output=True)
    if judge.returncode:
        return "the acceptance lab needs Debian's python3-dkim as a judge"
    return "" if importlib.util.find_spec("dns") else "the acceptance lab needs dnspython"


Verdicts = list[dict[str, Any]]
PASSED = ("pass", "info")


@pytest.fixture(scope="module")
def verdicts(tmp_path_factory: pytest.TempPathFactory) -> Verdicts:
    """Every scenario's result, from one run."""
    if lacking := _lacking():
        pytest.skip(lacking)
    folder = tmp_path_factory.mktemp("lab")
    description = folder / "postseal.json"
    description.write_text(json.dumps(candidate()))
    return _run(str(description), folder / "results.json")


def _run(name: str, output: Path) -> Verdicts:
    """One run of the lab with that candidate."""
    command = [sys.executable, str(LAB), "--candidate", name, "--json", str(output)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    assert output.exists(), done.stdout[-2000:] + done.stderr[-2000:]
    found: Verdicts = json.loads(output.read_text())["results"]
    return found


@pytest.mark.parametrize("group", GROUPS)
def test_group(
    verdicts: Verdicts, group: str, record_property: Callable[[str, object], None]
) -> None:
    mine = [one for one in verdicts if one["id"].split(".")[0] == group]
    assert mine, "an empty group must not look like success"
    wrong = [one for one in mine if one["status"] not in PASSED]
    record_property("suite", ("acceptance lab", len(mine) - len(wrong), len(mine)))
    assert not wrong, json.dumps(wrong, indent=1)[:4000]


@pytest.mark.parametrize("peer", PEERS)
def test_peers_beside_ours(
    verdicts: Verdicts,
    peer: str,
    tmp_path: Path,
    record_property: Callable[[str, object], None],
) -> None:
    """In the same lab nobody does better."""
    if os.environ.get("POSTSEAL_LAB_PEERS") != "1":
        pytest.skip("it takes minutes: POSTSEAL_LAB_PEERS=1 asks for it")
    if lacking := [name for name in PEERS[peer] if shutil.which(name) is None]:
        pytest.skip(f"not installed: {', '.join(lacking)}")
    theirs = _run(peer, tmp_path / "results.json")
    scores = [sum(one["status"] in PASSED for one in found) for found in (theirs, verdicts)]
    record_property(
        "suite", (f"acceptance lab, {' and '.join(PEERS[peer])}", scores[0], len(theirs))
    )
    assert len(theirs) == len(verdicts)
    assert scores[0] <= scores[1]
