"""postseal.toml(5) says what the model says."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from postseal.conf import (
    explain,
    load,
    manual,
    migrate_dkimpy,
    migrate_openarc,
    migrate_opendkim,
    migrate_opendmarc,
    migrate_spf,
)
from postseal_keys.manual import fill
from support.manpages import MAN, complaints, shown

PAGE = MAN / "postseal.toml.5"
IMPORTERS = (
    migrate_dkimpy.migrate,
    migrate_openarc.migrate,
    migrate_opendkim.migrate,
    migrate_opendmarc.migrate,
    migrate_spf.migrate,
)


def test_the_page_is_up_to_date() -> None:
    text = PAGE.read_text("utf-8")
    assert fill(text, manual.MANUAL) == text, "run: python -m postseal.conf.manual --update"


def test_mandoc_has_no_complaint() -> None:
    assert complaints(PAGE) == []


def test_every_option_and_table_is_in_the_page() -> None:
    text = shown(PAGE)
    for table in explain.tables():
        assert not table or explain.dotted(table) in text
        for name in explain.names(table):
            assert name in text


def _elsewhere() -> Iterator[tuple[str, list[str]]]:
    """The rows of NAMES IN OTHER DAEMONS."""
    for line in PAGE.read_text("utf-8").splitlines():
        if match := re.fullmatch(r"\.It Li (\S+) Ta Cm (.*)", line):
            yield match[1], match[2].split(" , ")


def test_names_of_other_daemons_are_theirs_and_ours(tmp_path: Path) -> None:
    found = dict(_elsewhere())
    assert len(found) > 40
    assert list(found) == sorted(found, key=str.lower)
    for name, ours in found.items():
        for option in ours:
            *table, last = option.split(".")
            assert last in explain.names(tuple(table)), option
        file = tmp_path / name
        file.write_text(f"{name} = 1\n")
        told = [one for read in IMPORTERS for one in read(file).report.entries if one.line]
        assert [one for one in told if "no such option" not in one.text], name


def test_every_default_can_be_written_as_it_is_shown() -> None:
    """Each default, put into a file, is read back as the default."""
    for table in explain.tables():
        model = explain.model_at(table)
        assert model
        if table and manual._is_array(table):
            continue  # a row has options that must be given beside
        for name, info in model.model_fields.items():
            if explain.model_in(info.annotation) or info.is_required() or name == "authserv_id":
                continue
            text = manual.written(name, info)
            if text == "none":
                continue
            tree = tomllib.loads(f"x = {text}")
            written = ".".join(map(str, (*table, info.alias or name)))
            made = load.parse(f"{written} = {text}\n".encode(), Path("/x.toml")).settings
            value = made
            for part in (*table, name):
                value = getattr(value, "from_" if part == "from" else str(part))
            assert value == info.get_default(call_default_factory=True), (written, tree)


@pytest.mark.parametrize(
    ("table", "name", "kind"),
    [
        ((), "socket_mode", "Octal digits in quotes"),
        ((), "workers", "Number"),
        ((), "pid_file", "File name"),
        ((), "extra_authserv_ids", "List of texts"),
        (("override",), "until", "Date"),
        (("log",), "target", 'One of "stderr", "syslog"'),
        (("sign",), "expire", "Seconds, a time such as 14d, true or false"),
        (("sign", "key"), "file", "File name"),
        (("verify",), "clock_skew", "Seconds, or a time such as 5m"),
        (("dmarc",), "reject", "true or false"),
        (("dns",), "timeout", "Seconds, or a time such as 5m"),
    ],
)
def test_kind(table: tuple[str, ...], name: str, kind: str) -> None:
    model = explain.model_at(table)
    assert model
    assert manual.kind(model.model_fields[name]) == kind


def test_update(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = tmp_path / "page"
    text = PAGE.read_text("utf-8")
    page.write_text(fill(text, {"options": lambda: "old\n"}))
    monkeypatch.setattr(manual, "PAGE", page)
    assert manual.main(["--update"]) == 0
    assert page.read_text("utf-8") == text


def test_print(capsys: pytest.CaptureFixture[str]) -> None:
    assert manual.main([]) == 0
    assert capsys.readouterr().out == manual.options()
