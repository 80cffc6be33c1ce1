"""postseal-genkey by itself: files, output, refusals.  The peer is in test_genkey_peer."""

from __future__ import annotations

import base64
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

from postseal_keys import formats, genkey, keypair, records
from support.keytool import Ran, run

KEYS = Path(__file__).resolve().parents[2] / "keys"


def _genkey(directory: Path, *words: str) -> Ran:
    return run(genkey.main, "-D", str(directory), *words)


def _record(stanza: str) -> records.KeyRecord:
    """The record of one stanza, read without our formats."""
    body = stanza.split("( ", 1)[1].rsplit(" )", 1)[0]
    return records.parse("".join(re.findall(r'"([^"]*)"', body)))


def _names(directory: Path) -> list[str]:
    return sorted(path.name for path in directory.iterdir())


def test_without_options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """opendkim-genkey's defaults as Debian builds it."""
    monkeypatch.chdir(tmp_path)
    ran = run(genkey.main)
    assert ran == Ran(0, "", "")
    assert _names(tmp_path) == ["default.private", "default.txt"]
    key = keypair.load_file("default.private")
    assert isinstance(key, RSAPrivateKey) and key.key_size == 2048
    text = (tmp_path / "default.txt").read_text()
    assert text.startswith('default._domainkey\tIN\tTXT\t( "v=DKIM1; h=sha256; k=rsa; "\n')
    assert text.endswith(" )  ; ----- DKIM key default for localhost\n")
    assert _record(text).public == keypair.public_text(key)


def test_both_kinds_have_two_selectors(tmp_path: Path) -> None:
    assert _genkey(tmp_path, "-s", "m", "--type", "both", "-b", "1024").status == 0
    assert _names(tmp_path) == ["m-ed25519.private", "m-ed25519.txt", "m.private", "m.txt"]
    assert _record((tmp_path / "m.txt").read_text()).kind == "rsa"
    second = (tmp_path / "m-ed25519.txt").read_text()
    assert second.startswith("m-ed25519._domainkey\t")
    assert _record(second).kind == "ed25519"
    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}


def test_the_second_selector_can_be_chosen(tmp_path: Path) -> None:
    ran = _genkey(tmp_path, "--ty", "both", "-b1024", "--ed25519-selector", "e.x", "-s", "r")
    assert ran.status == 0
    assert _names(tmp_path) == ["e.x.private", "e.x.txt", "r.private", "r.txt"]


@pytest.mark.parametrize("words", [("--type", "ed25519"), ("--ed25519",)])
def test_ed25519_alone(tmp_path: Path, words: tuple[str, ...]) -> None:
    assert _genkey(tmp_path, *words).status == 0
    assert _names(tmp_path) == ["default.private", "default.txt"]
    assert keypair.kind(keypair.load_file(tmp_path / "default.private")) == "ed25519"


@pytest.mark.parametrize("bits", [1024, 1500, 2047])
def test_weak_keys_come_with_a_warning(tmp_path: Path, bits: int) -> None:
    ran = _genkey(tmp_path, "-b", str(bits))
    assert ran.status == 0
    assert ran.err.startswith("postseal-genkey: warning: RSA keys of")


@pytest.mark.parametrize("bits", [1024, 1032, 1848, 1880])
def test_no_empty_string_at_multiples_of_250(tmp_path: Path, bits: int) -> None:
    assert _genkey(tmp_path, "-b", str(bits), "-s", "m").status == 0
    text = (tmp_path / "m.txt").read_text()
    assert '""' not in text
    key = keypair.load_file(tmp_path / "m.private")
    assert _record(text).public == keypair.public_text(key)


def test_no_string_is_empty_at_the_exact_cut() -> None:
    """Where opendkim-genkey writes an empty one: a key of 250 or 500 characters."""
    for length in (248, 252, 500, 748, 752, 1000):
        text = f"v=DKIM1; k=rsa; p={'A' * length}"
        strings = formats.txt.key_strings(text)
        assert "".join(strings) == text
        assert all(strings) and max(map(len, strings)) <= 255


