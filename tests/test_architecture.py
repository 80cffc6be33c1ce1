"""The plan of the house, held true: who may import whom, what is packaged, what is tested."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from configparser import ConfigParser
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
ROOTS = ("milter", "keys")
SOURCES = sorted(
    path
    for root in ROOTS
    for path in (ROOT / root).rglob("*.py")
    if "stubs" not in path.relative_to(ROOT).parts
)
TEXTS = [*SOURCES, *sorted((ROOT / "tests").rglob("*.py"))]

# What a room may not reach for.  A package name forbids everything below it.
FORBIDDEN = {
    "milter/postseal/core": {
        "Milter", "milter", "dns", "logging", "os", "pathlib", "random", "secrets", "shutil",
        "socket", "ssl", "subprocess", "syslog", "threading", "time", "urllib",
        "postseal.cli", "postseal.conf", "postseal.daemon", "postseal.tables",
    },
    "milter/postseal/conf": {
        "Milter", "milter", "dns", "logging", "socket", "subprocess", "threading", "time",
        "postseal.cli", "postseal.daemon", "postseal.tables",
    },
    "milter/postseal/tables": {
        "Milter", "milter", "dns", "subprocess",
        "postseal.cli", "postseal.daemon",
    },
    "milter/postseal/daemon": {"postseal.cli"},
    "milter/postseal/cli": {"Milter", "milter"},
    "keys/postseal_keys": {"Milter", "milter", "postseal", "dkim", "spf", "authres"},
}  # fmt: skip

# Third-party libraries, each behind the modules named here.
BEHIND = {
    "dkim": {"milter/postseal/core/dkim"},
    "spf": {"milter/postseal/core"},
    "authres": {"milter/postseal/core"},
    "dns": {"milter/postseal/daemon", "keys/postseal_keys"},
    "Milter": {"milter/postseal/daemon"},
    "milter": {"milter/postseal/daemon"},
    "sqlalchemy": {"milter/postseal/tables"},
    "ldap": {"milter/postseal/tables"},
    "redis": {"milter/postseal/tables"},
    "pydantic": {"milter/postseal/conf"},
    "pydantic_core": {"milter/postseal/conf"},
}

# Modules of definitions that are tested where they are used.
TESTED_WITH = {
    "milter/postseal/cli/messagefile.py": "tests/cli/test_verify.py",
    "milter/postseal/cli/run.py": "tests/cli/test_run_command.py",
    "milter/postseal/core/action.py": "tests/core/test_pipeline.py",
    "milter/postseal/core/checking.py": "tests/core/test_pipeline.py",
    "milter/postseal/core/decision.py": "tests/core/test_policy.py",
    "milter/postseal/core/outbound.py": "tests/core/test_pipeline.py",
    "milter/postseal/core/rules.py": "tests/core/test_pipeline.py",
    "milter/postseal/core/signing.py": "tests/core/test_pipeline.py",
    "milter/postseal/core/transaction.py": "tests/core/test_pipeline.py",
    "milter/postseal/core/verdict.py": "tests/core/test_pipeline.py",
    "keys/postseal_keys/dmarccheck.py": "tests/keys/test_domaincheck.py",
    "keys/postseal_keys/record_options.py": "tests/keys/test_pages.py",
    "keys/postseal_keys/recordcheck.py": "tests/keys/test_record.py",
    "keys/postseal_keys/recordsource.py": "tests/keys/test_record.py",
    "keys/postseal_keys/recordtext.py": "tests/keys/test_record.py",
    "keys/postseal_keys/recordwrite.py": "tests/keys/test_record.py",
    "keys/postseal_keys/rotate/main.py": "tests/keys/rotate/test_rotation.py",
    "keys/postseal_keys/rotate/model.py": "tests/keys/rotate/test_machine.py",
    "keys/postseal_keys/rotate/options.py": "tests/keys/rotate/test_settings.py",
    "keys/postseal_keys/rotate/runner.py": "tests/keys/rotate/test_rotation.py",
    "keys/postseal_keys/spfcheck.py": "tests/keys/test_domaincheck.py",
    "keys/postseal_keys/spfcost.py": "tests/keys/test_spfwalk.py",
    "keys/postseal_keys/spfterms.py": "tests/keys/test_spfrecord.py",
    "keys/postseal_keys/testkey_options.py": "tests/keys/test_pages.py",
    "milter/postseal/conf/sections.py": "tests/conf/test_model.py",
    "milter/postseal/conf/remote.py": "tests/conf/test_model.py",
    "milter/postseal/tables/directory.py": "tests/e2e/test_stores.py",
    "milter/postseal/tables/keyvalue.py": "tests/e2e/test_stores.py",
    "milter/postseal/tables/store.py": "tests/tables/test_sql.py",
    "milter/postseal/conf/signing.py": "tests/conf/test_model.py",
    "keys/postseal_keys/formats/api.py": "tests/keys/test_formats.py",
    "keys/postseal_keys/formats/code.py": "tests/keys/test_formats.py",
    "keys/postseal_keys/formats/txt.py": "tests/keys/test_formats.py",
    "keys/postseal_keys/formats/zone.py": "tests/keys/test_formats.py",
    "keys/postseal_keys/genkey_options.py": "tests/keys/test_genkey.py",
    "keys/postseal_keys/genzone_options.py": "tests/keys/test_genzone.py",
}

CITATION = re.compile(
    r"\bRFC[ -]?\d+[^\n]{0,12}(?:\bsect?\b\.?|§|\bSection\b)[^\n]{0,10}|RFC\d{3,5}"
)
GOOD = re.compile(r"RFC \d{3,4},? section \d+(\.\d+)*")


@cache
def imports(path: Path) -> tuple[tuple[int, str], ...]:
    """Line and full dotted name of everything a file imports, functions' own imports included."""
    return tuple(_imports(path))


