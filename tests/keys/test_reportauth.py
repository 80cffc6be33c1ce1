"""reportauth: RFC 9990 section 4, step by step."""

from __future__ import annotations

import pytest

from postseal_keys.dnsask import Outcome
from postseal_keys.findings import Harm
from postseal_keys.reportauth import check, name
from support.fakeasker import FakeAsker

REPORTS = {
    ("_dmarc.blue.example.com", "TXT"): ["v=DMARC1; p=none; rua=mailto:reports@red.example.net"],
    ("_dmarc.example.com", "TXT"): ["v=DMARC1; p=none"],
    ("red.example.net", "MX"): ["10 mx.red.example.net"],
    ("mail.example.com", "A"): ["192.0.2.1"],
    ("null.example.net", "MX"): ["0 "],
    ("text.example.net", "TXT"): ["hello"],
}
PLACE = "blue.example.com._report._dmarc.red.example.net"


@pytest.mark.parametrize(
    ("record", "address", "codes"),
    [
        pytest.param(None, "a@red.example.net", ["report-not-authorised"], id="9990-4-step-7"),
        pytest.param("v=DMARC1", "a@red.example.net", [], id="9990-4-step-8"),
        pytest.param("v=DMARC1;", "a@red.example.net", [], id="9990-4-final-separator"),
        pytest.param("hello", "a@red.example.net", ["report-not-authorised"], id="9990-4-step-6"),
        pytest.param(
            "v=DMARC1; rua=mailto:b@red.example.net", "a@red.example.net", [], id="9990-4-step-9"
        ),
        pytest.param(
            "v=DMARC1; rua=mailto:b@other.example",
            "a@red.example.net",
            ["report-override-host"],
            id="9990-4-other-host",
        ),
        pytest.param(None, "a@mail.example.com", [], id="9990-4-same-organization"),
        pytest.param(None, "a@gone.invalid", ["report-no-host"], id="gone"),
        pytest.param(None, "a@null.example.net", ["report-no-host"], id="null-mx"),
        pytest.param(None, "a@text.example.net", ["report-no-host"], id="no-mx-no-a"),
    ],
)
def test_report_authorisation(record: str | None, address: str, codes: list[str]) -> None:
    records = {**REPORTS, (PLACE, "TXT"): [record]} if record else REPORTS
    found = check("blue.example.com", [f"mailto:{address}"], FakeAsker(records))
    assert [finding.code for finding in found] == codes


def test_the_line_its_operator_has_to_publish() -> None:
    (finding,) = check("blue.example.com", ["mailto:a@red.example.net"], FakeAsker(REPORTS))
    assert finding.publish == (f'{PLACE}. IN TXT "v=DMARC1"',)


def test_a_temporary_error_is_not_a_no() -> None:
    asker = FakeAsker(REPORTS, broken={PLACE: Outcome.TIMEOUT})
    (finding,) = check("blue.example.com", ["mailto:a@red.example.net"], asker)
    assert finding.harm is Harm.UNKNOWN


def test_a_name_too_long_for_dns() -> None:
    long = ".".join(["a" * 60] * 3) + ".example"
    host = "b" * 60 + ".example.org"
    found = check(long, [f"mailto:a@{host}"], FakeAsker({(host, "MX"): ["10 mx.example.org"]}))
    assert [finding.code for finding in found] == ["report-name-long"]
    assert len(name(long, host)) > 253
