"""postseal-genkey beside Debian's opendkim-genkey: names, modes, statuses, record text.

Theirs makes the key, ours prints the record of the same key (--from-key).  Where the
two differ on purpose, the test says how, and the manual lists it.
"""

from __future__ import annotations

import itertools
import os
import shutil
import stat
import subprocess
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from postseal_keys import genkey
from support.keytool import run

PEER = shutil.which("opendkim-genkey", path="/usr/sbin:/usr/bin")

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(PEER is None, reason="needs opendkim-genkey (package opendkim-tools)"),
]

# Each row is one flag: its meanings, and for each the ways to write it.  The product of all
# meanings is every combination both tools support; the spellings take turns.
FLAGS: list[list[list[tuple[str, ...]]]] = [
    [[(), ("--noappend-domain",), ("-a", "--no-a")], [("-a",), ("--append-domain",), ("--app",)]],
    [[(), ("--no-restrict",)], [("-r",), ("--restrict",), ("--restr",)]],
    [[(), ("--subdomains",)], [("-S",), ("--nosubdomains",), ("--no-sub",)]],
    [[(), ("--notest",)], [("-t",), ("--testmode",), ("--te",)]],
    [[()], [("-d", "example.com"), ("--domain=example.com",)], [("-dMail.Example.com",)]],
    [[()], [("-h", "sha1:sha256"), ("--hash=sha1:sha256",)], [("-hsha1",)]],
    [[(), ("-s", "default")], [("-s", "Sub.sel"), ("--selector=Sub.sel",), ("-sSub.sel",)]],
]


@dataclass(frozen=True, slots=True)
class Theirs:
    """What opendkim-genkey did."""

    words: tuple[str, ...]
    directory: Path
    status: int
    files: dict[str, int]  # name -> mode


def _peer(directory: Path, words: Sequence[str]) -> Theirs:
    directory.mkdir()
    assert PEER is not None
    done = subprocess.run(
        [PEER, "-D", str(directory), *words], capture_output=True, check=False, cwd=directory
    )
    return Theirs(tuple(words), directory, done.returncode, _modes(directory))


def _modes(directory: Path) -> dict[str, int]:
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()}


