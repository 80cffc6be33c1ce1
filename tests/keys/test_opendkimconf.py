"""opendkimconf: the settings that tell where keys are."""

from __future__ import annotations

from pathlib import Path

import pytest

from postseal_keys import keytable
from postseal_keys.console import CONFIG, Problem
from postseal_keys.opendkimconf import KeySettings, read


def test_settings(tmp_path: Path) -> None:
    conf = tmp_path / "opendkim.conf"
    conf.write_text(
        "# Domain no.example\nDOMAIN d.example # a comment\nSelector s1\nKeyFile /a\nKeyFile /b c\n"
        "KeyTable refile:/x\nNameservers 192.0.2.1, 192.0.2.2\nMode sv\nDomain\n"
    )
    assert read(str(conf)) == KeySettings(
        domain="d.example",
        selector="s1",
        key_file="/b c",
        key_table="refile:/x",
        nameservers=("192.0.2.1", "192.0.2.2"),
    )


def test_postseal_toml(tmp_path: Path) -> None:
    path = tmp_path / "p.toml"
    path.write_text('[sign]\nkey_table = "/etc/x"\n[dns]\nnameservers = ["192.0.2.1:5300"]\n')
    assert read(str(path)) == KeySettings(toml=str(path), nameservers=("192.0.2.1:5300",))


def test_no_file(tmp_path: Path) -> None:
    with pytest.raises(Problem) as caught:
        read(str(tmp_path / "none"))
    assert caught.value.code == CONFIG


def test_included_files_count_where_they_stand(tmp_path: Path) -> None:
    conf, more = tmp_path / "opendkim.conf", tmp_path / "more.conf"
    conf.write_text(f"Selector s0\nKeyTable file:/a\nInclude {more} # rest\nSelector s2\n")
    more.write_text("Selector s1\nDomain d.example\nKeyTable file:/b\n")
    found = read(str(conf))
    assert (found.domain, found.selector, found.key_table) == ("d.example", "s2", "file:/b")
    assert keytable.configured(str(conf)) == "file:/b"


@pytest.mark.parametrize("target", ["opendkim.conf", "none.conf"])
def test_what_cannot_be_included_is_named(tmp_path: Path, target: str) -> None:
    conf = tmp_path / "opendkim.conf"
    conf.write_text(f"Include {tmp_path}/{target}\n")
    with pytest.raises(Problem) as caught:
        read(str(conf))
    assert target in caught.value.message and caught.value.code == CONFIG
