"""The tools' manual pages: true to their tables, and without mandoc's complaints."""

from __future__ import annotations

import importlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest

import postseal_keys
from postseal_keys import manual
from postseal_keys.console import Problem
from postseal_keys.options import Option

ROOT = Path(__file__).resolve().parents[2]
MAN = ROOT / "man"
PAGES = {
    "postseal-genkey.1": "postseal_keys.genkey",
    "postseal-genzone.1": "postseal_keys.genzone",
}


@pytest.mark.parametrize("page", PAGES)
def test_a_page_is_up_to_date(page: str) -> None:
    text = (MAN / page).read_text("utf-8")
    parts = importlib.import_module(PAGES[page]).MANUAL
    command = f"python -m postseal_keys.manual {PAGES[page]} man/{page}"
    assert manual.fill(text, parts) == text, f"out of date: run {command}"


@pytest.mark.parametrize("page", PAGES)
def test_mandoc_has_no_complaint(page: str) -> None:
    if shutil.which("mandoc") is None:
        pytest.skip("needs mandoc (package mandoc)")
    done = subprocess.run(
        ["mandoc", "-T", "lint", "-W", "style", str(MAN / page)],
        capture_output=True,
        text=True,
        check=False,
    )
    # whether other pages are installed on this machine says nothing about this one
    said = [line for line in done.stdout.splitlines() if "referenced manual not found" not in line]
    assert said == []


@pytest.mark.parametrize("page", PAGES)
def test_every_option_is_in_the_page(page: str) -> None:
    """Of the text a reader sees, made by mandoc."""
    if shutil.which("mandoc") is None:
        pytest.skip("needs mandoc (package mandoc)")
    done = subprocess.run(
        ["mandoc", "-T", "ascii", str(MAN / page)], capture_output=True, text=True, check=True
    )
    shown = re.sub(r".\x08", "", done.stdout)
    table: tuple[Option, ...] = importlib.import_module(f"{PAGES[page]}_options").OPTIONS
    for option in table:
        for form in [f"-{option.short}"] * bool(option.short) + [f"--{option.long}"] * bool(
            option.long
        ):
            assert re.search(rf"(^|[ ,\[]){re.escape(form)}\b", shown, re.M), form


def test_the_differences_are_listed() -> None:
    """What the tests keep apart from the peer on purpose, by a word of each entry."""
    text = (MAN / "postseal-genkey.1").read_text("utf-8").split(".Sh DIFFERENCES")[1]
    for word in ("shell", "DNS names", "note", "force", "final dot", "empty\nstring", "2048"):
        assert word in text


def test_text_is_escaped() -> None:
    assert manual.escape(".TH begins") == "\\&.TH begins"
    assert manual.escape("'quote") == "\\&'quote"
    assert manual.escape("a\\b --long") == "a\\eb \\-\\-long"


def test_splice_replaces_what_is_between_the_marks() -> None:
    begin, end = manual.BEGIN.format("x"), manual.END.format("x")
    assert manual.splice(f"a\n{begin}old\n{end}b\n", "x", "new\n") == f"a\n{begin}new\n{end}b\n"


@pytest.mark.parametrize("page", ["", manual.BEGIN.format("x"), manual.END.format("x")])
def test_a_page_without_marks_is_a_problem(page: str) -> None:
    with pytest.raises(Problem, match="no marks"):
        manual.splice(page, "x", "text")


def test_main_brings_a_page_up_to_date(tmp_path: Path) -> None:
    page = tmp_path / "p.1"
    page.write_text(manual.BEGIN.format("options") + manual.END.format("options"))
    assert manual.main(["postseal_keys.genzone", str(page)]) == 0
    assert ".It Fl d Ar name , Fl -domain Ns = Ns Ar name\n" in page.read_text()
    assert manual.main([]) != 0


def test_the_packages_have_one_version() -> None:
    text = (ROOT / "milter" / "postseal" / "__init__.py").read_text("utf-8")
    assert f'__version__ = "{postseal_keys.__version__}"' in text
