"""The ValiMail ARC suite: verification.  Skips loudly where the data is absent."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from postseal.core.arc import seal, verify
from postseal.core.arc.verify import ArcResult, Status, Why
from postseal.core.canon import BodyHasher, BodyHashes
from postseal.core.dkim import sign
from support.dkimmail import Mail
from support.fakedns import FakeDns
from support.suites import SUITES

yaml: Any = pytest.importorskip("yaml")

DATA = Path(__file__).resolve().parents[4] / "shared" / "data" / "arc"
VALIDATION = DATA / "arc-draft-validation-tests.yml"

pytestmark = pytest.mark.skipif(not VALIDATION.exists(), reason=f"no ARC suite at {DATA}")


@cache
def cases() -> dict[str, tuple[dict[str, Any], dict[str, str]]]:
    """Each test with the TXT records of its scenario."""
    found: dict[str, tuple[dict[str, Any], dict[str, str]]] = {}
    if not VALIDATION.exists():
        return found
    for scenario in yaml.safe_load_all(VALIDATION.read_text()):
        for name, test in scenario["tests"].items():
            assert name not in found
            found[name] = (test, scenario["txt-records"] or {})
    return found


def split(text: str) -> Mail:
    raw = text.encode().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    head, _, body = raw.partition(b"\r\n\r\n")
    if raw.startswith(b"\r\n"):
        head, body = b"", raw[2:]
    fields = re.split(rb"\r\n(?![ \t])", head.removesuffix(b"\r\n")) if head else []
    return Mail(tuple((n, v) for n, _, v in (field.partition(b":") for field in fields)), body)


def zone(records: dict[str, str]) -> FakeDns:
    """Their records may be made of several lines: strings of one record."""
    return FakeDns(
        {(name, "TXT"): ("".join(text.split("\n")).encode(),) for name, text in records.items()}
    )


def judge(what: Mail, dns: FakeDns) -> ArcResult:
    prepared = verify.prepare(what.header, 12345)
    hashes = BodyHashes(prepared.body_keys)
    hashes.update(what.body)
    return prepared.finish(hashes.digests(), dns)


@pytest.mark.parametrize("name", cases())
def test_verify(name: str) -> None:
    test, records = cases()[name]
    result = judge(split(test["message"] or ""), zone(records))
    wanted = test["cv"].lower()
    if wanted:
        assert result.status == wanted, result
    else:
        # The suite leaves the word open where a seal itself says cv=fail.
        assert (result.status, result.why) == (Status.FAIL, Why.CV_FAIL)


def test_the_suite_is_whole() -> None:
    assert len(cases()) == SUITES["ValiMail ARC suite, verify"].cases
    assert len(sign_cases()) == SUITES["ValiMail ARC suite, sign"].cases


@cache
def sign_cases() -> dict[str, tuple[dict[str, Any], dict[str, Any]]]:
    found: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {}
    path = DATA / "arc-draft-sign-tests.yml"
    if not path.exists():
        return found
    for scenario in yaml.safe_load_all(path.read_text()):
        for name, test in scenario["tests"].items():
            found[name] = (test, scenario)
    return found


def tags(text: str) -> dict[str, str]:
    """A tag list as the suite compares it: order and white space do not count."""
    pairs = (part.partition("=") for part in "".join(text.split()).split(";") if part)
    return {name: value for name, _, value in pairs}


def merged_results(what: Mail, authserv_id: str) -> bytes:
    """One text out of all Authentication-Results of ours."""
    parts: list[str] = [authserv_id]
    for field in what.header.all(b"authentication-results"):
        name, *results = (part.strip() for part in field.value.decode().split(";"))
        if name == authserv_id:
            parts += results
    return ";\r\n ".join(parts).encode()


@pytest.mark.parametrize("name", sign_cases())
def test_sign(name: str) -> None:
    test, scenario = sign_cases()[name]
    what = split(test["message"])
    key = sign.load(scenario["privatekey"].encode(), scenario["domain"], scenario["sel"])
    hasher = BodyHasher(seal.BODY_KEY)
    hasher.update(what.body)
    found = judge(what, zone(scenario["txt-records"]))
    made = seal.seal(
        what.header,
        key,
        hasher.digest(),
        found,
        merged_results(what, test["srv-id"]),
        seal.Options(names=tuple(test["sig-headers"].encode().split(b":"))),
        now=test["t"],
    )
    if not test["AS"]:
        assert made == ()
        return
    arc_seal, ams, aar = (field.value.decode() for field in made)
    assert " ".join(aar.split()) == " ".join(test["AAR"].split())
    assert tags(ams) == tags(test["AMS"])
    assert tags(arc_seal) == tags(test["AS"])
