"""authres: what is written is in the grammar, and says what was meant and no more."""

from __future__ import annotations

import re
from pathlib import Path

import authres
import pytest
from hypothesis import given
from hypothesis import strategies as st

from postseal.core.authres import MAX_TEXT, MAX_VALUE, MethodResult, Property, compose, value
from support.authresread import NotStrict, Read, Resinfo, read

VECTORS = Path(__file__).parent.parent / "vectors" / "authres"
APPENDIX_B = [
    line.encode().decode("unicode_escape")
    for line in (VECTORS / "rfc8601-b.txt").read_text("utf-8").splitlines()
]


def result(
    method: str, word: str, reason: str = "", comment: str = "", **given: str
) -> MethodResult:
    """smtp_mailfrom="x" stands for smtp.mailfrom=x."""
    named = ((*name.partition("_"), text) for name, text in given.items())
    properties = tuple(Property(ptype, name, text) for ptype, _, name, text in named)
    return MethodResult(
        method=method, result=word, reason=reason, comment=comment, properties=properties
    )


def written(*results: MethodResult, name: str = "example.com") -> str:
    return compose(name, results).decode("ascii")


@pytest.mark.parametrize(
    ("name", "results", "example"),
    [
        pytest.param("example.org", [], 0, id="B.2"),
        pytest.param("example.com", [result("spf", "pass", smtp_mailfrom="example.net")], 1,
                     id="B.3"),
        pytest.param("example.com",
                     [result("auth", "pass", comment="cram-md5", smtp_auth="sender@example.net"),
                      result("spf", "pass", smtp_mailfrom="example.net")], 2, id="B.4-auth"),
        pytest.param("example.com", [result("iprev", "pass", policy_iprev="192.0.2.200")], 3,
                     id="B.4-iprev"),
        pytest.param("example.com",
                     [result("dkim", "pass", comment="good signature", header_d="example.com")], 4,
                     id="B.5-dkim"),
        pytest.param("example.com",
                     [result("auth", "pass", comment="cram-md5", smtp_auth="sender@example.com"),
                      result("spf", "fail", smtp_mailfrom="example.com")], 5, id="B.5-auth"),
        pytest.param("example.com",
                     [result("dkim", "pass", "good signature", header_i="@mail-router.example.net"),
                      result("dkim", "fail", "bad signature", header_i="@newyork.example.com")], 6,
                     id="B.6"),
        pytest.param("example.net",
                     [result("dkim", "pass", comment="good signature",
                             header_i="@newyork.example.com")], 7, id="B.6-list"),
    ],
)  # fmt: skip
def test_rfc8601_appendix_b(name: str, results: list[MethodResult], example: int) -> None:
    ours, theirs = read(compose(name, results).decode()), read(APPENDIX_B[example])
    assert ours == theirs


def test_the_strict_reader_reads_all_of_appendix_b() -> None:
    """B.7 too, which the authres library does not."""
    assert read(APPENDIX_B[8]) == Read(
        "foo.example.net",
        1,
        [
            Resinfo(
                "dkim",
                "fail",
                properties=[("policy.expired", "1362471462")],
                comments=["Because I like it", "One yay", "wait for it", "A dot can go here",
                          "like that", "this surprised me", "as I wasn't expecting it"],
            )
        ],
    )  # fmt: skip


@pytest.mark.parametrize(
    "text",
    ["example.com", "example.com;", "example.com; none; x", "; spf=pass", "a; spf", "a; spf=",
     "a; spf=pass smtp.mailfrom=", "a; spf=pass smtp.mailfrom=a b", 'a; spf=pass reason="x',
     "a; spf=pass (", "a;; spf=pass", "a; spf=pass\r\nX: y", "a; spf=passsmtp.x=y;"],
)  # fmt: skip
def test_the_strict_reader_is_strict(text: str) -> None:
    with pytest.raises(NotStrict):
        read(text)


