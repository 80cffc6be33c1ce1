"""The manual pages of postseal-testkey, postseal-record and postseal-rotate: up to date, clean."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from postseal_keys.manual import fill

MAN = Path(__file__).parents[2] / "man"
PAGES = [("postseal_keys.testkey", "postseal-testkey.1")]


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


@pytest.mark.parametrize(("module", "page"), PAGES)
def test_every_finding_code_is_explained(module: str, page: str) -> None:
    """A code that a user can meet stands in the page."""
    sources = {
        "postseal_keys.testkey": ("keycheck", "keylook", "keyreport", "testkey"),
    }[module]
    text = (MAN / page).read_text("utf-8")
    for source in sources:
        code = Path(importlib.import_module(f"postseal_keys.{source}").__file__ or "").read_text()
        for word in sorted(set(re.findall(r'"((?:key|dns|servers)-[a-z0-9-]+)"', code))):
            assert word in text or word.startswith("key-ok"), word
