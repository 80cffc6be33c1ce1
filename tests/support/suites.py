"""Test suites that a registry holds, downloaded beside the checkout and never copied into it.

contrib/test.sh puts source archives into downloads/ (POSTSEAL_DOWNLOADS names another
place).  A suite that is not there is skipped, with a word on how to get it.
"""

from __future__ import annotations

import os
import tarfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from postseal.core.resolver import Kind

ROOT = Path(__file__).resolve().parents[2]
SPF_CASES = 203


@dataclass(frozen=True)
class Suite:
    """tests: their names, as a regular expression; cases: how many there are, all told.

    Cases that are tests of their own count by themselves.  Others say how they did: a test
    records the property "suite" as (name, passed, all), and what has one name is added up.
    """

    tests: str
    cases: int


SUITES = {
    "RFC 7208 suite": Suite(r"core/test_spf_suite\.py::", SPF_CASES),
    "RFC 7208 suite, over UDP": Suite(r"daemon/test_resolver_spf_suite\.py::", SPF_CASES),
    "RFC 8601 appendix B": Suite(
        r"core/test_authres\.py::test_(rfc8601_appendix_b\[|the_strict_reader_reads_all)", 9
    ),
    "RFC 9989 appendix B and other examples": Suite(r"dmarc/test_rfc9989\.py::test_example\[", 14),
    "ValiMail ARC suite, verify": Suite(r"arc/test_suite\.py::test_verify\[", 171),
    "ValiMail ARC suite, sign": Suite(r"arc/test_suite\.py::test_sign\[", 17),
    "libopendkim's messages, verify": Suite(r"test_opendkim_vectors\.py::test_verify\[", 86),
    "libopendkim's messages, sign": Suite(
        r"test_opendkim_vectors\.py::test_what_opendkim_signed\[", 38
    ),
    "OpenDKIM's miltertest scripts, as they are": Suite(
        r"test_opendkim_scripts\.py::test_script\[", 40
    ),
    "OpenDKIM's miltertest scripts, h= and c= as we write them": Suite(
        r"test_opendkim_scripts\.py::test_script\[", 40
    ),
    "acceptance lab": Suite(r"e2e/test_lab\.py::test_group\[", 199),
    "acceptance lab, opendkim and pyspf-milter and opendmarc": Suite(
        r"e2e/test_lab\.py::test_peers_beside_ours\[peers\]", 199
    ),
    "acceptance lab, dkimpy-milter and pyspf-milter": Suite(
        r"e2e/test_lab\.py::test_peers_beside_ours\[dkimpy\]", 199
    ),
}


def downloads() -> Path:
    """Where source archives lie."""
    return Path(os.environ.get("POSTSEAL_DOWNLOADS") or ROOT / "downloads")


def archive(pattern: str) -> Path | None:
    """The newest archive of that name, or None."""
    found = sorted(downloads().glob(pattern))
    return found[-1] if found else None


def member(pattern: str, ending: str) -> bytes:
    """The octets of the one member with that ending.  Skips the test when there is none."""
    path = archive(pattern)
    if path is None:
        pytest.skip(f"{pattern} is not in {downloads()}: sh contrib/test.sh downloads it")
    with tarfile.open(path) as tar:
        for entry in tar:
            if entry.isfile() and entry.name.endswith(ending):
                file = tar.extractfile(entry)
                assert file is not None
                return file.read()
    pytest.fail(f"{path} holds no {ending}")


@dataclass(frozen=True)
class SpfCase:
    """One case of the RFC 7208 suite with the zone it needs.

    records and timeouts are as FakeDns takes them: CNAME included, names as written.
    """

    id: str
    description: str
    client: str
    helo: str
    sender: str
    results: tuple[str, ...]  # the first is preferred
    records: dict[tuple[str, str], tuple[Any, ...]]
    timeouts: frozenset[tuple[str, str]]  # (name, kind)


def spf_cases() -> list[SpfCase]:
    """The 203 cases; skips when pyspf's source archive is absent."""
    text = member("pyspf-*.tar.gz", "test/rfc7208-tests.yml")
    yaml: Any = pytest.importorskip("yaml")
    cases: list[SpfCase] = []
    for scenario in yaml.safe_load_all(text):
        records, timeouts = _zone(scenario["zonedata"])
        for name, test in scenario["tests"].items():
            results = test["result"]
            cases.append(
                SpfCase(
                    id=name,
                    description=scenario["description"],
                    client=str(test["host"]),
                    helo=str(test["helo"] or ""),
                    sender=str(test["mailfrom"] or ""),
                    results=(results,) if isinstance(results, str) else tuple(results),
                    records=records,
                    timeouts=timeouts,
                )
            )
    return cases


Zone = tuple[dict[tuple[str, str], tuple[Any, ...]], frozenset[tuple[str, str]]]


def _zone(data: dict[str, Any]) -> Zone:
    """The suite's zone: SPF stands for TXT too unless TXT is given, "NONE" for no TXT.

    TIMEOUT holds for all kinds of a name but those that it gives records for.
    """
    records: dict[tuple[str, str], tuple[Any, ...]] = {}
    silent: set[str] = set()
    for name, entries in data.items():
        given = [item for entry in entries if isinstance(entry, dict) for item in entry.items()]
        if any(not isinstance(entry, dict) for entry in entries):
            silent.add(str(name).lower())
        has_txt = any(kind == "TXT" for kind, _ in given)
        for kind, value in given:
            if kind == "SPF" and not has_txt:
                _add(records, name, "TXT", value)
            elif kind not in ("SPF",) and value != "NONE":
                _add(records, name, kind, value)
    timeouts = {(name, kind) for name in silent for kind in Kind if (name, kind) not in records}
    return records, frozenset(timeouts)


def _add(records: dict[tuple[str, str], tuple[Any, ...]], name: str, kind: str, value: Any) -> None:
    """One record in the form of core.resolver.Kind."""
    record: Any
    if kind == "TXT":
        strings = [value] if isinstance(value, str) else value
        record = b"".join(_octets(string) for string in strings)
    elif kind == "MX":
        record = (int(value[0]), str(value[1]).removesuffix(".").lower())
    else:
        record = str(value).removesuffix(".").lower()
    key = (str(name).lower(), kind)
    records[key] = (*records.get(key, ()), record)


def _octets(string: str) -> bytes:
    """YAML's text as the octets that the suite means: Latin-1 where that is possible."""
    try:
        return string.encode("latin-1")
    except UnicodeEncodeError:
        return string.encode("utf-8")