def test_one_field_as_a_person_sees_it() -> None:
    text = written(
        result("dkim", "pass", comment="2048-bit key", header_d="example.com",
               header_i="@example.com", header_s="sel", header_a="rsa-sha256", header_b="BacK/e4r"),
        result("dkim", "fail", "body hash did not verify", header_d="list.example"),
        result("spf", "pass", smtp_mailfrom="example.com"),
        result("dmarc", "pass", header_from="example.com", policy_dmarc="none"),
        name="mx.example.com",
    )  # fmt: skip
    assert text == (
        "mx.example.com;\r\n"
        "\tdkim=pass (2048-bit key) header.d=example.com header.i=@example.com\r\n"
        '\t header.s=sel header.a=rsa-sha256 header.b="BacK/e4r";\r\n'
        '\tdkim=fail reason="body hash did not verify" header.d=list.example;\r\n'
        "\tspf=pass smtp.mailfrom=example.com;\r\n"
        "\tdmarc=pass header.from=example.com policy.dmarc=none"
    )


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param("example.com", "example.com", id="domain"),
        pytest.param("a.b_c-d", "a.b_c-d", id="token"),
        pytest.param("@example.com", "@example.com", id="identity-without-local-part"),
        pytest.param("a.b+c/d@my-example.com", "a.b+c/d@my-example.com", id="address"),
        pytest.param("192.0.2.1", "192.0.2.1", id="ipv4"),
        pytest.param("2001:db8::1", '"2001:db8::1"', id="ipv6"),
        pytest.param("BacK/e4r", '"BacK/e4r"', id="base64"),
        pytest.param("", '""', id="empty"),
        pytest.param("a b@example.com", '"a b"@example.com', id="blank-in-local-part"),
        pytest.param('"a b"@example.com', '"a b"@example.com', id="quoted-local-part"),
        pytest.param('"a"b"@example.com', '"?a?b?"@example.com', id="broken-quoted-local-part"),
        pytest.param("a..b@example.com", '"a..b"@example.com', id="dots-in-local-part"),
        pytest.param("a@b@example.com", '"a@b"@example.com', id="at-in-local-part"),
        pytest.param("jürgen@example.com", '"j?rgen"@example.com', id="eai-local-part"),
        pytest.param(
            "dkim=pass@example.com", '"dkim?pass"@example.com', id="H-6-result-in-local-part"
        ),
        pytest.param("a@[192.0.2.1]", '"a@[192.0.2.1]"', id="literal"),
        pytest.param("a@b;spf=pass", '"a@b?spf?pass"', id="authres-verbatim-at"),
        pytest.param("a@b\r\nX: y", '"a@b??X: y"', id="authres-verbatim-crlf"),
        pytest.param("a @b;spf=pass", '"a @b?spf?pass"', id="authres-verbatim-blank"),
        pytest.param("net(.example.com", '"net?.example.com"', id="CVE-2020-12272"),
        pytest.param("a.example\0.b.example", '"a.example?.b.example"', id="espoofer-nul"),
        pytest.param('x" spf=pass "', '"x? spf?pass ?"', id="quotes"),
        pytest.param("x\\", '"x?"', id="backslash"),
        pytest.param("bücher.example", '"b?cher.example"', id="8-bit"),
        pytest.param("\udcff", '"?"', id="surrogate"),
        pytest.param("a" * 400, '"' + "a" * MAX_VALUE + '"', id="long-token"),
        pytest.param("a" * 400 + "@x.example", '"' + "a" * MAX_VALUE + '"', id="long-address"),
    ],
)
def test_value(raw: str, expected: str) -> None:
    assert value(raw) == expected
    assert read(f"a; spf=pass smtp.helo={expected} smtp.mailfrom=x").results[0].properties[1]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        pytest.param("bad signature", "bad signature", id="plain"),
        pytest.param(
            'a) dkim=pass ("; spf=pass\\', "a] dkim:pass ['" + ", spf:pass/", id="breaking-out"
        ),
        pytest.param("a\r\nX: y\0ü", "a??X: y??", id="controls"),
        pytest.param("x" * 900, "x" * MAX_TEXT, id="long"),
    ],
)
def test_reason_and_comment(raw: str, expected: str) -> None:
    one = read(written(result("dkim", "fail", raw, raw, header_d="x.example"))).results[0]
    assert (one.reason, one.comments) == (expected, [expected])


