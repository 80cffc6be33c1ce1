"""KeyTables: rows, forms, and what is refused."""

from __future__ import annotations

import base64
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from postseal_keys import keypair, keytable
from postseal_keys.console import Problem
from postseal_keys.keypair import Kind

KEY = keypair.make(Kind.ED25519)


def _table(directory: Path, text: str) -> str:
    (directory / "KeyTable").write_text(text, "utf-8")
    return str(directory / "KeyTable")


def test_rows_in_order_with_their_place(tmp_path: Path) -> None:
    path = _table(
        tmp_path,
        "# comment\n\na\texample.com:s1:/etc/k1 # more\n  b  %:s2:/etc/keys/%/k2\n",
    )
    for dataset in (path, f"file:{path}"):
        first, second = keytable.read(dataset)
        assert (first.name, first.domain, first.selector) == ("a", "example.com", "s1")
        assert first.where == f"{path}:3"
        assert first.path() == "/etc/k1"
        assert second.path("example.org") == "/etc/keys/example.org/k2"


def test_a_list(tmp_path: Path) -> None:
    (tmp_path / "k").write_bytes(keypair.pem(KEY))
    for dataset in (f"csl:a=example.com:s:{tmp_path}/k", f"a=example.com:s:{tmp_path}/k"):
        (row,) = keytable.read(dataset)
        assert keypair.public_text(row.load()) == keypair.public_text(KEY)


def test_a_key_in_the_row_itself(tmp_path: Path) -> None:
    der = KEY.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    path = _table(tmp_path, f"a example.com:s:{base64.b64encode(der).decode()}\n")
    (row,) = keytable.read(path)
    assert row.path() == ""
    assert keypair.public_text(row.load()) == keypair.public_text(KEY)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("a example.com:s\n", ":1", id="no-key"),
        pytest.param("\na\n", ":2", id="no-value"),
        pytest.param("a :s:/k\n", ":1", id="no-domain"),
        pytest.param("a example.com::/k\n", ":1", id="no-selector"),
    ],
)
def test_a_bad_row_is_named_with_its_line(tmp_path: Path, text: str, place: str) -> None:
    path = _table(tmp_path, text)
    with pytest.raises(Problem) as caught:
        keytable.read(path)
    assert caught.value.message.startswith(f"{path}{place}: ")
    assert caught.value.code == os.EX_DATAERR


@pytest.mark.parametrize("dataset", ["dsn:mysql://x", "ldap://x", "refile:/x", "db:/x", "lua:/x"])
def test_data_bases_are_refused_with_a_hint(dataset: str) -> None:
    with pytest.raises(Problem, match="cannot be read") as caught:
        keytable.read(dataset)
    assert "to a file" in caught.value.hint


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        keytable.read(str(tmp_path / "none"))
    assert caught.value.code == os.EX_NOINPUT


@pytest.mark.parametrize(
    ("name", "text", "dataset"),
    [
        pytest.param("o.conf", "# x\nKeyTable  file:/a # y\n", "file:/a", id="opendkim"),
        pytest.param("o.conf", "keytable /a\nKEYTABLE /b\n", "/b", id="the-last-counts"),
        pytest.param("p.toml", '[sign]\nkey_table = "file:/c"\n', "file:/c", id="toml"),
    ],
)
def test_a_configuration_names_its_table(
    tmp_path: Path, name: str, text: str, dataset: str
) -> None:
    (tmp_path / name).write_text(text)
    assert keytable.configured(str(tmp_path / name)) == dataset


def test_the_keys_of_a_single_domain(tmp_path: Path) -> None:
    """[[sign.key]] of postseal.toml, files relative to it."""
    (tmp_path / "k").write_bytes(keypair.pem(KEY))
    config = tmp_path / "postseal.toml"
    config.write_text('[sign]\ndomain = "example.com"\n[[sign.key]]\nselector = "s"\nfile = "k"\n')
    (row,) = keytable.configured_rows(str(config))
    assert (row.domain, row.selector) == ("example.com", "s")
    assert keypair.public_text(row.load()) == keypair.public_text(KEY)


def test_a_table_goes_before_single_keys(tmp_path: Path) -> None:
    table = _table(tmp_path, "a example.org:t:/k\n")
    config = tmp_path / "postseal.toml"
    config.write_text(
        f'[sign]\nkey_table = "{table}"\ndomain = "d"\n[[sign.key]]\nselector = "s"\nfile = "k"\n'
    )
    assert [row.selector for row in keytable.configured_rows(str(config))] == ["t"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param('[sign]\ndomain = "d"\n[[sign.key]]\nselector = "s"\n', id="no-file"),
        pytest.param('[sign]\n[[sign.key]]\nselector = "s"\nfile = "k"\n', id="no-domain"),
        pytest.param('[sign]\ndomain = "d"\nkey = [1]\n', id="no-table"),
        pytest.param('[sign]\ndomain = "d"\nkey = 1\n', id="no-list"),
    ],
)
def test_odd_keys_of_a_single_domain(tmp_path: Path, text: str) -> None:
    (tmp_path / "p.toml").write_text(text)
    with pytest.raises(Problem) as caught:
        keytable.configured_rows(str(tmp_path / "p.toml"))
    assert caught.value.code == os.EX_CONFIG


@pytest.mark.parametrize(
    ("name", "text"),
    [
        pytest.param("o.conf", "Domain example.com\n", id="none"),
        pytest.param("p.toml", "[sign]\n", id="none-toml"),
        pytest.param("p.toml", "[sign\n", id="broken-toml"),
        pytest.param("p.toml", "sign = 1\n", id="odd-toml"),
        pytest.param("p.toml", "[sign]\nkey_table = 3\n", id="odd-value"),
    ],
)
def test_a_configuration_without_a_table(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(Problem) as caught:
        keytable.configured(str(tmp_path / name))
    assert caught.value.code == os.EX_CONFIG


def test_a_credential_of_systemd_is_not_taken_for_a_key(tmp_path: Path) -> None:
    """Only the daemon's unit gets it; the row itself is fine."""
    path = _table(tmp_path, "mail d.example:s:credential:mail\n")
    [row] = keytable.read(path)
    with pytest.raises(Problem, match="credential of systemd") as caught:
        row.load()
    assert f"{path}:1" in caught.value.message and "-k FILE" in caught.value.hint


def test_a_private_key_on_the_command_line() -> None:
    """Whoever may list processes has read it."""
    with pytest.raises(Problem) as caught:
        keytable.read_argument("csl:a=d.example:s:MIIEvQIBADANBg")
    assert "command line" in caught.value.message and "MIIE" not in caught.value.message
    assert len(keytable.read_argument("csl:a=d.example:s:/etc/a.private")) == 1
