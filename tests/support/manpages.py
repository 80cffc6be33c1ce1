"""Manual pages for tests: where they are, and what mandoc says."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

MAN = Path(__file__).resolve().parents[2] / "man"


def mandoc(*words: str) -> str:
    """What mandoc prints.  Skips the test where there is none."""
    if shutil.which("mandoc") is None:
        pytest.skip("mandoc is not installed (package mandoc)")
    done = subprocess.run(["mandoc", *words], capture_output=True, text=True, check=False)
    return done.stdout


def complaints(page: Path) -> list[str]:
    """mandoc's complaints, style included; other pages need not be installed."""
    said = mandoc("-T", "lint", "-W", "style", str(page)).splitlines()
    return [line for line in said if "referenced manual not found" not in line]


def shown(page: Path) -> str:
    """The text a reader sees, in one line."""
    return " ".join(re.sub(r".\x08", "", mandoc("-T", "ascii", str(page))).split())
