"""Files of NAME VALUE, and small data sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from postseal.conf.migrate_source import Given, dataset, settings
from postseal.conf.mistake import ConfigError


def given(value: str) -> Given:
    return Given(name="X", value=value, file="f", line=1)


@pytest.mark.parametrize("value", ["yes", "True", "1", "y", "T"])
def test_on(value: str) -> None:
    assert given(value).on
    assert not given("no").on


@pytest.mark.parametrize(
    ("value", "number"), [("12", 12), ("007", 7), ("010", 8), ("0x10", 16), ("x", None), ("", None)]
)
def test_numbers_as_strtol_reads_them(value: str, number: int | None) -> None:
    assert given(value).number == number


def test_nesting_and_missing_files_are_mistakes(tmp_path: Path) -> None:
    file = tmp_path / "c"
    file.write_text(f"Include {file}\n")
    with pytest.raises(ConfigError, match="nested"):
        settings(file)
    file.write_text("Include /no/such/file\n")
    with pytest.raises(ConfigError, match="cannot be read"):
        settings(file)


@pytest.mark.parametrize(
    ("text", "entries"),
    [
        ("a, b", ("a", "b")),
        ("csl:a=b,c", ("a=b", "c")),
        ("a,::1", ("a", "::1")),
        ("refile:/x", None),
        ("ldap://x", None),
        ("/x.db", None),
    ],
)
def test_dataset(text: str, entries: tuple[str, ...] | None) -> None:
    assert dataset(text, Path("/")) == entries


def test_dataset_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "h").write_text("# c\n10.0.0.1\n\n daemon_name  X # y\n")
    wanted = ("10.0.0.1", "daemon_name=X")
    assert dataset("file:h", tmp_path) == wanted
    assert dataset(f"{tmp_path}/h", Path("/")) == wanted
