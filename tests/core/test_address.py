"""address: whose message the From fields say it is."""

from __future__ import annotations

from pathlib import Path

import pytest
from _pytest.mark import ParameterSet
from hypothesis import given
from hypothesis import strategies as st

from postseal.core import address
from postseal.core.address import Authors, Status, Why, author_domains, from_fields
from postseal.core.field import Field, Header
from postseal.core.names import ascii_domain

VECTORS = Path(__file__).parent.parent / "vectors" / "from"


def read(*values: bytes | str) -> Authors:
    """The Authors of From fields with these values."""
    octets = [value.encode() if isinstance(value, str) else value for value in values]
    return author_domains([Field(b"From", b" " + value) for value in octets])


def vectors() -> list[ParameterSet]:
    """Rows of `why TAB domains TAB rule TAB value`; see the readme beside them."""
    rows = []
    for path in sorted(VECTORS.glob("*.tsv")):
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            if line.startswith("#") or not line:
                continue
            why, domains, rule, value = line.split("\t")
            octets = value.encode("utf-8").decode("unicode_escape").encode("latin-1")
            expected = (Why(why), tuple(domains.split()))
            rows.append(pytest.param(octets, expected, id=f"{path.stem}-{number}-{rule}"))
    return rows


def test_there_are_vectors() -> None:
    assert len(vectors()) > 60, "an empty glob must not look like success"


@pytest.mark.parametrize(("value", "expected"), vectors())
def test_one_field(value: bytes, expected: tuple[Why, tuple[str, ...]]) -> None:
    authors = read(value)
    assert (authors.why, authors.domains) == expected


def test_missing() -> None:
    authors = author_domains([])
    assert (authors.why, authors.status, authors.domain) == (Why.MISSING, Status.NONE, None)


@pytest.mark.parametrize(
    ("values", "domains"),
    [
        pytest.param(("a@x.example", "b@y.example"), ("x.example", "y.example"), id="D-26-two"),
        pytest.param(("a@x.example", "b@x.example"), ("x.example",), id="same-domain-twice"),
        pytest.param(("a@x.example", "<a@y.example"), ("x.example", "y.example"), id="second-bad"),
        pytest.param(("", ""), (), id="both-empty"),
        pytest.param(("a@x.example",) * 5000, ("x.example",), id="five-thousand"),
    ],
)
def test_several_fields_are_never_sound(values: tuple[str, ...], domains: tuple[str, ...]) -> None:
    authors = read(*values)
    assert (authors.why, authors.domains, authors.domain) == (Why.SEVERAL_FIELDS, domains, None)
    assert authors.status is (Status.DOUBTFUL if domains else Status.NONE)


def test_long_fields_do_not_hide_short_ones() -> None:
    padding = "(" + "x" * 60000 + ")"
    authors = read(padding + "a@x.example", "b@y.example", padding, padding, "c@z.example")
    crowd = read("b@y.example", *[padding] * 5, "c@z.example")
    assert crowd.domains == ("y.example", "z.example")
    assert authors.domains == ("x.example", "y.example", "z.example")
    assert len(list(address._affordable([b"x" * 60000] * 20))) == 4
    assert len(list(address._affordable([b"x"] * 20))) == address.MAX_FIELDS


def test_length_hides_no_domain() -> None:
    authors = read("a@x.example (" + "y" * 60000 + ") b@y.example")
    assert (authors.why, authors.domains) == (Why.UNPARSABLE, ("x.example", "y.example"))
    crowd = read("(@x.example" * 5000 + "@y.example")
    assert (crowd.why, crowd.domains) == (Why.UNPARSABLE, ("x.example", "y.example"))


def test_from_fields_with_blank_before_the_colon() -> None:
    fields = [Field(b"From", b" a@x.example"), Field(b"FROM \t", b" b@y.example")]
    header = Header([*fields, Field(b"From-Me", b" c@z.example"), Field(b"X-From", b" d")])
    assert [*from_fields(header)] == fields