def _imports(path: Path) -> Iterator[tuple[int, str]]:
    for node in ast.walk(ast.parse(path.read_text(), str(path))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = ""
            if node.level:  # `from . import x`: a room's own, or its neighbour's
                above = ".".join(path.relative_to(ROOT).parts[1 : -node.level]) + "."
            for alias in node.names:
                yield node.lineno, f"{above}{node.module or ''}.{alias.name}".replace("..", ".")


def within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def local(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_there_are_sources() -> None:
    assert len(SOURCES) > 20
    assert {local(path).split("/")[2] for path in SOURCES if "postseal/" in local(path)} >= {
        "cli", "conf", "core", "daemon", "tables",
    }  # fmt: skip


@pytest.mark.parametrize("room", FORBIDDEN)
def test_imports_run_one_way(room: str) -> None:
    wrong = [
        f"{local(path)}:{line} imports {name}"
        for path in SOURCES
        if local(path).startswith(f"{room}/")
        for line, name in imports(path)
        if any(within(name, package) for package in FORBIDDEN[room])
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("library", BEHIND)
def test_each_library_is_behind_its_modules(library: str) -> None:
    wrong = [
        f"{local(path)}:{line} imports {name}"
        for path in SOURCES
        if not any(local(path).startswith(f"{room}/") for room in BEHIND[library])
        for line, name in imports(path)
        if within(name, library)
    ]
    assert not wrong, "\n".join(wrong)


def test_the_walk_sees_an_import(tmp_path: Path) -> None:
    file = tmp_path / "x.py"
    file.write_text("def f():\n    from os import path\nimport socket as s\n")
    assert sorted(imports(file)) == [(2, "os.path"), (3, "socket")]


def test_every_package_is_listed() -> None:
    config = ConfigParser()
    config.read(ROOT / "setup.cfg")
    listed = set(config["options"]["packages"].split())
    found = {
        ".".join(init.parent.relative_to(ROOT / root).parts)
        for root in ROOTS
        for init in (ROOT / root).rglob("__init__.py")
        if "stubs" not in init.parts
    }
    assert found == listed


def test_every_folder_with_sources_is_a_package() -> None:
    folders = {path.parent for path in SOURCES}
    assert not [local(folder) for folder in folders if not (folder / "__init__.py").exists()]


def test_source_roots_stay_namespaces() -> None:
    """A milter/__init__.py on sys.path shadows pymilter's C module."""
    roots = [*(ROOT / root for root in (*ROOTS, "tests")), *(ROOT / "tests").glob("*/")]
    assert not [local(root) for root in roots if (root / "__init__.py").exists()]


def test_every_source_module_has_a_test_module() -> None:
    missing = []
    for path in SOURCES:
        _root, package, *rest = path.relative_to(ROOT).parts
        if rest[-1] == "__init__.py":
            continue
        folder = ROOT / "tests" / ("keys" if package == "postseal_keys" else "")
        stem = path.stem.lstrip("_")
        wanted = folder.joinpath(*rest[:-1], f"test_{stem}.py")
        wanted = ROOT / TESTED_WITH.get(local(path), local(wanted))
        if not wanted.exists():
            missing.append(f"{local(path)} wants {local(wanted)}")
    assert not missing, "\n".join(missing)


def test_citations_are_well_formed() -> None:
    """`RFC 6376 section 3.7`: one form, so that a search finds them all."""
    wrong = [
        f"{local(path)}:{number}: {found.group()}"
        for path in TEXTS
        if path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        for found in CITATION.finditer(line)
        if not GOOD.match(found.group())
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("path", SOURCES, ids=local)
def test_a_module_opens_with_its_manual(path: Path) -> None:
    text = ast.get_docstring(ast.parse(path.read_text()))
    if path.name in ("__init__.py", "__main__.py"):
        return
    assert text, "no docstring"
    assert "\n\nNAME\n" in text, "no NAME"
    assert len(text.splitlines()[0]) <= 100


@pytest.mark.parametrize("path", SOURCES, ids=local)
def test_files_and_functions_stay_small(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno:
            assert node.end_lineno - node.lineno < 60, f"{node.name} is too long"


def test_nothing_of_the_machine_it_was_written_on() -> None:
    words = ("/wo" + "rk/", "/tm" + "p/src")
    files = [
        path
        for root in ("milter", "keys", "tests", "contrib", "man")
        for path in (ROOT / root).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts and path.suffix != ".so"
    ]
    wrong = [local(path) for path in files if any(w.encode() in path.read_bytes() for w in words)]
    assert not wrong