@pytest.mark.parametrize(
    ("words", "name", "zone"),
    [
        pytest.param(("-d", "example.com"), "m._domainkey", "example.com", id="relative"),
        pytest.param(("-a", "-d", "example.com"), "m._domainkey.example.com.", "", id="full"),
        pytest.param(("-a", "-d", "example.com."), "m._domainkey.example.com.", "", id="one-dot"),
        pytest.param(
            ("-a", "-d", "bücher.example"), "m._domainkey.xn--bcher-kva.example.", "", id="idn"
        ),
        pytest.param(
            ("-a", "-d", "_x.Example.com"), "m._domainkey._x.Example.com.", "", id="as-written"
        ),
    ],
)
def test_names(tmp_path: Path, words: tuple[str, ...], name: str, zone: str) -> None:
    assert _genkey(tmp_path, "-b1024", "-s", "m", *words).status == 0
    assert (tmp_path / "m.txt").read_text().split("\t")[0] == name


def test_a_note_is_encoded(tmp_path: Path) -> None:
    note = 'até 2027; "x" \\ ='
    assert _genkey(tmp_path, "-b1024", "-n", note).status == 0
    record = _record((tmp_path / "default.txt").read_text())
    assert record.note == note
    assert record.public


def test_a_long_note_is_cut_into_strings(tmp_path: Path) -> None:
    assert _genkey(tmp_path, "--ed25519", "-n", "x" * 1000).status == 0
    text = (tmp_path / "default.txt").read_text()
    assert max(map(len, re.findall(r'"([^"]*)"', text))) <= 255
    assert _record(text).note == "x" * 1000


@pytest.mark.parametrize(
    ("words", "status"),
    [
        pytest.param(("-x",), 1, id="unknown-option"),
        pytest.param(("-b", "abc"), 1, id="not-a-number"),
        pytest.param(("-b",), 1, id="no-value"),
        pytest.param(("-b", "512"), os.EX_USAGE, id="too-few-bits"),
        pytest.param(("-b", "8192"), os.EX_USAGE, id="too-many-bits"),
        pytest.param(("-s", "a b"), os.EX_USAGE, id="selector"),
        pytest.param(("-s", "x; touch pwn #"), os.EX_USAGE, id="shell-in-selector"),
        pytest.param(("-s", "../m"), os.EX_USAGE, id="path-in-selector"),
        pytest.param(("-s", ""), os.EX_USAGE, id="no-selector"),
        pytest.param(("-d", "a..b"), os.EX_USAGE, id="domain"),
        pytest.param(("-d", "$(id)"), os.EX_USAGE, id="shell-in-domain"),
        pytest.param(("-a", "-d", ""), os.EX_USAGE, id="append-without-domain"),
        pytest.param(("-h", "sha256;x"), os.EX_DATAERR, id="hash"),
        pytest.param(("-n", "x" * 5000), os.EX_DATAERR, id="note-too-long"),
        pytest.param(("--type", "dsa"), os.EX_USAGE, id="type"),
        pytest.param(("--format", "nonsense"), os.EX_USAGE, id="format"),
        pytest.param(("--format", "line"), os.EX_USAGE, id="format-needs-domain"),
        pytest.param(("--ttl", "-1", "--format", "zone"), os.EX_USAGE, id="ttl"),
        pytest.param(("--owner", "no-such-user"), os.EX_NOUSER, id="owner"),
        pytest.param(("--group", "no-such-group"), os.EX_NOUSER, id="group"),
        pytest.param(
            ("--type", "both", "--ed25519-selector", "DEFAULT"), os.EX_USAGE, id="one-selector"
        ),
        pytest.param(("--ed25519-selector", "e"), os.EX_USAGE, id="second-selector-for-one-key"),
        pytest.param(("--from-key", "/nonexistent"), os.EX_USAGE, id="from-key-with-directory"),
    ],
)
def test_bad_input_writes_nothing(tmp_path: Path, words: tuple[str, ...], status: int) -> None:
    ran = _genkey(tmp_path, *words)
    assert ran.status == status
    assert ran.out == ""
    error, hint = ran.err.splitlines()
    assert error.startswith("postseal-genkey: error: ")
    assert hint.startswith("postseal-genkey: hint: ")
    assert _names(tmp_path) == []


