"""report: the words of RFC 8601 and RFC 9989, one row per rule."""

from __future__ import annotations

import pytest

from postseal.core import report, spf
from postseal.core.authres import MethodResult, Property
from postseal.core.dkim import verify
from postseal.core.dmarc import evaluate as dmarc
from postseal.core.transaction import Client, Envelope


def dkim_result(**facts: object) -> MethodResult:
    told: dict[str, object] = {"status": verify.Status.PASS, "why": verify.Why.VERIFIED}
    return report.dkim((verify.Result(**told | facts),))[0]  # type: ignore[arg-type]


def test_dkim_names_signature_and_key() -> None:
    """RFC 8601 section 2.7.1 and RFC 6008."""
    made = dkim_result(
        domain="example.com",
        identity="@news.example.com",
        selector="s1",
        algorithm="rsa-sha256",
        b="abcdefgh",
        key_bits=2048,
    )
    assert (made.method, made.result, made.reason) == ("dkim", "pass", "")
    assert made.comment == "2048-bit key"
    assert list(made.properties) == [
        Property("header", "d", "example.com"),
        Property("header", "i", "@news.example.com"),
        Property("header", "s", "s1"),
        Property("header", "a", "rsa-sha256"),
        Property("header", "b", "abcdefgh"),
    ]


def test_what_could_not_be_read_is_not_named() -> None:
    assert dkim_result(domain="example.com").properties == (Property("header", "d", "example.com"),)


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        pytest.param(
            {"status": verify.Status.FAIL, "why": verify.Why.EXPIRED}, "expired", id="why"
        ),
        pytest.param(
            {"status": verify.Status.FAIL, "why": verify.Why.EXPIRED, "detail": "expired in May"},
            "expired in May",
            id="detail-before-why",
        ),
        pytest.param({"status": verify.Status.NONE, "why": verify.Why.NOT_SIGNED}, "", id="none"),
    ],
)
def test_a_reason_is_given_for_all_but_pass_and_none(facts: dict[str, object], reason: str) -> None:
    assert dkim_result(**facts).reason == reason


def test_a_key_in_test_mode_is_marked() -> None:
    assert dkim_result(testing=True, key_bits=1024).comment == "1024-bit key, testing"


@pytest.mark.parametrize(
    ("identity", "name"), [("mailfrom", "mailfrom"), ("helo", "helo")], ids=str
)
def test_spf_names_the_identity_that_was_checked(identity: str, name: str) -> None:
    """RFC 8601 section 2.7.2: the domain alone, because the local part was not used."""
    result = spf.Result(
        status=spf.Status.PASS,
        why=spf.Why.MATCHED,
        domain="example.com",
        identity=identity,  # type: ignore[arg-type]
        detail="not shown on pass",
    )
    made = report.spf(result)
    assert made.properties == (Property("smtp", name, "example.com"),)
    assert (made.result, made.reason) == ("pass", "")


def test_spf_without_a_domain_has_no_property() -> None:
    result = spf.Result(
        status=spf.Status.NONE, why=spf.Why.NO_DOMAIN, domain="", identity="mailfrom"
    )
    assert report.spf(result).properties == ()


def test_spf_errors_have_a_reason() -> None:
    result = spf.Result(
        status=spf.Status.PERMERROR,
        why=spf.Why.SYNTAX,
        domain="example.com",
        identity="mailfrom",
        detail="Unknown mechanism: nonsense",
    )
    assert report.spf(result).reason == "Unknown mechanism: nonsense"


def test_dmarc_names_the_author_domain_and_the_policy_that_applies() -> None:
    """RFC 9989 section 9.2."""
    result = dmarc.Result(
        status=dmarc.Status.FAIL,
        why=dmarc.Why.NOT_ALIGNED,
        author_domain="example.com",
        published=dmarc.Disposition.REJECT,
        applied=dmarc.Disposition.QUARANTINE,
        detail="not shown on fail",
    )
    made = report.dmarc(result)
    assert made.properties == [
        Property("header", "from", "example.com"),
        Property("policy", "dmarc", "quarantine"),
    ]
    assert made.reason == ""


def test_dmarc_without_a_policy_names_none() -> None:
    result = dmarc.Result(status=dmarc.Status.PERMERROR, why=dmarc.Why.NO_AUTHOR, detail="no From")
    made = report.dmarc(result)
    assert not made.properties and made.reason == "no From"


def test_auth_names_the_user() -> None:
    made = report.auth(Client(auth_user="ann"), Envelope(sender="ann@example.com"))
    assert made.properties == (
        Property("smtp", "auth", "ann"),
        Property("smtp", "mailfrom", "ann@example.com"),
    )
