"""Tables elsewhere in a configuration: what stops a start, and what is only said."""

from __future__ import annotations

import sqlite3
from ipaddress import ip_address
from pathlib import Path

import pytest

from postseal.cli import check_config
from postseal.conf import load
from postseal.conf.mistake import ConfigError, Severity
from postseal.core.signing import SigningUnavailable
from postseal.tables import chooser, site
from support.child import free_port
from support.sites import private


def configured(tmp_path: Path, signing: str, keys: str = "csl:k=%:s:/nowhere/%") -> site.Site:
    file = tmp_path / "postseal.toml"
    file.write_text(f'[sign]\nkey_table = "{keys}"\nsigning_table = "{signing}"\n')
    return site.load(load.read(file))


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "t.db"
    with sqlite3.connect(path) as made:
        made.execute("CREATE TABLE senders (sender TEXT, name TEXT)")
        made.execute("CREATE TABLE keys (name TEXT, domain TEXT, selector TEXT, file TEXT)")
        made.execute("INSERT INTO senders VALUES ('a.example', 'k')")
        made.execute("INSERT INTO keys VALUES ('k', '%', 's', './keys/k')")
    made.close()
    private(tmp_path / "keys/k")
    return path


SENDERS = "sqlite:t.db?table=senders&key=sender&value=name"
KEYS = "sqlite:t.db?table=keys&key=name&value=domain,selector,file"


@pytest.mark.usefixtures("database")
def test_both_tables(tmp_path: Path) -> None:
    made = configured(tmp_path, SENDERS, KEYS)
    assert not made.remarks
    assert made.senders == ("the authors in signing_table",)
    assert [one.key.query_name for one in made.chooser.choose("x@a.example")] == [
        "s._domainkey.a.example"
    ]
    made.close()


@pytest.mark.usefixtures("database")
def test_a_key_file_that_a_table_names_is_looked_at_again(tmp_path: Path) -> None:
    """Nobody watches it: what is there when it is wanted counts."""
    made = configured(tmp_path, SENDERS, KEYS)
    (tmp_path / "keys/k").rename(tmp_path / "keys/later")
    with pytest.raises(SigningUnavailable, match="no such file"):
        made.chooser.choose("x@a.example")
    (tmp_path / "keys/later").rename(tmp_path / "keys/k")
    assert made.chooser.choose("x@a.example")
    made.close()


@pytest.mark.usefixtures("database")
def test_a_key_file_that_a_table_names_is_read_again_after_a_while(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = configured(tmp_path, SENDERS, KEYS)
    assert made.chooser.choose("x@a.example")
    (tmp_path / "keys/k").unlink()
    assert made.chooser.choose("x@a.example")  # read less than a minute ago
    made.close()
    private(tmp_path / "keys/k")
    monkeypatch.setattr(chooser, "LOOK_AGAIN", 0.0)
    made = configured(tmp_path, SENDERS, KEYS)
    assert made.chooser.choose("x@a.example")
    (tmp_path / "keys/k").unlink()
    with pytest.raises(SigningUnavailable, match="no such file"):
        made.chooser.choose("x@a.example")
    made.close()


@pytest.mark.usefixtures("database")
def test_a_table_in_a_file_beside_one_elsewhere(tmp_path: Path) -> None:
    made = configured(tmp_path, "csl:a.example=k,b.example=gone", KEYS)
    assert not made.remarks  # whether a key is there, only the table knows
    assert made.chooser.choose("x@a.example")
    with pytest.raises(SigningUnavailable, match="'gone'"):
        made.chooser.choose("x@b.example")
    made.close()


@pytest.mark.usefixtures("database")
def test_a_wrong_column_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        configured(tmp_path, "sqlite:t.db?table=senders&key=sender&value=nope")
    (mistake,) = caught.value.mistakes
    assert (mistake.line, mistake.key) == (3, "sign.signing_table")
    assert "no such column" in mistake.what


def test_a_server_that_is_down_does_not(tmp_path: Path) -> None:
    made = configured(tmp_path, f"redis://127.0.0.1:{free_port()}/0?prefix=x")
    (remark,) = made.remarks
    assert remark.severity is Severity.DEAD
    assert remark.what.startswith("does not answer: ")
    assert "on_signing_error" in remark.hint
    with pytest.raises(SigningUnavailable, match="signing_table does not answer"):
        made.chooser.choose("x@a.example")
    made.close()


@pytest.mark.parametrize(("host", "told"), [("localhost", True), ("127.0.0.1", False)])
def test_localhost_is_no_socket(host: str, told: bool, tmp_path: Path) -> None:
    """It is one for MySQL's own library, and so for OpenDKIM."""
    made = configured(tmp_path, f"mysql://u@{host}:{free_port()}/d?table=t&key=k&value=v")
    (remark,) = made.remarks
    assert remark.severity is Severity.DEAD
    assert ("unix_socket=" in remark.hint) is told
    made.close()


def test_a_password_is_pointed_at_and_not_shown(tmp_path: Path) -> None:
    made = configured(tmp_path, f"redis://u:hush@127.0.0.1:{free_port()}/0?prefix=x")
    assert "there is a password in the configuration" in {one.what for one in made.remarks}
    assert "hush" not in "".join(map(str, made.remarks))
    made.close()


def hosts(tmp_path: Path, text: str) -> site.Site:
    file = tmp_path / "postseal.toml"
    file.write_text(text)
    return site.load(load.read(file))


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("option", ["internal_hosts", "peers"])
def test_hosts_elsewhere(tmp_path: Path, option: str) -> None:
    with sqlite3.connect(tmp_path / "t.db") as made:
        made.execute("CREATE TABLE hosts (client TEXT)")
        made.execute("INSERT INTO hosts VALUES ('192.0.2.0/24')")
    made.close()
    told = f'[roles]\n{option} = ["127.0.0.1", "sqlite:t.db?table=hosts&key=client"]\n'
    found = hosts(tmp_path, told)
    listed = found.internal if option == "internal_hosts" else found.peers
    assert listed.matches(ip_address("192.0.2.9"), "")
    assert listed.matches(ip_address("127.0.0.1"), "")
    assert not listed.matches(ip_address("192.0.3.9"), "")
    found.close()


def test_hosts_in_a_table_that_is_set_up_wrongly(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        hosts(tmp_path, '[roles]\ninternal_hosts = ["::1",\n  "table:nowhere"]\n')
    (mistake,) = (one for one in caught.value.mistakes if one.severity is Severity.ERROR)
    assert (mistake.line, mistake.key) == (3, "roles.internal_hosts[2]")
    assert "no [[table]] with the name 'nowhere'" in mistake.what


def test_other_lists_of_hosts_have_no_tables(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="for internal_hosts and peers alone"):
        hosts(tmp_path, '[roles]\ntrusted_relays = ["redis://127.0.0.1/0?prefix=x"]\n')


def test_a_password_in_a_list_of_hosts_is_pointed_at(tmp_path: Path) -> None:
    place = f"redis://u:hush@127.0.0.1:{free_port()}/0?prefix=x"
    made = hosts(tmp_path, f'[roles]\ninternal_hosts = ["{place}"]\n')
    assert "there is a password in the configuration" in {one.what for one in made.remarks}
    assert "hush" not in str(check_config.facts(made))
    made.close()