def test_names_are_words_whoever_gave_them() -> None:
    assert (
        written(result("dk=im;", "pa\r\nss", header_b="x"))
        == "example.com;\r\n\tdkim=pass header.b=x"
    )


def test_an_odd_authserv_id_is_quoted() -> None:
    assert compose("mx/1", []) == b'"mx/1"; none'
    assert compose("a@mx.example", []) == b'"a@mx.example"; none'
    assert read(compose("my host;", []).decode()).authserv_id == "my host?"


NASTY = st.lists(
    st.sampled_from([*'a.@-_;:=()"\\ \t\r\n\0/+ü\udcff', "spf=pass", "dkim", "x.example"]),
    max_size=40,
).map("".join) | st.text(max_size=400)  # fmt: skip
WORDS = st.sampled_from(["pass", "fail", "none", "temperror"])
RESULTS = st.lists(
    st.builds(
        MethodResult,
        method=st.sampled_from(["dkim", "spf", "dmarc", "iprev", "auth", "arc"]),
        result=WORDS,
        reason=NASTY,
        comment=NASTY,
        properties=st.lists(
            st.builds(
                Property,
                st.sampled_from(["header", "smtp", "policy"]),
                st.sampled_from(["d", "i", "mailfrom", "oldest-pass"]),
                NASTY,
            ),
            max_size=4,
        ),
    ),
    max_size=4,
)


@given(RESULTS)
def test_nothing_gets_out_of_its_place(results: list[MethodResult]) -> None:
    """The strict reader finds the results that were given, in order, and nothing else."""
    octets = compose("mx.example.com", results)
    text = octets.decode("ascii")
    found = read(text)
    assert found.authserv_id == "mx.example.com"
    assert [(one.method, one.result) for one in found.results] == [
        (one.method, one.result) for one in results
    ]
    for given_, one in zip(results, found.results, strict=True):
        names = [f"{p.ptype}.{p.name}" for p in given_.properties]
        assert [name for name, _ in one.properties] == names
        assert len(one.comments) == bool(given_.comment)
    assert all(len(line) < 998 for line in octets.split(b"\r\n"))
    assert not re.search(rb"[^\t\r\n -~]|\r(?!\n)|(?<!\r)\n|\r\n(?![ \t])", octets)


@given(RESULTS)
def test_readers_that_split_at_semicolons_see_the_same(results: list[MethodResult]) -> None:
    """Many do not know quotes or comments: none of `; =` may come from a value."""
    text = compose("mx.example.com", results).decode("ascii")
    parts = text.split(";")[1:]
    assert len(parts) == max(len(results), 1)
    for part, one in zip(parts, results, strict=False):
        first = re.findall(r"\b(?:dkim|spf|dmarc|iprev|auth|arc)=(\w+)", part)
        assert first == [one.result]


PLAIN = st.sampled_from(["example.com", "@example.com", "a.b@example.com", "rsa-sha256", "sel1"])


@given(
    st.lists(st.tuples(st.sampled_from(["d", "i", "s", "a"]), PLAIN), max_size=4),
    WORDS,
    st.sampled_from(["", "bad signature", "revoked"]),
)
def test_the_authres_library_reads_the_same(
    properties: list[tuple[str, str]], word: str, reason: str
) -> None:
    """An independent reader, where it can: it wants quoted values at the end of a statement."""
    given_ = tuple(Property("header", name, text) for name, text in properties)
    mine = MethodResult(method="dkim", result=word, reason=reason, properties=given_)
    last = result("dkim", "pass", header_d="example.com", header_b="a/b+c")
    text = compose("mx.example.com", [mine, last]).decode()
    header = authres.all_features().parse(f"Authentication-Results: {text}")
    assert header.authserv_id == "mx.example.com"
    first, second = header.results
    assert (first.method, first.result, first.reason or "") == ("dkim", word, reason)
    assert [(p.name, str(p.value)) for p in first.properties] == properties
    assert second.properties[-1].value == "a/b+c"