def _all(tmp_path: Path, lines: Sequence[tuple[str, ...]]) -> Iterator[Theirs]:
    """Run theirs once for each line, several at a time."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(lambda item: _peer(tmp_path / str(item[0]), item[1]), enumerate(lines))


def _combinations() -> list[tuple[str, ...]]:
    lines = []
    for turn, meanings in enumerate(itertools.product(*FLAGS)):
        words = [ways[(turn // 7 + place) % len(ways)] for place, ways in enumerate(meanings)]
        lines.append(("-b", "1024", *itertools.chain.from_iterable(words)))
    return lines


def test_every_combination_gives_the_same_files(tmp_path: Path) -> None:
    combinations = _combinations()
    assert len(combinations) == 2 * 2 * 2 * 2 * 3 * 3 * 2
    for theirs in _all(tmp_path, combinations):
        assert theirs.status == 0, theirs.words
        private = next(name for name in theirs.files if name.endswith(".private"))
        flags = theirs.words[2:]  # the key has its size
        ours = run(genkey.main, "--from-key", str(theirs.directory / private), *flags)
        assert ours.status == 0, theirs.words
        text = (theirs.directory / private.replace(".private", ".txt")).read_text()
        assert ours.out == text, theirs.words
        shutil.rmtree(theirs.directory)


NAMED = [
    pytest.param((), id="defaults"),
    pytest.param(("-b", "1024", "-s", "sel", "-d", "example.com"), id="usual"),
    pytest.param(("-b1024", "-rtSasub.sel"), id="attached-argument-is-for-a-flag"),
    pytest.param(("-b", "1024", "-vvvs", "x"), id="verbose"),
    pytest.param(("extra", "-b1024", "words"), id="extra-arguments-are-ignored"),
    pytest.param(("--bits", "3072"), id="3072"),
    pytest.param(("-b4096",), id="4096"),
    pytest.param(("-b", "1032"), id="1032"),
    pytest.param(("-b1024", "-d", ""), id="no-comment"),
    pytest.param(("--help",), id="help"),
    pytest.param(("-V",), id="version"),
    pytest.param(("-x",), id="unknown-option"),
    pytest.param(("--nope",), id="unknown-long-option"),
    pytest.param(("-b", "abc"), id="not-a-number"),
    pytest.param(("-s",), id="value-missing"),
    pytest.param(("--no",), id="ambiguous"),
    pytest.param(("-?",), id="question-mark"),
]


@pytest.mark.parametrize("words", NAMED)
def test_names_modes_and_statuses(tmp_path: Path, words: tuple[str, ...]) -> None:
    theirs = _peer(tmp_path / "theirs", words)
    place = tmp_path / "ours"
    place.mkdir()
    ours = run(genkey.main, "-D", str(place), *words)
    assert (ours.status, _modes(place)) == (theirs.status, theirs.files)


@pytest.mark.parametrize("words", [("-D", "none"), ("--dir=none",)])
def test_a_missing_directory(tmp_path: Path, words: tuple[str, ...]) -> None:
    theirs = _peer(tmp_path / "theirs", words)
    assert (theirs.status, theirs.files) == (2, {})
    assert run(genkey.main, *words).status == 2


@pytest.mark.parametrize("bits", [1024, 1032, 2048, 3072, 4096])
def test_every_size_is_laid_out_alike(tmp_path: Path, bits: int) -> None:
    theirs = _peer(tmp_path / "theirs", ("-b", str(bits), "-d", "example.com"))
    ours = run(
        genkey.main, "-d", "example.com", "--from-key", str(theirs.directory / "default.private")
    )
    assert ours.out == (theirs.directory / "default.txt").read_text()


DIFFERENT = [
    pytest.param(("-n", "note"), [('n=\\"note\\"', "n=note")], id="note-without-quotes"),
    pytest.param(("-n", "a;b=c"), [('n=\\"a;b=c\\"', "n=a=3Bb=3Dc")], id="note-encoded"),
    pytest.param(("-h", ""), [(" h=;", "")], id="no-empty-h"),
    pytest.param(
        ("-ad", "example.com."),
        [("com..", "com."), ("for example.com.", "for example.com")],
        id="no-doubled-dot",
    ),
    pytest.param(("-d", "bücher.example"), [("bücher", "xn--bcher-kva")], id="a-labels"),
]


@pytest.mark.parametrize(("words", "changes"), DIFFERENT)
def test_what_differs_on_purpose_and_nothing_else(
    tmp_path: Path, words: tuple[str, ...], changes: list[tuple[str, str]]
) -> None:
    theirs = _peer(tmp_path / "theirs", ("-b1024", *words))
    text = (theirs.directory / "default.txt").read_text("utf-8")
    for old, new in changes:
        assert old in text, "the difference is still one"
        text = text.replace(old, new)
    private = str(theirs.directory / "default.private")
    assert run(genkey.main, "--from-key", private, *words).out == text


def test_no_empty_string_where_theirs_writes_one(tmp_path: Path) -> None:
    """Their loop leaves "" behind when the key has a multiple of 250 characters."""
    sizes = {bits: _characters(bits) for bits in range(1024, 2800, 8)}
    bits = next(bits for bits, length in sizes.items() if length % 250 == 0)
    theirs = _peer(tmp_path / "theirs", ("-b", str(bits)))
    text = (theirs.directory / "default.txt").read_text()
    assert '\n\t  ""' in text
    private = str(theirs.directory / "default.private")
    assert run(genkey.main, "--from-key", private).out == text.replace('\n\t  ""', "")


def _characters(bits: int) -> int:
    """Length of p= for an RSA key: DER of modulus and exponent, in base64."""

    def tlv(length: int) -> int:
        return length + 2 + (length > 127) + (length > 255)

    numbers = tlv(bits // 8 + 1) + tlv(3)
    return (tlv(15 + tlv(1 + tlv(numbers))) + 2) // 3 * 4
