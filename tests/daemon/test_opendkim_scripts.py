"""OpenDKIM's own miltertest scripts against our daemon: what passes, and why the rest does not."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import suites

ROOT = Path(__file__).resolve().parents[2]
SHIM = ROOT / "tests" / "support" / "opendkimshim.py"
TABLE = ROOT / "tests" / "vectors" / "opendkim-miltertest" / "differences.tsv"
ARCHIVE = "opendkim_2.11*.orig.tar.[gx]z"
SECONDS = 90
TITLE = "OpenDKIM's miltertest scripts"

# What "words" in the table stands for: the text a script looks for, and how we write it.
WORDS = {
    '"h=From:Date:Subject"': '"h=from:"',
    '"c=simple/simple"': '"c=relaxed/relaxed"',
}

pytestmark = pytest.mark.slow


def differences() -> dict[str, str]:
    """How each script of the table differs; every one has a reason."""
    found: dict[str, str] = {}
    for line in TABLE.read_text().splitlines():
        script, how, why = line.split("\t")
        assert how in ("words", "differs") and why, line
        found[script.removesuffix(" *")] = how
    return found


DIFFERENCES = differences()


@pytest.fixture(scope="module")
def scripts() -> Iterator[Path]:
    """The scripts, and an `opendkim` in the directory above them, where they look for it."""
    archive = suites.archive(ARCHIVE)
    if archive is None:
        pytest.skip(f"{ARCHIVE} is not in {suites.downloads()}: sh contrib/test.sh fetches it")
    if shutil.which("miltertest") is None or os.geteuid() != 0:
        pytest.skip("needs miltertest, and root")
    place = Path(tempfile.mkdtemp(prefix="postseal-scripts-"))
    place.chmod(0o755)
    try:
        yield _unpacked(archive, place)
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _unpacked(archive: Path, place: Path) -> Path:
    tests = place / "tests"
    tests.mkdir(mode=0o755)
    with tarfile.open(archive) as tar:
        for entry in tar:
            if "/opendkim/tests/" in entry.name and entry.isfile():
                file = tar.extractfile(entry)
                assert file is not None
                (tests / Path(entry.name).name).write_bytes(file.read())
    (tests / "testkey.private").chmod(0o600)
    program = place / "opendkim"
    program.write_text(f'#!/bin/sh\nexec {sys.executable} {SHIM} "$@"\n')
    program.chmod(0o755)
    return tests


def passes(scripts: Path, name: str, words: bool) -> bool:
    """Run one script."""
    text = (scripts / f"{name}.lua").read_text("utf-8", "surrogateescape")
    for theirs, ours in WORDS.items() if words else ():
        text = text.replace(theirs, ours)
    path = scripts / f"run-{name}.lua"
    path.write_text(text, "utf-8", "surrogateescape")
    # In a session of its own: what it starts ends with it, whatever happens.
    done = subprocess.run(
        ["miltertest", "-s", path.name],
        cwd=scripts,
        capture_output=True,
        timeout=SECONDS,
        check=False,
        start_new_session=True,
    )
    print((done.stdout + done.stderr).decode("utf-8", "replace")[-3000:])
    return done.returncode == 0


def names() -> list[str]:
    """All scripts of the archive; without it, those of the table, to be skipped with a word."""
    archive = suites.archive(ARCHIVE)
    if archive is None:
        return sorted(DIFFERENCES)
    with tarfile.open(archive) as tar:
        return sorted(
            Path(name).stem
            for name in tar.getnames()
            if "/opendkim/tests/" in name and name.endswith(".lua")
        )


@pytest.mark.parametrize("name", names())
def test_script(scripts: Path, name: str, record_property: Callable[[str, object], None]) -> None:
    how = DIFFERENCES.get(name, "same")
    passed = passes(scripts, name, how == "words")
    record_property("suite", (f"{TITLE}, as they are", passed and how == "same", 1))
    record_property("suite", (f"{TITLE}, h= and c= as we write them", passed, 1))
    assert passed is (how != "differs")
    if how == "words":
        assert any(
            theirs in (scripts / f"{name}.lua").read_text("utf-8", "surrogateescape")
            for theirs in WORDS
        )


def test_the_suite_is_whole() -> None:
    if suites.archive(ARCHIVE) is None:
        pytest.skip(f"{ARCHIVE} is not in {suites.downloads()}: sh contrib/test.sh fetches it")
    assert len(names()) == suites.SUITES[f"{TITLE}, as they are"].cases
    assert DIFFERENCES.keys() <= set(names())
