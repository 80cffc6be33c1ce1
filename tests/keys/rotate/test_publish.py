"""publish: the hook's arguments, what it may refuse, and TSIG key files."""

from __future__ import annotations

import stat
from pathlib import Path

import dns.tsig
import pytest

from postseal_keys.console import CONFIG, NOINPUT, UNAVAILABLE, Problem
from postseal_keys.dnsask import Address
from postseal_keys.rotate import publish
from postseal_keys.rotate.publish import Hook, NsUpdate, Print, Tsig, tsig
from support.child import wait_until

NAME = "s1._domainkey.d.example"
TEXT = 'v=DKIM1; p=AA"A; $(touch x) `id`'


def script(place: Path, body: str) -> str:
    path = place / "hook"
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def runs(pid: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False


def test_a_hook_gets_plain_words(tmp_path: Path) -> None:
    program = script(tmp_path, f'printf "<%s>" "$@" >> {tmp_path}/said')
    hook = Hook((program, "--zone", "d.example"), 60)
    hook.put(NAME, TEXT)
    hook.put(NAME, None)
    assert (tmp_path / "said").read_text() == (
        f"<--zone><d.example><add><{NAME}><60><{TEXT}><--zone><d.example><delete><{NAME}><60>"
    )
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ("echo no such zone >&2; exit 3", "no such zone"),
        ("exit 1", "ended with 1"),
        ("kill -9 $$", "ended by signal 9"),
        ("head -c 3000000 /dev/zero | tr '\\0' x; echo; echo enough; exit 1", "1: enough"),
    ],
)
def test_a_hook_that_fails(body: str, word: str, tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        Hook((script(tmp_path, body),), 60).put(NAME, TEXT)
    assert word in caught.value.message
    assert caught.value.code == UNAVAILABLE


def test_what_a_program_starts_may_outlive_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`service postseal restart` leaves a daemon behind that has its standard output."""
    left = tmp_path / "left"
    monkeypatch.setattr(publish, "HOOK_TIMEOUT", 20.0)
    body = f"(while ! [ -e {left} ]; do sleep 0.1; done) &\nexit 0"
    try:
        Hook((script(tmp_path, body),), 60).put(NAME, TEXT)
    finally:
        left.touch()


def test_a_hook_that_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends, and what it has started ends with it."""
    started = tmp_path / "started"
    monkeypatch.setattr(publish, "HOOK_TIMEOUT", 1.0)
    with pytest.raises(Problem) as caught:
        Hook((script(tmp_path, f"sleep 60 & echo $! > {started}; wait"),), 60).put(NAME, TEXT)
    assert "did not end" in caught.value.message
    wait_until(lambda: not runs(int(started.read_text())), "the end of what it started")


def test_no_hook() -> None:
    with pytest.raises(Problem) as caught:
        Hook(("/nonexistent/hook",), 60).put(NAME, TEXT)
    assert caught.value.code == CONFIG


def test_print() -> None:
    said: list[str] = []
    printer = Print(said.append, 60)
    printer.put(NAME, "v=DKIM1; p=A")
    printer.put(NAME, None)
    assert said == [
        f'to be published by hand: {NAME}. 60 IN TXT "v=DKIM1; p=A"',
        f"to be removed by hand: {NAME}. TXT",
    ]


@pytest.mark.parametrize(
    "text",
    [
        'key "k.example" {\n\talgorithm hmac-sha256;\n\tsecret "c2VjcmV0";\n};\n',
        "# x\nkey k.example { secret c2VjcmV0; algorithm hmac-sha256; };",
    ],
)
def test_tsig_files(text: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(text)
    path.chmod(0o600)
    found = tsig(str(path), "x")
    assert found == Tsig("k.example", "hmac-sha256", "c2VjcmV0")
    assert "c2VjcmV0" not in repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "key {}",
        'key "k" { secret "x"; };',
        "\udcff",
        'key "k" { algorithm hmac-foo; secret "c2VjcmV0"; };',
        'key "k" { algorithm hmac-sha256; secret "c2VjcmV"; };',
        f'key "{"k" * 64}" {{ algorithm hmac-sha256; secret "c2VjcmV0"; }};',
    ],
)
def test_what_is_no_tsig_file(text: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(Problem) as caught:
        tsig(str(path), "x")
    assert caught.value.code == CONFIG


@pytest.mark.parametrize("algorithm", ["hmac-md5", "HMAC-SHA512", "hmac-sha256.", "hmac-sha1"])
def test_algorithms_by_the_names_that_bind_knows(algorithm: str, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text(f'key "k" {{ algorithm {algorithm}; secret "c2VjcmV0"; }};')
    path.chmod(0o600)
    (key,) = tsig(str(path), "x").ring().values()
    assert key.algorithm in dns.tsig.mac_sizes


def test_a_tsig_file_that_all_may_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "key"
    path.write_text('key "k" { algorithm hmac-sha256; secret "c2VjcmV0"; };')
    path.chmod(0o644)
    tsig(str(path), "x")
    assert "warning" in capsys.readouterr().err
    with pytest.raises(Problem) as caught:
        tsig(str(tmp_path / "none"), "x")
    assert caught.value.code == NOINPUT


def test_an_update_without_a_zone() -> None:
    update = NsUpdate(Address("127.0.0.1", 9), None, 60, lambda _: "")
    with pytest.raises(Problem) as caught:
        update.put(NAME, TEXT)
    assert "zone" in caught.value.message