@pytest.mark.parametrize(
    ("value", "first", "count"),
    [
        pytest.param("Ann <Ann.Lee@X.Example>", "Ann.Lee@x.example", 1, id="local-part-as-written"),
        pytest.param('"a b"@x.example, c@y.example', '"a b"@x.example', 2, id="first-of-two"),
        pytest.param("ann, c@[192.0.2.1], d@y.example", "d@y.example", 3, id="first-usable"),
        pytest.param("jürgen@bücher.example", "jürgen@xn--bcher-kva.example", 1, id="eai"),
        pytest.param(
            b"j\xfcrgen@x.example", "j\N{REPLACEMENT CHARACTER}rgen@x.example", 1, id="latin-1"
        ),
        pytest.param("Team: ;", "", 0, id="none"),
    ],
)
def test_first_address(value: str | bytes, first: str, count: int) -> None:
    authors = read(value)
    assert (authors.first_address, authors.addresses) == (first, count)


@pytest.mark.parametrize(
    ("value", "forgiven"),
    [
        pytest.param("Ann Lee <a@x.example>", False, id="plain"),
        pytest.param("Ann J. Lee <a@x.example>", False, id="dots"),
        pytest.param("Jürgen <a@x.example>", False, id="8-bit"),
        pytest.param("Lee, Ann <a@x.example>", True, id="comma"),
        pytest.param("a@x.example <a@x.example>", True, id="address-as-name"),
        pytest.param("Ann @ Work <a@x.example>", True, id="at-work"),
    ],
)
def test_forgiven_is_said(value: str, forgiven: bool) -> None:
    authors = read(value)
    assert (authors.why, authors.domain, authors.forgiven) == (Why.ONE, "x.example", forgiven)


def test_limits_are_defined_results() -> None:
    many = ", ".join(f"u@d{n}.example" for n in range(address.MAX_ADDRESSES + 1))
    assert read(many.rsplit(",", 1)[0]).why is Why.SEVERAL_DOMAINS
    assert read(many).why is Why.UNPARSABLE
    assert len(read(many).domains) == address.MAX_ADDRESSES
    fits = b"a@x.example".rjust(address.MAX_FIELD - 1)
    assert read(fits).why is Why.ONE
    assert read("," * address.MAX_TOKENS).why is Why.UNPARSABLE
    longer = read(fits + b" ")
    assert (longer.why, longer.domains) == (Why.UNPARSABLE, ("x.example",))


@pytest.mark.parametrize(
    "mark", ["(", ")", '"', "\\", "<", ">", "@", ",", ";", ":", "[", "a,", "(a)"]
)
def test_one_character_sixty_thousand_times(mark: str) -> None:
    """Capped by length, no recursion: RecursionError would come out of here."""
    assert read(mark * 60000).status is Status.NONE
    assert read("(" * 4000 + ")" * 4000 + "a@x.example").domain == "x.example"


PIECES = st.sampled_from(
    [*'<>@,;:()"\\[] .\t\0', "\r\n ", "a", "bank.example", "evil.example", "=?utf-8?q?x?=", "ü"]
)


@given(st.one_of(st.binary(), st.lists(PIECES, max_size=30).map(lambda p: "".join(p).encode())))
def test_never_raises_and_loses_no_domain(value: bytes) -> None:
    authors = read(value)
    assert all(ascii_domain(domain) == domain for domain in authors.domains)
    assert len(set(authors.domains)) == len(authors.domains)
    if authors.why is Why.ONE:
        assert authors.domains == (authors.domain,)
        assert authors.first_address.endswith("@" + authors.domains[0])
    if authors.why is Why.UNPARSABLE:
        for name in (b"bank.example", b"evil.example"):
            if value.endswith(b"@" + name):
                assert name.decode() in authors.domains


@given(
    st.from_regex(address._PLAIN, fullmatch=True)
    | st.lists(PIECES, max_size=9).map(lambda p: "".join(p).encode())
)
def test_the_short_cut_changes_nothing(value: bytes) -> None:
    assert address._read_field(value) == address._read_list(value)


@given(st.lists(PIECES, max_size=20).map("".join))
def test_a_readable_field_hides_no_address_outside_comments_and_quotes(text: str) -> None:
    """Whatever surrounds it, ` x@bank.example,` is in domains unless quoted or a comment."""
    authors = read(f"{text} , x@bank.example")
    if not set(text) & set('("\\[<'):
        assert "bank.example" in authors.domains