def test_no_directory_has_opendkim_genkeys_status(tmp_path: Path) -> None:
    assert _genkey(tmp_path / "none").status == 2


@pytest.mark.parametrize("taken", ["default.private", "default.txt", "default-ed25519.txt"])
def test_no_file_is_replaced(tmp_path: Path, taken: str) -> None:
    (tmp_path / taken).write_text("old")
    ran = _genkey(tmp_path, "--type", "both")
    assert ran.status == os.EX_CANTCREAT
    assert "--force" in ran.err
    assert _names(tmp_path) == [taken] and (tmp_path / taken).read_text() == "old"


def test_no_key_is_made_for_a_name_that_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Making a large key takes long; the refusal comes first."""
    monkeypatch.setattr(keypair, "make", lambda *_: pytest.fail("a key was made"))
    (tmp_path / "default.txt").write_text("old")
    assert _genkey(tmp_path).status == os.EX_CANTCREAT


def test_force(tmp_path: Path) -> None:
    assert _genkey(tmp_path, "--ed25519").status == 0
    old = (tmp_path / "default.private").read_bytes()
    (tmp_path / "default.private").chmod(0o644)
    assert _genkey(tmp_path, "--ed25519", "--force").status == 0
    assert (tmp_path / "default.private").read_bytes() != old
    assert stat.S_IMODE((tmp_path / "default.private").stat().st_mode) == 0o600


@pytest.mark.skipif(os.getuid() != 0, reason="only root gives files away")
def test_the_owner_gets_the_private_file_alone(tmp_path: Path) -> None:
    assert _genkey(tmp_path, "--ed25519", "--owner", "12345", "--group", "54321").status == 0
    private, text = (tmp_path / f"default.{end}" for end in ("private", "txt"))
    assert (private.stat().st_uid, private.stat().st_gid) == (12345, 54321)
    assert text.stat().st_uid == 0
    assert stat.S_IMODE(private.stat().st_mode) == 0o600


def test_an_owner_that_cannot_be_set_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(os, "fchown", refuse)
    assert _genkey(tmp_path, "--ed25519", "--owner", "12345").status == os.EX_NOPERM
    assert _names(tmp_path) == []


def test_from_key_prints_what_the_file_said(tmp_path: Path) -> None:
    flags = ("-s", "m", "-d", "example.com", "-tSr", "-n", "note")
    assert _genkey(tmp_path, "-b1024", *flags).status == 0
    ran = run(genkey.main, "--from-key", str(tmp_path / "m.private"), *flags)
    assert ran.status == 0
    assert ran.out == (tmp_path / "m.txt").read_text()
    assert _names(tmp_path) == ["m.private", "m.txt"]


def test_from_key_reads_standard_input(tmp_path: Path) -> None:
    """So that a key never needs to be in a file that others could read."""
    pem = keypair.pem(keypair.make(keypair.Kind.ED25519))
    done = subprocess.run(
        [sys.executable, "-m", "postseal_keys.genkey", "--from-key", "-"],
        input=pem,
        capture_output=True,
        env={**os.environ, "PYTHONPATH": str(KEYS)},
        check=True,
    )
    assert _record(done.stdout.decode()).public == keypair.public_text(keypair.load(pem))


def test_from_key_of_a_missing_file() -> None:
    assert run(genkey.main, "--from-key", "/nonexistent").status == os.EX_NOINPUT


@pytest.mark.parametrize("name", list(formats.FORMATS))
def test_no_private_key_is_ever_shown(tmp_path: Path, name: str) -> None:
    ran = _genkey(
        tmp_path, "-vv", "-d", "example.com", "--type", "both", "-b1024", "--format", name
    )
    assert ran.status == 0 and ran.out
    for path in tmp_path.glob("*.private"):
        key = keypair.load_file(path)
        shown = ran.out + ran.err + path.with_suffix(".txt").read_text()
        body = "".join(path.read_text().splitlines()[1:-1])
        public = keypair.public_text(key)
        pieces = [body[at : at + 24] for at in range(0, len(body) - 23, 8)]
        assert len(pieces) > 4
        # the private file holds the modulus too, which is no secret
        assert [piece for piece in pieces if piece in shown and piece not in public] == []
        if isinstance(key, Ed25519PrivateKey):
            seed = key.private_bytes_raw()
            assert base64.b64encode(seed).decode() not in shown and seed.hex() not in shown


def test_format_list() -> None:
    ran = run(genkey.main, "--format", "list")
    assert ran.status == 0
    assert [line.split()[0] for line in ran.out.splitlines()] == list(formats.FORMATS)


def test_help_and_version_go_to_standard_output() -> None:
    assert run(genkey.main, "--help").out.startswith("usage: postseal-genkey")
    assert re.fullmatch(r"postseal-genkey v\d+\.\d+\.\d+\n", run(genkey.main, "-V").out)


def test_no_program_and_no_shell_is_started(tmp_path: Path) -> None:
    """Watched by the interpreter's own audit hook."""
    script = (
        "import sys\n"
        "def watch(event, args):\n"
        "    if event in ('subprocess.Popen', 'os.system', 'os.exec', 'os.posix_spawn',"
        " 'os.fork', 'os.forkpty', 'os.spawn'):\n"
        "        print(event, file=sys.stderr)\n"
        "sys.addaudithook(watch)\n"
        "from postseal_keys import genkey\n"
        f"sys.exit(genkey.main(['-D', {str(tmp_path)!r}, '--type', 'both']))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(KEYS)},
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert len(_names(tmp_path)) == 4


def test_what_is_no_option_is_ignored_aloud(tmp_path: Path) -> None:
    """As opendkim-genkey does it; but a domain without -d makes a key for localhost."""
    ran = _genkey(tmp_path, "-b1024", "example.com")
    assert ran.status == 0 and _names(tmp_path) == ["default.private", "default.txt"]
    assert "warning: 'example.com' is ignored" in ran.err and "-d" in ran.err


@pytest.mark.parametrize(("hashes", "warned"), [("sha1", True), ("sha1:sha256", False)])
def test_hashes_that_nobody_accepts(tmp_path: Path, hashes: str, warned: bool) -> None:
    ran = _genkey(tmp_path, "--ed25519", "-h", hashes)
    assert ran.status == 0 and ("RFC 8301" in ran.err) is warned


def test_a_record_that_cannot_be_printed_is_in_its_file(tmp_path: Path) -> None:
    words = ["-D", str(tmp_path), "--ed25519", "-d", "example.com", "--format", "line"]
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-m", "postseal_keys.genkey", *words],
            env={**os.environ, "PYTHONPATH": str(KEYS), "PYTHONUNBUFFERED": ""},
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    assert done.returncode == 74 and _names(tmp_path) == ["default.private", "default.txt"]
    assert f"files are in {tmp_path}" in done.stderr and "--from-key" in done.stderr


def test_messages_name_the_whole_path(tmp_path: Path) -> None:
    assert _genkey(tmp_path, "--ed25519").status == 0
    assert f"{tmp_path}/default.private exists" in _genkey(tmp_path, "--ed25519").err
    (tmp_path / "file").touch()
    ran = _genkey(tmp_path / "file", "--ed25519")
    assert ran.status == 2 and "not a directory" in ran.err


@pytest.mark.parametrize("name", ["plain", "octodns", "dnscontrol", "zone"])
def test_a_subdomain_may_be_in_the_zone_above(tmp_path: Path, name: str) -> None:
    """Else "sel._domainkey", pasted into the panel of example.com, is the key of another name."""
    words = ("-d", "News.example.com", "-s", "sel", "--ed25519", "--format", name)
    ran = _genkey(tmp_path, *words, "--zone", "example.com.")
    assert ran.status == 0 and "sel._domainkey.News" in ran.out
    assert "sel._domainkey.News.example.com" not in ran.out.replace("Full name: sel", "")
    assert (tmp_path / "sel.txt").read_text().startswith("sel._domainkey.News\t")


@pytest.mark.parametrize("zone", ["ws.example.com", "other.example", "a.news.example.com", "a b"])
def test_a_zone_that_the_domain_is_not_in(tmp_path: Path, zone: str) -> None:
    ran = _genkey(tmp_path, "-d", "news.example.com", "--zone", zone, "-b1024")
    assert (ran.status, _names(tmp_path)) == (64, [])
