"""overridefile: rows in a file of their own, and every mistake by its line."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from postseal.conf import overridefile
from postseal.conf.load import MAX_FILE, Configuration, parse
from postseal.conf.mistake import ConfigError
from postseal.conf.model import MAX_OVERRIDES, Settings

GOOD = b"""\
# exceptions
[[override]]
from = "example.org"
dkim = ["lists.example.net", ".example.com"]
action = "accept"
until = 2027-01-31
why = "moving"

[[override]]
client = "192.0.2.0/24"
action = "reject"
why = "no more"
"""


def read(tmp_path: Path, data: bytes, settings: Settings | None = None) -> Configuration:
    file = tmp_path / "rows.toml"
    file.write_bytes(data)
    return overridefile.read(file, settings or Settings())


def wrong(tmp_path: Path, data: bytes, settings: Settings | None = None) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, data, settings)
    return [str(one).removeprefix(f"{tmp_path}/") for one in caught.value.mistakes]


def test_rows_are_read_in_their_order(tmp_path: Path) -> None:
    place = read(tmp_path, GOOD)
    first, second = place.settings.override
    assert (first.from_, first.action, first.until) == (
        ("example.org",), "accept", date(2027, 1, 31),
    )  # fmt: skip
    assert (second.client, second.action, second.why) == (("192.0.2.0/24",), "reject", "no more")
    assert place.mistake(("override", 1, "client"), "x").line == 10


@pytest.mark.parametrize("data", [b"", b"# nothing\n", b"override = []\n"])
def test_no_rows_are_no_mistake(tmp_path: Path, data: bytes) -> None:
    assert read(tmp_path, data).settings.override == ()


def test_rows_of_the_configuration_are_not_taken_along(tmp_path: Path) -> None:
    text = b'[[override]]\nfrom = "a.b"\naction = "hold"\nwhy = "x"\n'
    settings = parse(text, tmp_path / "p.toml").settings
    assert len(read(tmp_path, GOOD, settings).settings.override) == 2


def test_each_bad_row_is_named_and_good_ones_are_not(tmp_path: Path) -> None:
    bad = (
        b'[[override]]\nfrom = "not a name"\naction = "accept"\nwhy = "x"\n'
        b'[[override]]\nclient = "192.0.2.1"\naction = "refuse"\nwhy = "x"\n'
        b'[[override]]\naction = "hold"\nwhy = "x"\n'
        b'[[override]]\nfrmo = "a.b"\naction = "hold"\nuntil = 3\n'
    )
    said = wrong(tmp_path, GOOD + bad)
    assert [one.split(": ")[0] for one in said] == [
        "rows.toml:14", "rows.toml:19", "rows.toml:21", "rows.toml:24", "rows.toml:25",
        "rows.toml:27",
    ]  # fmt: skip
    assert "override[3].from" in said[0]
    assert "did you mean" not in said[1] and "override[4].action: expected" in said[1]
    assert "override[5]: has no condition" in said[2]
    assert "override[6].why: must be given" in said[3]
    assert "override[6].frmo: unknown option (hint: did you mean from?)" in said[4]


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"[dmarc]\nreject = true\n", "rows.toml:1: dmarc: cannot stand in this file"
                     " (hint: it holds [[override]] rows alone)", id="another-table"),
        pytest.param(b'[override]\nwhy = "x"\n', "rows.toml:1: override: is no row: write"
                     " [[override]]", id="one-bracket"),
        pytest.param(b"override = 3\n", "rows.toml:1: override: is no row: write [[override]]",
                     id="a-number"),
        pytest.param(b"[[override]\n", "rows.toml:1: not TOML", id="toml"),
        pytest.param(b"# \xff\n", "rows.toml:1: not UTF-8 text (hint: save it as UTF-8,"
                     " or as ASCII alone)", id="octets"),
        pytest.param(b"override = [1]\n", "rows.toml:1: override[1]: expected a table, not 1",
                     id="no-table"),
        pytest.param(b"[[override]]\n" * (MAX_OVERRIDES + 1), "rows.toml: has more than 1000 rows",
                     id="a-crowd"),
        pytest.param(b"#" * (MAX_FILE + 1), "rows.toml: longer than", id="long"),
    ],
)  # fmt: skip
def test_files_that_hold_no_rows(tmp_path: Path, data: bytes, said: str) -> None:
    (found,) = wrong(tmp_path, data)
    assert found.startswith(said)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read: No such file"):
        overridefile.read(tmp_path / "none.toml", Settings())


def test_rows_are_checked_against_the_other_options(tmp_path: Path) -> None:
    settings = parse(b"[dmarc]\nenabled = false\n", tmp_path / "p.toml").settings
    (said,) = wrong(tmp_path, GOOD, settings)
    assert said.startswith("rows.toml:11: override[2].action: reject needs a DMARC result")
