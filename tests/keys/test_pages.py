"""The manual pages of postseal-testkey, postseal-record and postseal-rotate: up to date, clean."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from postseal_keys.manual import fill
from postseal_keys.rotate.model import Stage

MAN = Path(__file__).parents[2] / "man"
PAGES = [
    ("postseal_keys.testkey", "postseal-testkey.1"),
    ("postseal_keys.record", "postseal-record.1"),
    ("postseal_keys.rotate.main", "postseal-rotate.1"),
]
SOURCES = {
    "postseal_keys.testkey": "keycheck keylook keyreport testkey",
    "postseal_keys.record": "spfcheck spflint spfwalk spfcost dmarccheck dmarclint domaincheck"
    " reportauth recordcheck",
}
CODE = re.compile(
    r'"((?:key|keys|keytable|dns|dnssec|servers|spf|dmarc|report|obsolete|record)-[a-z0-9-]+)"'
)


@pytest.mark.parametrize(("module", "page"), PAGES)
def test_the_option_list_is_up_to_date(module: str, page: str) -> None:
    text = (MAN / page).read_text("utf-8")
    assert fill(text, importlib.import_module(module).MANUAL) == text


@pytest.mark.skipif(not shutil.which("mandoc"), reason="mandoc is not installed")
@pytest.mark.parametrize("page", [page for _, page in PAGES])
def test_mandoc_finds_nothing(page: str) -> None:
    command = ["mandoc", "-Tlint", "-Wstyle", str(MAN / page)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    complaints = [
        line
        for line in (done.stdout + done.stderr).splitlines()
        if "referenced manual not found" not in line and "mandoc.db" not in line
    ]
    assert complaints == []


@pytest.mark.parametrize(("module", "page"), PAGES[:2])
def test_every_finding_code_is_explained(module: str, page: str) -> None:
    """A code that a user can meet stands in the page."""
    text = (MAN / page).read_text("utf-8")
    codes: set[str] = set()
    for source in SOURCES[module].split():
        file = importlib.import_module(f"postseal_keys.{source}").__file__
        codes |= set(CODE.findall(Path(str(file)).read_text("utf-8")))
    assert len(codes) > 10
    assert sorted(c for c in codes if c not in text and not c.startswith("key-ok")) == []


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="systemd is not installed")
def test_systemd_takes_the_units_of_the_page(tmp_path: Path) -> None:
    text = (MAN / "postseal-rotate.1").read_text("utf-8")
    units = re.findall(r"\.Pa (postseal-rotate\.\w+) :\n\.Bd .*\n((?:.*\n)*?)\.Ed\n", text)
    assert [name for name, _ in units] == ["postseal-rotate.service", "postseal-rotate.timer"]
    for name, unit in units:  # what is named in them need not be installed here
        here = unit.replace("/usr/local/bin/postseal-rotate", "/bin/true")
        here = re.sub("^Documentation=.*\n", "", here, flags=re.MULTILINE)
        (tmp_path / name).write_text(here)
    command = ["systemd-analyze", "verify", str(tmp_path / "postseal-rotate.timer")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_every_stage_of_a_rotation_is_explained() -> None:
    text = (MAN / "postseal-rotate.1").read_text("utf-8")
    assert [stage for stage in Stage if f".It {stage}\n" not in text] == []
