"""Messages from the RFCs, and whatever else lies in tests/vectors/dkim."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.dkimmail import Mail, check
from support.fakedns import FakeDns

VECTORS = Path(__file__).resolve().parents[2] / "vectors" / "dkim"
CASES = sorted(path.stem for path in VECTORS.glob("*.case"))


def read(stem: str) -> tuple[Mail, FakeDns, list[tuple[str, ...]]]:
    raw = (VECTORS / f"{stem}.eml").read_bytes().replace(b"\n", b"\r\n")
    head, _, body = raw.partition(b"\r\n\r\n")
    fields = [field.partition(b":") for field in re.split(rb"\r\n(?![ \t])", head)]
    lines = (VECTORS / f"{stem}.dns").read_bytes().splitlines()
    records = {(n.decode(), "TXT"): (text,) for n, _, text in (x.partition(b" ") for x in lines)}
    wanted = [tuple(line.split()) for line in (VECTORS / f"{stem}.case").read_text().splitlines()]
    return Mail(tuple((n, v) for n, _, v in fields), body), FakeDns(records), wanted


def test_there_are_vectors() -> None:
    assert len(CASES) >= 2
    assert all((VECTORS / f"{stem}.readme").stat().st_size for stem in CASES)


@pytest.mark.parametrize("stem", CASES)
def test_vector(stem: str) -> None:
    mail, dns, wanted = read(stem)
    got = [
        tuple(x or "-" for x in (r.status, r.why, r.algorithm, r.domain, r.selector))
        for r in check(mail, dns)
    ]
    assert got == wanted


@pytest.mark.parametrize("stem", CASES)
def test_a_changed_vector_does_not_pass(stem: str) -> None:
    mail, dns, _ = read(stem)
    body = Mail(mail.fields, mail.body.replace(b"hungry", b"thirsty"))
    fields = tuple((n, v.replace(b"dinner", b"lunch")) for n, v in mail.fields)
    for changed in (body, Mail(fields, mail.body)):
        assert changed != mail
        assert {result.status for result in check(changed, dns)} == {"fail"}
