"""authres_upstream: what a trusted host found, and only as far as it fits."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.core.authres import MethodResult, Property, compose
from postseal.core.authres_upstream import (
    MAX_FIELD,
    Identities,
    Statement,
    Upstream,
    Why,
    read_upstream,
    statements,
)
from postseal.core.field import Field, Header

NAME = b"Authentication-Results"
RECEIVED = Field(b"Received", b" from x by mx.lab.example")
IDS = ["mx.lab.example"]
MINE = Identities(
    sender="sender.example",
    helo="helo.example",
    signatures=(("sender.example", "s1"), ("list.example", "s2")),
)


def field(value: str | bytes) -> Field:
    return Field(NAME, b" " + (value.encode() if isinstance(value, str) else value))


def read(value: str | bytes, mine: Identities = MINE) -> Upstream:
    return read_upstream(Header([RECEIVED, field(value)]), IDS, mine)


GOOD = "mx.lab.example; spf=pass smtp.mailfrom=sender.example; dkim=pass header.d=sender.example"


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        pytest.param([field(GOOD)], Why.READ, id="on-top"),
        pytest.param([RECEIVED, field(GOOD)], Why.READ, id="below-its-received"),
        pytest.param([Field(b"X", b" y"), RECEIVED, field(GOOD)], Why.READ, id="below-others"),
        pytest.param([RECEIVED, RECEIVED, field(GOOD)], Why.TOO_LOW, id="below-the-senders"),
        pytest.param([RECEIVED], Why.ABSENT, id="absent"),
        pytest.param([field("other.example; none"), field(GOOD)],
                     Why.NOT_TOPMOST, id="not-topmost"),
        pytest.param([field("mx.lab.example"), field(GOOD)],
                     Why.READ, id="topmost-without-results"),
        pytest.param([field("(("), field(GOOD)], Why.UNREADABLE, id="topmost-unreadable"),
        pytest.param([Field(b"X-" + NAME, b" " + GOOD.encode())], Why.ABSENT, id="other-name"),
    ],
)  # fmt: skip
def test_where_it_stands(fields: list[Field], why: Why) -> None:
    result = read_upstream(Header(fields), IDS, MINE)
    assert result.why is why
    if why is not Why.READ:
        assert (result.spf_pass_domain, result.dkim_pass_domains) == (None, ())


def test_how_many_received_is_a_setting() -> None:
    header = Header([RECEIVED, RECEIVED, field(GOOD)])
    assert read_upstream(header, IDS, MINE, received_above=2).spf_pass_domain == "sender.example"
    assert read_upstream(Header([RECEIVED, field(GOOD)]), IDS, MINE, received_above=0).why is (
        Why.TOO_LOW
    )


@pytest.mark.parametrize(
    ("text", "domain"),
    [
        pytest.param("spf=pass smtp.mailfrom=sender.example", "sender.example", id="domain"),
        pytest.param("spf=pass smtp.mailfrom=a@Sender.Example", "sender.example", id="address"),
        pytest.param("spf=pass smtp.mailfrom=b+x=y@sender.example", "sender.example", id="verp"),
        pytest.param('spf=pass smtp.mailfrom="a b"@sender.example', "sender.example", id="quoted"),
        pytest.param("spf=pass (ok; really) smtp.mailfrom=sender.example", "sender.example",
                     id="comment-with-semicolon"),
        pytest.param("spf=pass smtp.mailfrom=other.example", None, id="other-sender"),
        pytest.param("spf=pass smtp.helo=helo.example", None, id="helo-is-not-mailfrom"),
        pytest.param("spf=fail smtp.mailfrom=sender.example", None, id="fail"),
        pytest.param("spf=pass", None, id="about-nobody"),
        pytest.param("spf=pass smtp.mailfrom=sender.example smtp.mailfrom=x.example", None,
                     id="about-two"),
        pytest.param("spf=pass smtp.mailfrom= smtp.helo=sender.example", None, id="empty-value"),
        pytest.param('spf=fail reason="; spf=pass smtp.mailfrom=sender.example', None,
                     id="unclosed-quote"),
        pytest.param('spf=fail reason="; spf=pass smtp.mailfrom=sender.example"', None,
                     id="inside-a-quoted-string"),
        pytest.param("spf=fail (; spf=pass smtp.mailfrom=sender.example)", None,
                     id="inside-a-comment"),
        pytest.param("spf=pass smtp.mailfrom=sender.example junk", None, id="junk-behind"),
        pytest.param("spf=pass smtp.mailfrom=sender.example; =", "sender.example",
                     id="another-statement-broken"),
    ],
)  # fmt: skip
def test_spf(text: str, domain: str | None) -> None:
    assert read(f"mx.lab.example; {text}").spf_pass_domain == domain


def test_spf_of_the_null_reverse_path_is_that_of_helo() -> None:
    bounce = Identities(helo="helo.example")
    assert read("mx.lab.example; spf=pass smtp.helo=helo.example", bounce).spf_pass_domain == (
        "helo.example"
    )
    assert read("mx.lab.example; spf=pass smtp.helo=x.example", bounce).spf_pass_domain is None
    assert read(GOOD, Identities()).spf_pass_domain is None


@pytest.mark.parametrize(
    ("text", "domains"),
    [
        pytest.param("dkim=pass header.d=sender.example", "sender.example", id="d"),
        pytest.param("dkim=pass header.i=@sender.example", "sender.example", id="i"),
        pytest.param("dkim=pass header.d=sender.example header.s=s1 header.b=a/b+c==",
                     "sender.example", id="d-s-b"),
        pytest.param("dkim=pass header.d=sender.example header.s=other", "", id="other-selector"),
        pytest.param("dkim=pass header.d=bank.example", "", id="no-such-signature"),
        pytest.param("dkim=pass header.i=@sub.sender.example", "", id="i-below-d-is-not-guessed"),
        pytest.param("dkim=fail header.d=sender.example", "", id="fail"),
        pytest.param("dkim=pass header.d=list.example; dkim=pass header.d=sender.example; "
                     "dkim=pass header.d=sender.example", "list.example sender.example",
                     id="several"),
        pytest.param("dkim/1 = pass header.d=sender.example", "sender.example", id="version"),
        pytest.param("dkim/2=pass header.d=sender.example", "", id="version-2"),
    ],
)  # fmt: skip
def test_dkim(text: str, domains: str) -> None:
    assert read(f"mx.lab.example 1; {text}").dkim_pass_domains == tuple(domains.split())


@pytest.mark.parametrize(
    ("value", "why"),
    [
        pytest.param(GOOD.replace("; ", "\r\n\t; "), Why.READ, id="folded"),
        pytest.param("(x (y)) " + GOOD, Why.READ, id="comments"),
        pytest.param(GOOD.upper(), Why.READ, id="case"),
        pytest.param(GOOD.replace("mx.lab.example", '"mx.lab.example"'), Why.READ, id="quoted-id"),
        pytest.param(GOOD.replace("; spf", " 2; spf"), Why.UNREADABLE, id="H-3-version-2"),
        pytest.param(GOOD.replace("; spf", "/job; spf"), Why.NOT_TOPMOST, id="job-id"),
        pytest.param(GOOD + "\0", Why.UNREADABLE, id="nul"),
        pytest.param(GOOD.replace("; ", ";\n"), Why.UNREADABLE, id="bare-lf"),
        pytest.param(GOOD.replace("; ", ";\r"), Why.UNREADABLE, id="bare-cr"),
        pytest.param(GOOD + ")", Why.UNREADABLE, id="stray-parenthesis"),
        pytest.param(GOOD + "(", Why.UNREADABLE, id="unclosed-comment"),
        pytest.param(GOOD + "(\\))", Why.READ, id="escaped-parenthesis"),
        pytest.param(GOOD + '(")', Why.READ, id="quote-in-a-comment"),
        pytest.param(GOOD + " " * MAX_FIELD, Why.UNREADABLE, id="too-long"),
        pytest.param("", Why.UNREADABLE, id="empty"),
    ],
)
def test_readable_or_not(value: str, why: Why) -> None:
    result = read(value)
    assert result.why is why
    assert result.spf_pass_domain == ("sender.example" if why is Why.READ else None)


def test_what_our_own_host_writes_is_read_back() -> None:
    given_ = [
        MethodResult(method="dkim", result="pass", comment="2048-bit key", reason="it's good",
                     properties=(Property("header", "d", "sender.example"),
                                 Property("header", "i", "a b@sender.example"),
                                 Property("header", "b", "a/b+c"))),
        MethodResult(method="dmarc", result="fail",
                     properties=(Property("header", "from", "x.example"),)),
    ]  # fmt: skip
    assert read(compose("mx.lab.example", given_)).statements == (
        Statement("dkim", "pass", (("header.d", "sender.example"),
                                   ("header.i", '"a b"@sender.example'), ("header.b", "a/b+c"))),
        Statement("dmarc", "fail", (("header.from", "x.example"),)),
    )  # fmt: skip


def test_rfc8601_appendix_b() -> None:
    path = Path(__file__).parent.parent / "vectors" / "authres" / "rfc8601-b.txt"
    for line in path.read_text("utf-8").splitlines():
        value = line.encode().decode("unicode_escape")
        result = read_upstream(Header([field(value)]), [value.split()[0].strip(";")], MINE)
        assert result.why is Why.READ
        expected = 0 if "none" in value or "foo" in value else value.count(";")
        assert len(result.statements) == expected, "B.7 has blanks where few writers put them"


PIECES = st.sampled_from(
    [*' ;()"\\=.@\t\0', "\r\n ", "mx.lab.example", "spf=pass", " smtp.mailfrom=", "sender.example"]
)


@given(st.lists(PIECES, max_size=20).map(lambda parts: "".join(parts).encode()) | st.binary())
def test_never_raises(value: bytes) -> None:
    result = read(value)
    assert result.spf_pass_domain in (None, "sender.example")
    if result.spf_pass_domain:
        assert b"spf=pass" in value


def test_statements_of_a_field_beyond_the_limit_are_none() -> None:
    said = b"i=1; mx.lab.example; dmarc=pass header.from=a.example"
    assert [one.method for one in statements(said.ljust(MAX_FIELD))] == ["dmarc"]
    assert statements(said.ljust(MAX_FIELD + 1)) == ()


def test_the_largest_field_is_no_trouble() -> None:
    for octets in ("(", "()", ";", '"', "a=b ", "a=b c.d=", "spf=pass a.b=c;", '"" ', "\\"):
        read("mx.lab.example; " + octets * ((MAX_FIELD - 20) // len(octets)))
